//! Group membership of IPv6: queries, joins, leaves, source lists (RFC 2710, RFC 9777).

use crate::Fault;
use crate::address::Address;
use crate::cursor::{array, be16};
use crate::igmp::{Message, Query, Sources, query_tail, records};

/// Octets of the shortest message, with the header of ICMP.
pub const HEADER_BYTES: usize = 24;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "MLD", at, what }
}

/// Reads a message: a message of ICMP for IPv6 from its type on.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let ends = fault(bytes.len(), "shorter than the shortest message (RFC 2710 §3)");
    let [kind] = array(bytes, 0).ok_or(ends)?;
    let group = || array(bytes, 8).map(Address::from_v6).ok_or(ends);
    Ok(match kind {
        130 => {
            let (code, group) = (be16(bytes, 4).ok_or(ends)?, group()?);
            // Which version is told by the length (RFC 9777 §8.1).
            let version = if bytes.len() < 28 { 1 } else { 2 };
            let mut query = Query {
                version,
                group: (group != Address::default()).then_some(group),
                max_response_ms: if version == 1 { u32::from(code) } else { long_float(code) },
                suppress: false,
                robustness: 0,
                interval_s: 0,
                sources: Sources { bytes: &[], width: 16 },
            };
            if version == 2 {
                (query.suppress, query.robustness, query.interval_s, query.sources) =
                    query_tail(bytes, HEADER_BYTES, 16, "MLD")?;
            }
            Message::Query(query)
        }
        131 => Message::Join { group: group()?, version: 1 },
        132 => Message::Leave { group: group()? },
        143 => Message::Report(records(bytes, 16, "MLD")?),
        other => Message::Other(other),
    })
}

/// A number of sixteen bits: as it is below 32,768, else with mantissa and exponent (RFC 9777 §5.1.3).
fn long_float(code: u16) -> u32 {
    if code < 0x8000 {
        return u32::from(code);
    }
    (u32::from(code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::igmp::{RecordKind, check};
    use std::vec::Vec;

    fn report() -> Vec<u8> {
        let mut bytes = b"\x8f\0\0\0\0\0\0\x01\x04\0\0\x01".to_vec();
        bytes.extend_from_slice(&Address::from_v6([0xff; 16]).octets());
        bytes.extend_from_slice(&Address::from_v6([0x20; 16]).octets());
        bytes
    }

    #[test]
    fn reports_and_queries_are_read() {
        let bytes = report();
        let Message::Report(mut records) = parse(&bytes).unwrap() else { panic!() };
        let record = records.next().unwrap();
        assert_eq!((record.kind, record.group), (RecordKind::ToExclude, Address::from_v6([0xff; 16])));
        assert_eq!(record.sources.iter().collect::<Vec<_>>(), [Address::from_v6([0x20; 16])]);
        let mut query = b"\x82\0\0\0\x90\0\0\0".to_vec();
        query.extend_from_slice(&[0; 16]);
        let Message::Query(first) = parse(&query).unwrap() else { panic!() };
        assert_eq!((first.version, first.group, first.max_response_ms), (1, None, 0x9000));
        query.extend_from_slice(b"\x0a\x7d\0\0");
        let Message::Query(second) = parse(&query).unwrap() else { panic!() };
        assert_eq!((second.version, second.max_response_ms, second.suppress), (2, 0x1000 << 4, true));
        assert_eq!((second.robustness, second.interval_s), (2, 125));
        for sample in [bytes, query] {
            for end in 0..sample.len() {
                check(&sample[..end]);
            }
        }
    }

    #[test]
    fn joins_and_leaves_of_version_1() {
        let mut bytes = std::vec![131, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&[0xff; 16]);
        let group = Address::from_v6([0xff; 16]);
        assert_eq!(parse(&bytes).unwrap(), Message::Join { group, version: 1 });
        bytes[0] = 132;
        assert_eq!(parse(&bytes).unwrap(), Message::Leave { group });
        assert!(parse(&bytes[..23]).is_err());
    }
}
