//! Faults on demand: what a sender or a network may do wrong, planned before packets leave, the same for the same seed.
//!
//! As text: `loss=0.1%,reorder=5,jitter=100us`. A fault that strikes some packets takes a share behind `@`, in per cent
//! (by chance) or as `1/100` (exactly every hundredth); 1 % where none is given.

use model::{Tai, Timestamp};

use super::Batch;

/// A packet of a batch, and when it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// When.
    pub at: Timestamp<Tai>,
    /// Which, by its place in the batch.
    pub packet: usize,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// By chance, so many of a million.
    PerMillion(u32),
    /// Exactly every so many.
    Every(u64),
}

/// One per cent.
const DEFAULT_SHARE: Share = Share::PerMillion(10_000);

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Packets are left out.
    Loss,
    /// Packets leave after so many that follow them.
    Reorder(u32),
    /// Every packet leaves later, by chance up to so much.
    JitterNs(u64),
    /// Packets leave twice.
    Duplicate,
    /// The marker is turned round.
    Marker,
    /// The sender's clock runs fast by so many parts per billion; slow where negative.
    RatePpb(i64),
    /// All packets of a period leave later by so much.
    LateNs(u64),
    /// The sequence goes on so many numbers further.
    Jump(u16),
    /// Packets are of another source.
    Source,
    /// Packets are of another payload type.
    PayloadType,
    /// So many octets are appended.
    Oversize(u16),
    /// The bit that tells fields apart is turned round.
    Field,
}

/// Where packets say which field they are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// In front of each piece of a row (RFC 4175 §4.2).
    OfRows,
    /// Once, for all ancillary data of the packet (RFC 8331 §2.1).
    OfAncillary,
}

/// How often each fault struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Injected {
    /// Packets left out.
    pub lost: u64,
    /// Packets that left after others.
    pub reordered: u64,
    /// Packets that left twice.
    pub duplicated: u64,
    /// Markers turned round.
    pub markers: u64,
    /// Packets that left later than they should, by chance.
    pub jittered: u64,
    /// Packets that left at another rate than they should.
    pub paced: u64,
    /// Field bits turned round.
    pub fields: u64,
    /// Periods that left late.
    pub late: u64,
    /// Jumps of the sequence.
    pub jumps: u64,
    /// Packets of another source.
    pub sources: u64,
    /// Packets of another payload type.
    pub payload_types: u64,
    /// Packets made too long.
    pub oversize: u64,
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    kind: Kind,
    share: Share,
    count: u64,
}

/// Faults that are done to periods of packets, one after the other.
#[derive(Debug, Clone)]
pub struct Faults {
    faults: Vec<Fault>,
    seed: u64,
    origin: Option<Timestamp<Tai>>,
    shift: u16,
    fields: Option<Fields>,
    injected: Injected,
}

/// The next of a row of numbers that look like chance (SplitMix64).
fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Fault {
    fn strikes(&mut self, seed: &mut u64) -> bool {
        self.count += 1;
        match self.share {
            Share::PerMillion(share) => draw(seed) % 1_000_000 < u64::from(share),
            Share::Every(every) => self.count.is_multiple_of(every.max(1)),
        }
    }
}

impl Faults {
    /// None yet; the seed chooses which packets.
    pub fn new(seed: u64) -> Faults {
        Faults {
            faults: Vec::new(),
            seed,
            origin: None,
            shift: 0,
            fields: None,
            injected: Injected::default(),
        }
    }

    /// Of packets that tell fields in this way; the error says that they tell none, where the bit is to be turned round.
    pub fn of(mut self, fields: Option<Fields>) -> Result<Faults, String> {
        if fields.is_none() && self.faults.iter().any(|fault| fault.kind == Kind::Field) {
            return Err("packets of this kind are of no field".to_owned());
        }
        self.fields = fields;
        Ok(self)
    }

    /// Adds one; they are done in the order in which they are added.
    pub fn add(&mut self, kind: Kind, share: Share) {
        self.faults.push(Fault { kind, share, count: 0 });
    }

