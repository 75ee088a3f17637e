//! A stream while it is measured: its legs, what it carries, and which session it belongs to.

use std::net::SocketAddr;

use model::media::reception::ReceptionFacts;
use model::media::{self, Basis, Format, Profile, Ratio, Scan, Session, Stream, StreamLeg};
use model::{Timestamp, Utc};

use super::Datagram;
use super::book::Book;
use super::essence::{Essence, offset};
use super::sense::{Found, Sense};
use crate::Packet;
use crate::clock::CaptureClock;
use crate::hitless::Hitless;
use crate::reception::{Reception, ReceptionPlan, Reports, Timing, TimingPlan};
use crate::sdp;
use crate::shaping::{Payload, Raster, Shaping, ShapingPlan};

/// One leg while it is measured.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) vlan: Option<u16>,
    pub(super) ttl: u8,
    pub(super) dscp: u8,
    reception: Reception,
    reports: Reports,
    timing: Option<Timing>,
    shaping: Option<Box<Shaping>>,
}

impl Leg {
    pub(super) fn new(source: SocketAddr, destination: SocketAddr, datagram: &Datagram<'_>) -> Leg {
        Leg {
            source,
            destination,
            vlan: datagram.vlan,
            ttl: datagram.ttl,
            dscp: datagram.dscp,
            reception: Reception::new(ReceptionPlan::default()),
            reports: Reports::new(0),
            timing: None,
            shaping: None,
        }
    }

    /// Takes a datagram of RTCP about this leg.
    pub(super) fn handle_report(&mut self, datagram: &Datagram<'_>) {
        self.reports.handle(datagram.time, datagram.payload, self.reception.measured());
    }

    fn handle(&mut self, packet: &Packet<'_>) {
        let in_place = self.reception.handle(packet);
        // What was overtaken on its way says nothing of how the sender's clock goes on.
        if let Some(timing) = self.timing.as_mut().filter(|_| in_place) {
            timing.handle(packet);
        }
        if let Some(shaping) = &mut self.shaping {
            shaping.handle(packet);
        }
    }
}

/// Timestamps a second, where the format says: of frames, of fields. Those of sound are held against its samples.
fn period(format: &Format) -> Option<Ratio> {
    let fields = |rate: Ratio, scan: Scan| match scan {
        Scan::Interlaced => Ratio::new(rate.numerator().checked_mul(2)?, rate.denominator()),
        Scan::Progressive | Scan::Segmented => Some(rate),
    };
    match &format.essence {
        media::Essence::Video(video) => fields(video.frame_rate, video.scan),
        media::Essence::Compressed(video) => fields(video.frame_rate?, video.scan),
        _ => None,
    }
}

/// A stream while it is measured.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) frame: u64,
    pub(super) session: Option<usize>,
    /// Since when something else is agreed than what it was last compared with.
    pub(super) unsettled: Option<Timestamp<Utc>>,
    pub(super) legs: Vec<Leg>,
    packets: u64,
    /// Packets that the capture cut short: what they carry is not measured.
    pub(super) cut: u64,
    /// When its last packet came.
    pub(super) heard: Option<Timestamp<Utc>>,
    /// What was taken for granted of the format, in sentences.
    assumed: Vec<String>,
    /// Whether its session has a second leg.
    is_agreed_twice: bool,
    hitless: Option<Box<Hitless>>,
    /// The packet that came last on the first leg, to find out which streams are two legs of one.
    pub(super) last: (u16, u32),
    format: Option<(Format, Basis)>,
    clock: CaptureClock,
    /// Ticks that the session adds to the clock.
    offset: u32,
    essence: Essence,
    sense: Option<Box<Sense>>,
    profile: Profile,
}

