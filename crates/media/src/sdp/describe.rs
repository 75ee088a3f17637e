//! Describes sessions: what our own senders do becomes a document that others read (RFC 8866, ST 2110-10:2022 §8).

use model::media::{
    AncillaryFormat, AudioFormat, Colorimetry, CompressedFormat, Essence, Format, Leg, Ratio, Scan, Session,
    Sources, Transfer, VideoFormat,
};

use super::clocks::{media_text, reference_text};
use super::document::{Document, Line, Section};
use super::fields::{Origin, family};
use super::format::packet_time_text;

/// What multicast is given where nobody said how far it may go.
const USUAL_TTL: u8 = 64;

/// The description of these sessions. Sessions without a leg have no place in it.
pub fn describe(sessions: &[Session], origin: &Origin) -> Document {
    let sessions: Vec<&Session> = sessions.iter().filter(|session| !session.legs.is_empty()).collect();
    let mut document = Document::default();
    let stem = stem(&sessions);
    let head = &mut document.session;
    head.add(Line::new('v', "0"));
    head.add(Line::new('o', &origin.to_string()));
    head.add(Line::new('s', stem));
    head.add(Line::new('t', "0 0"));
    for (index, session) in sessions.iter().enumerate() {
        let marks: Vec<String> =
            (0..session.legs.len()).map(|leg| mark(sessions.len() > 1, index, leg)).collect();
        let copies = session.legs.len() > 1;
        if copies {
            head.add(Line::new('a', &format!("group:DUP {}", marks.join(" "))));
        }
        for (leg, mark) in session.legs.iter().zip(&marks) {
            let title = (session.name != stem).then_some(session.name.as_str());
            document.media.push(medium(session, leg, title, copies.then_some(mark)));
        }
    }
    document
}

/// What all of them are called, as far as they share it: the part before a colon, else the first one's name.
fn stem<'a>(sessions: &[&'a Session]) -> &'a str {
    let first = sessions.first().map_or("", |session| session.name.as_str());
    let shared = first.split_once(": ").map(|(stem, _)| stem).filter(|stem| {
        let of_stem = |name: &str| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(": "));
        sessions.len() > 1 && !stem.trim().is_empty() && sessions.iter().all(|session| of_stem(&session.name))
    });
    let stem = shared.unwrap_or(first);
    if stem.trim().is_empty() { "-" } else { stem }
}

fn mark(several: bool, session: usize, leg: usize) -> String {
    let place = match leg {
        0 => "primary".to_owned(),
        1 => "secondary".to_owned(),
        _ => format!("leg{}", leg + 1),
    };
    if several { format!("{place}{}", session + 1) } else { place }
}

fn medium(session: &Session, leg: &Leg, title: Option<&str>, mark: Option<&String>) -> Section {
    let mut section = Section::default();
    let (kind, port) = (media_kind(&session.formats), leg.destination.port());
    let types: Vec<String> = session.formats.iter().map(|format| format.payload_type.to_string()).collect();
    let line = if types.is_empty() {
        format!("{kind} {port} udp -")
    } else {
        format!("{kind} {port} RTP/AVP {}", types.join(" "))
    };
    section.add(Line::new('m', &line));
    if let Some(title) = title {
        section.add(Line::new('i', title));
    }
    let address = leg.destination.ip();
    let ttl = match (address.is_ipv4() && address.is_multicast(), leg.ttl) {
        (true, ttl) => format!("/{}", ttl.unwrap_or(USUAL_TTL)),
        (false, _) => String::new(),
    };
    section.add(Line::new('c', &format!("IN {} {address}{ttl}", family(address))));
    let bandwidth = session.formats.iter().find_map(|format| match &format.essence {
        Essence::Compressed(compressed) => compressed.bandwidth_kbps,
        _ => None,
    });
    if let Some(bandwidth) = bandwidth {
        section.add(Line::new('b', &format!("AS:{bandwidth}")));
    }
    let mut attribute = |text: String| section.add(Line::new('a', &text));
    let filter = match &leg.sources {
        Sources::Only(list) => Some(("incl", list)),
        Sources::AllBut(list) => Some(("excl", list)),
        Sources::Any => None,
    };
    if let Some((mode, list)) = filter.filter(|(_, list)| !list.is_empty()) {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        attribute(format!("source-filter: {mode} IN {} {address} {}", family(address), list.join(" ")));
    }
    for format in &session.formats {
        let Format { payload_type, .. } = format;
        attribute(format!("rtpmap:{payload_type} {}", encoding(format)));
        let mut parameters = parameters(&format.essence);
        // ST 2110-20:2017 §7.1 wants it behind each, and white space behind that; readers of later editions
        // pass over it.
        if parameters.contains("SSN=ST2110-20:2017") && !parameters.ends_with(';') {
            parameters.push_str("; ");
        }
        if !parameters.is_empty() {
            attribute(format!("fmtp:{payload_type} {parameters}"));
        }
    }
    if let Some((audio, ns)) = session.formats.iter().find_map(|format| match &format.essence {
        Essence::Audio(audio) => audio.packet_time_ns.map(|ns| (audio, ns)),
        _ => None,
    }) {
        attribute(format!("ptime:{}", packet_time_text(ns, audio)));
    }
    if let Some(clock) = &session.reference {
        attribute(format!("ts-refclk:{}", reference_text(clock)));
    }
    if let Some(clock) = &session.media_clock {
        attribute(format!("mediaclk:{}", media_text(clock)));
    }
    if !types.is_empty()
        && let Some(line) = rtcp(leg)
    {
        attribute(line);
    }
    if let Some(mark) = mark {
        attribute(format!("mid:{mark}"));
    }
    section
}

