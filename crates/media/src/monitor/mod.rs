//! Datagrams in, media out: which of them are streams, of which session, and how well they came.

#[cfg(test)]
mod belonging_tests;
mod book;
mod essence;
mod live;
mod negotiation;
mod path;
mod sense;
mod trial;

use std::net::SocketAddr;

use model::media::ptp::PtpSender;
use model::media::{AudioFormat, Basis, Essence, Format, Media, Profile, Session, SessionSource};
use model::{Area, Gap, Reason, Timestamp, Utc};
use wire::address::Address;
use wire::packet::{Other, OtherKind, Packet as IpPacket};
use wire::protocol::Protocol;
use wire::{Frame, link::EtherType, rtp};

use crate::membership::Memberships;
use crate::{Packet, bundle, ptp, sap};
use live::{Leg, Live};
use negotiation::Negotiations;
use path::{Berth, Paths};
use trial::{Kept, Sentence};

pub use book::Book;

/// What of a datagram matters here.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// When it was captured.
    pub time: Option<Timestamp<Utc>>,
    /// The number of its frame in the capture, from 1.
    pub frame: u64,
    /// From whom.
    pub source: (Address, u16),
    /// To whom.
    pub destination: (Address, u16),
    /// The outermost VLAN.
    pub vlan: Option<u16>,
    /// Hops that are left.
    pub ttl: u8,
    /// Differentiated services code point (RFC 2474).
    pub dscp: u8,
    /// Octets by its UDP header.
    pub udp_bytes: u16,
    /// What it carries, as far as it was captured.
    pub payload: &'a [u8],
}

/// Whether a message of PTP is not all there because whoever captured it cut it: that is no fault of its sender.
fn is_cut(message: &[u8], was_cut: bool) -> bool {
    let all = match message {
        // Version 1 does not say how long it is.
        [_, version, high, low, ..] if version & 0x0f != 1 => usize::from(u16::from_be_bytes([*high, *low])),
        _ => usize::MAX,
    };
    was_cut && all > message.len()
}

impl<'a> Datagram<'a> {
    /// From a decoded packet of UDP.
    pub fn of(packet: &IpPacket<'a>, time: Option<Timestamp<Utc>>, frame: u64) -> Datagram<'a> {
        Datagram {
            time,
            frame,
            source: (packet.source, packet.source_port),
            destination: (packet.destination, packet.destination_port),
            vlan: packet.vlans.outer,
            ttl: packet.ttl,
            dscp: packet.traffic_class >> 2,
            udp_bytes: u16::try_from(packet.payload_wire_bytes.saturating_add(UDP_HEADER_BYTES.into()))
                .unwrap_or(u16::MAX),
            payload: packet.payload,
        }
    }

    fn source(&self) -> SocketAddr {
        SocketAddr::new(self.source.0.to_ip(), self.source.1)
    }

    fn destination(&self) -> SocketAddr {
        SocketAddr::new(self.destination.0.to_ip(), self.destination.1)
    }
}

/// RFC 768.
const UDP_HEADER_BYTES: u16 = 8;

/// How to listen.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose limits streams are held to.
    pub profile: Profile,
    /// So many streams are measured; others are counted.
    pub most_streams: usize,
    /// What streams carry that no session names, as an earlier reading of the same capture found.
    pub known: Vec<Known>,
}

/// What a stream carries that no session names, as an earlier reading of the same capture found.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who sends.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
    /// The format.
    pub format: Format,
    /// What was taken for granted of it, in sentences.
    pub assumed: Vec<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config { profile: Profile::Standard, most_streams: 2048, known: Vec::new() }
    }
}

/// Takes datagrams and keeps what is known of media.
#[derive(Debug, Default)]
pub struct Monitor {
    config: Config,
    book: Book,
    paths: Paths,
    streams: Vec<Live>,
    announced: sap::Listener,
    negotiations: Negotiations,
    clocks: ptp::Observer,
    memberships: Memberships,
    left_out: u64,
    /// Datagrams that held several packets.
    bundles: u64,
    /// Whether streams may belong to other sessions since something was agreed.
    is_unsettled: bool,
}

impl Monitor {
    /// One that has heard nothing.
    pub fn new(config: Config) -> Monitor {
        Monitor { config, ..Monitor::default() }
    }

    /// Learns what was agreed. For streams that are known already it counts once [`Monitor::settle`] is called.
    pub fn agree(&mut self, session: Session) {
        self.is_unsettled |= self.book.agree(session);
    }

