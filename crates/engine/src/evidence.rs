//! The packets behind the findings, as a pcapng with each finding as a comment on its packet.
//!
//! The captures are read a second time. Of each place that a finding speaks of, so many packets are taken as a person
//! would look through; the frame that a finding names is always among them.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use model::{Finding, Subject, Traffic, Transport};
use wire::capture::Writer;
use wire::filter::Expression;
use wire::packet::{self, Decoded, Packet};
use wire::protocol::Protocol;
use wire::{Frame, LinkType};

use crate::capture_file::CaptureFile;
use crate::intake::FrameFilter;
use crate::reading::each_frame;
use crate::traffic_view::TrafficView;

/// Packets of one place that are taken.
const MOST_OF_A_PLACE: u32 = 200;

/// Writes the packets that pass the filter; gives how many. What cannot be read of the captures is left out, as it was
/// the first time.
pub fn write(
    view: &TrafficView,
    captures: Vec<CaptureFile>,
    filter: Option<&Expression>,
    out: &mut dyn Write,
) -> io::Result<u64> {
    let mut places = Places::of(view);
    let mut filter = FrameFilter::new(filter.cloned());
    let mut file = EvidenceFile::new(out);
    let mut number = 0;
    let mut written = Ok(());
    for mut capture in captures {
        each_frame(&mut *capture.bytes, &mut |frame| {
            number += 1;
            if !filter.passes(frame) {
                return;
            }
            if let (Some(comment), Ok(())) = (places.take(frame, number), &written) {
                written = file.write(frame, Some(comment.as_str()).filter(|comment| !comment.is_empty()));
            }
        });
    }
    written?;
    file.flush()?;
    Ok(file.packets)
}

/// A pcapng that grows: interfaces are described when their first frame comes.
pub struct EvidenceFile<W> {
    out: W,
    writer: Writer,
    bytes: Vec<u8>,
    interfaces: HashMap<(u32, LinkType), u32>,
    /// Packets written.
    pub packets: u64,
}

impl<W: Write> EvidenceFile<W> {
    /// Begins a file.
    pub fn new(out: W) -> EvidenceFile<W> {
        let mut bytes = Vec::new();
        let writer = Writer::new(concat!("portreeve ", env!("CARGO_PKG_VERSION")), &mut bytes);
        EvidenceFile { out, writer, bytes, interfaces: HashMap::new(), packets: 0 }
    }

    /// Writes a frame, with a comment that is shown beside it.
    pub fn write(&mut self, frame: &Frame<'_>, comment: Option<&str>) -> io::Result<()> {
        let EvidenceFile { writer, bytes, interfaces, .. } = self;
        let interface = *interfaces
            .entry((frame.interface, frame.link))
            .or_insert_with(|| writer.interface(None, frame.link, 0, bytes));
        writer.frame(interface, frame, comment, bytes);
        self.packets += 1;
        if self.bytes.len() >= 64 * 1024 { self.flush() } else { Ok(()) }
    }

    /// Hands everything on to where it is written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.bytes)?;
        self.bytes.clear();
        self.out.flush()
    }

    /// Hands everything on, and gives back where it is written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.out)
    }
}

/// What findings speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Endpoint(Transport, SocketAddr),
    Port(Transport, u16),
    Source(IpAddr),
    Pair(IpAddr, SocketAddr),
}

#[derive(Default)]
struct Share {
    taken: u32,
    findings: Vec<usize>,
}

struct Places<'v> {
    findings: &'v [Finding],
    places: HashMap<Place, Share>,
    /// The frames that findings name.
    frames: HashMap<u64, Vec<usize>>,
    /// Findings whose comment stands on a packet already.
    said: Vec<bool>,
}

impl<'v> Places<'v> {
    fn of(view: &'v TrafficView) -> Places<'v> {
        let mut places = Places {
            findings: &view.findings,
            places: HashMap::new(),
            frames: HashMap::new(),
            said: vec![false; view.findings.len()],
        };
        for (index, finding) in view.findings.iter().enumerate() {
            for subject in &finding.subjects {
                places.add(&view.traffic, index, subject);
            }
        }
        places
    }

    fn add(&mut self, traffic: &Traffic, finding: usize, subject: &Subject) {
        let found = match subject {
            Subject::Service(at) => traffic.services.get(*at).map(|service| {
                (Place::Endpoint(service.transport, service.server), service.frames.first().copied())
            }),
            Subject::Touch(at) => traffic
                .touches
                .get(*at)
                .map(|touch| (Place::Port(touch.transport, touch.port), Some(touch.frame))),
            Subject::Scan(at) => {
                traffic.scans.get(*at).map(|scan| (Place::Source(scan.source), Some(scan.frame)))
            }
            Subject::Beacon(at) => traffic
                .beacons
                .get(*at)
                .map(|beacon| (Place::Pair(beacon.client, beacon.server), Some(beacon.frame))),
            Subject::Capture | Subject::Entry(_) | Subject::Socket(_) | Subject::Forward(_) => None,
            Subject::Visitor(_) => None,
            Subject::Session(_) | Subject::Stream(_) | Subject::Group(_) | Subject::Clock(_) => None,
        };
        if let Some((place, frame)) = found {
            self.places.entry(place).or_default().findings.push(finding);
            if let Some(frame) = frame.filter(|frame| *frame > 0) {
                self.frames.entry(frame).or_default().push(finding);
            }
        }
    }

    /// Whether a frame is taken, and with which comment; empty for none.
    fn take(&mut self, frame: &Frame<'_>, number: u64) -> Option<String> {
        let named = self.frames.get(&number).cloned().unwrap_or_default();
        let mut taken = !named.is_empty();
        let mut about = named;
        if let Ok(Decoded::Packet(packet)) = packet::decode(frame) {
            for place in places_of(&packet) {
                if let Some(share) = self.places.get_mut(&place)
                    && share.taken < MOST_OF_A_PLACE
                {
                    share.taken += 1;
                    taken = true;
                    // A finding without a frame of its own is told on the first packet of its place.
                    about.extend(
                        share
                            .findings
                            .iter()
                            .filter(|index| !self.said.get(**index).is_some_and(|said| *said)),
                    );
                }
            }
        }
        if !taken {
            return None;
        }
        about.sort_unstable();
        about.dedup();
        let mut comment = String::new();
        for index in about {
            if let (Some(finding), Some(said)) = (self.findings.get(index), self.said.get_mut(index)) {
                *said = true;
                if !comment.is_empty() {
                    comment.push('\n');
                }
                comment.push_str(&format!(
                    "portreeve: {} {}: {}",
                    finding.severity.name(),
                    finding.code.name(),
                    finding.title
                ));
            }
        }
        Some(comment)
    }
}

/// The places that a packet belongs to, by either end.
fn places_of(packet: &Packet<'_>) -> Vec<Place> {
    let transport = match packet.protocol {
        Protocol::TCP => Transport::Tcp,
        Protocol::UDP => Transport::Udp,
        Protocol::SCTP => Transport::Sctp,
        Protocol::DCCP => Transport::Dccp,
        _ => return Vec::new(),
    };
    let source = SocketAddr::new(packet.source_ip(), packet.source_port);
    let destination = SocketAddr::new(packet.destination_ip(), packet.destination_port);
    vec![
        Place::Endpoint(transport, source),
        Place::Endpoint(transport, destination),
        Place::Port(transport, destination.port()),
        Place::Source(source.ip()),
        Place::Pair(source.ip(), destination),
        Place::Pair(destination.ip(), source),
    ]
}