    /// From text; the error says which word is not understood.
    pub fn parse(text: &str, seed: u64) -> Result<Faults, String> {
        let mut faults = Faults::new(seed);
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let (kind, share) =
                fault(word).ok_or_else(|| format!("{word:?} is no fault: try loss=0.1%, reorder=5@1%, jitter=100us, duplicate=1%, marker=1/100, rate=50ppm, late=5ms@1/10, jump=1000@1/500, ssrc=1%, payload-type=1%, oversize=200@1%, field=1%"))?;
            faults.add(kind, share);
        }
        Ok(faults)
    }

    /// What was done so far.
    pub fn injected(&self) -> Injected {
        self.injected
    }

    /// Does them to one period. Departures come out in the order of time; some may be gone, some twice there.
    pub fn apply(&mut self, batch: &mut Batch, departures: &mut Vec<Departure>) {
        if let Some(first) = departures.first() {
            self.origin.get_or_insert(first.at);
        }
        let mut faults = core::mem::take(&mut self.faults);
        for fault in &mut faults {
            self.one(fault, batch, departures);
        }
        self.faults = faults;
        departures.sort_by_key(|departure| departure.at);
    }

    fn one(&mut self, fault: &mut Fault, batch: &mut Batch, departures: &mut Vec<Departure>) {
        match fault.kind {
            Kind::Loss => {
                let before = departures.len();
                departures.retain(|_| !fault.strikes(&mut self.seed));
                self.injected.lost += (before - departures.len()) as u64;
            }
            Kind::Reorder(places) => self.reorder(fault, places, departures),
            Kind::JitterNs(most) => {
                for departure in departures {
                    let by = draw(&mut self.seed) % most.saturating_add(1);
                    departure.at = later(departure.at, by);
                    self.injected.jittered += u64::from(by > 0);
                }
            }
            Kind::Duplicate => {
                let twice: Vec<Departure> =
                    departures.iter().copied().filter(|_| fault.strikes(&mut self.seed)).collect();
                self.injected.duplicated += twice.len() as u64;
                departures.extend(twice);
                departures.sort_by_key(|departure| departure.at);
            }
            Kind::RatePpb(ppb) => {
                let Some(origin) = self.origin else { return };
                for departure in departures {
                    let passed = i128::from(departure.at.since_ns(origin));
                    // A clock that runs fast is sooner everywhere.
                    let true_ns = passed * 1_000_000_000 / (1_000_000_000 + i128::from(ppb)).max(1);
                    let ns = i64::try_from(true_ns).unwrap_or(i64::MAX);
                    self.injected.paced += u64::from(true_ns != passed);
                    departure.at = Timestamp::from_ns(origin.as_ns().saturating_add(ns));
                }
            }
            Kind::LateNs(ns) => {
                if !departures.is_empty() && fault.strikes(&mut self.seed) {
                    self.injected.late += 1;
                    for departure in departures {
                        departure.at = later(departure.at, ns);
                    }
                }
            }
            Kind::Jump(numbers) => self.jump(fault, numbers, batch),
            Kind::Marker | Kind::Source | Kind::PayloadType => self.header(fault, batch),
            Kind::Field => {
                for index in 0..batch.len() {
                    if fault.strikes(&mut self.seed)
                        && let (Some(fields), Some([_, _, _, _, _, _, _, _, _, _, _, _, payload @ ..])) =
                            (self.fields, batch.packet_mut(index))
                    {
                        turn_round(fields, payload);
                        self.injected.fields += 1;
                    }
                }
            }
            Kind::Oversize(octets) => {
                for departure in departures {
                    if !fault.strikes(&mut self.seed) {
                        continue;
                    }
                    let Some(mut bytes) = batch.packet(departure.packet).map(Vec::from) else { continue };
                    bytes.resize(bytes.len() + usize::from(octets), 0);
                    departure.packet = batch.len();
                    batch.add(|to| to.append(&mut bytes));
                    self.injected.oversize += 1;
                }
            }
        }
    }

    fn reorder(&mut self, fault: &mut Fault, places: u32, departures: &mut [Departure]) {
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        let times: Vec<Timestamp<Tai>> = departures.iter().map(|departure| departure.at).collect();
        for (index, departure) in departures.iter_mut().enumerate() {
            // Those that would leave after the period stay where they are.
            let after = index.checked_add(places).and_then(|index| times.get(index));
            if let Some(after) = after
                && fault.strikes(&mut self.seed)
            {
                departure.at = later(*after, 1);
                self.injected.reordered += 1;
            }
        }
        departures.sort_by_key(|departure| departure.at);
    }

    fn jump(&mut self, fault: &mut Fault, numbers: u16, batch: &mut Batch) {
        for index in 0..batch.len() {
            if fault.strikes(&mut self.seed) {
                self.shift = self.shift.wrapping_add(numbers);
                self.injected.jumps += 1;
            }
            let Some([_, _, high, low, ..]) = batch.packet_mut(index) else { continue };
            [*high, *low] = u16::from_be_bytes([*high, *low]).wrapping_add(self.shift).to_be_bytes();
        }
    }

    fn header(&mut self, fault: &mut Fault, batch: &mut Batch) {
        for index in 0..batch.len() {
            if !fault.strikes(&mut self.seed) {
                continue;
            }
            let Some([_, second, _, _, _, _, _, _, _, _, _, source, ..]) = batch.packet_mut(index) else {
                continue;
            };
            match fault.kind {
                Kind::Marker => {
                    *second ^= 0x80;
                    self.injected.markers += 1;
                }
                Kind::PayloadType => {
                    *second ^= 0x01;
                    self.injected.payload_types += 1;
                }
                _ => {
                    *source ^= 0xff;
                    self.injected.sources += 1;
                }
            }
        }
    }
}

