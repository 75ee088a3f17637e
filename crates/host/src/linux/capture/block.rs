//! One block of the ring: the frames that the kernel has put there (Linux `include/uapi/linux/if_packet.h`).

use libc::{TP_STATUS_CSUMNOTREADY, TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID};
use model::{Timestamp, Utc};
use wire::coalesced::Coalesced;
use wire::cursor::{array, be16, ne16, ne32};
use wire::{Frame, LinkType};

use super::device::Device;
use crate::capture::Direction;

/// Bytes of a frame's header: `struct tpacket3_hdr` (48) and `struct sockaddr_ll` (20).
const HEADER_BYTES: usize = 68;
/// Bytes of the destination and source of Ethernet, behind which a tag stands (IEEE 802.1Q-2018 §9.3).
const ADDRESSES_BYTES: usize = 12;
const TAG_BYTES: usize = 4;
/// Bytes of the header of "cooked" frames, version 2.
const COOKED_BYTES: usize = 20;

/// Bytes of `struct virtio_net_hdr`, which stands right before a frame.
const CUTTING_BYTES: usize = 10;
/// Its flag that a checksum is to be made, and its kind of frame: datagrams of UDP (Linux `include/uapi/linux/virtio_net.h`).
const NEEDS_CHECKSUM: u8 = 1;
const DATAGRAMS: u8 = 5;
/// Where in the header of UDP its checksum stands (RFC 768).
const CHECKSUM_AT: u16 = 6;

const CUSTOMER_TAG: u16 = 0x8100;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// A walk over the frames of a block, in the order of their arrival.
#[derive(Debug)]
pub struct Walk {
    at: usize,
    left: u32,
}

impl Walk {
    /// Before the first frame.
    pub fn begin(block: &[u8]) -> Option<Walk> {
        // `struct tpacket_block_desc`: num_pkts, offset_to_first_pkt.
        Some(Walk { left: ne32(block, 12)?, at: usize::try_from(ne32(block, 16)?).ok()? })
    }

    /// How many frames are still to come.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// The next frame's place; `None` at the end, and where the block is not what it should be.
    pub fn next(&mut self, block: &[u8]) -> Option<Place> {
        let left = self.left.checked_sub(1)?;
        let at = self.at;
        let header = array::<HEADER_BYTES>(block, at)?;
        let header = header.as_slice();
        let place = Place {
            time: time(ne32(header, 4)?, ne32(header, 8)?),
            captured: ne32(header, 12)?,
            wire_bytes: ne32(header, 16)?,
            status: ne32(header, 20)?,
            link_at: at.checked_add(usize::from(ne16(header, 24)?))?,
            network_at: at.checked_add(usize::from(ne16(header, 26)?))?,
            // The kernel keeps 16 bits of it in 32.
            tag: u16::try_from(ne32(header, 32)? & 0xffff).ok()?,
            tag_kind: ne16(header, 36)?,
            protocol: be16(header, 50)?,
            interface: ne32(header, 52)?,
            hardware: ne16(header, 56)?,
            kind: *header.get(58)?,
            address_bytes: *header.get(59)?,
            address: array(header, 60)?,
        };
        self.at = at.checked_add(usize::try_from(ne32(header, 0)?).ok()?)?;
        self.left = left;
        Some(place)
    }
}

fn time(seconds: u32, ns: u32) -> Timestamp<Utc> {
    Timestamp::from_ns(i64::from(seconds) * 1_000_000_000 + i64::from(ns))
}

/// What the kernel says of one frame, and where in the block its bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    time: Timestamp<Utc>,
    captured: u32,
    wire_bytes: u32,
    status: u32,
    link_at: usize,
    network_at: usize,
    tag: u16,
    tag_kind: u16,
    protocol: u16,
    /// The number of the interface.
    pub interface: u32,
    hardware: u16,
    kind: u8,
    address_bytes: u8,
    address: [u8; 8],
}

