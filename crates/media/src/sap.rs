//! Session announcements (RFC 2974).
//!
//! Anybody can announce anything: what is learnt here is worth less than what a document or a controller says, and
//! only the host that announced a session can take it back.

mod announcer;
mod listener;

use std::borrow::Cow;
use std::net::IpAddr;

pub use announcer::Announcer;
use flate2::{Decompress, FlushDecompress, Status};
pub use listener::{Counts, Listener};
use wire::Fault;
use wire::cursor::{array, be16};

/// Where announcements go: the port.
pub const PORT: u16 = 9875;
/// What a payload may become by unpacking: an announcement should fit one kilobyte (RFC 2974 §6).
pub const MAX_UNPACKED: usize = 64 * 1024;
/// The type of payload that is described by RFC 8866.
pub const SDP: &str = "application/sdp";

/// One announcement, or the word that one is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement<'a> {
    /// Who made it, as it says itself.
    pub origin: IpAddr,
    /// With the origin, what tells it from others; 0 for none.
    pub hash: u16,
    /// Whether it withdraws a session.
    pub deletion: bool,
    /// Whether it was packed with zlib.
    pub compressed: bool,
    /// Octets of authentication data, which are passed over.
    pub authentication_bytes: u16,
    /// What it says.
    pub payload: Payload<'a>,
}

/// What an announcement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A payload of a type.
    Plain {
        /// `application/sdp`, also where it is not said and the payload begins with `v=0`.
        kind: Cow<'a, str>,
        /// The payload.
        bytes: Cow<'a, [u8]>,
    },
    /// Nobody but its receivers can read it; so many octets.
    Encrypted(usize),
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "sap", at, what }
}

/// Whether bytes that came to a port may be an announcement: to its own port any of the version, to others only one
/// that shows a description.
pub fn is_likely(bytes: &[u8], port: u16) -> bool {
    let begin = bytes.get(8..bytes.len().min(96)).unwrap_or_default();
    // Where a description begins: behind one of the letters that it begins with.
    let shows = || {
        let mut behind = begin.split(|byte| *byte == b'v').skip(1);
        behind.any(|rest| rest.starts_with(b"=0\r\no=") || rest.starts_with(b"=0\no="))
    };
    bytes.first().is_some_and(|flags| flags >> 5 == 1) && (port == PORT || begin.contains(&b'v') && shows())
}

/// Reads one packet (RFC 2974 §6).
pub fn parse(bytes: &[u8]) -> Result<Announcement<'_>, Fault> {
    let (Some(flags), Some(words), Some(hash)) = (bytes.first(), bytes.get(1), be16(bytes, 2)) else {
        return Err(fault(bytes.len(), "shorter than its header (RFC 2974 §6)"));
    };
    if flags >> 5 != 1 {
        return Err(fault(0, "not version 1 (RFC 2974 §6)"));
    }
    let (origin, at) = if flags & 0x10 == 0 {
        (array::<4>(bytes, 4).map(IpAddr::from), 8)
    } else {
        (array::<16>(bytes, 4).map(IpAddr::from), 20)
    };
    let origin = origin.ok_or_else(|| fault(bytes.len(), "ends within its origin (RFC 2974 §6)"))?;
    let authentication_bytes = u16::from(*words) * 4;
    let at = at + usize::from(authentication_bytes);
    let body = bytes.get(at..).ok_or_else(|| fault(bytes.len(), "ends within its authentication data"))?;
    let compressed = flags & 1 != 0;
    let payload = if flags & 2 != 0 {
        Payload::Encrypted(body.len())
    } else if compressed {
        let unpacked =
            unpack(body).ok_or_else(|| fault(at, "not zlib, or more than an announcement can be"))?;
        let (kind, bytes) = split(&unpacked);
        Payload::Plain { kind: Cow::Owned(kind.into_owned()), bytes: Cow::Owned(bytes.to_vec()) }
    } else {
        let (kind, bytes) = split(body);
        Payload::Plain { kind, bytes: Cow::Borrowed(bytes) }
    };
    Ok(Announcement { origin, hash, deletion: flags & 4 != 0, compressed, authentication_bytes, payload })
}

/// The type of a payload and the payload. A description needs no type (RFC 2974 §6); a withdrawal may be one line.
fn split(body: &[u8]) -> (Cow<'_, str>, &[u8]) {
    if body.starts_with(b"v=0") || body.starts_with(b"o=") {
        return (Cow::Borrowed(SDP), body);
    }
    match body
        .iter()
        .position(|byte| *byte == 0)
        .and_then(|end| Some((body.get(..end)?, body.get(end + 1..)?)))
    {
        Some((kind, rest)) => (String::from_utf8_lossy(kind), rest),
        None => (Cow::Borrowed(""), body),
    }
}

