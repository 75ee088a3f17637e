//! What people ask for becomes a plan, and the session that describes it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use host::transmit::TransmitRequest;
use media::clock::{self, LEAP_SECONDS};
use media::make::ancillary::AncillaryMaker;
use media::make::audio::{self, AudioMaker};
use media::make::faults::{Faults, Fields};
use media::make::metadata::MetadataMaker;
use media::make::rtcp::Reporter;
use media::make::video::{Head, VideoMaker};
use media::{sap, sdp};
use model::Timestamp;
use model::media::{
    AncillaryFormat, AudioFormat, Essence, Format, Leg, MediaClock, Ratio, ReferenceClock, Scan, SenderType,
    Session, SessionSource, Sources, VideoFormat,
};

use super::audio::AudioSource;
use super::data::{self, DataMaker, DataSource};
use super::harm::Harmed;
use super::video::{self, Pace, VideoSource};
use super::{Chore, Due, Source, StandIn, StreamPlan};

/// How often a sender reports (RFC 3550 §6.2).
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How long before it is due who sends a packet stays awake: sleep ends late.
const SPIN: Duration = Duration::from_micros(60);
/// Where a packet may be late by microseconds: also from one frame to the next one, because whoever gets the processor
/// meanwhile may be in the kernel for longer than that.
const NARROW_SPIN: Duration = Duration::from_millis(2);

/// How late a packet is until who makes it sends it: later than a call for the one before, and an interrupt, make it. Wide has
/// begun hundreds of microseconds before, so that a look now and then is enough.
pub(super) const NARROW_BEHIND: Duration = Duration::from_micros(5);
pub(super) const WIDE_BEHIND: Duration = Duration::from_micros(150);

/// What a stream shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A test picture.
    Video {
        /// Its format.
        format: VideoFormat,
        /// What it shows: see [`video::signal`].
        signal: String,
        /// Whether the time of each frame is written into it.
        with_time: bool,
        /// How many packets leave together; what is best where this is `None`.
        burst: Option<u32>,
    },
    /// A test sound.
    Audio {
        /// Its format.
        format: AudioFormat,
        /// `tone`, `ident`, `sweep` or `silence`.
        signal: String,
        /// How many cycles a second.
        hertz: u32,
        /// How high the peak is, in hundredths of dBFS.
        level_cdb: i32,
    },
    /// Time code, captions and format description.
    Ancillary {
        /// Its format.
        format: AncillaryFormat,
        /// How the pictures that it belongs to are scanned.
        scan: Scan,
        /// What the captions say; none where it is empty.
        captions: String,
    },
    /// Fast metadata: items that tell the number of their frame.
    Metadata {
        /// Of which types.
        kinds: Vec<u32>,
        /// Frames a second.
        frame_rate: Ratio,
        /// How the pictures that it belongs to are scanned.
        scan: Scan,
    },
}

/// One stream that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRequest {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub content: Content,
    /// RTP payload type.
    pub payload_type: u8,
    /// The synchronisation source.
    pub ssrc: u32,
    /// Where it goes: once, or twice (ST 2022-7).
    pub legs: Vec<TransmitRequest>,
    /// Faults that are to be made: see [`Faults::parse`]; none where it is empty.
    pub faults: String,
    /// Whether it reports on itself on the next port.
    pub reports: bool,
    /// What the sender is called in its reports.
    pub canonical_name: String,
    /// What the sender's clock follows, as its session says.
    pub reference: ReferenceClock,
}

/// A stream that can be sent, and what others have to know to receive it.
pub struct Planned {
    /// The stream.
    pub plan: StreamPlan,
    /// Its session.
    pub session: Session,
}