fn rtcp(leg: &Leg) -> Option<String> {
    let rtcp = leg.rtcp?;
    let to = leg.destination;
    match (rtcp == to, rtcp.ip() == to.ip()) {
        (true, _) => Some("rtcp-mux".into()),
        (_, true) if Some(rtcp.port()) == to.port().checked_add(1) => None,
        (_, true) => Some(format!("rtcp:{}", rtcp.port())),
        _ => Some(format!("rtcp:{} IN {} {}", rtcp.port(), family(rtcp.ip()), rtcp.ip())),
    }
}

fn media_kind(formats: &[Format]) -> &'static str {
    match formats.first().map(|format| &format.essence) {
        Some(Essence::Audio(_)) => "audio",
        Some(Essence::FastMetadata(_) | Essence::TimedText | Essence::Other(_)) | None => "application",
        Some(_) => "video",
    }
}

fn encoding(format: &Format) -> String {
    let name = match &format.essence {
        Essence::Video(_) | Essence::RawVideo(_) => "raw",
        Essence::Compressed(_) => "jxsv",
        Essence::Audio(audio) => {
            let rate = format.clock_rate;
            let name = if audio.am824 { "AM824".into() } else { format!("L{}", audio.bits) };
            return format!("{name}/{rate}/{}", audio.channels);
        }
        Essence::Ancillary(_) => "smpte291",
        Essence::FastMetadata(_) => "ST2110-41",
        Essence::TimedText => "ttml+xml",
        Essence::Sdi => "SMPTE2022-6",
        Essence::TransportStream => "MP2T",
        Essence::Other(name) => name,
    };
    format!("{name}/{}", format.clock_rate)
}

/// The parameters of an essence, without the semicolon at the end that the later editions forbid.
pub fn parameters(essence: &Essence) -> String {
    let list = match essence {
        Essence::Video(video) => self::video(video),
        Essence::RawVideo(said) => return said.clone(),
        Essence::Compressed(compressed) => self::compressed(compressed),
        Essence::Audio(audio) => self::audio(audio),
        Essence::Ancillary(data) => ancillary(data),
        Essence::FastMetadata(types) => {
            let mut list = vec!["SSN=ST2110-41:2024".to_owned()];
            if !types.is_empty() {
                let types: Vec<String> = types.iter().map(|number| format!("{number:X}")).collect();
                list.push(format!("DIT={}", types.join(",")));
            }
            list
        }
        Essence::TimedText | Essence::Sdi | Essence::TransportStream | Essence::Other(_) => Vec::new(),
    };
    list.join("; ")
}

fn scan(scan: Scan, list: &mut Vec<String>) {
    match scan {
        Scan::Progressive => {}
        Scan::Interlaced => list.push("interlace".into()),
        Scan::Segmented => list.extend(["interlace".into(), "segmented".into()]),
    }
}

