//! The header that all packets of DCCP begin with (RFC 4340 §5.1).

use crate::Fault;
use crate::cursor::{array, be16};

/// A packet's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dccp {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// What kind of packet: 0 a request, 1 a response, 2 data.
    pub kind: u8,
    /// Bytes of the header with its options.
    pub header_bytes: usize,
}

/// Reads the header.
pub fn parse(bytes: &[u8]) -> Result<Dccp, Fault> {
    let fault = |at, what| Fault { layer: "DCCP", at, what };
    let (Some(source_port), Some(destination_port), Some([offset]), Some([kind])) =
        (be16(bytes, 0), be16(bytes, 2), array(bytes, 4), array(bytes, 8))
    else {
        return Err(fault(0, "shorter than a header (RFC 4340 §5.1)"));
    };
    let header_bytes = usize::from(offset) * 4;
    // With short sequence numbers the header has 12 bytes, else 16.
    let least = if kind & 1 == 0 { 12 } else { 16 };
    if header_bytes < least {
        return Err(fault(4, "the data begin within the header (RFC 4340 §5.1)"));
    }
    if bytes.len() < header_bytes {
        return Err(fault(4, "the header is longer than the packet (RFC 4340 §5.1)"));
    }
    Ok(Dccp { source_port, destination_port, kind: (kind >> 1) & 15, header_bytes })
}
