//! What was sent, in JSON.

use serde::Serialize;

use model::media::{Effort, SendingFacts, SentLeg, SentStream};

use crate::document::SCHEMA_VERSION;
use crate::document::tables::Generator;

/// What became of streams: the document of `media send`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve sending", deny_unknown_fields))]
pub(crate) struct SendingDocument<'a> {
    schema_version: u32,
    generator: Generator,
    duration_ns: u64,
    clock: &'a str,
    efforts: Vec<Tried<'a>>,
    streams: Vec<Stream<'a>>,
}

impl<'a> SendingDocument<'a> {
    pub(crate) fn of(facts: &'a SendingFacts) -> SendingDocument<'a> {
        SendingDocument {
            schema_version: SCHEMA_VERSION,
            generator: Generator::this(),
            duration_ns: facts.duration_ns,
            clock: &facts.clock,
            efforts: facts.efforts.iter().map(Tried::of).collect(),
            streams: facts.streams.iter().map(Stream::of).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(super) struct Tried<'a> {
    what: &'a str,
    had: Option<&'a str>,
    refused: Option<&'a str>,
}

impl<'a> Tried<'a> {
    pub(super) fn of(effort: &'a Effort) -> Tried<'a> {
        let outcome = effort.outcome.as_deref();
        Tried { what: &effort.what, had: outcome.ok(), refused: outcome.err().map(String::as_str) }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Stream<'a> {
    name: &'a str,
    ssrc: u32,
    periods: u64,
    periods_left_out: u64,
    overtaken: u64,
    late_mean_ns: u64,
    late_p99_ns: u64,
    late_p999_ns: u64,
    late_max_ns: u64,
    /// How many were late by at least 2ⁿ ns and less than twice that, for n from 0.
    late_histogram: &'a [u64],
    faults: Vec<Fault<'a>>,
    legs: Vec<Leg<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Fault<'a> {
    name: &'a str,
    count: u64,
}

impl<'a> Stream<'a> {
    fn of(stream: &'a SentStream) -> Stream<'a> {
        Stream {
            name: &stream.name,
            ssrc: stream.ssrc,
            periods: stream.periods,
            periods_left_out: stream.periods_left_out,
            overtaken: stream.overtaken,
            late_mean_ns: stream.lateness.mean_ns(),
            late_p99_ns: stream.lateness.at_most_ns(990),
            late_p999_ns: stream.lateness.at_most_ns(999),
            late_max_ns: stream.lateness.max_ns,
            late_histogram: &stream.lateness.places,
            faults: stream.faults.iter().map(|(name, count)| Fault { name, count: *count }).collect(),
            legs: stream.legs.iter().map(Leg::of).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Leg<'a> {
    source: String,
    destination: String,
    packets: u64,
    bytes: u64,
    refused: Vec<Refused<'a>>,
    efforts: Vec<Tried<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Refused<'a> {
    reason: &'a str,
    packets: u64,
}

impl<'a> Leg<'a> {
    fn of(leg: &'a SentLeg) -> Leg<'a> {
        Leg {
            source: leg.source.to_string(),
            destination: leg.destination.to_string(),
            packets: leg.packets,
            bytes: leg.bytes,
            refused: leg
                .refused
                .iter()
                .map(|refusal| Refused { reason: &refusal.reason, packets: refusal.packets })
                .collect(),
            efforts: leg.efforts.iter().map(Tried::of).collect(),
        }
    }
}
