//! Sessions that people wrote down: a use of ports that no controller announces and no document describes.

use core::net::{IpAddr, SocketAddr};
use core::ops::Range;

use model::media::{Format, Leg, Session, SessionSource, Sources};
use toml::de::{DeTable, DeValue};

use crate::Fault;
use crate::document::{Document, Field};

/// Legs of one session: two are usual.
const MAX_LEGS: usize = 4;

pub(super) const KEYS: &str =
    "name, address, port, source, payload-type, format, parameters, sdp, reason, expires";

/// One `[[session]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticSession {
    /// The name people can find it by: `policy.toml:12`.
    pub name: String,
    /// What its author calls it.
    pub title: String,
    /// Why, in the words of its author.
    pub reason: String,
    /// The last day on which it applies, counted since 1970-01-01.
    pub expires: Option<i64>,
    /// The session description that says the rest: a path, from the folder of the policy.
    pub sdp: Option<String>,
    /// Payload type and encoding, as a session description writes it: `L24/48000/2`.
    pub format: Option<(u8, String)>,
    /// Parameters of the format, as `fmtp` has them; empty for none.
    pub parameters: String,
    destinations: Vec<SocketAddr>,
    sources: Vec<IpAddr>,
}

impl StaticSession {
    /// Whether it still applies on this day.
    pub fn applies(&self, today: i64) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }

    /// How its session is known.
    pub fn source(&self) -> SessionSource {
        SessionSource::Policy(self.name.clone())
    }

    /// The session, with the format that `format` and `parameters` mean; `None` where a description says all of it.
    pub fn session(&self, format: Option<Format>) -> Option<Session> {
        if self.sdp.is_some() {
            return None;
        }
        let leg = |destination: &SocketAddr| Leg {
            destination: *destination,
            sources: if self.sources.is_empty() { Sources::Any } else { Sources::Only(self.sources.clone()) },
            // The next port, as everywhere where nothing else is said (RFC 3550 §11).
            rtcp: destination.port().checked_add(1).map(|port| SocketAddr::new(destination.ip(), port)),
            ttl: None,
        };
        Some(Session {
            name: self.title.clone(),
            identity: self.name.clone(),
            source: self.source(),
            formats: format.into_iter().collect(),
            legs: self.destinations.iter().map(leg).collect(),
            reference: None,
            media_clock: None,
            first: None,
            last: None,
            ended: None,
        })
    }
}

/// What has been read of one table.
#[derive(Default)]
struct Draft {
    title: String,
    reason: String,
    expires: Option<i64>,
    sdp: Option<String>,
    addresses: Vec<IpAddr>,
    port: Option<u16>,
    sources: Vec<IpAddr>,
    payload_type: Option<u8>,
    format: Option<String>,
    parameters: String,
}

pub(super) fn read(
    document: &Document<'_>,
    span: &Range<usize>,
    table: &DeTable<'_>,
) -> Result<StaticSession, Fault> {
    let mut draft = Draft::default();
    for (at, field) in document.fields(table) {
        fill(&mut draft, document, at, &field)?;
    }
    let fault = |reason: &str| Err(document.fault(span.start, format!("[[session]] {reason}")));
    if draft.reason.is_empty() {
        return fault("needs `reason`: why, in your words");
    }
    if draft.title.is_empty() {
        return fault("needs `name`: what people call it");
    }
    let says_itself = !draft.addresses.is_empty() || draft.port.is_some();
    let says_format = draft.format.is_some() || draft.payload_type.is_some() || !draft.parameters.is_empty();
    let destinations = match (&draft.sdp, draft.port) {
        (Some(_), _) if says_itself || says_format || !draft.sources.is_empty() => {
            return fault("has `sdp`, which says all of it: take out address, port, source and format");
        }
        (Some(_), _) => Vec::new(),
        (None, Some(port)) if !draft.addresses.is_empty() => {
            draft.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
        }
        (None, _) => return fault("needs `address` and `port`, or `sdp`"),
    };
    let format = match (draft.payload_type, draft.format) {
        (Some(number), Some(format)) => Some((number, format)),
        (None, None) if draft.parameters.is_empty() => None,
        _ => return fault("needs `payload-type` and `format` together; `parameters` goes with them"),
    };
    Ok(StaticSession {
        name: document.entry_name(span),
        title: draft.title,
        reason: draft.reason,
        expires: draft.expires,
        sdp: draft.sdp,
        format,
        parameters: draft.parameters,
        destinations,
        sources: draft.sources,
    })
}