fn video(video: &VideoFormat) -> Vec<String> {
    let mut list = vec![
        format!("sampling={}", video.sampling.token()),
        format!("width={}", video.width),
        format!("height={}", video.height),
        format!("exactframerate={}", video.frame_rate),
        format!("depth={}", video.depth.token()),
    ];
    scan(video.scan, &mut list);
    // A key has no transfer characteristic (ST 2110-20:2022 §7.6).
    if video.sampling != model::media::Sampling::Key || video.transfer != Transfer::Sdr {
        list.push(format!("TCS={}", video.transfer.token()));
    }
    list.push(format!("colorimetry={}", video.colorimetry.token()));
    // Narrow is what is assumed; BT.2100 should say it (ST 2110-20:2022 §7.5).
    if video.range != model::media::Range::Narrow || video.colorimetry == Colorimetry::Bt2100 {
        list.push(format!("RANGE={}", video.range.token()));
    }
    list.push(format!("PM={}", video.packing.token()));
    let later = video.colorimetry == Colorimetry::Alpha || video.transfer == Transfer::St2115LogS3;
    list.push(format!("SSN=ST2110-20:{}", if later { 2022 } else { 2017 }));
    list.extend(video.sender_type.map(|kind| format!("TP={}", kind.token())));
    list.extend(video.offset_us.map(|offset| format!("TROFF={offset}")));
    list.extend(video.burst_packets.map(|packets| format!("CMAX={packets}")));
    if video.max_udp_bytes != 1460 {
        list.push(format!("MAXUDP={}", video.max_udp_bytes));
    }
    if Some(video.pixel_aspect) != Ratio::new(1, 1) {
        let aspect = video.pixel_aspect;
        list.push(format!("PAR={}:{}", aspect.numerator(), aspect.denominator()));
    }
    list
}

fn compressed(video: &CompressedFormat) -> Vec<String> {
    let mut list = vec![format!("packetmode={}", u8::from(video.slices))];
    if !video.sequential {
        list.push("transmode=0".into());
    }
    let mut add = |key: &str, value: Option<String>| {
        list.extend(value.filter(|value| !value.is_empty()).map(|value| format!("{key}={value}")));
    };
    add("profile", Some(video.profile.clone()));
    add("level", Some(video.level.clone()));
    add("sublevel", Some(video.sublevel.clone()));
    add("sampling", video.sampling.map(|it| it.token().into()));
    add("width", video.width.map(|it| it.to_string()));
    add("height", video.height.map(|it| it.to_string()));
    add("exactframerate", video.frame_rate.map(|it| it.to_string()));
    add("depth", video.depth.map(|it| it.token().into()));
    add("colorimetry", video.colorimetry.map(|it| it.token().into()));
    add("TCS", video.transfer.map(|it| it.token().into()));
    add("RANGE", video.range.map(|it| it.token().into()));
    add("SSN", Some("ST2110-22:2022".into()));
    add("TP", video.sender_type.map(|it| it.token().into()));
    add("CMAX", video.burst_packets.map(|it| it.to_string()));
    scan(video.scan, &mut list);
    list
}

fn audio(audio: &AudioFormat) -> Vec<String> {
    match audio.channel_order.as_str() {
        "" => Vec::new(),
        // Of another convention: it was kept with its name.
        order if order.contains('.') => vec![format!("channel-order={order}")],
        order => vec![format!("channel-order=SMPTE2110.({order})")],
    }
}

fn ancillary(data: &AncillaryFormat) -> Vec<String> {
    let mut list = Vec::new();
    list.extend(data.frame_rate.map(|rate| format!("exactframerate={rate}")));
    list.extend(
        data.kinds.iter().map(|(first, second)| format!("DID_SDID={{0x{first:02X},0x{second:02X}}}")),
    );
    list.extend(data.vpid_code.map(|code| format!("VPID_Code={code}")));
    // The later edition is named exactly where it is needed (ST 2110-40:2023).
    list.push(format!("SSN=ST2110-40:{}", if data.low_latency { 2023 } else { 2018 }));
    if data.low_latency {
        list.push("TM=LLTM".into());
    }
    list
}