/// Makes a plan; says why such a stream cannot be sent.
pub fn plan(mut request: StreamRequest) -> Result<Planned, String> {
    let narrow = match &request.content {
        Content::Video { format, .. } => format.sender_type.is_some_and(|it| it != SenderType::Wide),
        _ => false,
    };
    // Only who must leave packets one by one gives up for it what a socket does besides.
    request.legs.iter_mut().for_each(|leg| leg.own_frames &= narrow);
    let (source, pace, essence, clock_rate): (Box<dyn Source>, Option<Pace>, _, _) = match request.content {
        Content::Video { format, signal, with_time, burst } => {
            let shown = video::signal(&signal).ok_or_else(|| {
                format!("no picture is called {signal:?}: there are bars, zone-plate and ramp")
            })?;
            let head = Head { payload_type: request.payload_type, ssrc: request.ssrc, sequence: 0 };
            let make = if narrow { VideoMaker::filled } else { VideoMaker::new };
            let maker = make(&format, shown, with_time, head)?;
            let packets: usize = maker.packets().iter().sum();
            let pace = Pace::new(&format, u64::try_from(packets).unwrap_or(u64::MAX), burst)?;
            (Box::new(VideoSource::new(maker, pace)), Some(pace), Essence::Video(format), 90_000)
        }
        Content::Audio { format, signal, hertz, level_cdb } => {
            let tone = audio::Tone { hertz, level_cdb };
            let heard = match signal.as_str() {
                "tone" => audio::Signal::Tone(tone),
                "ident" => audio::Signal::Ident(tone),
                "sweep" => audio::Signal::Sweep { from_hz: 20, to_hz: 20_000, seconds: 10, level_cdb },
                "silence" => audio::Signal::Silence,
                _ => {
                    return Err(format!(
                        "no sound is called {signal:?}: there are tone, ident, sweep and silence"
                    ));
                }
            };
            let maker = AudioMaker::new(&format, heard, request.payload_type, request.ssrc)
                .map_err(|refused| refused.to_string())?;
            let rate = format.sample_rate;
            (Box::new(AudioSource::new(maker)), None, Essence::Audio(format), rate)
        }
        Content::Ancillary { format, scan, captions } => {
            let mut maker = AncillaryMaker::new(&format, scan, request.payload_type, request.ssrc)
                .ok_or("time codes are of 23.98 to 60 frames a second")?;
            maker.tell_time_with(-LEAP_SECONDS);
            if !captions.is_empty() {
                maker.show(&captions);
            }
            let rate = format.frame_rate.ok_or("ancillary data needs a frame rate")?;
            let source = DataSource::new(DataMaker::Ancillary(Box::new(maker)), rate, scan);
            (Box::new(source), None, Essence::Ancillary(format), data::CLOCK_RATE)
        }
        Content::Metadata { kinds, frame_rate, scan } => {
            let maker = MetadataMaker::new(&kinds, request.payload_type, request.ssrc);
            let source = DataSource::new(DataMaker::Metadata(maker), frame_rate, scan);
            (Box::new(source), None, Essence::FastMetadata(kinds), data::CLOCK_RATE)
        }
    };
    let source: Box<dyn Source> = if request.faults.is_empty() {
        source
    } else {
        let fields = match &essence {
            Essence::Video(_) => Some(Fields::OfRows),
            Essence::Ancillary(_) => Some(Fields::OfAncillary),
            _ => None,
        };
        let faults = Faults::parse(&request.faults, u64::from(request.ssrc))?.of(fields)?;
        Box::new(Harmed::new(source, faults))
    };
    let format = Format { payload_type: request.payload_type, clock_rate, essence };
    let session = Session {
        name: request.name.clone(),
        identity: request.name.clone(),
        source: SessionSource::File(String::new()),
        formats: vec![format],
        legs: request.legs.iter().map(|leg| described(leg, request.reports)).collect(),
        reference: Some(request.reference),
        media_clock: Some(MediaClock::Direct { offset: 0, rate: None }),
        first: None,
        last: None,
        ended: None,
    };
    let behind = if narrow { NARROW_BEHIND } else { WIDE_BEHIND };
    let reporter = Reporter::new(request.ssrc, &request.canonical_name);
    let reported = request.legs.iter().filter(|_| request.reports);
    let chores = reported.map(|leg| reports(leg, reporter.clone(), clock_rate)).collect();
    let plan = StreamPlan {
        name: request.name,
        ssrc: request.ssrc,
        source,
        legs: request.legs,
        gate: pace.map(|pace| pace.gate()),
        spin: if narrow { NARROW_SPIN } else { SPIN },
        stand_in: pace.map(|pace| StandIn { behind, burst: pace.burst() }),
        chores,
    };
    Ok(Planned { plan, session })
}