/// Makes a packet say that it is of the other field.
fn turn_round(fields: Fields, payload: &mut [u8]) {
    match fields {
        Fields::OfAncillary => {
            if let Some(field) = payload.get_mut(5) {
                *field ^= 0x40;
            }
        }
        Fields::OfRows => {
            // Behind the upper half of the number, pieces of six octets; one bit says that another follows.
            for piece in payload.get_mut(2..).unwrap_or_default().as_chunks_mut::<6>().0 {
                piece[2] ^= 0x80;
                if piece[4] & 0x80 == 0 {
                    break;
                }
            }
        }
    }
}

fn later(at: Timestamp<Tai>, ns: u64) -> Timestamp<Tai> {
    Timestamp::from_ns(at.as_ns().saturating_add(i64::try_from(ns).unwrap_or(i64::MAX)))
}

/// One word: `name=value@share`, `name=share`.
fn fault(word: &str) -> Option<(Kind, Share)> {
    let (name, rest) = word.split_once('=')?;
    let (value, at) = match rest.split_once('@') {
        Some((value, at)) => (value, Some(share(at)?)),
        None => (rest, None),
    };
    // Those whose value is nothing but a share.
    let of_packets = match name {
        "loss" => Some(Kind::Loss),
        "duplicate" => Some(Kind::Duplicate),
        "marker" => Some(Kind::Marker),
        "ssrc" => Some(Kind::Source),
        "payload-type" => Some(Kind::PayloadType),
        "field" => Some(Kind::Field),
        _ => None,
    };
    if let Some(kind) = of_packets {
        return at.is_none().then_some((kind, share(value)?));
    }
    let kind = match name {
        "reorder" => Kind::Reorder(value.parse().ok().filter(|places| *places > 0)?),
        "jitter" => Kind::JitterNs(duration_ns(value)?),
        "rate" => Kind::RatePpb(rate_ppb(value)?),
        "late" => Kind::LateNs(duration_ns(value)?),
        "jump" => Kind::Jump(value.parse().ok()?),
        "oversize" => Kind::Oversize(value.parse().ok()?),
        _ => return None,
    };
    let everywhere = matches!(kind, Kind::JitterNs(_) | Kind::RatePpb(_));
    match (everywhere, at) {
        (true, Some(_)) => None,
        (true, None) => Some((kind, Share::Every(1))),
        (false, at) => Some((kind, at.unwrap_or(DEFAULT_SHARE))),
    }
}

/// `0.1%`, `1/100`.
fn share(text: &str) -> Option<Share> {
    if let Some(every) = text.strip_prefix("1/") {
        return every.parse().ok().filter(|every| *every > 0).map(Share::Every);
    }
    let share = decimal(text.strip_suffix('%')?, 4)?;
    u32::try_from(share).ok().filter(|share| *share <= 1_000_000).map(Share::PerMillion)
}

