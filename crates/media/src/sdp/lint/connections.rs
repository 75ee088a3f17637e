//! Where packets go and who sends them: c=, m=, source filters, RTCP (RFC 8866 §5.7, §5.14; RFC 4570; ST 2110-10:2022 §6).

use core::net::{IpAddr, Ipv4Addr};
use std::collections::HashMap;

use super::medium::Medium;
use super::{Edition, Lint, Report, Severity};
use crate::sdp::document::{Document, Line, Section};
use crate::sdp::fields::{Connection, Host, MediaLine, SourceFilter, number};
use crate::sdp::sessions::duplicates;

pub(super) fn judge(report: &mut Report<'_>, media: &[Medium<'_>]) {
    let document = report.document;
    for line in document.session.all('c') {
        connection(report, line);
    }
    if media.is_empty() {
        match report.edition {
            Edition::Rfc => report.tell_as(Lint::MediaMissing, Severity::Note, 0, ""),
            _ => report.tell(Lint::MediaMissing, 0, ""),
        }
    }
    let at_session = document.session.first('c').is_some();
    for medium in media {
        for line in medium.section.all('c') {
            connection(report, line);
        }
        match &medium.line {
            None => {
                let text = medium.section.first('m').map_or("", |line| line.value.as_str());
                report.tell(Lint::MediaForm, medium.at, text);
            }
            Some(line) => ports(report, medium, line),
        }
        if !at_session && medium.section.first('c').is_none() {
            report.tell(Lint::ConnectionMissing, medium.at, "");
        }
        filters(report, medium);
        rtcp(report, medium);
    }
    filter_lines(report, &document.session);
    let all: Vec<IpAddr> = media.iter().flat_map(|medium| addresses(document, medium)).take(4096).collect();
    destinations(report, &document.session, &all);
    shared(report, media);
    if report.edition != Edition::Rfc && streams(document) > 1 {
        report.tell(Lint::SeveralStreams, 0, "");
    }
}

/// How many streams there are, copies not counted.
fn streams(document: &Document) -> usize {
    let copies: usize = duplicates(document).iter().map(|marks| marks.len().saturating_sub(1)).sum();
    document.media.len().saturating_sub(copies)
}

fn connection(report: &mut Report<'_>, line: &Line) {
    let (at, value) = (line.at, line.value.as_str());
    let words: Vec<&str> = value.split(' ').collect();
    let ["IN", family, word] = words.as_slice() else {
        return report.tell(Lint::ConnectionForm, at, value);
    };
    let mut parts = word.split('/');
    let Some(host) = parts.next().and_then(|host| Host::parse(family, host)) else {
        return report.tell(Lint::ConnectionForm, at, value);
    };
    let parts: Vec<&str> = parts.collect();
    let count = |text: &&str| number::<u32>(text).is_some_and(|count| count > 0);
    match (&host, parts.as_slice()) {
        (Host::Address(IpAddr::V4(group)), parts) if group.is_multicast() => match parts {
            [] => report.tell(Lint::TtlMissing, at, value),
            [ttl, rest @ ..] => {
                let proper = *ttl == "0" || !ttl.starts_with('0');
                if !proper || number::<u8>(ttl).is_none() {
                    report.tell(Lint::TtlRange, at, *ttl);
                }
                if rest.len() > 1 || !rest.iter().all(count) {
                    report.tell(Lint::ConnectionForm, at, value);
                }
            }
        },
        (Host::Address(IpAddr::V6(group)), parts) if group.is_multicast() => match parts {
            [] => {}
            [one] if count(one) => {}
            [_] => report.tell(Lint::ConnectionForm, at, value),
            _ => report.tell(Lint::TtlForbidden, at, value),
        },
        (Host::Address(address), parts) => {
            if !parts.is_empty() {
                report.tell(Lint::TtlForbidden, at, value);
            }
            if address.is_unspecified() {
                report.tell(Lint::AddressUnspecified, at, value);
            }
        }
        (Host::Name(_), _) => {}
    }
    if report.edition == Edition::Rfc {
        return;
    }
    let reserved = match host.address() {
        Some(IpAddr::V4(group)) => matches!(group.octets(), [224, 0, 0 | 1, _]),
        _ => false,
    };
    if reserved {
        report.tell(Lint::AddressReserved, at, value);
    }
}

fn ports(report: &mut Report<'_>, medium: &Medium<'_>, line: &MediaLine) {
    let at = medium.at;
    // Registered kinds (RFC 8866 §8.2.1).
    if !matches!(line.kind.as_str(), "audio" | "video" | "text" | "application" | "message" | "image") {
        report.tell(Lint::MediaForm, at, &line.kind);
    }
    let steps = u32::from(line.count).saturating_sub(1) * 2;
    if u32::from(line.port) + steps > 65_535 {
        report.tell(Lint::PortRange, at, format!("{}/{}", line.port, line.count));
    }
    let rtcp_said = ["rtcp", "rtcp-mux"].iter().any(|name| medium.section.attribute(name).is_some());
    if line.is_rtp() && line.port % 2 == 1 && !rtcp_said {
        report.tell(Lint::PortOdd, at, line.port.to_string());
    }
    if report.edition == Edition::Rfc {
        return;
    }
    if line.protocol != "RTP/AVP" {
        report.tell(Lint::Transport, at, &line.protocol);
    }
    for format in &line.formats {
        let dynamic = number::<u8>(format).is_some_and(|number| (96..=127).contains(&number));
        if !dynamic {
            report.tell(Lint::PayloadType, at, format);
        }
    }
}

