//! The past, decoys, policy and captures.

use std::net::{IpAddr, SocketAddr};

use engine::TrafficView;
use engine::store::{self, What};
use model::{DecoyLevel, Kind, Transport};
use serde::Serialize;

use super::{Service, Stream, moment};
use crate::keeper::{DecoyStanding, PolicyText, Proposal, Proposed};

/// Something that was written down.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Record {
    /// Its number in the record.
    pub(crate) number: u64,
    /// When.
    pub(crate) at: String,
    /// Of what kind: `socket`, `touch`, `gap`, `finding`, `session` or `stream`.
    pub(crate) kind: &'static str,
    /// What happened: `bound`, `auto_bound`, `listening`, `closed`; `touched`; `missed`; `opened`, `reopened`,
    /// `acknowledged`, `resolved`, `expired`; `began`, `ended`.
    pub(crate) what: String,
    /// What it is about, in words.
    pub(crate) about: String,
    /// Who did it, or what was found.
    pub(crate) words: String,
    /// `tcp`, `udp`, `sctp` or `dccp`; null where it is about no port.
    pub(crate) transport: Option<&'static str>,
    /// The port; null where it is about none.
    pub(crate) port: Option<u16>,
    /// The finding's id; null where it is none.
    pub(crate) finding: Option<String>,
}

impl Record {
    pub(crate) fn of(record: &store::Record) -> Record {
        let mut told = Record {
            number: record.number,
            at: moment(record.at.0),
            kind: record.what.name(),
            what: String::new(),
            about: String::new(),
            words: String::new(),
            transport: None,
            port: None,
            finding: None,
        };
        match &record.what {
            What::Socket(it) => {
                told.what.clone_from(&it.happened);
                told.at(it.address, it.port, Kind::ALL.into_iter().find(|kind| kind.name() == it.kind));
                let holder = it.holder.as_ref().map(|holder| holder.program.as_str());
                told.words = match (holder, it.pid) {
                    (Some(program), Some(pid)) => format!("{program}[{pid}]"),
                    (Some(program), None) => program.to_owned(),
                    (None, Some(pid)) => format!("[{pid}]"),
                    (None, None) => String::new(),
                };
                if let Some(lived) = it.lived_ns {
                    told.words.push_str(&format!(" after {}", span(lived)));
                }
            }
            What::Touch(it) => {
                told.what = String::from("touched");
                let transport = Transport::from_name(&it.transport);
                told.about = format!("{}/{}", SocketAddr::new(it.address, it.port), it.transport);
                (told.transport, told.port) = (transport.map(Transport::name), Some(it.port));
                let spoke = it.recognised.as_ref().map(|it| format!(", speaking {it}"));
                told.words =
                    format!("{} came, {} bytes{}", it.peer, it.received_bytes, spoke.unwrap_or_default());
            }
            What::Gap(it) => {
                told.what = String::from("missed");
                told.about.clone_from(&it.area);
                let count = it.count.map(|count| format!(", {count} times"));
                told.words = format!("{} ({}){}", it.what, it.reason, count.unwrap_or_default());
            }
            What::Finding { change, id, code, title } => {
                told.what.clone_from(change);
                told.about = code.clone().unwrap_or_else(|| id.clone());
                told.words = title.clone().unwrap_or_else(|| String::from("not kept any more"));
                told.finding = Some(id.clone());
            }
            What::Session(it) => {
                told.what = String::from(if it.ended { "ended" } else { "began" });
                told.about.clone_from(&it.name);
                told.words = format!("{}, known by {}", it.destinations.join(", "), it.source);
                told.to(it.destinations.first());
            }
            What::Stream(it) => {
                told.what = String::from("began");
                told.about.clone_from(&it.destination);
                told.words = format!("{} from {}, SSRC {:08x}", it.format, it.source, it.ssrc);
                told.to(Some(&it.destination));
            }
        }
        told
    }

    fn at(&mut self, address: IpAddr, port: u16, kind: Option<Kind>) {
        let transport = kind.and_then(Kind::transport);
        let name = kind.map_or("unknown", Kind::name);
        self.about = format!("{}/{name}", SocketAddr::new(address, port));
        (self.transport, self.port) = (transport.map(Transport::name), Some(port));
    }