/// `100us`, `1.5ms`, `20ns`, `1s`.
fn duration_ns(text: &str) -> Option<u64> {
    [("ns", 0), ("us", 3), ("µs", 3), ("ms", 6), ("s", 9)]
        .into_iter()
        .find_map(|(unit, places)| decimal(text.strip_suffix(unit)?, places))
        .filter(|ns| *ns <= 1_000_000_000_000)
}

/// `50ppm`, `-100ppm`, `1.001` (a factor).
fn rate_ppb(text: &str) -> Option<i64> {
    let ppb = match text.strip_suffix("ppm") {
        Some(ppm) => match ppm.strip_prefix('-') {
            Some(ppm) => -i64::try_from(decimal(ppm, 3)?).ok()?,
            None => i64::try_from(decimal(ppm.strip_prefix('+').unwrap_or(ppm), 3)?).ok()?,
        },
        None => i64::try_from(decimal(text, 9)?).ok()?.checked_sub(1_000_000_000)?,
    };
    // A tenth to ten times as fast.
    (-900_000_000..=9_000_000_000).contains(&ppb).then_some(ppb)
}

/// A decimal number times a power of ten, exactly.
fn decimal(text: &str, places: u32) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let used = u32::try_from(part.len()).ok().filter(|used| *used <= places)?;
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(places)?)?;
    let part = if part.is_empty() { 0 } else { part.parse::<u64>().ok()? };
    whole.checked_add(part.checked_mul(10_u64.checked_pow(places - used)?)?)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers are small and our own")]
mod tests {
    use super::*;