    /// Learns that something is no longer agreed; as with [`Monitor::agree`], known streams learn of it later.
    pub fn withdraw(&mut self, source: &SessionSource, identity: &str, when: Option<Timestamp<Utc>>) {
        self.is_unsettled |= self.book.withdraw(source, identity, when);
    }

    /// Lets packets of known streams belong, from now on, to what is agreed now.
    pub fn settle(&mut self, now: Option<Timestamp<Utc>>) {
        if core::mem::take(&mut self.is_unsettled) {
            let now = now.unwrap_or(Timestamp::from_ns(0));
            self.streams.iter_mut().for_each(|live| live.unsettled = Some(now));
        }
    }

    /// Takes a packet of IP; `number` counts the frames of the capture from 1.
    #[inline]
    pub fn handle(&mut self, frame: &Frame<'_>, packet: &IpPacket<'_>, number: u64) {
        match packet.protocol {
            Protocol::UDP => self.handle_datagram(&Datagram::of(packet, frame.time, number)),
            Protocol::TCP => {
                if let Some(sessions) = self.negotiations.handle(packet, frame.time) {
                    for session in sessions {
                        self.is_unsettled |= self.book.agree(session);
                    }
                    self.settle(frame.time);
                }
            }
            _ => self.memberships.handle(frame, packet, number),
        }
    }

    /// Takes a frame without IP.
    pub fn handle_other(&mut self, frame: &Frame<'_>, other: &Other<'_>, number: u64) {
        if other.kind != OtherKind::EtherType(EtherType::PTP) {
            return;
        }
        if is_cut(other.payload, frame.bytes.len() < frame.wire_bytes as usize) {
            return;
        }
        // The sender's address stands behind the receiver's.
        let source = frame.bytes.get(6..).and_then(|rest| rest.first_chunk()).copied();
        let source = PtpSender::Mac(source.unwrap_or_default());
        let arrival = ptp::Arrival { source, time: frame.time, frame: number, event_port: None };
        self.clocks.handle(other.payload, &arrival);
    }

    /// Takes a datagram.
    #[inline]
    pub fn handle_datagram(&mut self, datagram: &Datagram<'_>) {
        match datagram.destination.1 {
            // Of PTP the port is part of the rule: which messages may come to which.
            port @ (PTP_EVENT | PTP_GENERAL) => return self.handle_clock(datagram, port == PTP_EVENT),
            port if sap::is_likely(datagram.payload, port) => self.handle_announcement(datagram),
            _ => {}
        }
        // Of RTP and RTCP the first two bits are the version (RFC 3550 §5.1); most of what is no media ends here.
        if datagram.payload.first().is_some_and(|first| first >> 6 == 2) {
            match bundle::part_bytes(datagram.payload) {
                None => self.handle_rtp(datagram),
                Some(part) => self.handle_bundle(datagram, part),
            }
        }
    }

    /// A datagram that holds several packets: each came with it, and would have been one of its own on the wire.
    #[cold]
    fn handle_bundle(&mut self, datagram: &Datagram<'_>, part: usize) {
        self.bundles += 1;
        let mut left = usize::from(datagram.udp_bytes).saturating_sub(UDP_HEADER_BYTES.into());
        let mut parts = datagram.payload.chunks(part).peekable();
        while let Some(payload) = parts.next() {
            // The last one that was kept stands for those that a snap length took as well.
            let bytes = if parts.peek().is_some() { left.min(part) } else { left };
            let udp_bytes = u16::try_from(bytes).unwrap_or(u16::MAX).saturating_add(UDP_HEADER_BYTES);
            left = left.saturating_sub(part);
            self.handle_rtp(&Datagram { udp_bytes, payload, ..*datagram });
        }
    }

    #[cold]
    fn handle_clock(&mut self, datagram: &Datagram<'_>, is_event: bool) {
        let payload_bytes = usize::from(datagram.udp_bytes.saturating_sub(UDP_HEADER_BYTES));
        if is_cut(datagram.payload, datagram.payload.len() < payload_bytes) {
            return;
        }
        let source = PtpSender::Ip(datagram.source.0.to_ip());
        let arrival =
            ptp::Arrival { source, time: datagram.time, frame: datagram.frame, event_port: Some(is_event) };
        self.clocks.handle(datagram.payload, &arrival);
    }

