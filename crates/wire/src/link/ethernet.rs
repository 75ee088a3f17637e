//! Ethernet with its VLAN tags, or with a length and LLC (IEEE 802.3 §3.1, IEEE 802.1Q §9).

use super::EtherType;
use crate::Fault;
use crate::cursor::be16;

/// Bytes of two addresses and the type.
pub const HEADER_BYTES: usize = 14;
/// Smaller values of the type field are lengths (IEEE 802.3 §3.2.6).
pub const LEAST_TYPE: u16 = 0x0600;
/// More tags than this on one frame are a fault.
const MOST_TAGS: usize = 8;

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ethernet<'a> {
    /// To whom.
    pub destination: [u8; 6],
    /// From whom.
    pub source: [u8; 6],
    /// The identifier of the first VLAN tag.
    pub vlan: Option<u16>,
    /// The identifier of the last VLAN tag, where there are several.
    pub inner_vlan: Option<u16>,
    /// The type, or a length if below [`LEAST_TYPE`].
    pub ether_type: EtherType,
    /// What follows, padding included.
    pub payload: &'a [u8],
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "Ethernet", at, what }
}

/// Whether what follows is a tag of a VLAN.
pub const fn is_tag(ether_type: EtherType) -> bool {
    matches!(ether_type, EtherType::VLAN | EtherType::PROVIDER_VLAN | EtherType::OLD_PROVIDER_VLAN)
}

/// The tags that begin `bytes`, the first of which was announced by `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags<'a> {
    /// The identifier of the first.
    pub outer: Option<u16>,
    /// The identifier of the last, where there are several.
    pub inner: Option<u16>,
    /// What follows them.
    pub ether_type: EtherType,
    /// The bytes that follow them.
    pub payload: &'a [u8],
}

/// Reads tags for as long as `first` and its followers announce one (IEEE 802.1Q §9.6).
pub fn tags(first: EtherType, bytes: &[u8]) -> Result<Tags<'_>, Fault> {
    let mut found = Tags { outer: None, inner: None, ether_type: first, payload: bytes };
    for index in 0.. {
        if !is_tag(found.ether_type) {
            break;
        }
        let at = bytes.len() - found.payload.len();
        if index == MOST_TAGS {
            return Err(Fault { layer: "VLAN", at, what: "more than eight tags on one frame" });
        }
        let (Some(control), Some(next)) = (be16(found.payload, 0), be16(found.payload, 2)) else {
            return Err(Fault { layer: "VLAN", at, what: "the frame ends within a tag (IEEE 802.1Q §9.6)" });
        };
        let id = Some(control & 0x0fff);
        if found.outer.is_none() {
            found.outer = id;
        } else {
            found.inner = id;
        }
        found.ether_type = EtherType(next);
        found.payload = found.payload.get(4..).unwrap_or_default();
    }
    Ok(found)
}

/// Reads the header of a frame, and its tags.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Ethernet<'_>, Fault> {
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(fault(0, "the frame is shorter than two addresses and a type (IEEE 802.3 §3.1)"));
    };
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let mut frame = Ethernet {
        destination: [d0, d1, d2, d3, d4, d5],
        source: [s0, s1, s2, s3, s4, s5],
        vlan: None,
        inner_vlan: None,
        ether_type: EtherType(u16::from_be_bytes([t0, t1])),
        payload,
    };
    if is_tag(frame.ether_type) {
        let tags = tags(frame.ether_type, payload)
            .map_err(|fault| Fault { at: fault.at + HEADER_BYTES, ..fault })?;
        (frame.vlan, frame.inner_vlan) = (tags.outer, tags.inner);
        (frame.ether_type, frame.payload) = (tags.ether_type, tags.payload);
    }
    Ok(frame)
}