impl Place {
    /// What the first byte of the frame begins.
    pub fn link(&self) -> LinkType {
        match Device::of(self.hardware) {
            Device::Ip if !matches!(self.protocol, IPV4 | IPV6) => LinkType::LINUX_SLL2,
            device => device.link(),
        }
    }

    /// Which way it went.
    pub fn direction(&self) -> Direction {
        match self.kind {
            libc::PACKET_OUTGOING => Direction::Out,
            libc::PACKET_BROADCAST | libc::PACKET_MULTICAST => Direction::Group,
            libc::PACKET_OTHERHOST => Direction::Elsewhere,
            _ => Direction::Here,
        }
    }

    /// Whether its checksum is left to the interface.
    pub fn checksum_pending(&self) -> bool {
        self.status & TP_STATUS_CSUMNOTREADY != 0
    }

    /// How the frame is to be cut into datagrams; asked before the frame, whose tag takes this room.
    pub fn coalesced(&self, block: &[u8]) -> Option<Coalesced> {
        let header = array::<CUTTING_BYTES>(block, self.link_at.checked_sub(CUTTING_BYTES)?)?;
        let [flags, kind, ..] = header;
        let number = |at| ne16(&header, at);
        if kind != DATAGRAMS || flags & NEEDS_CHECKSUM == 0 || number(8)? != CHECKSUM_AT {
            return None;
        }
        let network_bytes = self.network_at.checked_sub(self.link_at)?;
        let network_at = match self.link() {
            LinkType::RAW => 0,
            LinkType::LINUX_SLL2 => COOKED_BYTES,
            LinkType::ETHERNET if self.status & TP_STATUS_VLAN_VALID != 0 => network_bytes + TAG_BYTES,
            _ => network_bytes,
        };
        let udp_at = network_at + usize::from(number(6)?).checked_sub(network_bytes)?;
        Some(Coalesced { network_at, udp_at, payload_bytes: usize::from(number(4)?) })
    }