    #[cold]
    fn handle_announcement(&mut self, datagram: &Datagram<'_>) {
        let now = datagram.time.unwrap_or(Timestamp::from_ns(0));
        for session in self.announced.handle(datagram.payload, datagram.source.0.to_ip(), now) {
            self.agree(session);
        }
        self.pass(now);
    }

    /// Time passes: what was announced and has not been heard of for too long is over.
    pub fn pass(&mut self, now: Timestamp<Utc>) {
        for session in self.announced.pass(now) {
            self.agree(session);
        }
        self.settle(Some(now));
    }

    fn handle_rtp(&mut self, datagram: &Datagram<'_>) {
        if is_report(datagram.payload) {
            return self.handle_report(datagram);
        }
        let packet = rtp::parse(datagram.payload).ok();
        let Some(path) = self.paths.find(datagram) else { return };
        let Some(rtp) = packet else {
            if path.berths.is_empty() && !path.other {
                self.attempt(datagram, None);
            }
            return;
        };
        let packet =
            Packet { time: datagram.time, frame: datagram.frame, udp_bytes: datagram.udp_bytes, rtp };
        let berth = match path.berths.first() {
            Some(berth) if berth.ssrc == rtp.ssrc => Some(*berth),
            Some(_) => {
                let at = path.berths.iter().position(|berth| berth.ssrc == rtp.ssrc);
                if let Some(at) = at {
                    path.berths.swap(0, at);
                }
                at.and_then(|_| path.berths.first().copied())
            }
            None => None,
        };
        match berth {
            Some(berth) => self.take(berth.stream, berth.leg, &packet),
            None if path.other => {}
            None => self.attempt(datagram, Some(&packet)),
        }
    }

    /// A packet of a known leg.
    #[inline]
    fn take(&mut self, stream: usize, leg: usize, packet: &Packet<'_>) {
        let Some(live) = self.streams.get_mut(stream) else { return };
        if let Some(since) = live.unsettled {
            let traced = self.clocks.tai_offset_ns().map(|offset| offset.add_ns);
            live.belong(&self.book, since, leg, (packet, traced));
        }
        live.handle(leg, packet);
        if leg == 0
            && let Some(found) = live.sense(packet)
        {
            let traced = self.clocks.tai_offset_ns().map(|offset| offset.add_ns);
            live.find(found, &self.book, (packet, traced));
        }
    }

    /// A packet on a way where it is not known whether that is RTP.
    #[cold]
    fn attempt(&mut self, datagram: &Datagram<'_>, packet: Option<&Packet<'_>>) {
        let destination = datagram.destination();
        // What a session announces need not be tried.
        let agreed = packet.is_some_and(|packet| {
            self.book
                .find(datagram.source.0.to_ip(), destination, packet.rtp.payload_type)
                .and_then(|(session, _)| self.book.sessions().get(session))
                .is_some_and(|session| session.format(packet.rtp.payload_type).is_some())
        });
        if let (true, Some(packet)) = (agreed, packet) {
            return self.begin(datagram, std::slice::from_ref(packet));
        }
        let Some(path) = self.paths.find(datagram) else { return };
        let trial = path.trial.get_or_insert_default();
        let kept = || Kept {
            time: datagram.time,
            frame: datagram.frame,
            udp_bytes: datagram.udp_bytes,
            bytes: datagram.payload.to_vec(),
        };
        match trial.hear(packet.map(|packet| &packet.rtp), kept) {
            Sentence::Open => {}
            Sentence::Other => {
                path.trial = None;
                path.other = path.berths.is_empty();
            }
            Sentence::Rtp => {
                let kept = path.trial.take().map(|trial| trial.into_kept()).unwrap_or_default();
                let packets: Vec<Packet<'_>> = kept.iter().filter_map(Kept::packet).collect();
                self.begin(datagram, &packets);
            }
        }
    }