    /// Media goes to ports of UDP.
    fn to(&mut self, destination: Option<&String>) {
        if let Some(destination) = destination.and_then(|it| it.parse::<SocketAddr>().ok()) {
            (self.transport, self.port) = (Some(Transport::Udp.name()), Some(destination.port()));
        }
    }
}

fn span(ns: u64) -> String {
    match ns {
        0..=999_999 => format!("{} µs", ns / 1_000),
        1_000_000..=999_999_999 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..=119_999_999_999 => format!("{} s", ns / 1_000_000_000),
        120_000_000_000..=7_199_999_999_999 => format!("{} min", ns / 60_000_000_000),
        _ => format!("{} h", ns / 3_600_000_000_000),
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
    /// The protocol that it greets with; null where it greets nobody.
    pub(crate) greets: Option<&'static str>,
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
    /// How the decoy behaved: `observe`, `accept` or `greet`.
    pub(crate) level: String,
    /// How many bytes came.
    pub(crate) received_bytes: u64,
    /// The first of them, as hexadecimal digits.
    pub(crate) first_bytes: String,
    /// The protocol that they speak.
    pub(crate) recognised: Option<String>,
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
    pub(crate) fn of(decoys: &[DecoyStanding], came: &[store::Record]) -> Decoys {
        let decoys = decoys.iter().map(|it| Decoy {
            transport: it.transport.name(),
            port: it.port,
            level: it.level.name(),
            greets: match it.level {
                DecoyLevel::Greet(protocol) => Some(protocol.name),
                DecoyLevel::Observe | DecoyLevel::Accept => None,
            },
            trouble: it.trouble.clone(),
            touches: it.touches,
        });
        let touches = came.iter().filter_map(|record| {
            let What::Touch(it) = &record.what else { return None };
            Some(Came {
                at: moment(record.at.0),
                transport: Transport::from_name(&it.transport)?.name(),
                address: it.peer,
                port: it.port,
                level: it.level.clone(),
                received_bytes: it.received_bytes,
                first_bytes: it.first_bytes.clone(),
                recognised: it.recognised.clone(),
            })
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
    /// What was proposed and not taken over, the newest first. None of it counts.
    proposals: Vec<Waiting>,
}

impl Policies {
    pub(crate) fn of(files: Vec<PolicyText>, proposals: Vec<Proposal>) -> Policies {
        Policies {
            files: files.into_iter().map(|it| PolicyFile { name: it.name, text: it.text }).collect(),
            proposals: proposals.into_iter().map(Waiting::of).collect(),
        }
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
    /// What would change; null where it is not sound.
    pub(crate) preview: Option<Preview>,
}

/// What a policy would change of what stands now.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Preview {
    /// How many findings would go.
    pub(crate) going: usize,
    /// How many would come.
    pub(crate) coming: usize,
    /// How many would stay.
    pub(crate) stays: usize,
    /// Those that would go; at most 200.
    pub(crate) goes: Vec<Previewed>,
    /// Those that would come; at most 200.
    pub(crate) comes: Vec<Previewed>,
}

/// A finding that a policy would take away, or bring.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Previewed {
    /// Its id.
    pub(crate) id: String,
    /// Its code.
    pub(crate) code: &'static str,
    /// `note`, `warning` or `alert`.
    pub(crate) severity: &'static str,
    /// What it is about.
    pub(crate) about: String,
    /// One sentence with the particulars.
    pub(crate) title: String,
}

/// A policy that somebody proposed. It does not count.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Waiting {
    /// When.
    pub(crate) at: String,
    /// Who.
    pub(crate) by: String,
    /// Why.
    pub(crate) reason: String,
    /// The file that it would replace; null where it is one more.
    pub(crate) replaces: Option<String>,
    /// Where it waits.
    pub(crate) file: String,
    /// What an administrator types to take it over.
    pub(crate) command: String,
    /// What it says.
    pub(crate) text: String,
}

impl Waiting {
    pub(crate) fn of(proposal: Proposal) -> Waiting {
        let Proposal { proposed, file, command } = proposal;
        let Proposed { at, by, reason, replaces, text } = proposed;
        Waiting { at: moment(at), by, reason, replaces, file, command, text }
    }
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
        let streams = traffic.media.streams.iter().take(MOST_OF_CAPTURE);
        self.streams = streams.map(|stream| Stream::of(&traffic.media, stream)).collect();
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
