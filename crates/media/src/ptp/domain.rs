//! One domain: its ports, who is master, and what passes between master and slaves.

use model::media::ptp::{
    DelayMechanism, PortIdentity, PtpDomain, PtpManagement, PtpProfile, SynchronizationMetadata, TaiOffset,
};
use model::media::{Occurrence, Spread};
use model::{Timestamp, Utc};
use wire::cursor::be16;

use super::message::{Body, Kind, Message, Time};
use super::peer::Exchanges;
use super::port::{Port, Sample};
use super::tlv::{self, Tlv};
use super::{Arrival, best, management, profile, rules};
use crate::Tally;

/// Ports of a domain that are followed.
const MOST_PORTS: usize = 128;
/// Requests that wait for their answers.
const MOST_REQUESTS: usize = 64;
/// Items of management, and kinds of extensions, that are listed.
const MOST_ITEMS: usize = 64;
/// Differences that the offset to TAI rests on.
const RECENT: usize = 16;
/// A Sync that is older than this says nothing about a request.
const MOST_AGE_NS: i64 = 4_000_000_000;

/// One domain.
#[derive(Debug, Clone)]
pub struct Domain {
    /// Its number.
    pub number: u8,
    /// Whose use of PTP this is.
    pub sdo: u16,
    version: (u8, u8),
    first: Occurrence,
    counts: [u64; 11],
    ports: Vec<Port>,
    master: Option<PortIdentity>,
    master_before: Option<PortIdentity>,
    changes: u64,
    end_to_end: bool,
    peer_to_peer: bool,
    power: bool,
    requests: Vec<(PortIdentity, u16, i64)>,
    exchanges: Exchanges,
    path_delay_ns: Spread,
    capture_ahead_ns: Spread,
    /// The capture's time less the master's, path delay included: the latest ones.
    recent_delays: Vec<i64>,
    /// The same, path delay left out.
    recent_ahead: Vec<i64>,
    last: Option<Timestamp<Utc>>,
    management: Vec<PtpManagement>,
    extensions: Vec<(String, u64)>,
    metadata: Option<SynchronizationMetadata>,
    /// Messages for whose port there was no room.
    pub left_out: u64,
}

/// Keeps the latest values.
fn keep(values: &mut Vec<i64>, value: i64) {
    if values.len() >= RECENT {
        values.remove(0);
    }
    values.push(value);
}

impl Domain {
    /// A domain that was not heard of before.
    pub fn new(number: u8, sdo: u16, first: Occurrence) -> Domain {
        Domain {
            number,
            sdo,
            version: (0, 0),
            first,
            counts: [0; 11],
            ports: Vec::new(),
            master: None,
            master_before: None,
            changes: 0,
            end_to_end: false,
            peer_to_peer: false,
            power: false,
            requests: Vec::new(),
            exchanges: Exchanges::default(),
            path_delay_ns: Spread::default(),
            capture_ahead_ns: Spread::default(),
            recent_delays: Vec::new(),
            recent_ahead: Vec::new(),
            last: None,
            management: Vec::new(),
            extensions: Vec::new(),
            metadata: None,
            left_out: 0,
        }
    }

    fn port(&mut self, identity: PortIdentity) -> Option<&mut Port> {
        self.ports.iter_mut().find(|port| port.facts.identity == identity)
    }

