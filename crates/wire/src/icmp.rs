//! ICMP of both versions, and the packet that an error quotes (RFC 792, RFC 4443, RFC 4884).

use crate::Fault;
use crate::address::Address;
use crate::cursor::be16;
use crate::packet::Version;
use crate::protocol::Protocol;
use crate::{ipv4, ipv6};

/// Bytes of a header: kind, code, checksum, and four bytes whose meaning depends on the kind.
pub const HEADER_BYTES: usize = 8;

/// A message's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// Which version of IP it belongs to.
    pub version: Version,
    /// Its kind (`type`).
    pub kind: u8,
    /// Its code within the kind.
    pub code: u8,
    /// The four bytes behind the checksum: identifier and sequence of an echo, the MTU of "too big".
    pub rest: u32,
}

/// The packet that an error speaks of, as far as it was quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Its version.
    pub version: Version,
    /// Who sent it.
    pub source: Address,
    /// To whom.
    pub destination: Address,
    /// What it carried.
    pub protocol: Protocol,
    /// The ports, where the protocol has them, the quote goes that far, and it was no later piece.
    pub ports: Option<(u16, u16)>,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "ICMP", at, what }
}

impl Icmp {
    /// Whether it reports an error, and so quotes the packet that caused it.
    pub fn is_error(self) -> bool {
        match self.version {
            // RFC 1122 §3.2.2
            Version::V4 => matches!(self.kind, 3 | 4 | 5 | 11 | 12),
            // Redirect quotes too, but in an option (RFC 4861 §4.5).
            Version::V6 => matches!(self.kind, 1..=4),
        }
    }

    /// Whether it belongs to Multicast Listener Discovery (RFC 2710 §3, RFC 9777 §5).
    pub fn is_listener_discovery(self) -> bool {
        self.version == Version::V6 && matches!(self.kind, 130..=132 | 143)
    }

    /// The packet that an error speaks of; `payload` is what follows the header.
    pub fn quote(self, payload: &[u8]) -> Result<Option<Quote>, Fault> {
        if !self.is_error() {
            return Ok(None);
        }
        let placed = |fault: Fault| Fault { at: fault.at + HEADER_BYTES, ..fault };
        let quote = match self.version {
            Version::V4 => {
                let header = ipv4::parse(payload).map_err(placed)?;
                let rest = payload.get(header.header_bytes..).unwrap_or_default();
                Quote {
                    version: Version::V4,
                    source: header.source,
                    destination: header.destination,
                    protocol: header.protocol,
                    ports: ports(header.protocol, rest).filter(|_| header.fragment_offset == 0),
                }
            }
            Version::V6 => {
                let header = ipv6::parse(payload).map_err(placed)?;
                let rest = payload.get(ipv6::HEADER_BYTES..).unwrap_or_default();
                let extensions = ipv6::extensions(header.next, rest)
                    .map_err(|fault| placed(Fault { at: fault.at + ipv6::HEADER_BYTES, ..fault }))?;
                let first = extensions.fragment.is_none_or(|fragment| fragment.offset == 0);
                let rest = rest.get(extensions.header_bytes..).unwrap_or_default();
                Quote {
                    version: Version::V6,
                    source: header.source,
                    destination: header.destination,
                    protocol: extensions.protocol,
                    ports: ports(extensions.protocol, rest).filter(|_| first),
                }
            }
        };
        Ok(Some(quote))
    }
}

/// The ports that begin a header of a protocol that has them.
pub fn ports(protocol: Protocol, bytes: &[u8]) -> Option<(u16, u16)> {
    match protocol {
        Protocol::TCP | Protocol::UDP | Protocol::UDP_LITE | Protocol::SCTP | Protocol::DCCP => {
            be16(bytes, 0).zip(be16(bytes, 2))
        }
        _ => None,
    }
}

/// Reads a header; which version cannot be told from its bytes.
pub fn parse(version: Version, bytes: &[u8]) -> Result<Icmp, Fault> {
    let Some([kind, code, _, _, rest @ ..]) = bytes.first_chunk::<HEADER_BYTES>().copied() else {
        return Err(fault(0, "shorter than a header (RFC 792, RFC 4443 §2.1)"));
    };
    Ok(Icmp { version, kind, code, rest: u32::from_be_bytes(rest) })
}
