//! The past, decoys, policy and captures.

use std::net::IpAddr;

use engine::TrafficView;
use serde::Serialize;

use super::flow::Recognised;
use super::{Service, Stream, moment};
use crate::keeper::{DecoyStanding, PolicyText, Recorded};

/// Something that was written down.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Record {
    /// Its number in the record.
    pub(crate) number: u64,
    /// When.
    pub(crate) at: String,
    /// `bound`, `auto_bound`, `listening`, `closed`, `found` or `touch`.
    pub(crate) what: &'static str,
    /// What it is about, in words.
    pub(crate) about: String,
    /// Who did it, or what was found.
    pub(crate) words: String,
}

impl Record {
    pub(crate) fn of(number: u64, recorded: &Recorded) -> Record {
        match recorded {
            Recorded::Event(event) => Record {
                number,
                at: moment(event.at),
                what: event.happened.name(),
                about: format!("{}/{}", event.local, event.kind.name()),
                words: event
                    .holder
                    .value()
                    .map(|process| format!("{}[{}]", process.program(), process.pid))
                    .unwrap_or_default(),
            },
            Recorded::Finding(sighting) => Record {
                number,
                at: moment(sighting.at),
                what: "found",
                about: sighting.about.clone(),
                words: format!("{}: {}", sighting.finding.code.name(), sighting.finding.title),
            },
            Recorded::Touch(touch) => Record {
                number,
                at: moment(touch.at),
                what: "touch",
                about: format!("{}/{}", touch.local, touch.transport.name()),
                words: format!("{} came, {} bytes", touch.peer, touch.received_bytes),
            },
        }
    }
}

/// A decoy, as it stands.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Decoy {
    /// `tcp` or `udp`.
    pub(crate) transport: &'static str,
    /// Its port.
    pub(crate) port: u16,
    /// `observe`, `accept` or `greet`.
    pub(crate) level: &'static str,
    /// Why it is not there; null where it is.
    pub(crate) trouble: Option<String>,
    /// How often somebody came.
    pub(crate) touches: u64,
}

/// Somebody came to a decoy.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Came {
    /// When.
    pub(crate) at: String,
    /// `tcp` or `udp`.
    pub(crate) transport: &'static str,
    /// Who.
    pub(crate) address: IpAddr,
    /// To which port.
    pub(crate) port: u16,
    /// How many bytes came.
    pub(crate) received_bytes: u64,
    /// What those bytes say.
    pub(crate) recognised: Option<Recognised>,
}

/// Decoys, and who came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Decoys {
    /// The decoys.
    pub(crate) decoys: Vec<Decoy>,
    /// Who came, the newest first.
    pub(crate) touches: Vec<Came>,
}

impl Decoys {
    pub(crate) fn of(decoys: &[DecoyStanding], touches: &[model::DecoyTouch]) -> Decoys {
        let decoys = decoys.iter().map(|it| Decoy {
            transport: it.transport.name(),
            port: it.port,
            level: it.level.name(),
            trouble: it.trouble.clone(),
            touches: it.touches,
        });
        let touches = touches.iter().map(|it| Came {
            at: moment(it.at),
            transport: it.transport.name(),
            address: it.peer.ip(),
            port: it.local.port(),
            received_bytes: it.received_bytes,
            recognised: it.recognised.as_ref().map(Recognised::of),
        });
        Decoys { decoys: decoys.collect(), touches: touches.collect() }
    }
}

/// A file of policy.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct PolicyFile {
    /// Its name.
    name: String,
    /// What it says.
    text: String,
}

/// What people wrote down.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Policies {
    /// The files, in the order in which they count.
    files: Vec<PolicyFile>,
}

impl Policies {
    pub(crate) fn of(files: Vec<PolicyText>) -> Policies {
        Policies { files: files.into_iter().map(|it| PolicyFile { name: it.name, text: it.text }).collect() }
    }
}

/// What became of a policy that was checked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Checked {
    /// Whether it is sound.
    pub(crate) valid: bool,
    /// How many entries it has.
    pub(crate) entries: usize,
    /// What is wrong; null where it is sound.
    pub(crate) fault: Option<String>,
    /// The line, from 1.
    pub(crate) line: Option<usize>,
    /// The column, from 1.
    pub(crate) column: Option<usize>,
}

/// A capture that was handed in, and what is in it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CaptureReport {
    /// What tells it from others.
    pub(crate) id: String,
    /// What whoever handed it in calls it.
    pub(crate) name: String,
    /// When.
    pub(crate) at: String,
    /// `reading`, `done` or `failed`.
    pub(crate) state: &'static str,
    /// Its size.
    pub(crate) bytes: u64,
    /// Frames read.
    pub(crate) frames: u64,
    /// Services in it.
    pub(crate) services: Vec<Service>,
    /// Streams in it.
    pub(crate) streams: Vec<Stream>,
    /// What was found, each in one sentence.
    pub(crate) findings: Vec<CaptureFinding>,
}

/// What was found in a capture.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct CaptureFinding {
    /// Its code.
    pub(crate) code: &'static str,
    /// `note`, `warning` or `alert`.
    pub(crate) severity: &'static str,
    /// One sentence with the particulars.
    pub(crate) title: String,
    /// What to do next.
    pub(crate) next_step: String,
}

/// So many of each are told of a capture; the command line tells all.
pub(crate) const MOST_OF_CAPTURE: usize = 1000;

impl CaptureReport {
    /// Takes over what was read.
    pub(crate) fn fill(&mut self, view: &TrafficView) {
        let traffic = &view.traffic;
        self.frames = traffic.volume.frames;
        let first = |count: usize| 0..count.min(MOST_OF_CAPTURE);
        self.services = first(traffic.services.len()).filter_map(|at| Service::of(view, at)).collect();
        self.streams =
            first(traffic.media.streams.len()).filter_map(|at| Stream::of(&traffic.media, at)).collect();
        let findings = view.findings.iter().take(MOST_OF_CAPTURE);
        self.findings = findings
            .map(|it| CaptureFinding {
                code: it.code.name(),
                severity: it.severity.name(),
                title: it.title.clone(),
                next_step: it.next_step.clone(),
            })
            .collect();
    }
}
