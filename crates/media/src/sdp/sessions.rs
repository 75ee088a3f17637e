//! What a description agrees: one session for each medium, with its legs (RFC 8866 §5.14, RFC 4570, RFC 7104).

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use model::media::{Format, Leg, Session, SessionSource, Sources};
use wire::Fault;

use super::clocks;
use super::document::{Document, MAX_FAULTS, Section};
use super::fields::{Connection, Host, MediaLine, Origin, SourceFilter, group, number};
use super::format::Explained;

/// Sessions of one document.
pub const MAX_SESSIONS: usize = 1_000;
/// Legs of one session: two are usual.
pub const MAX_LEGS: usize = 4;
/// Layers that one medium is expanded to.
pub const MAX_LAYERS: u32 = 64;
const MAX_LAYERS_HERE: usize = 64;
/// Formats of one session: there are no more payload types.
const MAX_FORMATS: usize = 128;
/// Sources of one leg.
const MAX_SOURCES: usize = 64;
/// Marks of one group, and lines of one kind that are looked at: no document of people comes near.
const MAX_MARKS: usize = 16;
const MAX_LOOKED_AT: usize = 256;

/// One medium, and the layers it comes in.
struct Medium<'a> {
    section: &'a Section,
    index: usize,
    mark: Option<&'a str>,
    formats: Vec<Format>,
    /// A list of legs for each layer.
    layers: Vec<Vec<Leg>>,
}

struct Reading<'a> {
    document: &'a Document,
    /// What the session says for media that say nothing themselves.
    filters: Filters,
    reference: Option<&'a str>,
    media_clock: Option<&'a str>,
    /// Layers that were made so far.
    layers: usize,
    faults: Vec<Fault>,
}

/// Source filters of a section, and whether there is one that is not understood.
#[derive(Default)]
struct Filters {
    list: Vec<SourceFilter>,
    some: bool,
    odd: bool,
}

impl Filters {
    fn of(section: &Section) -> Filters {
        let mut filters = Filters::default();
        for (_, value) in section.attributes("source-filter").take(MAX_LOOKED_AT) {
            filters.some = true;
            match SourceFilter::parse(value) {
                Some(filter) => filters.list.push(filter),
                None => filters.odd = true,
            }
        }
        filters
    }
}

/// The sessions of a document, and what kept others from being one, with its line.
pub fn sessions(document: &Document, source: &SessionSource) -> (Vec<Session>, Vec<Fault>) {
    let mut reading = Reading {
        document,
        filters: Filters::of(&document.session),
        reference: document.session.attribute("ts-refclk"),
        media_clock: document.session.attribute("mediaclk"),
        layers: 0,
        faults: Vec::new(),
    };
    let media: Vec<Medium<'_>> = document
        .media
        .iter()
        .enumerate()
        .filter_map(|(index, section)| reading.medium(index, section))
        .collect();
    let groups = duplicates(document);
    let mut taken = HashSet::new();
    let mut sessions = Vec::new();
    for medium in &media {
        if taken.contains(&medium.index) {
            continue;
        }
        let others: Vec<&Medium<'_>> = medium.mark.map_or_else(Vec::new, |mark| {
            let marks = groups.iter().find(|marks| marks.contains(&mark)).map_or(&[][..], Vec::as_slice);
            let of_group = |other: &&Medium<'_>| {
                other.index > medium.index
                    && !taken.contains(&other.index)
                    && other.mark.is_some_and(|mark| marks.contains(&mark))
            };
            media.iter().filter(of_group).collect()
        });
        taken.extend(others.iter().map(|other| other.index));
        for layer in 0..medium.layers.len() {
            if sessions.len() == MAX_SESSIONS {
                reading
                    .tell(medium.section, "more sessions than any description has; the others are left out");
                return (sessions, reading.faults);
            }
            sessions.push(reading.session(medium, &others, layer, source));
        }
    }
    (sessions, reading.faults)
}

/// The marks of media that are copies of each other (RFC 7104 §4.2).
pub(crate) fn duplicates(document: &Document) -> Vec<Vec<&str>> {
    let groups = document.session.attributes("group").filter_map(|(_, value)| group(value));
    let copies = groups.filter(|(semantics, _)| *semantics == "DUP");
    copies.map(|(_, marks)| marks.into_iter().take(MAX_MARKS).collect()).take(MAX_LOOKED_AT).collect()
}

impl<'a> Reading<'a> {
    fn tell(&mut self, section: &Section, what: &'static str) {
        if self.faults.len() < MAX_FAULTS {
            let at = section.first('m').map_or(0, |line| line.at);
            self.faults.push(Fault { layer: "sdp", at, what });
        }
    }

