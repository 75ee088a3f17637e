//! What session descriptions say that came by another protocol: formats, legs and controls of each medium.

use std::net::{IpAddr, SocketAddr};

use model::media::{Essence, Format, Leg, MediaClock, ReferenceClock, Sources};

/// Media that are kept.
const MOST_MEDIA: usize = 64;

/// One medium.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Medium {
    /// `video`.
    pub(crate) kind: String,
    /// Its formats, the preferred first.
    pub(crate) formats: Vec<Format>,
    /// Where it goes, where that is settled; RTSP leaves it open.
    pub(crate) leg: Option<Leg>,
    /// What it is set up by (RFC 2326 §C.1.1).
    pub(crate) control: Option<String>,
}

/// What a description says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Described {
    /// Its name.
    pub(crate) name: String,
    /// What the whole is set up by.
    pub(crate) control: Option<String>,
    /// Its media.
    pub(crate) media: Vec<Medium>,
    /// What the clock follows.
    pub(crate) reference: Option<ReferenceClock>,
    /// How the RTP clock hangs on it.
    pub(crate) media_clock: Option<MediaClock>,
}

/// Reads a description.
pub(crate) fn described(text: &[u8]) -> Described {
    let mut described = Described::default();
    let text = String::from_utf8_lossy(text);
    let (mut host, mut port) = (None, 0);
    for line in text.lines() {
        let Some((kind, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        if kind == "m" && described.media.len() >= MOST_MEDIA {
            break;
        }
        match (kind, described.media.last_mut()) {
            ("m", _) => {
                let mut words = value.split_ascii_whitespace();
                let kind = words.next().unwrap_or_default().to_owned();
                port = words.next().and_then(|port| port.split('/').next()?.parse().ok()).unwrap_or(0);
                let types =
                    words.skip(1).filter_map(|word| word.parse().ok().filter(|it| *it < 128)).take(128);
                let formats = types.map(fixed).collect();
                described.media.push(Medium { kind, formats, leg: leg(host, port), control: None });
            }
            ("s", None) => described.name = value.chars().take(256).collect(),
            ("c", medium) => {
                let to = value.split_ascii_whitespace().nth(2).and_then(|to| {
                    let mut parts = to.split('/');
                    Some((parts.next()?.parse().ok()?, parts.next().and_then(|ttl| ttl.parse().ok())))
                });
                match medium {
                    Some(medium) => medium.leg = leg(to, port),
                    None => host = to,
                }
            }
            ("a", medium) => {
                if let Some(control) = value.strip_prefix("control:") {
                    let control = Some(control.trim().chars().take(1024).collect());
                    match medium {
                        Some(medium) => medium.control = control,
                        None => described.control = control,
                    }
                } else if let (Some(map), Some(medium)) = (value.strip_prefix("rtpmap:"), medium) {
                    apply(medium, map);
                }
            }
            _ => {}
        }
    }
    described
}

fn leg(host: Option<(IpAddr, Option<u8>)>, port: u16) -> Option<Leg> {
    let (ip, ttl) = host.filter(|(ip, _)| port != 0 && !ip.is_unspecified())?;
    let rtcp = port.checked_add(1).map(|port| SocketAddr::new(ip, port));
    Some(Leg { destination: SocketAddr::new(ip, port), sources: Sources::Any, rtcp, ttl })
}

/// A payload type with its fixed meaning (RFC 3551 §6), until something else is said.
fn fixed(payload_type: u8) -> Format {
    let (name, clock_rate) = match payload_type {
        0 => ("PCMU", 8000),
        8 => ("PCMA", 8000),
        9 => ("G722", 8000),
        10 | 11 => ("L16", 44_100),
        14 => ("MPA", 90_000),
        26 => ("JPEG", 90_000),
        32 => ("MPV", 90_000),
        33 => return Format { payload_type, clock_rate: 90_000, essence: Essence::TransportStream },
        _ => ("", 90_000),
    };
    Format { payload_type, clock_rate, essence: Essence::Other(name.to_owned()) }
}

/// `96 H264/90000`.
fn apply(medium: &mut Medium, map: &str) {
    let Some((number, encoding)) = map.split_once(' ') else { return };
    let mut parts = encoding.trim().split('/');
    let (name, rate) = (parts.next().unwrap_or_default(), parts.next().and_then(|rate| rate.parse().ok()));
    let format = medium.formats.iter_mut().find(|it| Some(it.payload_type) == number.trim().parse().ok());
    if let (Some(format), Some(rate)) = (format, rate) {
        format.clock_rate = rate;
        format.essence = Essence::Other(name.chars().take(64).collect());
    }
}
