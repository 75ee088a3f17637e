//! Who came, source by source: what each did, and how much of it is told. Bounded, and what was forgotten is counted.

use std::collections::HashMap;
use std::net::IpAddr;

use host::decoy::PortSet;
use model::{DecoyTouch, PortTally, Spoken, Timestamp, Transport, Utc, Visit};

/// A source that was quiet for so long has gone; what it does next is another visit.
const GONE_AFTER_NS: i64 = 3_600_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;
/// So many ports of a source are kept one by one; from then on in a set of all ports.
const FEW: usize = 64;
/// So many sets of all ports there are, of eight KiB each.
const MOST_SETS: usize = 512;
/// Of a source, so many protocols are kept apart, and so many ports and ranges told.
const MOST_PROTOCOLS: usize = 16;
const MOST_TOLD: usize = 16;
const MOST_RANGES: usize = 256;

/// All sources.
#[derive(Debug)]
pub(super) struct Sources {
    all: HashMap<IpAddr, Source>,
    most: usize,
    told_per_minute: u32,
    sets: usize,
    /// Sources that made room for others.
    pub(super) forgotten: u64,
}

#[derive(Debug)]
struct Source {
    visit: Visit,
    tcp: Ports,
    udp: Ports,
    /// When the minute began, and how many touches were told in it.
    minute: (i64, u32),
    /// Whether it came since somebody asked.
    changed: bool,
}

#[derive(Debug)]
enum Ports {
    Few(Vec<u16>),
    All(PortSet),
}

impl Sources {
    pub(super) fn new(most: usize, told_per_minute: u32) -> Sources {
        Sources { all: HashMap::new(), most, told_per_minute, sets: 0, forgotten: 0 }
    }

    /// Whether another touch of this source is told.
    pub(super) fn is_told(&mut self, source: IpAddr, at: Timestamp<Utc>) -> bool {
        let Some(known) = self.all.get_mut(&source) else { return true };
        if at.as_ns().saturating_sub(known.minute.0) >= MINUTE_NS {
            known.minute = (at.as_ns(), 0);
        }
        known.minute.1 < self.told_per_minute
    }

    /// Adds a touch.
    pub(super) fn add(&mut self, touch: &DecoyTouch, told: bool) {
        let ip = touch.peer.ip();
        if !self.all.contains_key(&ip) && self.all.len() >= self.most {
            self.make_room();
        }
        let may_grow = self.sets < MOST_SETS;
        let source = self.all.entry(ip).or_insert_with(|| Source::new(touch));
        let visit = &mut source.visit;
        visit.first = visit.first.min(touch.at);
        visit.last = visit.last.max(touch.at);
        source.changed = true;
        visit.connections = visit.connections.saturating_add(u64::from(touch.connected));
        visit.received_bytes = visit.received_bytes.saturating_add(touch.received_bytes);
        if told {
            source.minute.1 = source.minute.1.saturating_add(1);
        } else {
            visit.only_counted = visit.only_counted.saturating_add(1);
        }
        let (ports, tally) = match touch.transport {
            Transport::Udp => (&mut source.udp, &mut visit.udp),
            _ => (&mut source.tcp, &mut visit.tcp),
        };
        tally.touches = tally.touches.saturating_add(1);
        self.sets += usize::from(ports.insert(touch.local.port(), tally, may_grow));
        if let Some(protocol) = touch.recognised.as_ref().and_then(|said| said.protocol) {
            let (port, transport) = (touch.local.port(), touch.transport);
            match visit.spoken.iter().position(|spoken| spoken.protocol == protocol) {
                Some(at) => {
                    if let Some(spoken) = visit.spoken.get_mut(at) {
                        spoken.times = spoken.times.saturating_add(1);
                    }
                }
                None if visit.spoken.len() < MOST_PROTOCOLS => {
                    visit.spoken.push(Spoken { protocol, times: 1, port, transport });
                }
                None => {}
            }
        }
        if visit.example.as_ref().is_none_or(|before| weight(touch) > weight(before)) {
            visit.example = Some(Box::new(touch.clone()));
        }
    }

    /// Forgets who has gone.
    pub(super) fn pass(&mut self, now: Timestamp<Utc>) {
        let sets = &mut self.sets;
        self.all.retain(|_, source| {
            let stays = now.as_ns().saturating_sub(source.visit.last.as_ns()) < GONE_AFTER_NS;
            if !stays {
                *sets -= source.sets();
            }
            stays
        });
    }

    /// Forgets a quarter of all: those of whom least is known, and of these the ones who came longest ago.
    fn make_room(&mut self) {
        let mut order: Vec<(u8, Timestamp<Utc>, IpAddr)> =
            self.all.iter().map(|(ip, source)| (source.worth(), source.visit.last, *ip)).collect();
        order.sort_unstable();
        for (_, _, ip) in order.into_iter().take((self.most / 4).max(1)) {
            if let Some(source) = self.all.remove(&ip) {
                self.sets -= source.sets();
                self.forgotten = self.forgotten.saturating_add(1);
            }
        }
    }

    /// Everybody who came, by address.
    pub(super) fn visits(&self) -> Vec<Visit> {
        let mut visits: Vec<Visit> = self.all.values().map(Source::told).collect();
        visits.sort_by_key(|visit| visit.source);
        visits
    }

    /// Those who came since this was asked last, and first before that time.
    pub(super) fn news(&mut self, before: Timestamp<Utc>) -> Vec<Visit> {
        let mut news = Vec::new();
        for source in self.all.values_mut().filter(|source| source.changed && source.visit.first <= before) {
            source.changed = false;
            news.push(source.told());
        }
        news.sort_by_key(|visit| visit.source);
        news
    }

