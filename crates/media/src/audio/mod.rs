//! Linear audio in RTP (RFC 3551, RFC 3190, ST 2110-30, AES67): packet times, levels of conformance, timestamps against arrival.

pub mod detect;
pub mod limits;
pub mod packet_time;
pub mod rules;
pub mod spread;

use model::media::audio::{AudioFacts, LatencyBasis};
use model::media::{AudioFormat, Profile};

use crate::{Packet, Tally, am824};
use packet_time::ns_of;
use spread::{Course, DelayFactor, Gather};

pub use detect::{Detected, Detector, Ground, detect};

/// Octets of a datagram with its UDP header that audio may not exceed (ST 2110-10:2022 §6.3).
pub const MOST_UDP_BYTES: u16 = 1460;

/// Sequence numbers behind by up to this are packets that came late (RFC 3550 §A.1, `MAX_MISORDER`).
const MOST_BEHIND: i16 = 100;

/// Seconds whose delay factors are kept one by one.
const MOST_WINDOWS: usize = 1024;

/// Sequence numbers ahead by up to this are packets that were lost (RFC 3550 §A.1, `MAX_DROPOUT`).
const MOST_AHEAD: i16 = 3000;

/// Descriptions round packet times to two digits behind the point, up or down.
const ROUNDED_NS: u64 = 10_000;

/// Different numbers of samples that are told apart.
const LENGTHS: usize = 8;

/// The packet before, of those that came in order.
#[derive(Debug, Clone, Copy)]
struct Before {
    sequence: u16,
    timestamp: u32,
    samples: u32,
    time_ns: Option<i64>,
}

/// Where times are counted from that have no absolute meaning.
#[derive(Debug, Clone, Copy)]
struct Base {
    time_ns: i64,
    /// Samples by the timestamps since.
    samples: i64,
    /// The newest arrival.
    last_ns: i64,
}

/// Measures one audio stream on one leg: what its packets carry and how its timestamps stand to their arrival.
#[derive(Debug, Clone)]
pub struct Measure {
    format: AudioFormat,
    profile: Profile,
    /// Ticks that the RTP clock is ahead of its reference (`mediaclk:direct=`).
    offset: u32,
    tally: Tally,
    facts: AudioFacts,
    lengths: [(u32, u64); LENGTHS],
    before: Option<Before>,
    /// The sequence number that would show that the sender began anew (RFC 3550 §A.1, `bad_seq`).
    anew: Option<u16>,
    base: Option<Base>,
    inter_packet: Gather,
    absolute: Gather,
    relative: Gather,
    course: Course,
    second: DelayFactor,
    /// Whether the second before had too few samples (1) or too many (-1).
    beside: i64,
    fifth: DelayFactor,
    aes3: Option<Box<am824::Measure>>,
}

impl Measure {
    /// For a stream of this format.
    pub fn new(format: &AudioFormat) -> Measure {
        Measure {
            format: format.clone(),
            profile: Profile::Standard,
            offset: 0,
            tally: Tally::default(),
            facts: AudioFacts::default(),
            lengths: [(0, 0); LENGTHS],
            before: None,
            anew: None,
            base: None,
            inter_packet: Gather::default(),
            absolute: Gather::default(),
            relative: Gather::default(),
            course: Course::new(200_000_000),
            beside: 0,
            second: DelayFactor::new(1_000_000_000).keeping(MOST_WINDOWS),
            fifth: DelayFactor::new(200_000_000),
            aes3: format.am824.then(|| Box::new(am824::Measure::new(format.channels, format.sample_rate))),
        }
    }