    /// Takes a message.
    pub fn handle(&mut self, message: &Message<'_>, arrival: &Arrival, at: Occurrence, tally: &mut Tally) {
        let header = message.header;
        // Both versions may be in one domain: older clocks read newer messages.
        self.version = self.version.max(header.version);
        let index = Kind::ALL.iter().position(|kind| *kind == header.kind).unwrap_or(Kind::ALL.len());
        if let Some(count) = self.counts.get_mut(index) {
            *count += 1;
        }
        if let Kind::Reserved(kind) = header.kind {
            tally.note(&rules::RESERVED, at, || format!("{kind}"));
            return;
        }
        self.extensions(message, at, tally);
        if self.port(header.source).is_none() {
            if self.ports.len() >= MOST_PORTS {
                self.left_out += 1;
                return;
            }
            self.ports.push(Port::new(header.source, arrival.source));
        }
        let Some(port) = self.port(header.source) else { return };
        if port.facts.sender != arrival.source && !port.facts.several_senders {
            port.facts.several_senders = true;
            let before = port.facts.sender;
            tally.note(&rules::SENDERS, at, || format!("{}: {before} and {}", header.source, arrival.source));
        }
        let gap = port.sequence(index, &header);
        if let Some(gap) = gap.filter(|gap| *gap > 0) {
            tally.note_many(&rules::SEQUENCE, u64::from(gap), at, || {
                format!("{} {}, {gap} before {}", header.source, header.kind.name(), header.sequence)
            });
        }
        port.cadence(&header, arrival.time, gap == Some(0));
        self.body(message, arrival, at, tally);
    }

    fn body(&mut self, message: &Message<'_>, arrival: &Arrival, at: Occurrence, tally: &mut Tally) {
        let header = message.header;
        let Some(port) = self.port(header.source) else { return };
        match message.body {
            Body::Sync(origin) => {
                let (sample, missing) = port.sync(&header, origin, arrival.time);
                if missing {
                    tally.note(&rules::FOLLOW_UP_MISSING, at, || {
                        format!("{} before {}", header.source, header.sequence)
                    });
                }
                if !header.alternate_master() {
                    self.leads(header.source, header.unicast(), arrival.time, at, tally);
                }
                self.sampled(header.source, sample, arrival.time);
            }
            Body::FollowUp(origin) => {
                let sample = port.follow_up(&header, origin);
                self.sampled(header.source, sample, arrival.time);
            }
            Body::Announce(announce) => {
                let before = port.facts.announce.replace(announce.data);
                port.facts.announce_changes += u64::from(before.is_some_and(|it| it != announce.data));
                self.announced(arrival.time, at, tally);
            }
            Body::DelayRequest(_) => {
                self.end_to_end = true;
                if let Some(now) = arrival.time {
                    if self.requests.len() >= MOST_REQUESTS {
                        self.requests.remove(0);
                    }
                    self.requests.push((header.source, header.sequence, now.as_ns()));
                }
            }
            Body::DelayResponse { received, requester } => {
                port.facts.responses += 1;
                if header.log_interval != 127 {
                    port.facts.request_log_interval = Some(header.log_interval);
                }
                self.end_to_end = true;
                self.answered(message, received, requester);
            }
            Body::PeerDelayRequest(_) => {
                self.peer_to_peer = true;
                if let Some(now) = arrival.time {
                    self.exchanges.asked(&header, now.as_ns());
                }
            }
            Body::PeerDelayResponse { received, requester } => {
                port.facts.responses += 1;
                self.peer_to_peer = true;
                if let Some(now) = arrival.time {
                    let path = self.exchanges.answered(&header, received, requester, now.as_ns());
                    self.neighbour(header.source, requester, path);
                }
            }
            Body::PeerDelayFollowUp { sent, requester } => {
                let path = self.exchanges.followed(&header, sent, requester);
                self.neighbour(header.source, requester, path);
            }
            _ => {}
        }
    }

    /// A port sent a Sync: it is master.
    fn leads(
        &mut self,
        source: PortIdentity,
        unicast: bool,
        now: Option<Timestamp<Utc>>,
        at: Occurrence,
        tally: &mut Tally,
    ) {
        let Some(master) = self.master.filter(|master| *master != source) else {
            self.master = Some(source);
            return;
        };
        // Where the one before speaks again soon, it never stopped.
        let other = self.port(master).and_then(|port| port.synced);
        let soon = now.zip(other).is_some_and(|(now, other)| now.since_ns(other) < 2_000_000_000);
        if self.master_before == Some(source) && soon && !unicast {
            tally.note(&rules::TWO_MASTERS, at, || format!("{master} and {source}"));
        }
        self.changes += 1;
        self.master_before = Some(master);
        self.master = Some(source);
        self.recent_delays.clear();
        self.recent_ahead.clear();
    }