    /// What one source did.
    pub(super) fn visit(&self, source: IpAddr) -> Option<Visit> {
        self.all.get(&source).map(Source::told)
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }
}

/// How much a touch says.
fn weight(touch: &DecoyTouch) -> (bool, bool, bool) {
    let known = touch.recognised.as_ref().is_some_and(|said| said.protocol.is_some());
    (known, touch.received_bytes > 0, touch.connected)
}

impl Source {
    fn new(touch: &DecoyTouch) -> Source {
        Source {
            visit: Visit {
                source: touch.peer.ip(),
                netns: touch.netns,
                first: touch.at,
                last: touch.at,
                tcp: PortTally::default(),
                udp: PortTally::default(),
                connections: 0,
                received_bytes: 0,
                only_counted: 0,
                spoken: Vec::new(),
                example: None,
            },
            tcp: Ports::Few(Vec::new()),
            udp: Ports::Few(Vec::new()),
            minute: (touch.at.as_ns(), 0),
            changed: true,
        }
    }

    fn worth(&self) -> u8 {
        let visit = &self.visit;
        u8::from(!visit.spoken.is_empty()) * 4
            + u8::from(visit.received_bytes > 0) * 2
            + u8::from(visit.ports() >= verdict::SCAN_PORTS)
    }

    fn sets(&self) -> usize {
        [&self.tcp, &self.udp].into_iter().filter(|ports| matches!(ports, Ports::All(_))).count()
    }

    fn told(&self) -> Visit {
        let mut visit = self.visit.clone();
        visit.spoken.sort_by_key(|spoken| std::cmp::Reverse(spoken.times));
        visit.tcp.ranges = self.tcp.ranges();
        visit.udp.ranges = self.udp.ranges();
        visit
    }
}

impl Ports {
    /// Notes a port in the tally; says whether a set of all ports was made for it.
    fn insert(&mut self, port: u16, tally: &mut PortTally, may_grow: bool) -> bool {
        let mut grown = false;
        let new = match self {
            Ports::All(set) => set.insert(port),
            Ports::Few(few) if few.contains(&port) => false,
            Ports::Few(few) if few.len() < FEW => {
                few.push(port);
                true
            }
            Ports::Few(few) if may_grow => {
                let mut set: PortSet = few.iter().copied().collect();
                set.insert(port);
                *self = Ports::All(set);
                grown = true;
                true
            }
            Ports::Few(_) => {
                tally.more = true;
                tally.lowest = tally.lowest.min(port);
                tally.highest = tally.highest.max(port);
                false
            }
        };
        if new {
            tally.lowest = if tally.ports == 0 { port } else { tally.lowest.min(port) };
            tally.highest = tally.highest.max(port);
            tally.ports += 1;
            if tally.some.len() < MOST_TOLD {
                tally.some.push(port);
            }
        }
        grown
    }

    fn ranges(&self) -> Vec<std::ops::RangeInclusive<u16>> {
        let mut ranges = match self {
            Ports::All(set) => set.ranges(),
            Ports::Few(few) if few.is_empty() => Vec::new(),
            Ports::Few(few) => few.iter().copied().collect::<PortSet>().ranges(),
        };
        ranges.truncate(MOST_RANGES);
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::touch;
    use super::*;

    fn source(number: u32) -> String {
        format!("10.{}.{}.{}:4000", number >> 16 & 255, number >> 8 & 255, number & 255)
    }

    #[test]
    fn a_scan_is_one_visit_and_only_its_beginning_is_told() {
        let mut sources = Sources::new(16, 60);
        let mut told = 0;
        for port in 1..=1023 {
            let touch = touch("10.0.0.1:4000", &format!("10.0.0.2:{port}"), b"");
            let tell = sources.is_told(touch.peer.ip(), touch.at);
            told += u32::from(tell);
            sources.add(&touch, tell);
        }
        assert_eq!(told, 60);
        let visits = sources.visits();
        assert_eq!(visits.len(), 1);
        let tally = &visits[0].tcp;
        assert_eq!((tally.ports, tally.lowest, tally.highest, tally.more), (1023, 1, 1023, false));
        assert_eq!((tally.ranges.as_slice(), visits[0].only_counted), (&[1..=1023][..], 963));
    }

    #[test]
    fn a_flood_of_sources_leaves_memory_and_who_said_something() {
        let mut sources = Sources::new(64, 60);
        sources.add(&touch("10.200.0.1:4000", "10.0.0.2:22", b"SSH-2.0-x\r\n"), true);
        for number in 0..10_000 {
            sources.add(&touch(&source(number), "10.0.0.2:80", b""), true);
            assert!(sources.count() <= 64);
        }
        assert_eq!(sources.forgotten + sources.count() as u64, 10_001);
        let kept = sources.visit("10.200.0.1".parse().unwrap()).unwrap();
        assert_eq!(kept.spoken.first().map(|spoken| spoken.protocol.name), Some("ssh"));
        // Who was quiet for an hour has gone.
        sources.pass(Timestamp::from_ns(2 * GONE_AFTER_NS));
        assert_eq!((sources.count(), sources.sets), (0, 0));
    }

    #[test]
    fn sets_of_ports_are_bounded_and_what_is_beyond_is_said() {
        let mut sources = Sources::new(4096, 60);
        for number in 0..=u32::try_from(MOST_SETS).unwrap() {
            for port in 1..=100 {
                sources.add(&touch(&source(number), &format!("10.0.0.2:{port}"), b""), true);
            }
        }
        assert_eq!(sources.sets, MOST_SETS);
        let partial: Vec<Visit> = sources.visits().into_iter().filter(|visit| visit.tcp.more).collect();
        assert_eq!(partial.len(), 1);
        assert_eq!((partial[0].tcp.ports, partial[0].tcp.highest), (64, 100));
    }
}