    /// With the limits of a profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Measure {
        self.profile = profile;
        self
    }

    /// With an RTP clock that is ahead of its reference (RFC 7273 §5.2).
    #[must_use]
    pub fn with_offset(mut self, ticks: u64) -> Measure {
        let [a, b, c, d, ..] = ticks.to_le_bytes();
        self.offset = u32::from_le_bytes([a, b, c, d]);
        self
    }

    /// With something that was taken for granted, as a sentence.
    #[must_use]
    pub fn assuming(mut self, sentence: String) -> Measure {
        self.facts.assumed.push(sentence);
        self
    }

    /// Takes a packet; `tai_ns` is its time where the capture's clock is known to follow TAI.
    pub fn handle(&mut self, packet: &Packet<'_>, tai_ns: Option<i64>) {
        self.facts.packets = self.facts.packets.saturating_add(1);
        let Some(ahead) = self.ahead(packet.rtp.sequence) else { return };
        self.look(packet);
        let samples = self.samples(packet);
        self.clock(packet, samples, ahead, tai_ns);
        if let Some(aes3) = &mut self.aes3 {
            aes3.handle(packet, ahead == 1, &mut self.tally);
        }
        let time_ns = packet.time.map(|time| time.as_ns());
        let (sequence, timestamp) = (packet.rtp.sequence, packet.rtp.timestamp);
        self.before = Some(Before { sequence, timestamp, samples, time_ns });
    }

    /// By how many packets this one is ahead of the last: 0 for the first and where the sender began anew, `None` for
    /// one that came late or again.
    fn ahead(&mut self, sequence: u16) -> Option<u16> {
        let Some(before) = self.before else { return Some(0) };
        let ahead = sequence.wrapping_sub(before.sequence);
        match ahead.cast_signed() {
            1..=MOST_AHEAD => {
                self.anew = None;
                self.facts.missing = self.facts.missing.saturating_add(u64::from(ahead) - 1);
                Some(ahead)
            }
            behind if (-MOST_BEHIND..=0).contains(&behind) => {
                self.facts.out_of_order = self.facts.out_of_order.saturating_add(1);
                None
            }
            // Far away: two that follow each other say that it is so.
            _ if self.anew == Some(sequence) => {
                self.anew = None;
                Some(0)
            }
            _ => {
                self.anew = Some(sequence.wrapping_add(1));
                self.facts.out_of_order = self.facts.out_of_order.saturating_add(1);
                None
            }
        }
    }

    /// What can be said of a packet by itself.
    fn look(&mut self, packet: &Packet<'_>) {
        let facts = &mut self.facts;
        facts.payload_bytes = facts.payload_bytes.saturating_add(packet.rtp.payload.len() as u64);
        facts.extensions = facts.extensions.saturating_add(u64::from(packet.rtp.extension.is_some()));
        facts.padded = facts.padded.saturating_add(u64::from(packet.rtp.padding_bytes > 0));
        facts.markers = facts.markers.saturating_add(u64::from(packet.rtp.marker));
        facts.largest_udp_bytes = facts.largest_udp_bytes.max(packet.udp_bytes);
    }

    /// How many samples of each channel a packet has, and whether that is as it should be.
    fn samples(&mut self, packet: &Packet<'_>) -> u32 {
        let at = packet.occurrence();
        let bits = u64::from(self.format.bits) * u64::from(self.format.channels);
        let payload_bits = packet.rtp.payload.len() as u64 * 8;
        let samples = payload_bits.checked_div(bits).and_then(|it| u32::try_from(it).ok()).unwrap_or(0);
        if payload_bits == 0 {
            self.tally.note(&rules::EMPTY, at, String::new);
        } else if bits == 0 || payload_bits % bits >= 8 {
            // Samples of 20 bits may leave half an octet.
            let (octets, channels) = (packet.rtp.payload.len(), self.format.channels);
            let bits = self.format.bits;
            self.tally.note(&rules::WHOLE, at, || {
                format!("{octets} octets with {channels} channels of {bits} bits")
            });
        }
        self.facts.samples = self.facts.samples.saturating_add(u64::from(samples));
        let (fewest, most) = self.facts.samples_range.unwrap_or((samples, samples));
        self.facts.samples_range = Some((fewest.min(samples), most.max(samples)));
        if let Some(place) = self.lengths.iter_mut().find(|place| place.1 == 0 || place.0 == samples) {
            *place = (samples, place.1.saturating_add(1));
        }
        match self.before.map(|before| before.samples) {
            Some(same) if same == samples => {}
            Some(other) => {
                self.tally.note(&rules::LENGTH, at, || format!("{samples} samples after {other}"));
                self.fits(samples, packet);
            }
            None => self.fits(samples, packet),
        }
        samples
    }

    /// Whether packets of this length are what was agreed, and what a level allows.
    fn fits(&mut self, samples: u32, packet: &Packet<'_>) {
        let rate = self.format.sample_rate;
        let lasts_ns = ns_of(i64::from(samples), rate).unsigned_abs();
        if let Some(said_ns) = self.format.packet_time_ns.filter(|said| said.abs_diff(lasts_ns) > ROUNDED_NS)
        {
            self.tally.note(&rules::TIME, packet.occurrence(), || {
                format!("{samples} samples are {lasts_ns} ns; {said_ns} ns were agreed")
            });
        }
        if samples > 0 && packet_time::level(&self.format, samples).is_none() {
            let channels = self.format.channels;
            self.tally.note(&rules::LEVEL, packet.occurrence(), || {
                format!("{channels} channels at {rate} Hz, {samples} samples in a packet")
            });
        }
    }

    /// Its timestamp against the one before, and against its arrival.
    fn clock(&mut self, packet: &Packet<'_>, samples: u32, ahead: u16, tai_ns: Option<i64>) {
        let (at, rate, timestamp) = (packet.occurrence(), self.format.sample_rate, packet.rtp.timestamp);
        let mut step = 0;
        if let Some(before) = self.before {
            step = timestamp.wrapping_sub(before.timestamp).cast_signed();
            // What was lost in between is taken to be as long as what came before it.
            let expected = u32::from(ahead).wrapping_mul(before.samples);
            let as_expected = step.cast_unsigned() == expected;
            if ahead > 0 && !as_expected {
                self.facts.step_faults = self.facts.step_faults.saturating_add(1);
                let over = u32::from(ahead);
                self.tally.note(&rules::STEP, at, || {
                    format!("{step} over {over} packets where {expected} samples were sent")
                });
            }
            if packet.rtp.marker && as_expected {
                self.tally.note(&rules::MARKER, at, String::new);
            }
            let wrong = i64::from(step) - i64::from(expected);
            if ahead == 0 || wrong.unsigned_abs() > u64::from(rate) {
                self.facts.jumps = self.facts.jumps.saturating_add(1);
                (self.base, step) = (None, 0);
                self.second.restart();
                self.fifth.restart();
            }
        }
        let Some(time_ns) = packet.time.map(|time| time.as_ns()) else { return };
        if let (1, Some(last_ns)) = (ahead, self.before.and_then(|before| before.time_ns)) {
            self.inter_packet.add(time_ns.saturating_sub(last_ns));
        }
        let base = self.base.get_or_insert(Base { time_ns, samples: 0, last_ns: time_ns });
        base.samples = base.samples.saturating_add(i64::from(step));
        base.last_ns = time_ns;
        match tai_ns {
            Some(tai_ns) => {
                let late_ns = since_sampled_ns(tai_ns, timestamp.wrapping_sub(self.offset), rate);
                self.absolute.add(late_ns);
                self.course.add(time_ns, late_ns);
            }
            None => {
                let arrived_ns = time_ns.saturating_sub(base.time_ns);
                let late_ns = arrived_ns.saturating_sub(ns_of(base.samples, rate));
                self.relative.add(late_ns);
                self.course.add(time_ns, late_ns);
            }
        }
        self.fifth.handle(time_ns, timestamp, rate);
        if let Some(window) = self.second.handle(time_ns, timestamp, rate) {
            let wrong = window.arrival_ns.saturating_sub(window.media_ns);
            let is_wrong = samples > 0 && wrong.unsigned_abs() > window.arrival_ns.unsigned_abs() / 100;
            let before = core::mem::replace(&mut self.beside, if is_wrong { wrong.signum() } else { 0 });
            // Who was held up for a while in one second has no other rate: the next would be right, or more than that.
            if is_wrong && before == wrong.signum() {
                self.tally.note(&rules::RATE, at, || {
                    format!("{} ns of samples in {} ns", window.media_ns, window.arrival_ns)
                });
            }
        }
    }

    /// Which rules it broke.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What was measured so far.
    pub fn facts(&self) -> AudioFacts {
        let mut facts = self.facts.clone();
        let most = self.lengths.iter().max_by_key(|place| place.1).filter(|place| place.1 > 0);
        if let Some((samples, count)) = most.copied().filter(|place| place.0 > 0) {
            facts.samples_per_packet = Some(samples);
            facts.other_lengths = facts.packets.saturating_sub(facts.out_of_order).saturating_sub(count);
            facts.packet_time_ns = Some(ns_of(i64::from(samples), self.format.sample_rate).unsigned_abs());
            facts.packet_time = packet_time::packet_time(samples, self.format.sample_rate);
            facts.level = packet_time::level(&self.format, samples);
            facts.receivers = packet_time::receivers(&self.format, samples).to_vec();
        }
        facts.inter_packet = self.inter_packet.spread();
        facts.delay_factor_1s = self.second.spread();
        facts.delay_windows = self.second.last().collect();
        facts.delay_factor_200ms = self.fifth.spread();
        facts.latency = self.absolute.spread();
        facts.latency_basis = facts.latency.map(|_| LatencyBasis::Absolute);
        if facts.latency.is_none() {
            facts.latency = self.relative.spread();
            facts.latency_basis = facts.latency.map(|_| LatencyBasis::Relative);
        }
        facts.course = self.course.spans().collect();
        facts.rate_deviation_ppb = self.base.and_then(|base| {
            let arrived_ns = base.last_ns.saturating_sub(base.time_ns);
            let early_ns = ns_of(base.samples, self.format.sample_rate).saturating_sub(arrived_ns);
            let parts = i128::from(early_ns) * 1_000_000_000 / i128::from(arrived_ns.max(1));
            i64::try_from(parts).ok().filter(|_| arrived_ns >= 1_000_000_000)
        });
        facts.limits = limits::judge(self.profile, &facts);
        facts.aes3 = self.aes3.as_deref().map(am824::Measure::facts);
        facts
    }
}