impl Live {
    pub(super) fn new(
        packet: &Packet<'_>,
        (session, is_agreed_twice): (Option<usize>, bool),
        profile: Profile,
    ) -> Live {
        Live {
            ssrc: packet.rtp.ssrc,
            payload_type: packet.rtp.payload_type,
            frame: packet.frame,
            session,
            unsettled: None,
            legs: Vec::new(),
            packets: 0,
            cut: 0,
            heard: packet.time,
            assumed: Vec::new(),
            is_agreed_twice,
            hitless: Some(Box::new(Hitless::new(MOST_LEGS))),
            last: (packet.rtp.sequence, packet.rtp.timestamp),
            format: None,
            clock: CaptureClock::Relative,
            offset: 0,
            essence: Essence::Unmeasured,
            sense: Some(Box::default()),
            profile,
        }
    }

    /// Whether another leg of it may begin with this packet: the same source counts on near where this one is, or it goes
    /// where the other leg was agreed to go.
    pub(super) fn may_share(&self, packet: &Packet<'_>, destination: SocketAddr) -> bool {
        let behind = self.last.0.wrapping_sub(packet.rtp.sequence);
        let is_near = behind.min(behind.wrapping_neg()) < 1 << 13;
        let is_agreed = self.is_agreed_twice && self.legs.iter().all(|leg| leg.destination != destination);
        self.ssrc == packet.rtp.ssrc
            && self.payload_type == packet.rtp.payload_type
            && (is_near || is_agreed)
            && self.legs.len() < MOST_LEGS
    }

    /// Begins another leg; gives its place.
    pub(super) fn begin_leg(&mut self, mut leg: Leg) -> usize {
        self.equip(&mut leg);
        self.legs.push(leg);
        if self.legs.len() > 1 {
            self.essence.expect_legs();
            self.hitless.get_or_insert_with(|| Box::new(Hitless::new(MOST_LEGS)));
        }
        self.legs.len() - 1
    }

