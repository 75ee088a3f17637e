//! Sessions that were agreed, and streams that were measured.

use std::net::{IpAddr, SocketAddr};

use model::media::{self, Media};
use serde::Serialize;

use super::moment;

/// One way on which the packets of a session come.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Leg {
    /// Where the packets go.
    pub(crate) address: IpAddr,
    /// The port there.
    pub(crate) port: u16,
}

impl Leg {
    fn to(end: SocketAddr) -> Leg {
        Leg { address: end.ip(), port: end.port() }
    }
}

/// A use of ports that was agreed beforehand.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Session {
    /// Its name: a stranger chose it.
    pub(crate) name: String,
    /// How we know of it: `sdp`, `sap`, `rtsp`, `nmos` or `policy`.
    pub(crate) source: &'static str,
    /// From where, in words.
    pub(crate) source_words: String,
    /// What it carries, the preferred format first.
    pub(crate) formats: Vec<String>,
    /// Where it goes.
    pub(crate) legs: Vec<Leg>,
    /// When it was first heard of.
    first: Option<String>,
    /// When it was last heard of.
    pub(crate) last: Option<String>,
    /// When it was withdrawn.
    pub(crate) ended: Option<String>,
}

impl Session {
    pub(crate) fn of(session: &media::Session) -> Session {
        Session {
            name: session.name.clone(),
            source: session.source.word(),
            source_words: session.source.to_string(),
            formats: session.formats.iter().map(|format| format.essence.to_string()).collect(),
            legs: session.legs.iter().map(|leg| Leg::to(leg.destination)).collect(),
            first: session.first.map(moment),
            last: session.last.map(moment),
            ended: session.ended.map(moment),
        }
    }
}

/// One leg of a stream, as it came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct StreamLeg {
    /// Who sent.
    pub(crate) source: IpAddr,
    /// From which port.
    source_port: u16,
    /// Where to.
    pub(crate) destination: IpAddr,
    /// To which port.
    pub(crate) port: u16,
    /// Packets that came.
    pub(crate) packets: u64,
    /// Packets that the sequence numbers say were sent.
    pub(crate) expected: u64,
    /// Packets that never came.
    pub(crate) lost: u64,
    /// Packets that came again.
    duplicates: u64,
    /// Packets that came after one with a higher number.
    pub(crate) reordered: u64,
    /// Interarrival jitter at the end, in nanoseconds.
    pub(crate) jitter_ns: u64,
    /// Bits a second.
    pub(crate) rate_bps: u64,
    /// The first packet.
    first: Option<String>,
    /// The last packet.
    last: Option<String>,
    /// The strictest type of ST 2110-21 that was kept; null where it was not measured, or none was.
    pub(crate) pacing: Option<&'static str>,
    /// The plots that there are of it: /api/v1/streams/NUMBER/legs/NUMBER/PLOT.svg.
    pub(crate) plots: Vec<&'static str>,
}

/// A rule that a stream broke.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Fault {
    /// Its stable name.
    pub(crate) rule: &'static str,
    /// The clause.
    pub(crate) clause: &'static str,
    /// What was seen.
    pub(crate) text: &'static str,
    /// How often.
    pub(crate) count: u64,
    /// Particulars of the first.
    pub(crate) detail: String,
}

/// An RTP stream, measured.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Stream {
    /// Its number on this machine, from 0, in the order in which streams began.
    pub(crate) number: usize,
    /// The synchronisation source.
    pub(crate) ssrc: u32,
    /// The payload type.
    payload_type: u8,
    /// What it carries: `video`, `audio`, …; null where that is not known.
    pub(crate) carries: Option<&'static str>,
    /// The format in words.
    pub(crate) format: Option<String>,
    /// The name of its session: a stranger chose it.
    pub(crate) session: Option<String>,
    /// Its legs.
    pub(crate) legs: Vec<StreamLeg>,
    /// Packets that no leg had (ST 2022-7); null where there is one leg.
    pub(crate) missing_on_all: Option<u64>,
    /// What it broke.
    pub(crate) faults: Vec<Fault>,
}

impl Stream {
    pub(crate) fn of(media: &Media, number: usize) -> Option<Stream> {
        let stream = media.streams.get(number)?;
        let faults = stream.faults.iter();
        Some(Stream {
            number,
            ssrc: stream.ssrc,
            payload_type: stream.payload_type,
            carries: stream.format.as_ref().map(|(format, _)| format.essence.word()),
            format: stream.format.as_ref().map(|(format, _)| format.essence.to_string()),
            session: stream.session.and_then(|at| media.sessions.get(at)).map(|session| session.name.clone()),
            legs: stream.legs.iter().map(leg).collect(),
            missing_on_all: stream.hitless.as_ref().map(|hitless| hitless.missing),
            faults: faults
                .map(|it| Fault {
                    rule: it.rule.name,
                    clause: it.rule.clause,
                    text: it.rule.text,
                    count: it.count,
                    detail: it.detail.clone(),
                })
                .collect(),
        })
    }

    /// Packets that were lost, of those that were sent.
    pub(crate) fn loss(&self) -> (u64, u64) {
        let lost: u64 = self.legs.iter().map(|leg| leg.lost).sum();
        let expected = self.legs.iter().map(|leg| leg.expected).sum();
        (self.missing_on_all.unwrap_or(lost), expected)
    }
}

fn leg(leg: &media::StreamLeg) -> StreamLeg {
    let reception = &leg.reception;
    StreamLeg {
        source: leg.source.ip(),
        source_port: leg.source.port(),
        destination: leg.destination.ip(),
        port: leg.destination.port(),
        packets: reception.packets,
        expected: reception.expected,
        lost: reception.lost,
        duplicates: reception.duplicates,
        reordered: reception.reordered,
        jitter_ns: reception.jitter_ns,
        rate_bps: reception.rate_bps,
        first: reception.first.map(moment),
        last: reception.last.map(moment),
        pacing: leg.shaping.as_ref().and_then(|shaping| shaping.satisfied).map(media::SenderType::token),
        plots: engine::plots::names(leg),
    }
}