    /// Begins a stream, or another leg of one, with its first packets.
    fn begin(&mut self, datagram: &Datagram<'_>, packets: &[Packet<'_>]) {
        let Some(first) = packets.first() else { return };
        let (source, destination) = (datagram.source(), datagram.destination());
        let agreed = self.book.find(source.ip(), destination, first.rtp.payload_type);
        let stream = match self.other_leg_of(agreed, source, destination, first) {
            Some(stream) => stream,
            None if self.streams.len() >= self.config.most_streams => {
                self.left_out += 1;
                return;
            }
            None => self.add(agreed.map(|(session, _)| session), source, destination, first),
        };
        let Some(live) = self.streams.get_mut(stream) else { return };
        let leg = live.begin_leg(Leg::new(source, destination, datagram));
        if let Some(path) = self.paths.find(datagram) {
            path.berths.insert(0, Berth { ssrc: first.rtp.ssrc, stream, leg });
            path.berths.truncate(MOST_BERTHS);
        }
        for packet in packets {
            self.take(stream, leg, packet);
        }
    }

    fn add(
        &mut self,
        session: Option<usize>,
        source: SocketAddr,
        destination: SocketAddr,
        first: &Packet<'_>,
    ) -> usize {
        let about = session.and_then(|at| self.book.sessions().get(at));
        let twice = about.is_some_and(|session| session.legs.len() > 1);
        let mut live = Live::new(first, (session, twice), self.config.profile);
        let traced = self.clocks.tai_offset_ns().map(|offset| offset.add_ns);
        let agreed = about.and_then(|session| session.format(first.rtp.payload_type));
        let earlier = || {
            let fits = |known: &&Known| {
                (known.source, known.destination) == (source, destination)
                    && known.format.payload_type == first.rtp.payload_type
            };
            self.config.known.iter().find(fits)
        };
        if let (Some(at), Some(format)) = (session, agreed) {
            live.learn((format.clone(), Basis::Session(at)), about, Vec::new(), (first, traced));
        } else if let Some(known) = earlier() {
            let found = (known.format.clone(), Basis::Payload);
            live.learn(found, None, known.assumed.clone(), (first, traced));
        } else if let Some(format) = static_type(first.rtp.payload_type) {
            live.learn((format, Basis::StaticType), None, Vec::new(), (first, traced));
        }
        self.streams.push(live);
        self.streams.len() - 1
    }

    /// The stream that this is another leg of: one of the same session, or without one, one that counts on nearby.
    fn other_leg_of(
        &self,
        agreed: Option<(usize, usize)>,
        source: SocketAddr,
        destination: SocketAddr,
        packet: &Packet<'_>,
    ) -> Option<usize> {
        let legs = agreed.and_then(|(session, _)| self.book.sessions().get(session)).map(|it| it.legs.len());
        if legs == Some(1) {
            return None;
        }
        self.streams.iter().position(|live| {
            live.session == agreed.map(|(session, _)| session)
                && live.may_share(packet, destination)
                && live.legs.iter().all(|leg| {
                    // Who sends back what he was sent is a relay or an echo: another hop, and no other path.
                    let (from, to) = (leg.source.ip(), leg.destination.ip());
                    let goes_on = from != to && (to == source.ip() || from == destination.ip());
                    !goes_on && (leg.source, leg.destination) != (source, destination)
                })
        })
    }

    /// A report belongs to the leg whose source it names, between the same addresses.
    fn handle_report(&mut self, datagram: &Datagram<'_>) {
        let (source, destination) = (datagram.source.0.to_ip(), datagram.destination.0.to_ip());
        let port = datagram.destination.1;
        for live in &mut self.streams {
            for leg in &mut live.legs {
                let (from, to) = (leg.source.ip(), leg.destination.ip());
                // Who listens to a group reports to the group, on the port of the stream or the next (RFC 3550 §6, §11).
                let group = to.is_multicast() && to == destination;
                let of_group = group && [0, 1].contains(&port.wrapping_sub(leg.destination.port()));
                if (from, to) == (source, destination) || (from, to) == (destination, source) || of_group {
                    leg.handle_report(datagram);
                }
            }
        }
    }

    /// Forgets streams that nothing came of since then, and sessions that were over by then.
    pub fn forget(&mut self, before: Timestamp<Utc>) {
        if let Some(places) = self.book.forget(before) {
            let place = |session: usize| places.get(session).copied().flatten();
            self.streams.iter_mut().for_each(|live| live.move_session(place));
        }
        let mut kept = 0;
        let places: Vec<Option<usize>> = self
            .streams
            .iter()
            .map(|live| {
                let stays = live.heard.is_none_or(|heard| heard >= before);
                kept += usize::from(stays);
                stays.then(|| kept - 1)
            })
            .collect();
        if kept < self.streams.len() {
            self.streams.retain(|live| live.heard.is_none_or(|heard| heard >= before));
            self.paths.renumber(|stream| places.get(stream).copied().flatten());
        }
    }

    /// What is known so far.
    pub fn media(&self) -> Media {
        let mut gaps = Vec::new();
        let cut = self.streams.iter().map(|live| live.cut).sum();
        if cut > 0 {
            gaps.push(Gap {
                area: Area::Traffic,
                reason: Reason::Damaged,
                what: "the end of packets that the capture cut short: measured was how they came, and of uncompressed video the headers".into(),
                count: Some(cut),
            });
        }
        if self.bundles > 0 {
            gaps.push(Gap {
                area: Area::Traffic,
                reason: Reason::Damaged,
                what: "when each packet came: datagrams hold several, for they were captured where the kernel joins them \
                       (UDP_SEGMENT, GRO); each counts as one that came with the others"
                    .into(),
                count: Some(self.bundles),
            });
        }
        for (count, what) in [
            (self.left_out, "streams that were not measured: there are too many"),
            (
                self.negotiations.let_go(),
                "connections of RTSP that were not followed to their end: there are too many",
            ),
            (self.book.left_out(), "sessions that were not kept: there are too many"),
        ] {
            if count > 0 {
                let (area, reason) = (Area::Traffic, Reason::LimitReached);
                gaps.push(Gap { area, reason, what: String::from(what), count: Some(count) });
            }
        }
        Media {
            sessions: self.book.sessions().to_vec(),
            streams: self.streams.iter().map(Live::facts).collect(),
            ptp: self.clocks.facts(),
            memberships: self.memberships.facts(),
            joined: Vec::new(),
            gaps,
        }
    }
}