/// How long after its first sample was taken a packet came, by the nearest wrap of the RTP clock.
fn since_sampled_ns(tai_ns: i64, timestamp: u32, sample_rate: u32) -> i64 {
    let seconds = tai_ns.div_euclid(1_000_000_000);
    let rest_ns = tai_ns.rem_euclid(1_000_000_000);
    let rate = i64::from(sample_rate);
    // Below a thousand million times 2^32.
    let in_second = rest_ns * rate;
    let now = seconds.wrapping_mul(rate).wrapping_add(in_second / 1_000_000_000);
    let [a, b, c, d, ..] = now.to_le_bytes();
    let late = u32::from_le_bytes([a, b, c, d]).wrapping_sub(timestamp).cast_signed();
    // What is left between the last whole sample and now.
    let left_ns = in_second % 1_000_000_000 / rate.max(1);
    ns_of(i64::from(late), sample_rate).saturating_add(left_ns)
}

/// What must hold of any packets; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    use model::Timestamp;
    let Some((&[channels, kind, rate, step], mut rest)) = bytes.split_first_chunk::<4>() else { return };
    let (bits, am824) = match kind % 5 {
        0 => (8, false),
        1 => (16, false),
        2 => (20, false),
        3 => (24, false),
        _ => (32, true),
    };
    let sample_rate = [0, 8000, 44_100, 48_000, 96_000, u32::MAX].get(usize::from(rate) % 6).copied();
    let format = AudioFormat {
        bits,
        am824,
        sample_rate: sample_rate.unwrap_or(48_000),
        channels: u16::from(channels),
        packet_time_ns: None,
        channel_order: String::new(),
    };
    let mut measure = Measure::new(&format).with_profile(Profile::JtNm2022);
    let mut detector = detect::Detector::default();
    let (mut frame, mut time) = (0, 0_i64);
    // Each packet is an octet that says how long it is, and as many octets.
    while let Some((length, tail)) = rest.split_first() {
        let (packet, after) = tail.split_at_checked(usize::from(*length)).unwrap_or((tail, &[]));
        rest = after;
        frame += 1;
        time = time.wrapping_add(i64::from(step) << (length % 48));
        if let Ok(rtp) = wire::rtp::parse(packet) {
            let packet = Packet { time: Some(Timestamp::from_ns(time)), frame, udp_bytes: 1461, rtp };
            measure.handle(&packet, (length % 2 == 0).then_some(time));
            detector.handle(&packet);
        }
    }
    let facts = measure.facts();
    assert!(facts.out_of_order <= facts.packets && facts.other_lengths <= facts.packets);
    assert!(facts.extensions + facts.padded <= 2 * facts.packets);
    for spread in [facts.inter_packet, facts.delay_factor_1s, facts.latency].into_iter().flatten() {
        assert!(spread.least_ns <= spread.mean_ns && spread.mean_ns <= spread.most_ns && spread.count > 0);
    }
    assert!(facts.delay_factor_200ms.is_none_or(|spread| spread.least_ns >= 0));
    if let Some(found) = detector.detect() {
        assert!(found.format.channels > 0 && found.format.sample_rate > 0);
        assert!(matches!(found.format.bits, 16 | 24 | 32));
    }
}

#[cfg(test)]
pub(crate) mod tests;