    fn period(count: u64) -> (Batch, Vec<Departure>) {
        let mut batch = Batch::default();
        let mut departures = Vec::new();
        for number in 0..count {
            let mut bytes = vec![0x80, 96];
            bytes.extend_from_slice(&(number as u16).to_be_bytes());
            bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4]);
            batch.add(|to| to.append(&mut bytes));
            let at = Timestamp::from_ns(1_000_000 + number as i64 * 1000);
            departures.push(Departure { at, packet: number as usize });
        }
        (batch, departures)
    }

    fn run(text: &str, count: u64) -> (Faults, Batch, Vec<Departure>) {
        let mut faults = Faults::parse(text, 42).unwrap();
        let (mut batch, mut departures) = period(count);
        faults.apply(&mut batch, &mut departures);
        (faults, batch, departures)
    }

    #[test]
    fn words_are_understood_exactly() {
        for (word, kind, share) in [
            ("loss=0.1%", Kind::Loss, Share::PerMillion(1000)),
            ("loss=1/100", Kind::Loss, Share::Every(100)),
            ("reorder=5", Kind::Reorder(5), DEFAULT_SHARE),
            ("reorder=5@0.0001%", Kind::Reorder(5), Share::PerMillion(1)),
            ("jitter=100us", Kind::JitterNs(100_000), Share::Every(1)),
            ("jitter=1.5ms", Kind::JitterNs(1_500_000), Share::Every(1)),
            ("rate=-50.5ppm", Kind::RatePpb(-50_500), Share::Every(1)),
            ("rate=1.000001", Kind::RatePpb(1000), Share::Every(1)),
            ("late=5ms@1/10", Kind::LateNs(5_000_000), Share::Every(10)),
            ("jump=1000@1/500", Kind::Jump(1000), Share::Every(500)),
            ("oversize=200@100%", Kind::Oversize(200), Share::PerMillion(1_000_000)),
            ("payload-type=2%", Kind::PayloadType, Share::PerMillion(20_000)),
            ("field=1/1", Kind::Field, Share::Every(1)),
        ] {
            assert_eq!(fault(word), Some((kind, share)), "{word}");
        }
        for word in [
            "loss",
            "loss=",
            "loss=0.1",
            "loss=101%",
            "loss=1/0",
            "loss=1%@1%",
            "reorder=0",
            "jitter=5",
            "jitter=1us@1%",
            "rate=0",
            "rate=99",
            "jitter=0.1ns",
            "ssrc=.5%",
            "unknown=1%",
            "late=-1ms",
        ] {
            assert_eq!(fault(word), None, "{word}");
            let error = Faults::parse(&format!("marker=1%,{word}"), 1).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        assert!(Faults::parse(" ", 1).unwrap().faults.is_empty());
    }

    #[test]
    fn the_same_seed_does_the_same() {
        let text = "loss=1%,reorder=3,jitter=10us,duplicate=1%,marker=1%,ssrc=1%,oversize=8";
        let (one, two) = (run(text, 5000), run(text, 5000));
        assert_eq!((one.0.injected(), &one.2), (two.0.injected(), &two.2));
        assert_eq!(one.1.bytes(), two.1.bytes());
        assert!(one.0.injected().lost > 20 && one.0.injected().lost < 100);
        assert!(one.2.is_sorted_by_key(|departure| departure.at));
    }

    #[test]
    fn each_fault_does_what_it_says() {
        let (faults, _, departures) = run("loss=1/10", 100);
        assert_eq!((faults.injected().lost, departures.len()), (10, 90));
        let (_, _, departures) = run("reorder=2@1/50", 100);
        let order: Vec<_> = departures.iter().map(|departure| departure.packet).collect();
        assert_eq!(order[48..54], [48, 50, 51, 49, 52, 53]);
        let (_, _, departures) = run("duplicate=1/50", 100);
        assert_eq!((departures.len(), departures[49], departures[50]), (102, departures[50], departures[49]));
        let (_, batch, _) = run("marker=1/50,jump=100@1/50,ssrc=1/50,payload-type=1/25", 100);
        assert_eq!(batch.packet(49).unwrap()[..12], [0x80, 0xe1, 0, 149, 0, 0, 0, 0, 0, 0, 0, 0xf8]);
        assert_eq!(batch.packet(99).unwrap()[2..4], (299_u16).to_be_bytes());
        let (_, batch, departures) = run("oversize=100@1/50", 100);
        assert_eq!((batch.len(), departures[49].packet, batch.packet(100).unwrap().len()), (102, 100, 116));
        let (_, _, departures) = run("late=1ms@1/1", 100);
        assert_eq!(departures[7].at.as_ns(), 2_007_000);
        let (faults, _, departures) = run("rate=2.0", 100);
        // The first packet is where time is counted from.
        assert_eq!(faults.injected().paced, 99);
        assert_eq!(departures[10].at.as_ns(), 1_005_000);
        let (faults, _, departures) = run("jitter=500ns", 100);
        assert!((95..=100).contains(&faults.injected().jittered));
        assert!(departures.iter().enumerate().all(|(index, departure)| {
            (0..=500).contains(&(departure.at.as_ns() - 1_000_000 - index as i64 * 1000))
        }));
    }

    #[test]
    fn fields_are_turned_round_where_packets_tell_them() {
        let turned = |fields, payload: &[u8]| {
            let mut faults = Faults::parse("field=1/1", 42).unwrap().of(Some(fields)).unwrap();
            let mut batch = Batch::default();
            batch.add(|to| to.extend_from_slice(&[[0; 12].as_slice(), payload].concat()));
            let mut departures = vec![Departure { at: Timestamp::from_ns(0), packet: 0 }];
            faults.apply(&mut batch, &mut departures);
            assert_eq!(faults.injected().fields, 1);
            batch.packet(0).unwrap()[12..].to_vec()
        };
        // Two pieces, and samples whose bits stay.
        let rows = [0, 0, 0, 5, 0, 1, 0x80, 0, 0, 5, 0x80, 2, 0, 0, 9, 9, 9, 9, 9, 9];
        let other = [0, 0, 0, 5, 0x80, 1, 0x80, 0, 0, 5, 0, 2, 0, 0, 9, 9, 9, 9, 9, 9];
        assert_eq!(turned(Fields::OfRows, &rows), other);
        assert_eq!(turned(Fields::OfAncillary, &[0, 0, 0, 0, 0, 0x80, 0, 0]), [0, 0, 0, 0, 0, 0xc0, 0, 0]);
        for payload in [&[][..], &[0; 5]] {
            turned(Fields::OfRows, payload);
        }
        assert!(Faults::parse("field=1%", 1).unwrap().of(None).is_err());
        assert!(Faults::parse("loss=1%", 1).unwrap().of(None).is_ok());
    }
}