    /// The frame as it is on the wire. What the kernel took out of it is put back in the room that it leaves before each.
    pub fn frame<'b>(&self, block: &'b mut [u8], snap_bytes: u32, interface: u32) -> Option<Frame<'b>> {
        let link = self.link();
        let captured = usize::try_from(self.captured).ok()?;
        let (start, end, wire_bytes) = match link {
            LinkType::RAW | LinkType::LINUX_SLL2 => {
                let network_at = self.network_at.max(self.link_at);
                let header_bytes = network_at - self.link_at;
                let end = network_at.checked_add(captured.saturating_sub(header_bytes))?;
                let wire_bytes = self.wire_bytes.saturating_sub(u32::try_from(header_bytes).ok()?);
                if link == LinkType::RAW {
                    (network_at, end, wire_bytes)
                } else {
                    let start = network_at.checked_sub(COOKED_BYTES)?;
                    block.get_mut(start..network_at)?.copy_from_slice(&self.cooked());
                    (start, end, wire_bytes.saturating_add(20))
                }
            }
            LinkType::ETHERNET if self.status & TP_STATUS_VLAN_VALID != 0 && captured >= ADDRESSES_BYTES => {
                let start = self.link_at.checked_sub(TAG_BYTES)?;
                let room = block.get_mut(start..)?.first_chunk_mut::<{ ADDRESSES_BYTES + TAG_BYTES }>()?;
                room.copy_within(TAG_BYTES.., 0);
                let [.., a, b, c, d] = room;
                [*a, *b] = self.tag_kind().to_be_bytes();
                [*c, *d] = self.tag.to_be_bytes();
                (start, self.link_at.checked_add(captured)?, self.wire_bytes.saturating_add(4))
            }
            _ => (self.link_at, self.link_at.checked_add(captured)?, self.wire_bytes),
        };
        let bytes = block.get(start..end)?;
        let kept = bytes.get(..usize::try_from(snap_bytes).ok()?).unwrap_or(bytes);
        Some(Frame { time: Some(self.time), link, interface, wire_bytes, bytes: kept })
    }

    fn tag_kind(&self) -> u16 {
        if self.status & TP_STATUS_VLAN_TPID_VALID != 0 { self.tag_kind } else { CUSTOMER_TAG }
    }

    /// The header of a "cooked" frame, version 2.
    fn cooked(&self) -> [u8; COOKED_BYTES] {
        let [p0, p1] = self.protocol.to_be_bytes();
        let [i0, i1, i2, i3] = self.interface.to_be_bytes();
        let [h0, h1] = self.hardware.to_be_bytes();
        let [a0, a1, a2, a3, a4, a5, a6, a7] = self.address;
        let length = self.address_bytes.min(8);
        [p0, p1, 0, 0, i0, i1, i2, i3, h0, h1, self.kind, length, a0, a1, a2, a3, a4, a5, a6, a7]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one frame as the kernel lays it out: `link_bytes` of link header, then `payload`.
    fn block(hardware: u16, protocol: u16, status: u32, link: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut block = vec![0_u8; 48];
        block[12..16].copy_from_slice(&1_u32.to_ne_bytes());
        block[16..20].copy_from_slice(&48_u32.to_ne_bytes());
        let network = 96_u16;
        let mac = network - u16::try_from(link.len()).unwrap();
        let captured = u32::try_from(link.len() + payload.len()).unwrap();
        for word in [0, 1_700_000_000, 999_999_999, captured, captured + 7, status] {
            block.extend_from_slice(&u32::to_ne_bytes(word));
        }
        block.extend_from_slice(&mac.to_ne_bytes());
        block.extend_from_slice(&network.to_ne_bytes());
        // Hash, tag (priority 5, VLAN 420), kind of tag (of a provider).
        for word in [0_u32, 0xa1a4] {
            block.extend_from_slice(&word.to_ne_bytes());
        }
        block.extend_from_slice(&0x88a8_u16.to_ne_bytes());
        block.resize(48 + 48, 0);
        block.extend_from_slice(&17_u16.to_ne_bytes());
        block.extend_from_slice(&protocol.to_be_bytes());
        block.extend_from_slice(&9_u32.to_ne_bytes());
        block.extend_from_slice(&hardware.to_ne_bytes());
        block.extend_from_slice(&[4, 6, 2, 0, 0, 0, 4, 20, 0, 0]);
        block.resize(48 + usize::from(mac), 0xee);
        block.extend_from_slice(link);
        block.extend_from_slice(payload);
        block
    }

    fn only(block: &mut [u8], snap_bytes: u32) -> (LinkType, Vec<u8>, u32) {
        let mut walk = Walk::begin(block).unwrap();
        let place = walk.next(block).unwrap();
        assert_eq!((walk.left(), place.interface, place.direction()), (0, 9, Direction::Out));
        assert!(walk.next(block).is_none());
        let frame = place.frame(block, snap_bytes, 3).unwrap();
        assert_eq!(frame.time.unwrap().as_ns(), 1_700_000_000_999_999_999);
        assert_eq!(frame.interface, 3);
        (frame.link, frame.bytes.to_vec(), frame.wire_bytes)
    }

    const ETHERNET: [u8; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0];

    #[test]
    fn a_frame_comes_as_it_is() {
        let mut block = block(1, IPV4, 0, &ETHERNET, b"berth");
        let whole = [&ETHERNET[..], b"berth"].concat();
        assert_eq!(only(&mut block, 1000), (LinkType::ETHERNET, whole, 26));
    }

    #[test]
    fn datagrams_that_are_one_frame_are_known_by_what_stands_before_it() {
        let mut said = vec![NEEDS_CHECKSUM, DATAGRAMS];
        [42_u16, 1000, 34, 6].iter().for_each(|number| said.extend(number.to_ne_bytes()));
        let of = |hardware, status, link: &[u8], said: &[u8]| {
            let mut block = block(hardware, IPV4, status, link, b"berth");
            let at = 48 + 96 - link.len() - CUTTING_BYTES;
            block[at..at + CUTTING_BYTES].copy_from_slice(said);
            Walk::begin(&block).unwrap().next(&block).unwrap().coalesced(&block)
        };
        let place = |network_at, udp_at| Some(Coalesced { network_at, udp_at, payload_bytes: 1000 });
        assert_eq!(of(1, 0, &ETHERNET, &said), place(14, 34));
        assert_eq!(of(1, TP_STATUS_VLAN_VALID, &ETHERNET, &said), place(18, 38));
        assert_eq!(of(778, 0, &ETHERNET, &said), place(0, 20));
        for (at, other) in [(0, 0), (1, 1), (8, 16)] {
            let mut damaged = said.clone();
            damaged[at] = other;
            assert_eq!(
                of(1, 0, &ETHERNET, &damaged),
                None,
                "a checksum that is made, TCP, and a checksum of TCP"
            );
        }
        let mut before = said;
        before[6..8].copy_from_slice(&13_u16.to_ne_bytes());
        assert_eq!(of(1, 0, &ETHERNET, &before), None, "a transport before the network");
    }

    #[test]
    fn a_tag_stands_again_where_it_stood() {
        let with = |kind: u16| [&ETHERNET[..12], &kind.to_be_bytes(), &[0xa1, 0xa4, 8, 0], b"berth"].concat();
        for (status, kind) in [(0x10, 0x8100), (0x50, 0x88a8)] {
            let made = block(1, IPV4, status, &ETHERNET, b"berth");
            assert_eq!(only(&mut made.clone(), 1000), (LinkType::ETHERNET, with(kind), 30));
            assert_eq!(only(&mut made.clone(), 20), (LinkType::ETHERNET, with(kind)[..20].to_vec(), 30));
        }
        // A frame that was cut before the tag's place has none.
        let mut cut = block(1, IPV4, 0x10, &[], &ETHERNET[..11]);
        assert_eq!(only(&mut cut, 1000).1, &ETHERNET[..11]);
    }

    #[test]
    fn a_tunnel_begins_with_ip_whatever_the_kernel_puts_before() {
        for header in [&[][..], &[9; 28]] {
            let mut block = block(778, IPV6, 0, header, b"\x60berth");
            assert_eq!(only(&mut block, 4), (LinkType::RAW, b"\x60ber".to_vec(), 13));
        }
    }

    #[test]
    fn what_has_no_link_type_of_its_own_is_cooked() {
        let cooked = [0x88, 0x47, 0, 0, 0, 0, 0, 9, 0, 32, 4, 6, 2, 0, 0, 0, 4, 20, 0, 0];
        for header in [&[][..], &[9; 20]] {
            let mut block = block(32, 0x8847, 0, header, b"berth");
            let whole = [&cooked[..], b"berth"].concat();
            assert_eq!(only(&mut block, 1000), (LinkType::LINUX_SLL2, whole, 32));
        }
        let mut other = block(libc::ARPHRD_PPP, 0x8847, 0, &[], b"berth");
        assert_eq!(only(&mut other, 1000).0, LinkType::LINUX_SLL2);
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let whole = block(1, IPV4, 0x50, &ETHERNET, b"berth");
        let walk_through = |block: &mut [u8]| {
            let Some(mut walk) = Walk::begin(block) else { return };
            let mut frames = 0;
            while let Some(place) = walk.next(block) {
                frames += 1;
                if let Some(frame) = place.frame(block, 1 << 18, 0) {
                    assert!(frame.bytes.len() <= whole.len());
                }
                // A claimed number of frames costs no more than what one is told to look at.
                if frames == 100 {
                    break;
                }
            }
        };
        for end in 0..whole.len() {
            walk_through(&mut whole[..end].to_vec());
        }
        let mut seed = 3_u64;
        for _ in 0..20_000 {
            let mut copy = whole.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[2];
            }
            walk_through(&mut copy);
        }
    }
}
