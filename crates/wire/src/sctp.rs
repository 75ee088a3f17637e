//! The header that all chunks of SCTP share (RFC 9260 §3.1).

use crate::Fault;
use crate::cursor::{be16, be32};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 12;

/// A packet's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sctp {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The tag that the receiver chose; 0 with INIT.
    pub verification_tag: u32,
}

/// Reads the header.
pub fn parse(bytes: &[u8]) -> Result<Sctp, Fault> {
    let read = || {
        bytes.get(..HEADER_BYTES)?;
        Some(Sctp {
            source_port: be16(bytes, 0)?,
            destination_port: be16(bytes, 2)?,
            verification_tag: be32(bytes, 4)?,
        })
    };
    read().ok_or(Fault { layer: "SCTP", at: 0, what: "shorter than a header (RFC 9260 §3.1)" })
}
