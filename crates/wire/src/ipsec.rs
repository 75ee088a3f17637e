//! ESP, which hides what it carries, and AH, which only signs it (RFC 4303 §2, RFC 4302 §2).

use crate::Fault;
use crate::cursor::{array, be32};
use crate::protocol::Protocol;

/// Bytes of ESP that can be read.
pub const ESP_HEADER_BYTES: usize = 8;

/// What of ESP can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Esp {
    /// Which association it belongs to.
    pub security_parameters: u32,
    /// Its number in the association.
    pub sequence: u32,
}

/// Reads the header of ESP.
pub fn parse_esp(bytes: &[u8]) -> Result<Esp, Fault> {
    match (be32(bytes, 0), be32(bytes, 4)) {
        (Some(security_parameters), Some(sequence)) => Ok(Esp { security_parameters, sequence }),
        _ => Err(Fault { layer: "ESP", at: 0, what: "shorter than a header (RFC 4303 §2)" }),
    }
}

/// An Authentication Header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authentication {
    /// What follows.
    pub next: Protocol,
    /// Which association it belongs to.
    pub security_parameters: u32,
    /// Its bytes with the signature.
    pub header_bytes: usize,
}

/// Reads an Authentication Header.
pub fn parse_authentication(bytes: &[u8]) -> Result<Authentication, Fault> {
    let fault = |at, what| Fault { layer: "AH", at, what };
    let (Some([next, length]), Some(security_parameters), Some(_)) =
        (array(bytes, 0), be32(bytes, 4), be32(bytes, 8))
    else {
        return Err(fault(0, "shorter than a header (RFC 4302 §2)"));
    };
    let header_bytes = (usize::from(length) + 2) * 4;
    if header_bytes < 12 || bytes.len() < header_bytes {
        return Err(fault(1, "its length is below 12, or beyond the packet (RFC 4302 §2.2)"));
    }
    Ok(Authentication { next: Protocol(next), security_parameters, header_bytes })
}
