//! One captured frame, and what its first byte begins: the same for a file and for a live interface.

use model::{Timestamp, Utc};

/// What the first byte of a frame begins (the `LINKTYPE_` numbers of the pcap and pcapng formats).
///
/// It is stated by whoever captured the frame, and never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: the family in the byte order of the capturing machine.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
    /// PPP in HDLC-like framing or without (RFC 1662).
    pub const PPP: LinkType = LinkType(9);
    /// PPP in HDLC-like framing (RFC 1662), or Cisco HDLC.
    pub const PPP_HDLC: LinkType = LinkType(50);
    /// PPPoE session packets (RFC 2516).
    pub const PPP_ETHER: LinkType = LinkType(51);
    /// Raw IP, version 4 or 6 by its first nibble.
    pub const RAW: LinkType = LinkType(101);
    /// IEEE 802.11 without a radio header.
    pub const IEEE802_11: LinkType = LinkType(105);
    /// OpenBSD loopback: the family in network byte order.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// IEEE 802.11 behind a header of Prism, or of AVS.
    pub const IEEE802_11_PRISM: LinkType = LinkType(119);
    /// IEEE 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: LinkType = LinkType(127);
    /// IEEE 802.11 behind a header of AVS.
    pub const IEEE802_11_AVS: LinkType = LinkType(163);
    /// What a header says per packet.
    pub const PPI: LinkType = LinkType(192);
    /// Raw IPv4.
    pub const IPV4: LinkType = LinkType(228);
    /// Raw IPv6.
    pub const IPV6: LinkType = LinkType(229);
    /// What the firewall of Linux logged.
    pub const NFLOG: LinkType = LinkType(239);
    /// What a header of macOS says per packet.
    pub const PKTAP: LinkType = LinkType(258);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: LinkType = LinkType(276);
}

/// One frame as it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it was captured; `None` where the capture does not say (a pcapng Simple Packet Block).
    pub time: Option<Timestamp<Utc>>,
    /// What its first byte begins.
    pub link: LinkType,
    /// Which interface of the capture, counted from 0.
    pub interface: u32,
    /// Its length on the wire; what was captured may be less.
    pub wire_bytes: u32,
    /// What was captured.
    pub bytes: &'a [u8],
}
