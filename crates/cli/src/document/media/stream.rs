//! Streams in JSON.

use std::net::IpAddr;

use model::media::Basis;
use serde::Serialize;

use super::session::Format;

/// One RTP stream, measured.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Stream<'a> {
    /// Synchronisation source.
    ssrc: u32,
    /// The payload type that it began with.
    payload_type: u8,
    /// The number of its first frame in the capture, from 1.
    frame: u64,
    /// What it carries; null where neither a session nor the payload tells.
    format: Option<Format>,
    /// How that is known: `session`, `payload` or `static_type`.
    format_known_by: Option<&'static str>,
    /// What was taken for granted of the format, in sentences.
    assumed: &'a [String],
    /// Its session, as an index into `sessions`; null where none agrees to it.
    session: Option<usize>,
    /// Its legs; the first is the one that came first.
    legs: Vec<Leg>,
    /// Which rules it broke.
    faults: Vec<Fault<'a>>,
}

/// One leg as it came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Leg {
    /// Who sent.
    source: IpAddr,
    /// From which port.
    source_port: u16,
    /// Where to.
    destination: IpAddr,
    /// To which port.
    destination_port: u16,
    /// Outermost VLAN.
    vlan: Option<u16>,
    /// Hops that were left of the first packet.
    ttl: u8,
    /// Differentiated services code point of the first packet.
    dscp: u8,
}

/// A rule that a stream broke.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Fault<'a> {
    /// The rule's name.
    rule: &'static str,
    /// Its clause.
    clause: &'static str,
    /// What was seen.
    text: &'static str,
    /// How often.
    count: u64,
    /// The number of the first frame in the capture that shows it.
    frame: u64,
    /// RTP sequence number of that packet.
    sequence: u16,
    /// RTP timestamp of that packet.
    timestamp: u32,
    /// Particulars of the first; empty where there are none.
    detail: &'a str,
}

impl<'a> Stream<'a> {
    pub(crate) fn of(stream: &'a model::media::Stream) -> Stream<'a> {
        Stream {
            ssrc: stream.ssrc,
            payload_type: stream.payload_type,
            frame: stream.frame,
            format: stream.format.as_ref().map(|(format, _)| Format::of(format)),
            format_known_by: stream.format.as_ref().map(|(_, basis)| match basis {
                Basis::Session(_) => "session",
                Basis::Payload => "payload",
                Basis::StaticType => "static_type",
            }),
            assumed: &stream.assumed,
            session: stream.session,
            legs: stream
                .legs
                .iter()
                .map(|leg| Leg {
                    source: leg.source.ip(),
                    source_port: leg.source.port(),
                    destination: leg.destination.ip(),
                    destination_port: leg.destination.port(),
                    vlan: leg.vlan,
                    ttl: leg.ttl,
                    dscp: leg.dscp,
                })
                .collect(),
            faults: stream
                .faults
                .iter()
                .map(|fault| Fault {
                    rule: fault.rule.name,
                    clause: fault.rule.clause,
                    text: fault.rule.text,
                    count: fault.count,
                    frame: fault.first.frame,
                    sequence: fault.first.sequence,
                    timestamp: fault.first.timestamp,
                    detail: &fault.detail,
                })
                .collect(),
        }
    }
}