/// Sources that number packets on one way: one, and where it changes, those before.
const MOST_BERTHS: usize = 8;

/// Where messages of PTP that are stamped come to (IEEE 1588-2019 Annex C).
const PTP_EVENT: u16 = 319;
/// Where all others do.
const PTP_GENERAL: u16 = 320;

/// RTCP has 192 to 223 where RTP has its marker and payload type (RFC 5761 §4).
fn is_report(payload: &[u8]) -> bool {
    payload.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// Payload types that always mean the same (RFC 3551 §6); those whose samples we measure.
fn static_type(payload_type: u8) -> Option<Format> {
    let (sample_rate, channels) = match payload_type {
        10 => (44_100, 2),
        11 => (44_100, 1),
        33 => {
            return Some(Format { payload_type, clock_rate: 90_000, essence: Essence::TransportStream });
        }
        _ => return None,
    };
    let format = AudioFormat {
        bits: 16,
        am824: false,
        sample_rate,
        channels,
        packet_time_ns: None,
        channel_order: String::new(),
    };
    Some(Format { payload_type, clock_rate: sample_rate, essence: Essence::Audio(format) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many legs each stream has, after the second way carried the same packets 20 ms later.
    fn legs(ways: [([u8; 4], [u8; 4]); 2]) -> Vec<usize> {
        let mut monitor = Monitor::new(Config::default());
        let mut frame = 0;
        for sequence in 0..60_u16 {
            for (late, (source, destination)) in (0_i64..).zip(&ways) {
                let mut payload = vec![0x80, 97];
                payload.extend_from_slice(&sequence.to_be_bytes());
                payload.extend_from_slice(&(u32::from(sequence) * 960).to_be_bytes());
                payload.extend_from_slice(&[0xca, 0xfe, 0, 1]);
                payload.extend_from_slice(&[0x55; 288]);
                frame += 1;
                monitor.handle_datagram(&Datagram {
                    time: Some(Timestamp::from_ns(i64::from(sequence) * 20_000_000 + late * 1_000_000)),
                    frame,
                    source: (Address::from_v4(*source), 5004),
                    destination: (Address::from_v4(*destination), 5004),
                    vlan: None,
                    ttl: 64,
                    dscp: 0,
                    udp_bytes: 308,
                    payload: &payload,
                });
            }
        }
        monitor.media().streams.iter().map(|stream| stream.legs.len()).collect()
    }

    #[test]
    fn what_a_relay_sends_on_or_back_is_no_other_leg() {
        let (sender, relay, receiver) = ([10, 0, 0, 1], [10, 0, 0, 7], [10, 0, 0, 9]);
        assert_eq!(legs([(sender, receiver), ([10, 1, 0, 1], [10, 1, 0, 9])]), [2]);
        assert_eq!(legs([(sender, relay), (relay, receiver)]), [1, 1]);
        assert_eq!(legs([(sender, relay), (relay, sender)]), [1, 1]);
        assert_eq!(legs([(sender, [239, 0, 0, 1]), (sender, [239, 0, 0, 2])]), [2]);
    }
}
