//! GUE: packets of IP over UDP, behind a short header or none (draft-ietf-intarea-gue §3).

use crate::Fault;
use crate::cursor::array;
use crate::protocol::Protocol;

/// A header of variant 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gue {
    /// What follows.
    pub next: Protocol,
    /// Bytes of the header with its extensions.
    pub header_bytes: usize,
}

/// Reads a header of variant 0 that carries data.
pub fn parse(bytes: &[u8]) -> Result<Gue, Fault> {
    let fault = |at, what| Fault { layer: "GUE", at, what };
    let Some([first, next, _, _]) = array(bytes, 0) else {
        return Err(fault(0, "shorter than a header (draft-ietf-intarea-gue §3.1)"));
    };
    if first & 0xe0 != 0 {
        return Err(fault(0, "not data of variant 0 (draft-ietf-intarea-gue §3.1)"));
    }
    let header_bytes = 4 + usize::from(first & 0x1f) * 4;
    if bytes.len() < header_bytes {
        return Err(fault(0, "the header is longer than what there is (draft-ietf-intarea-gue §3.2.1)"));
    }
    Ok(Gue { next: Protocol(next), header_bytes })
}
