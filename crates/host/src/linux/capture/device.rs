//! What the bytes of a packet socket's frames begin with, by the kind of device (Linux `include/uapi/linux/if_arp.h`).

use wire::LinkType;

/// ARPHRD_IP6GRE, and ARPHRD_RAWIP of mobile modems.
const IP6GRE: u16 = 823;
const RAWIP: u16 = 519;

/// How the frames of a device are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// From the link's header on.
    Linked(LinkType),
    /// From the IP header on: there is no header before it, or one that no other program could make sense of.
    Ip,
    /// Behind a header of our making that says what the kernel knows ("cooked").
    Other,
}

impl Device {
    /// By the hardware type that the kernel names.
    pub fn of(hardware: u16) -> Device {
        match hardware {
            // Loopback has Ethernet headers, too; all zeros but for the type.
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Device::Linked(LinkType::ETHERNET),
            libc::ARPHRD_IEEE80211 => Device::Linked(LinkType::IEEE802_11),
            libc::ARPHRD_IEEE80211_RADIOTAP => Device::Linked(LinkType::IEEE802_11_RADIOTAP),
            libc::ARPHRD_NONE
            | libc::ARPHRD_TUNNEL
            | libc::ARPHRD_TUNNEL6
            | libc::ARPHRD_SIT
            | libc::ARPHRD_IPGRE
            | libc::ARPHRD_PPP
            | RAWIP
            | IP6GRE => Device::Ip,
            _ => Device::Other,
        }
    }

    /// What the first byte of its frames begins; on an IP device, of those that are IP.
    pub fn link(self) -> LinkType {
        match self {
            Device::Linked(link) => link,
            Device::Ip => LinkType::RAW,
            Device::Other => LinkType::LINUX_SLL2,
        }
    }
}

/// The hardware types whose frames a filter program for this link type sees from their first byte on.
pub fn filtered(link: LinkType) -> &'static [u16] {
    match link {
        LinkType::ETHERNET => &[libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK],
        // Not GRE: with more than one far end, the kernel shows a program the outer header there.
        LinkType::RAW => &[
            libc::ARPHRD_NONE,
            libc::ARPHRD_TUNNEL,
            libc::ARPHRD_TUNNEL6,
            libc::ARPHRD_SIT,
            libc::ARPHRD_PPP,
            RAWIP,
        ],
        LinkType::IEEE802_11 => &[libc::ARPHRD_IEEE80211],
        LinkType::IEEE802_11_RADIOTAP => &[libc::ARPHRD_IEEE80211_RADIOTAP],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::FILTERED_LINKS;

    #[test]
    fn what_the_kernel_filters_is_what_is_handed_out() {
        for link in FILTERED_LINKS {
            assert!(!filtered(link).is_empty(), "{link:?}");
            for hardware in filtered(link) {
                assert_eq!(Device::of(*hardware).link(), link, "{hardware}");
            }
        }
        assert!(filtered(LinkType::LINUX_SLL2).is_empty());
        // InfiniBand.
        assert_eq!(Device::of(32).link(), LinkType::LINUX_SLL2);
    }
}