    fn sampled(&mut self, source: PortIdentity, sample: Option<Sample>, now: Option<Timestamp<Utc>>) {
        let Some(sample) = sample.filter(|_| self.master == Some(source)) else { return };
        if let Ok(delay) = i64::try_from(i128::from(sample.came_ns) - sample.left_ns) {
            keep(&mut self.recent_delays, delay);
            self.last = now;
        }
    }

    /// A request was answered: with the last Sync, that gives path delay and offset, wherever on the path we are.
    fn answered(&mut self, message: &Message<'_>, received: Time, requester: PortIdentity) {
        let sequence = message.header.sequence;
        let asked = self.requests.iter().position(|it| (it.0, it.1) == (requester, sequence));
        let Some((_, _, asked_ns)) = asked.map(|index| self.requests.swap_remove(index)) else { return };
        let source = message.header.source;
        let Some(sample) = self.port(source).and_then(|port| port.sample) else { return };
        if asked_ns.abs_diff(sample.came_ns) > MOST_AGE_NS.unsigned_abs() {
            return;
        }
        let there = i128::from(sample.came_ns) - sample.left_ns;
        let back = received.as_ns() - i128::from(message.header.correction_ns()) - i128::from(asked_ns);
        let halves = (i64::try_from((there + back) / 2), i64::try_from((there - back) / 2));
        if let (Ok(path), Ok(ahead)) = halves {
            self.path_delay_ns.add(path);
            self.capture_ahead_ns.add(ahead);
            if self.master == Some(source) {
                keep(&mut self.recent_ahead, ahead);
            }
        }
    }

    /// A neighbour told how long its link is. Where it is the master itself, that is the path of its Syncs.
    fn neighbour(&mut self, source: PortIdentity, requester: PortIdentity, path: Option<i64>) {
        let master = self.master.map(|master| master.clock);
        let Some(path) = path.filter(|_| Some(requester.clock) != master) else { return };
        self.path_delay_ns.add(path);
        let Some(sample) = self.port(source).and_then(|port| port.sample) else { return };
        if self.master == Some(source)
            && let Ok(delay) = i64::try_from(i128::from(sample.came_ns) - sample.left_ns)
        {
            let ahead = delay.saturating_sub(path);
            self.capture_ahead_ns.add(ahead);
            keep(&mut self.recent_ahead, ahead);
        }
    }

    /// Who should be master, of those that announce themselves now.
    fn best(&self, now: Option<Timestamp<Utc>>) -> Option<&Port> {
        let lives = |port: &&Port| match now.zip(port.announced) {
            None => true,
            Some((now, then)) => {
                let log = port.facts.announces.log_interval.unwrap_or(0).clamp(-4, 5);
                now.since_ns(then) < 3 * if log < 0 { 1_000_000_000 >> -log } else { 1_000_000_000 << log }
            }
        };
        let announced = self.ports.iter().filter(lives).filter_map(|port| Some((port.facts.announce?, port)));
        announced
            .min_by(|(a, from_a), (b, from_b)| {
                best::compare((a, from_a.facts.identity), (b, from_b.facts.identity))
            })
            .map(|(_, port)| port)
    }

    fn announced(&mut self, now: Option<Timestamp<Utc>>, at: Occurrence, tally: &mut Tally) {
        let Some((master, now)) = self.master.zip(now) else { return };
        let Some(best) = self.best(Some(now)) else { return };
        let better = best.facts.identity;
        // A clock has to be heard for a while before others give way (IEEE 1588-2008 §9.3.2.5).
        if better != master && best.facts.announces.count > 8 && !self.yields(master, now) {
            tally.note(&rules::NOT_BEST, at, || format!("{better} is better than {master}"));
        }
    }

    /// Whether a master has gone quiet.
    fn yields(&mut self, master: PortIdentity, now: Timestamp<Utc>) -> bool {
        self.port(master).and_then(|port| port.synced).is_none_or(|then| now.since_ns(then) > 1_000_000_000)
    }