/// The addresses of a medium, from its own lines or the session's.
fn addresses(document: &Document, medium: &Medium<'_>) -> Vec<IpAddr> {
    let own = medium.section.first('c').is_some();
    let lines = if own { medium.section } else { &document.session };
    let connections = lines.all('c').take(64).filter_map(|line| Connection::parse(&line.value));
    connections
        .flat_map(|it| (0..it.count.min(64)).filter_map(move |index| it.address(index)))
        .take(64)
        .collect()
}

fn filter_lines(report: &mut Report<'_>, section: &Section) {
    let mut about: Vec<Option<Host>> = Vec::new();
    for (line, value) in section.attributes("source-filter") {
        // An address is of one family (RFC 4570 §3.1).
        let odd = |filter: &SourceFilter| {
            let addressed = filter.destination.as_ref().and_then(Host::address).is_some();
            addressed && value.split_whitespace().nth(2) == Some("*")
        };
        let Some(filter) = SourceFilter::parse(value).filter(|filter| !odd(filter)) else {
            report.tell(Lint::FilterForm, line.at, value);
            continue;
        };
        if !line.value.starts_with("source-filter: ") {
            report.tell(Lint::FilterSpace, line.at, "");
        }
        if about.contains(&filter.destination) {
            report.tell(Lint::FilterRepeated, line.at, value);
        } else if about.len() < 64 {
            about.push(filter.destination);
        }
    }
}

/// What the filters of a section are about is a destination (RFC 4570 §3.1).
fn destinations(report: &mut Report<'_>, section: &Section, to: &[IpAddr]) {
    let about = section.attributes("source-filter").take(64).filter_map(|(line, value)| {
        Some((line.at, SourceFilter::parse(value)?.destination.as_ref().and_then(Host::address)?))
    });
    for (at, named) in about {
        if !to.is_empty() && !to.contains(&named) {
            report.tell(Lint::FilterDestination, at, named.to_string());
        }
    }
}

fn filters(report: &mut Report<'_>, medium: &Medium<'_>) {
    filter_lines(report, medium.section);
    let document = report.document;
    let own = medium.section.attribute("source-filter").is_some();
    let section = if own { medium.section } else { &document.session };
    let to = addresses(document, medium);
    destinations(report, medium.section, &to);
    if medium.is_off() {
        return;
    }
    let multicast = to.iter().find(|address| address.is_multicast());
    let source_specific = |address: &IpAddr| match address {
        // RFC 4607 §1: 232/8 and ff3x::/32 have no other kind of delivery.
        IpAddr::V4(group) => group.octets().first() == Some(&232),
        IpAddr::V6(group) => group.segments().first().is_some_and(|first| first & 0xfff0 == 0xff30),
    };
    if let Some(group) = multicast.filter(|_| section.attribute("source-filter").is_none()) {
        match (report.edition, source_specific(group)) {
            (Edition::Rfc, false) => {}
            (Edition::Rfc, true) => {
                report.tell_by(Lint::FilterMissing, "RFC 4607 §4.3", medium.at, group.to_string());
            }
            _ => report.tell(Lint::FilterMissing, medium.at, group.to_string()),
        }
    }
}

fn rtcp(report: &mut Report<'_>, medium: &Medium<'_>) {
    for (line, value) in medium.section.attributes("rtcp") {
        let words: Vec<&str> = value.split_whitespace().collect();
        let port = words.first().and_then(|port| number::<u16>(port)).is_some_and(|port| port > 0);
        let place = match words.get(1..) {
            None | Some([]) => true,
            Some(["IN", family, address]) => Host::parse(family, address).is_some(),
            _ => false,
        };
        if !port || !place {
            report.tell(Lint::RtcpForm, line.at, value);
        }
    }
}

/// Two media at one destination cannot be told apart by it; where they are copies, the rules of copies say so.
fn shared(report: &mut Report<'_>, media: &[Medium<'_>]) {
    let document = report.document;
    let groups = duplicates(document);
    let mut taken: HashMap<(IpAddr, u16), (usize, Option<&str>)> = HashMap::new();
    for medium in media.iter().filter(|medium| !medium.is_off()) {
        let Some(line) = &medium.line else { continue };
        let mark = medium.section.attribute("mid");
        for address in addresses(document, medium) {
            if address == IpAddr::V4(Ipv4Addr::UNSPECIFIED) {
                continue;
            }
            let (first, other) = *taken.entry((address, line.port)).or_insert((medium.at, mark));
            let copies = |marks: &Vec<&str>| {
                mark.is_some_and(|mark| marks.contains(&mark))
                    && other.is_some_and(|mark| marks.contains(&mark))
            };
            if first != medium.at && !groups.iter().any(copies) {
                let detail = format!("{address} port {}, as in line {first}", line.port);
                report.tell(Lint::DestinationShared, medium.at, detail);
            }
        }
    }
}