    fn medium(&mut self, index: usize, section: &'a Section) -> Option<Medium<'a>> {
        let Some(line) = section.first('m').and_then(|line| MediaLine::parse(&line.value)) else {
            self.tell(section, "no <media> <port> <proto> <fmt> in m= (RFC 8866 §5.14): no session");
            return None;
        };
        // A port of zero says that the medium is not in use (RFC 3264 §6).
        if line.port == 0 {
            return None;
        }
        if line.protocol.starts_with("TCP") {
            self.tell(section, "the medium comes over TCP: no session of packets");
            return None;
        }
        let explained = Explained::of(section);
        let mut formats: Vec<Format> = Vec::new();
        for payload_type in line.payload_types() {
            let known = formats.iter().any(|format| format.payload_type == payload_type);
            if !known && let Some(format) = explained.format(payload_type) {
                formats.push(format);
            }
        }
        let layers = self.layers(section, &line);
        if layers.is_empty() {
            self.tell(section, "no address in c= that packets could go to: no session");
        }
        let mark = section.attribute("mid").filter(|mark| !mark.is_empty());
        Some(Medium { section, index, mark, formats, layers })
    }

    /// Addresses and ports are counted up together (RFC 8866 §5.14); several lines of addresses are layers, too.
    fn layers(&mut self, section: &Section, line: &MediaLine) -> Vec<Vec<Leg>> {
        let own = section.first('c').is_some();
        let lines = if own { section } else { &self.document.session };
        let mut addresses: Vec<(IpAddr, Option<u8>)> = Vec::new();
        for connection in lines.all('c').take(MAX_LOOKED_AT) {
            let Some(connection) = Connection::parse(&connection.value) else {
                self.tell(section, "no address in c= (RFC 8866 §5.7)");
                continue;
            };
            match connection.host.address() {
                None => {
                    self.tell(section, "c= has a name instead of an address, and names are not asked for")
                }
                // Until the address is known, nothing goes anywhere.
                Some(address) if address.is_unspecified() => {
                    self.tell(section, "c= has no address yet");
                    continue;
                }
                Some(_) => {}
            }
            // Only multicast addresses are counted up: of others one is meant.
            let count = if connection.host.address().is_some_and(|host| host.is_multicast()) {
                connection.count
            } else {
                1
            };
            for index in 0..count.min(MAX_LAYERS) {
                addresses.extend(connection.address(index).map(|address| (address, connection.ttl)));
            }
            // One more than is followed is enough to know that there are more.
            if addresses.len() > MAX_LAYERS_HERE {
                break;
            }
        }
        if addresses.is_empty() {
            return Vec::new();
        }
        let ports = u32::from(line.count);
        let wanted = u32::try_from(addresses.len()).unwrap_or(MAX_LAYERS).max(ports);
        if wanted > MAX_LAYERS {
            self.tell(section, "more layers than are followed; the others are left out");
        }
        let several = addresses.len() > 1;
        let filters = Filters::of(section);
        if filters.odd || (!filters.some && self.filters.odd) {
            self.tell(section, "a=source-filter is not understood (RFC 4570 §3.1)");
        }
        let mut layers = Vec::new();
        for layer in 0..wanted.min(MAX_LAYERS) {
            let address = if several {
                usize::try_from(layer).ok().and_then(|layer| addresses.get(layer))
            } else {
                addresses.first()
            };
            let step = if ports > 1 { layer.checked_mul(if line.is_rtp() { 2 } else { 1 }) } else { Some(0) };
            let port = step.and_then(|step| u16::try_from(u32::from(line.port) + step).ok());
            let (Some((address, ttl)), Some(port), true) = (address, port, ports == 1 || layer < ports)
            else {
                self.tell(section, "m= and c= count differently, or past the last port (RFC 8866 §5.14)");
                break;
            };
            // More than there can be sessions are of no use.
            if self.layers > MAX_SESSIONS {
                break;
            }
            self.layers += 1;
            layers.push(self.legs(section, &filters, line, SocketAddr::new(*address, port), *ttl));
        }
        layers
    }

    fn legs(
        &mut self,
        section: &Section,
        filters: &Filters,
        line: &MediaLine,
        to: SocketAddr,
        ttl: Option<u8>,
    ) -> Vec<Leg> {
        let sources = self.sources(section, filters, to.ip());
        let rtcp = line.is_rtp().then(|| rtcp(section, to)).flatten();
        let leg = |sources| Leg { destination: to, sources, rtcp, ttl };
        // Copies by source (RFC 7104 §4.1): as many sources as the filter names, or, where they share one, a copy
        // that comes later (RFC 7197 §3.1).
        let copies = section
            .attributes("ssrc-group")
            .filter_map(|(_, value)| group(value))
            .find_map(|(semantics, sources)| (semantics == "DUP").then_some(sources.len()));
        match (copies, &sources) {
            (Some(copies), Sources::Only(list)) if copies > 1 && list.len() == copies => {
                list.iter().take(MAX_LEGS).map(|source| leg(Sources::Only(vec![*source]))).collect()
            }
            _ => {
                let delays =
                    section.attribute("duplication-delay").map_or(0, |it| it.split_whitespace().count());
                let copies = if delays > 0 { delays + 1 } else { 1 };
                vec![leg(sources); copies.min(MAX_LEGS)]
            }
        }
    }

    /// Filters at the medium take the place of the session's (RFC 4570 §3).
    fn sources(&mut self, section: &Section, own: &Filters, destination: IpAddr) -> Sources {
        let filters = if own.some { own } else { &self.filters };
        let (mut only, mut all_but) = (Vec::new(), Vec::new());
        let (mut some, mut names) = (false, false);
        for filter in &filters.list {
            if !filter.is_about(destination) {
                continue;
            }
            let list = if filter.included { &mut only } else { &mut all_but };
            some |= filter.included;
            for host in &filter.sources {
                match host {
                    Host::Address(address) => {
                        let fits = address.is_ipv4() == destination.is_ipv4();
                        if fits && !list.contains(address) && list.len() < MAX_SOURCES {
                            list.push(*address);
                        }
                    }
                    Host::Name(_) => names = true,
                }
            }
        }
        if names {
            self.tell(section, "a=source-filter has a name, and names are not asked for");
        }
        only.retain(|address| !all_but.contains(address));
        match (some, only.is_empty(), all_but.is_empty()) {
            (true, false, _) => Sources::Only(only),
            (false, _, false) => Sources::AllBut(all_but),
            // Names only: who may send is not known, and nobody is accused.
            _ => Sources::Any,
        }
    }

    fn session(
        &self,
        medium: &Medium<'_>,
        others: &[&Medium<'_>],
        layer: usize,
        source: &SessionSource,
    ) -> Session {
        let mut legs = medium.layers.get(layer).cloned().unwrap_or_default();
        let mut formats = medium.formats.clone();
        for other in others {
            legs.extend(other.layers.get(layer).into_iter().flatten().cloned());
            for format in &other.formats {
                if !formats.contains(format) && formats.len() < MAX_FORMATS {
                    formats.push(format.clone());
                }
            }
        }
        legs.truncate(MAX_LEGS);
        let document = self.document;
        let maker = document.session.first('o').map_or("", |line| line.value.trim());
        let maker = Origin::parse(maker).map_or_else(|| maker.to_owned(), |origin| origin.identity());
        let place = if medium.layers.len() > 1 { format!(".{}", layer + 1) } else { String::new() };
        let reference = medium.section.attribute("ts-refclk").or(self.reference).map(clocks::reference);
        let media_clock = medium.section.attribute("mediaclk").or(self.media_clock);
        Session {
            name: name(document, medium.section),
            identity: format!("{maker} m{}{place}", medium.index + 1),
            source: source.clone(),
            formats,
            legs,
            reference,
            media_clock: media_clock.and_then(clocks::media),
            first: None,
            last: None,
            ended: None,
        }
    }
}

/// The session's name, and the medium's title where it has one.
fn name(document: &Document, section: &Section) -> String {
    let session = document.session.first('s').map_or("", |line| line.value.trim());
    let session = if session.is_empty() { "-" } else { session };
    match section.first('i').map(|line| line.value.trim()).filter(|title| !title.is_empty()) {
        None => session.to_owned(),
        // As we write them ourselves.
        Some(title) if title.strip_prefix(session).is_some_and(|rest| rest.starts_with(": ")) => {
            title.to_owned()
        }
        Some(title) => format!("{session}: {title}"),
    }
}

/// Where RTCP goes: the same port, the one that is said, or the next (RFC 5761 §5.1.1, RFC 3605 §2.1, RFC 3550 §11).
fn rtcp(section: &Section, to: SocketAddr) -> Option<SocketAddr> {
    if section.attribute("rtcp-mux").is_some() {
        return Some(to);
    }
    let Some(said) = section.attribute("rtcp") else {
        return to.port().checked_add(1).map(|port| SocketAddr::new(to.ip(), port));
    };
    let mut words = said.split_whitespace();
    let port = number(words.next()?).filter(|port| *port > 0)?;
    let address = match (words.next(), words.next(), words.next()) {
        (Some("IN"), Some(family), Some(address)) => Host::parse(family, address)?.address()?,
        _ => to.ip(),
    };
    Some(SocketAddr::new(address, port))
}