    fn extensions(&mut self, message: &Message<'_>, at: Occurrence, tally: &mut Tally) {
        for tlv in message.tlvs() {
            let tlv = match tlv {
                Ok(tlv) => tlv,
                Err(fault) => {
                    tally.note(&rules::MALFORMED, at, || fault.to_string());
                    return;
                }
            };
            self.power |= tlv::is_power(tlv);
            self.metadata = tlv.metadata().or(self.metadata);
            if let (Body::Management { action, .. }, 1 | 2) = (message.body, tlv.kind) {
                self.managed(tlv, action);
                continue;
            }
            let text = tlv.text();
            let room = self.extensions.len() < MOST_ITEMS;
            match self.extensions.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count += 1,
                None if room => self.extensions.push((text, 1)),
                None => self.left_out += 1,
            }
        }
    }

    fn managed(&mut self, tlv: Tlv<'_>, action: u8) {
        let word = |at: usize| be16(tlv.value, at).unwrap_or(0);
        let (item, action, last) = if tlv.kind == 1 {
            let data = tlv.value.get(2..).unwrap_or_default();
            (management::name(word(0)), management::action(action), management::text(word(0), data))
        } else {
            (management::name(word(2)), "error", Some(management::refusal(word(0)).to_owned()))
        };
        let room = self.management.len() < MOST_ITEMS;
        match self.management.iter_mut().find(|it| it.item == item && it.action == action) {
            Some(known) => {
                known.count += 1;
                known.last = last.unwrap_or_else(|| core::mem::take(&mut known.last));
            }
            None if room => {
                self.management.push(PtpManagement {
                    item,
                    action,
                    count: 1,
                    last: last.unwrap_or_default(),
                });
            }
            None => self.left_out += 1,
        }
    }

    /// The capture's clock against TAI, where the master's time is that of PTP.
    pub fn tai(&self) -> Option<TaiOffset> {
        let master = self.ports.iter().find(|port| Some(port.facts.identity) == self.master)?;
        let announce = master.facts.announce.filter(|announce| announce.ptp_timescale)?;
        let path_delay_known = self.recent_ahead.len() >= 4;
        let values = if path_delay_known { &self.recent_ahead } else { &self.recent_delays };
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        // The packet that waited least is nearest the truth; with path delay left out, errors have both signs.
        let ahead = if path_delay_known { *sorted.get(sorted.len() / 2)? } else { least };
        Some(TaiOffset {
            add_ns: ahead.checked_neg()?,
            spread_ns: most.abs_diff(least),
            samples: u64::try_from(sorted.len()).unwrap_or(u64::MAX),
            path_delay_known,
            grandmaster: announce.grandmaster,
            traceable: announce.time_traceable,
            last: self.last?,
        })
    }

    /// What was seen, and the rules that only the whole can break.
    pub fn facts(&self, tally: &mut Tally) -> PtpDomain {
        let mut ports: Vec<_> = self.ports.iter().map(|port| port.facts.clone()).collect();
        ports.sort_by_key(|port| (port.announces.count + port.syncs.count == 0, port.identity));
        let names = Kind::ALL.iter().map(|kind| kind.name()).chain(["reserved"]);
        let mut domain = PtpDomain {
            number: self.number,
            sdo: self.sdo,
            version: self.version,
            profile: PtpProfile::Default,
            profile_reasons: Vec::new(),
            counts: names.zip(self.counts).filter(|(_, count)| *count > 0).collect(),
            ports,
            best: self.best(None).map(|port| port.facts.identity),
            master: self.master,
            changes_of_master: self.changes,
            delay: match (self.end_to_end, self.peer_to_peer) {
                (false, false) => DelayMechanism::Unseen,
                (true, false) => DelayMechanism::EndToEnd,
                (false, true) => DelayMechanism::PeerToPeer,
                (true, true) => DelayMechanism::Both,
            },
            path_delay_ns: self.path_delay_ns,
            capture_ahead_ns: self.capture_ahead_ns,
            management: self.management.clone(),
            extensions: self.extensions.clone(),
            metadata: self.metadata,
        };
        (domain.profile, domain.profile_reasons) = profile::guess(&domain, self.power);
        profile::judge(&domain, self.first, tally);
        for port in &domain.ports {
            profile::intervals(port, self.first, tally);
        }
        domain
    }
}