    /// Learns what it carries. What came before is counted, and not measured.
    pub(super) fn learn(
        &mut self,
        (format, basis): (Format, Basis),
        session: Option<&Session>,
        assumed: Vec<String>,
        (packet, traced): (&Packet<'_>, Option<i64>),
    ) {
        let first = packet.time.map(|time| (time, self.plain(packet, session), format.clock_rate));
        self.clock = CaptureClock::decide(traced, first.as_slice());
        self.essence = Essence::of(&format, session, assumed.clone(), self.profile);
        if self.legs.len() > 1 || self.is_agreed_twice {
            self.essence.expect_legs();
        }
        self.assumed = assumed;
        self.offset = low(offset(session));
        // What the session leaves out is listened for.
        if !matches!(format.essence, media::Essence::RawVideo(_)) {
            self.sense = None;
        }
        self.format = Some((format, basis));
        let mut legs = core::mem::take(&mut self.legs);
        for leg in &mut legs {
            self.equip(leg);
        }
        self.legs = legs;
    }

    /// Finds out to which session it belongs with this packet, since something else is agreed.
    #[cold]
    pub(super) fn belong(
        &mut self,
        book: &Book,
        since: Timestamp<Utc>,
        leg: usize,
        (packet, traced): (&Packet<'_>, Option<i64>),
    ) {
        let elapsed_ns = packet.time.map_or(i64::MAX, |time| time.since_ns(since));
        // On its way before that was agreed, or while whoever sends it learns of it.
        if elapsed_ns < 0 {
            return;
        }
        let Some(leg) = self.legs.get(leg) else { return };
        let found =
            book.find(leg.source.ip(), leg.destination, self.payload_type).map(|(session, _)| session);
        if found.is_none() && self.session.is_some() && elapsed_ns < GRACE_NS {
            return;
        }
        self.unsettled = None;
        self.session = found;
        let Some((at, about)) = found.and_then(|at| Some((at, book.sessions().get(at)?))) else { return };
        self.is_agreed_twice = about.legs.len() > 1;
        let Some(agreed) = about.format(self.payload_type) else { return };
        match &mut self.format {
            // What was measured so far still counts.
            Some((format, basis)) if format == agreed && self.offset == low(offset(Some(about))) => {
                *basis = Basis::Session(at);
            }
            _ => self.learn((agreed.clone(), Basis::Session(at)), Some(about), Vec::new(), (packet, traced)),
        }
    }

    /// Sessions are at other places now, or gone.
    pub(super) fn move_session(&mut self, place: impl Fn(usize) -> Option<usize>) {
        self.session = self.session.and_then(&place);
        if let Some((_, basis)) = &mut self.format
            && let Basis::Session(at) = basis
        {
            *basis = place(*at).map_or(Basis::Payload, Basis::Session);
        }
    }

    /// Gives a leg what its format needs to be measured.
    fn equip(&self, leg: &mut Leg) {
        let Some((format, _)) = &self.format else { return };
        let max_udp_bytes = match &format.essence {
            media::Essence::Video(video) => video.max_udp_bytes,
            _ => STANDARD_UDP_BYTES,
        };
        leg.reception.learn(ReceptionPlan {
            clock_rate: Some(format.clock_rate),
            extended: matches!(format.essence, media::Essence::Video(_)),
            max_udp_bytes: Some(max_udp_bytes),
        });
        leg.reports = Reports::new(format.clock_rate);
        leg.timing = Timing::new(TimingPlan {
            clock_rate: format.clock_rate,
            clock_offset: self.offset,
            clock: self.clock,
            period: period(format),
        });
        leg.shaping = self.shaping();
    }

    /// The timestamp without what the session adds.
    fn plain(&self, packet: &Packet<'_>, session: Option<&Session>) -> u32 {
        packet.rtp.timestamp.wrapping_sub(low(offset(session)))
    }

    /// Learns what the payload tells: all of it, or what the session leaves out.
    pub(super) fn find(&mut self, found: Found, book: &Book, at: (&Packet<'_>, Option<i64>)) {
        let Found { mut format, mut assumed } = found;
        let Some((agreed, Basis::Session(session))) = &self.format else {
            return self.learn((format, Basis::Payload), None, assumed, at);
        };
        let (session, media::Essence::RawVideo(said)) = (*session, &agreed.essence) else { return };
        let media::Essence::Video(seen) = &format.essence else { return };
        match sdp::format::completed(said, seen) {
            Some(whole) => {
                let told = whole.frame_rate;
                format.essence = media::Essence::Video(whole);
                assumed =
                    vec![format!("{told} frames a second by timestamps, for the session does not say all.")];
            }
            None => assumed.push(String::from("What the session says of the format is not understood.")),
        }
        format.clock_rate = agreed.clock_rate;
        self.learn((format, Basis::Session(session)), book.sessions().get(session), assumed, at);
    }
}

/// So long packets may come to where nothing is agreed any more.
const GRACE_NS: i64 = 5_000_000_000;
/// So many packets of a stream may come before its second leg begins, where no session tells of one.
const MOST_ALONE: u64 = 1024;
/// A stream has no more legs than this: ST 2022-7 knows two.
pub(super) const MOST_LEGS: usize = 2;

impl Live {
    /// Takes a packet of one of its legs.
    pub(super) fn handle(&mut self, leg: usize, packet: &Packet<'_>) {
        self.heard = packet.time.or(self.heard);
        if leg == 0 {
            self.last = (packet.rtp.sequence, packet.rtp.timestamp);
        }
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.handle(packet);
        }
        let fresh = match &mut self.hitless {
            Some(hitless) => hitless.handle(leg, packet),
            None => true,
        };
        // Of a stream that goes on alone nobody waits for a second leg.
        self.packets += 1;
        if self.packets == MOST_ALONE && self.legs.len() == 1 && !self.is_agreed_twice {
            self.hitless = None;
        }
        if packet.is_cut() {
            self.cut += 1;
            // The rows that it brings are told by headers, and samples are not looked at.
            if !self.essence.is_read_by_headers() {
                return;
            }
        }
        // What another leg brought already is measured once.
        if fresh {
            let tai_ns = packet.time.and_then(|time| self.clock.tai(time)).map(|time| time.as_ns());
            self.essence.handle(packet, tai_ns);
        }
    }

    /// Listens to what it carries, while that is not known.
    pub(super) fn sense(&mut self, packet: &Packet<'_>) -> Option<Found> {
        let sense = self.sense.as_mut()?;
        let found = sense.hear(packet);
        if sense.is_over() {
            self.sense = None;
        }
        found
    }

    fn shaping(&self) -> Option<Box<Shaping>> {
        let (format, _) = self.format.as_ref()?;
        let plan = |raster: Raster, payload, sender_type, burst_packets| ShapingPlan {
            raster,
            payload,
            sender_type,
            burst_packets,
            clock_rate: format.clock_rate,
            clock_offset: self.offset,
            clock: self.clock,
            profile: self.profile,
        };
        let plan = match &format.essence {
            media::Essence::Video(video) => plan(
                Raster {
                    frame_rate: video.frame_rate,
                    scan: video.scan,
                    width: Some(video.width),
                    height: Some(video.height),
                    offset_us: video.offset_us,
                    max_udp_bytes: video.max_udp_bytes,
                },
                Payload::Raw,
                video.sender_type,
                video.burst_packets,
            ),
            media::Essence::Compressed(video) => plan(
                Raster {
                    frame_rate: video.frame_rate?,
                    scan: video.scan,
                    width: video.width,
                    height: video.height,
                    offset_us: None,
                    max_udp_bytes: STANDARD_UDP_BYTES,
                },
                Payload::Compressed,
                video.sender_type,
                video.burst_packets,
            ),
            _ => return None,
        };
        Shaping::new(plan).map(Box::new)
    }

    /// What was measured so far.
    pub(super) fn facts(&self) -> Stream {
        let concluded = match (&self.format, &self.sense) {
            (None, Some(sense)) => sense.conclude(self.payload_type),
            _ => None,
        };
        let (concluded, assumed) = match concluded {
            Some(found) => (Some((found.format, Basis::Payload)), found.assumed),
            None => (None, self.assumed.clone()),
        };
        let mut stream = Stream {
            ssrc: self.ssrc,
            payload_type: self.payload_type,
            frame: self.frame,
            format: self.format.clone().or(concluded),
            assumed,
            session: self.session,
            legs: Vec::with_capacity(self.legs.len()),
            hitless: self.hitless.as_ref().filter(|_| self.legs.len() > 1).map(|hitless| hitless.facts()),
            video: None,
            compressed: None,
            audio: None,
            ancillary: None,
            metadata: None,
            text: None,
            faults: Vec::new(),
        };
        for leg in &self.legs {
            let reception = ReceptionFacts { reports: leg.reports.facts(), ..leg.reception.facts() };
            stream.legs.push(StreamLeg {
                source: leg.source,
                destination: leg.destination,
                vlan: leg.vlan,
                ttl: leg.ttl,
                dscp: leg.dscp,
                reception,
                shaping: leg.shaping.as_ref().map(|shaping| shaping.facts()),
                timing: leg.timing.as_ref().map(Timing::facts),
            });
            stream.faults.extend(leg.reception.faults());
            stream.faults.extend(leg.timing.iter().flat_map(Timing::faults).cloned());
            if let Some(shaping) = &leg.shaping {
                stream.faults.extend(shaping.faults());
            }
        }
        self.essence.write(&mut stream);
        if let Some(audio) = &mut stream.audio {
            // What came late is no longer measured, and is not missing.
            let alone = stream.legs.first().map_or(0, |leg| leg.reception.lost);
            audio.missing = stream.hitless.as_ref().map_or(alone, |hitless| hitless.missing);
        }
        stream
    }
}

/// ST 2110-10:2022 §6.3.
const STANDARD_UDP_BYTES: u16 = 1460;

/// The lower half: the RTP clock has 32 bits.
fn low(ticks: u64) -> u32 {
    let [a, b, c, d, ..] = ticks.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
