//! The header of UDP (RFC 768), and of UDP-Lite, which has the same shape (RFC 3828 §3.1).

use crate::Fault;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 8;

/// A datagram's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Its length with the header, as claimed; 0 in a jumbogram (RFC 2675 §4). UDP-Lite: what the checksum covers.
    pub length: u16,
    /// Its checksum; 0 for none.
    pub checksum: u16,
}

/// Reads a header.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Udp, Fault> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Err(Fault { layer: "UDP", at: 0, what: "shorter than a header (RFC 768)" });
    };
    let [s0, s1, d0, d1, l0, l1, c0, c1] = *header;
    Ok(Udp {
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
        length: u16::from_be_bytes([l0, l1]),
        checksum: u16::from_be_bytes([c0, c1]),
    })
}