/// Unpacks as much as an announcement may have, and not an octet more.
fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut room = vec![0; MAX_UNPACKED];
    let mut state = Decompress::new(true);
    let status = state.decompress(bytes, &mut room, FlushDecompress::Finish).ok()?;
    room.truncate(usize::try_from(state.total_out()).ok()?);
    room.shrink_to_fit();
    (status == Status::StreamEnd).then_some(room)
}

/// Writes one packet, unpacked and without authentication.
pub fn write(announcement: &Announcement<'_>) -> Vec<u8> {
    let Announcement { origin, hash, deletion, payload, .. } = announcement;
    let is_six = u8::from(origin.is_ipv6());
    let encrypted = u8::from(matches!(payload, Payload::Encrypted(_)));
    let mut bytes = vec![0x20 | is_six << 4 | u8::from(*deletion) << 2 | encrypted << 1, 0];
    bytes.extend(hash.to_be_bytes());
    match origin {
        IpAddr::V4(address) => bytes.extend(address.octets()),
        IpAddr::V6(address) => bytes.extend(address.octets()),
    }
    if let Payload::Plain { kind, bytes: body } = payload {
        bytes.extend(kind.bytes().filter(|byte| *byte != 0));
        bytes.push(0);
        bytes.extend(&**body);
    }
    bytes
}

/// A hash of a description: another for each version, and never zero (RFC 2974 §6).
pub fn hash(description: &[u8]) -> u16 {
    let mixed = description
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = mixed.to_be_bytes();
    let folded = u16::from_be_bytes([a ^ c, b ^ d]);
    if folded == 0 { 1 } else { folded }
}

/// Where the announcement of a session to this group goes: the highest address of its scope (RFC 2974 §3).
pub fn group(destination: IpAddr) -> IpAddr {
    match destination {
        IpAddr::V4(address) => match address.octets() {
            // The local scope and the organisation's (RFC 2365 §6.1, §6.2).
            [239, 255, ..] => [239, 255, 255, 255].into(),
            [239, 192..=195, ..] => [239, 195, 255, 255].into(),
            // AES67 devices listen here for all of 239/8.
            [239, ..] => [239, 255, 255, 255].into(),
            _ => [224, 2, 127, 254].into(),
        },
        IpAddr::V6(address) => {
            let scope = match address.segments() {
                [first, ..] if first & 0xff00 == 0xff00 => first & 0xf,
                _ => 0xe,
            };
            [0xff00 | scope, 0, 0, 0, 0, 0, 2, 0x7ffe].into()
        }
    }
}

/// What must hold of any input; used by the fuzz target and the seeded tests.
pub fn check(bytes: &[u8]) {
    let now = model::Timestamp::from_ns(1_000);
    let source = IpAddr::from([192, 0, 2, 1]);
    let mut listener = Listener::default();
    listener.handle(bytes, source, now);
    let counts = listener.counts();
    assert_eq!(counts.packets, 1);
    let Ok(announcement) = parse(bytes) else {
        assert_eq!(counts.faults, 1);
        assert_eq!(listener.snapshot(), []);
        return;
    };
    if let Payload::Plain { kind, bytes: body } = &announcement.payload {
        assert!(body.len() <= MAX_UNPACKED.max(bytes.len()));
        // What is written is read again, whatever it was packed in.
        let written = write(&announcement);
        let again = parse(&written).map(|again| (again.origin, again.hash, again.deletion, again.payload));
        let plain = !kind.is_empty() && !kind.starts_with("v=0") && !kind.starts_with("o=");
        if plain {
            let Announcement { origin, hash, deletion, payload, .. } = announcement.clone();
            assert_eq!(again, Ok((origin, hash, deletion, payload)));
        }
    }
    let sessions = listener.snapshot();
    assert!(sessions.iter().all(|session| session.first.is_some() && !session.legs.is_empty()));
    // Heard twice is one session; silence ends it.
    listener.handle(bytes, source, model::Timestamp::from_ns(2_000));
    assert_eq!(listener.snapshot().len(), sessions.len());
    listener.pass(model::Timestamp::from_ns(i64::MAX));
    assert!(listener.snapshot().iter().all(|session| session.ended.is_some()));
}

#[cfg(test)]
mod tests;
