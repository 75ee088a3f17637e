//! What was received, in JSON.

use serde::Serialize;

use model::media::{ReceivedLeg, ReceivingFacts};

use super::sent::Tried;
use crate::document::SCHEMA_VERSION;
use crate::document::tables::Generator;

/// What was received: the document of `media receive`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve receiving", deny_unknown_fields))]
pub(crate) struct ReceivingDocument<'a> {
    schema_version: u32,
    generator: Generator,
    duration_ns: u64,
    legs: Vec<Leg<'a>>,
    hitless_legs: Vec<Hitless>,
    packets_used: u64,
    packets_missing: u64,
    packets_late: u64,
    written: Vec<Written<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Written<'a> {
    what: &'a str,
    count: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Hitless {
    received: u64,
    lost: u64,
    only_here: u64,
    duplicates: u64,
}

impl<'a> ReceivingDocument<'a> {
    pub(crate) fn of(facts: &'a ReceivingFacts) -> ReceivingDocument<'a> {
        let hitless = facts.hitless.iter().flat_map(|hitless| &hitless.legs);
        ReceivingDocument {
            schema_version: SCHEMA_VERSION,
            generator: Generator::this(),
            duration_ns: facts.duration_ns,
            legs: facts.legs.iter().map(Leg::of).collect(),
            hitless_legs: hitless
                .map(|leg| Hitless {
                    received: leg.received,
                    lost: leg.lost,
                    only_here: leg.only_here,
                    duplicates: leg.duplicates,
                })
                .collect(),
            packets_used: facts.used,
            packets_missing: facts.missing,
            packets_late: facts.late,
            written: facts.written.iter().map(|(what, count)| Written { what, count: *count }).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Leg<'a> {
    destination: String,
    source: Option<String>,
    packets: u64,
    dropped: u64,
    others: u64,
    stamp: Option<&'a str>,
    efforts: Vec<Tried<'a>>,
}

impl<'a> Leg<'a> {
    fn of(leg: &'a ReceivedLeg) -> Leg<'a> {
        Leg {
            destination: leg.destination.to_string(),
            source: leg.source.map(|source| source.to_string()),
            packets: leg.packets,
            dropped: leg.dropped,
            others: leg.others,
            stamp: Some(leg.stamp).filter(|stamp| !stamp.is_empty()),
            efforts: leg.efforts.iter().map(Tried::of).collect(),
        }
    }
}