fn fill(draft: &mut Draft, document: &Document<'_>, at: usize, field: &Field<'_, '_>) -> Result<(), Fault> {
    let addresses = || field.words("an address", |word| word.parse::<IpAddr>().ok());
    match field.key {
        "name" => draft.title = field.text()?,
        "reason" => draft.reason = field.text()?,
        "expires" => draft.expires = Some(field.day()?),
        "sdp" => draft.sdp = Some(field.text()?),
        "address" => {
            draft.addresses = addresses()?;
            if draft.addresses.len() > MAX_LEGS {
                return Err(field.fault(format_args!("takes one address for each leg, at most {MAX_LEGS}")));
            }
            let mixed = draft.addresses.iter().any(|address| address.is_unspecified());
            if mixed {
                return Err(field.fault("takes an address that packets can go to"));
            }
        }
        "source" => draft.sources = addresses()?,
        "port" => match field.ports()?.as_slice() {
            [one] if one.start() == one.end() => draft.port = Some(*one.start()),
            _ => return Err(field.fault("takes one port: RTCP is the next")),
        },
        "payload-type" => {
            let number = match field.value.get_ref() {
                DeValue::Integer(number) => number.as_str().parse::<u8>().ok().filter(|number| *number < 128),
                _ => None,
            };
            draft.payload_type = Some(number.ok_or_else(|| field.fault("takes a number from 0 to 127"))?);
        }
        "format" => {
            let format = field.text()?;
            let rate = format.split('/').nth(1).and_then(|rate| rate.parse::<u32>().ok());
            let proper = rate.is_some_and(|rate| rate > 0)
                && !format.starts_with('/')
                && !format.contains(|letter: char| letter.is_whitespace() || letter.is_control());
            if !proper {
                return Err(field.fault("takes an encoding and its rate, as \"L24/48000/2\""));
            }
            draft.format = Some(format);
        }
        "parameters" => {
            draft.parameters = field.text()?;
            if draft.parameters.contains(char::is_control) {
                return Err(field.fault("takes one line, as `fmtp` has it"));
            }
        }
        other => return Err(document.unknown_key(at, other, KEYS)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::policy::{Policy, parse};

    const WHOLE: &str = r#"
[[session]]
name = "Studio A microphones"
address = ["239.1.1.2", "239.2.1.2"]
port = 5004
source = "192.0.2.1"
payload-type = 97
format = "L24/48000/2"
parameters = "channel-order=SMPTE2110.(ST)"
reason = "the old desk has no controller"
expires = "2027-03-01"

[[session]]
name = "Camera 1"
sdp = "camera1.sdp"
reason = "made by hand"
"#;

    #[test]
    fn lines_become_sessions() {
        let policy = parse("policy.toml", WHOLE).unwrap();
        let [first, second] = policy.sessions() else { panic!("{policy:?}") };
        assert_eq!((first.name.as_str(), second.name.as_str()), ("policy.toml:2", "policy.toml:13"));
        let session = first.session(None).unwrap();
        assert_eq!((session.name.as_str(), session.source.word()), ("Studio A microphones", "policy"));
        let legs: Vec<_> = session.legs.iter().map(|leg| (leg.destination, leg.rtcp)).collect();
        let at = |text: &str| text.parse::<core::net::SocketAddr>().unwrap();
        assert_eq!(
            legs,
            [
                (at("239.1.1.2:5004"), Some(at("239.1.1.2:5005"))),
                (at("239.2.1.2:5004"), Some(at("239.2.1.2:5005"))),
            ]
        );
        assert!(session.legs[0].sources.allows("192.0.2.1".parse().unwrap()));
        assert!(!session.legs[0].sources.allows("192.0.2.2".parse().unwrap()));
        assert_eq!(first.format, Some((97, "L24/48000/2".into())));
        let last = first.expires.unwrap();
        assert!(first.applies(last) && !first.applies(last + 1));
        assert_eq!((second.session(None), second.sdp.as_deref()), (None, Some("camera1.sdp")));
        let twice = Policy::merge(vec![policy.clone(), policy.clone()]);
        assert_eq!((twice.sessions().len(), twice.is_empty()), (4, false));
        assert!(policy.entries().is_empty());
    }

    #[test]
    fn mistakes_are_refused_with_what_is_allowed() {
        for (from, to, told) in [
            ("reason = \"the old desk has no controller\"\n", "", "needs `reason`"),
            ("name = \"Studio A microphones\"\n", "", "needs `name`"),
            ("port = 5004\n", "", "needs `address` and `port`"),
            ("port = 5004", "port = \"5004-5006\"", "takes one port"),
            ("port = 5004", "prot = 5004", "is not a key here"),
            ("payload-type = 97\n", "", "together"),
            ("payload-type = 97", "payload-type = 128", "0 to 127"),
            ("L24/48000/2", "L24", "encoding and its rate"),
            ("L24/48000/2", "L24/48000/2\\r\\nm=x", "encoding and its rate"),
            ("(ST)\"", "(ST)\\n\"", "one line"),
            ("[\"239.1.1.2\", \"239.2.1.2\"]", "\"0.0.0.0\"", "packets can go to"),
            ("[\"239.1.1.2\", \"239.2.1.2\"]", "\"studio\"", "allowed: an address"),
            ("sdp = \"camera1.sdp\"", "sdp = \"camera1.sdp\"\nport = 5004", "says all of it"),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let fault = parse("p", &WHOLE.replacen(from, to, 1)).unwrap_err();
            assert!(fault.reason.contains(told), "{told}: {fault}");
        }
    }
}