fn described(leg: &TransmitRequest, reports: bool) -> Leg {
    let destination = leg.destination;
    let group = destination.ip().is_multicast();
    let source = leg.source.map(|source| source.ip()).filter(|source| !source.is_unspecified());
    let mut rtcp = destination;
    rtcp.set_port(destination.port().saturating_add(1));
    Leg {
        destination,
        sources: source.map_or(Sources::Any, |source| Sources::Only(vec![source])),
        rtcp: reports.then_some(rtcp),
        ttl: leg.hops.filter(|_| group && destination.is_ipv4()),
    }
}

/// Reports of a leg, to the port after it (RFC 3550 §11).
fn reports(leg: &TransmitRequest, mut reporter: Reporter, clock_rate: u32) -> Chore {
    let mut leg = TransmitRequest { segments: false, launch_times: false, own_frames: false, ..leg.clone() };
    let port = leg.destination.port().saturating_add(1);
    leg.destination.set_port(port);
    if let Some(source) = &mut leg.source
        && source.port() != 0
    {
        source.set_port(source.port().saturating_add(1));
    }
    let make = move |due: Due<'_>| {
        let packets = due.sent.packets.load(Ordering::Relaxed);
        let bytes = due.sent.payload_bytes.load(Ordering::Relaxed);
        reporter.sent_in_all(packets, bytes);
        let utc = Timestamp::from_ns(due.now.as_ns() - LEAP_SECONDS * 1_000_000_000);
        let timestamp = clock::rtp(due.now, clock_rate);
        let mut to = Vec::with_capacity(96);
        if due.last {
            reporter.write_goodbye(utc, timestamp, &mut to);
        } else {
            reporter.write(utc, timestamp, &mut to);
        }
        to
    };
    Chore { leg, every: REPORT_EVERY, make: Box::new(make) }
}

/// How often AES67 devices announce.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(30);

/// Announces a description where those who look for such sessions listen (RFC 2974), and withdraws it at the end.
pub fn announce(description: &str, leg: &TransmitRequest, origin: std::net::IpAddr) -> Chore {
    let group = sap::group(leg.destination.ip());
    let leg = TransmitRequest {
        destination: (group, sap::PORT).into(),
        source: leg.source.map(|source| std::net::SocketAddr::new(source.ip(), 0)),
        // As far as the group goes (RFC 2974 §3.1).
        hops: Some(255),
        segments: false,
        launch_times: false,
        own_frames: false,
        ..leg.clone()
    };
    let description = description.to_owned();
    let hash = sap::hash(description.as_bytes());
    let make = move |due: Due<'_>| {
        let bytes = description.as_bytes().into();
        let payload = sap::Payload::Plain { kind: sap::SDP.into(), bytes };
        sap::write(&sap::Announcement {
            origin,
            hash,
            deletion: due.last,
            compressed: false,
            authentication_bytes: 0,
            payload,
        })
    };
    Chore { leg, every: ANNOUNCE_EVERY, make: Box::new(make) }
}

/// The session description of these streams, made by a sender at this address.
pub fn describe(sessions: &[Session], id: u64, address: std::net::IpAddr) -> String {
    sdp::write(&sdp::describe(sessions, &sdp::Origin::new(id, id, address)))
}
