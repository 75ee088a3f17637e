//! Announcements as bytes, and what becomes of them in time.

use flate2::{Compress, Compression, FlushCompress};
use model::{Timestamp, Utc};

use super::*;

const TEXT: &str = "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=Desk\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n\
                    c=IN IP4 239.69.1.1/32\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\n";

/// A header of 8 octets: version 1, these flags, no authentication, hash 0x1234, origin 192.0.2.1.
fn packet(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x20 | flags, 0, 0x12, 0x34, 192, 0, 2, 1];
    bytes.extend(body);
    bytes
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1_000);
    let mut state = Compress::new(Compression::best(), true);
    state.compress_vec(bytes, &mut packed, FlushCompress::Finish).unwrap();
    packed
}

fn at(seconds: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(seconds * 1_000_000_000)
}

const DESK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));

fn plain(announcement: &Announcement<'_>) -> (String, Vec<u8>) {
    match &announcement.payload {
        Payload::Plain { kind, bytes } => (kind.to_string(), bytes.to_vec()),
        Payload::Encrypted(_) => panic!("{announcement:?}"),
    }
}

#[test]
fn every_shape_of_header() {
    let bare = packet(0, TEXT.as_bytes());
    let announcement = parse(&bare).unwrap();
    assert_eq!((announcement.origin, announcement.hash, announcement.deletion), (DESK, 0x1234, false));
    let expected = (SDP.to_owned(), TEXT.as_bytes().to_vec());
    assert_eq!(plain(&announcement), expected);
    let named = packet(0, &[b"application/sdp\0", TEXT.as_bytes()].concat());
    assert_eq!(plain(&parse(&named).unwrap()), expected);
    let packed = packet(1, &zlib(&[b"application/sdp\0", TEXT.as_bytes()].concat()));
    let announcement = parse(&packed).unwrap();
    assert_eq!((plain(&announcement), announcement.compressed), (expected.clone(), true));
    // Two words of authentication.
    let mut signed = bare.clone();
    signed[1] = 2;
    signed.splice(8..8, [9; 8]);
    assert_eq!(
        (plain(&parse(&signed).unwrap()), parse(&signed).unwrap().authentication_bytes),
        (expected, 8)
    );
    let mut six = vec![0x30, 0, 0, 1];
    six.extend("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    six.extend(TEXT.as_bytes());
    assert_eq!(parse(&six).unwrap().origin, "2001:db8::1".parse::<IpAddr>().unwrap());
    assert_eq!(parse(&packet(2, b"secret")).unwrap().payload, Payload::Encrypted(6));
    let deletion = packet(4, b"application/sdp\0o=- 7 1 IN IP4 192.0.2.1\r\n");
    assert!(parse(&deletion).unwrap().deletion);
    assert_eq!(plain(&parse(&packet(0, b"text/html\0<p>")).unwrap()), ("text/html".into(), b"<p>".to_vec()));
}

#[test]
fn what_is_no_announcement() {
    let bare = packet(0, TEXT.as_bytes());
    for end in 0..8 {
        assert_eq!(parse(&bare[..end]).unwrap_err().at, end);
    }
    for (place, value, at) in [(0, 0x00, 0), (0, 0x40, 0), (1, 255, bare.len()), (0, 0x21, 8)] {
        let mut copy = bare.clone();
        copy[place] = value;
        assert_eq!(parse(&copy).unwrap_err().at, at, "{place} {value}");
    }
    // A bomb is no announcement, and takes no more memory than one.
    let bomb = zlib(&vec![b'a'; 10 << 20]);
    assert!(bomb.len() < 20_000);
    assert!(parse(&packet(1, &bomb)).is_err());
    let cut = packet(1, &zlib(TEXT.as_bytes()));
    assert!(parse(&cut[..cut.len() - 3]).is_err());
}

#[test]
fn what_is_written_is_read() {
    for origin in [DESK, "2001:db8::1".parse().unwrap()] {
        for deletion in [false, true] {
            let announcement = Announcement {
                origin,
                hash: hash(TEXT.as_bytes()),
                deletion,
                compressed: false,
                authentication_bytes: 0,
                payload: Payload::Plain { kind: SDP.into(), bytes: TEXT.as_bytes().into() },
            };
            assert_eq!(parse(&write(&announcement)), Ok(announcement));
        }
    }
    assert_ne!(hash(TEXT.as_bytes()), hash(&TEXT.as_bytes()[1..]));
    assert_ne!(hash(b""), 0);
}

#[test]
fn announcements_go_to_the_top_of_their_scope() {
    for (to, expected) in [
        ("239.255.3.4", "239.255.255.255"),
        ("239.192.3.4", "239.195.255.255"),
        ("239.69.1.1", "239.255.255.255"),
        ("224.2.128.9", "224.2.127.254"),
        ("232.1.1.1", "224.2.127.254"),
        ("ff35::8000:1", "ff05::2:7ffe"),
        ("ff0e::1", "ff0e::2:7ffe"),
    ] {
        assert_eq!(group(to.parse().unwrap()), expected.parse::<IpAddr>().unwrap(), "{to}");
    }
}

#[test]
fn sessions_come_stay_and_fall_silent() {
    let mut listener = Listener::default();
    let bytes = packet(0, TEXT.as_bytes());
    for minute in 0..4 {
        listener.handle(&bytes, DESK, at(minute * 600));
    }
    let [session] = <[_; 1]>::try_from(listener.snapshot()).unwrap();
    assert_eq!((session.first, session.last, session.ended), (Some(at(0)), Some(at(1_800)), None));
    assert_eq!((session.name.as_str(), session.source), ("Desk", model::media::SessionSource::Sap(DESK)));
    // Every ten minutes: silent for a hundred is still there.
    listener.pass(at(1_800 + 6_000));
    assert_eq!(listener.holding(), 1);
    listener.pass(at(1_800 + 6_001));
    assert_eq!((listener.holding(), listener.snapshot()[0].ended), (0, Some(at(7_801))));
    // It comes back.
    listener.handle(&bytes, DESK, at(9_000));
    assert_eq!((listener.holding(), listener.snapshot()[0].ended), (1, None));
    let mut once = Listener::default();
    once.handle(&bytes, DESK, at(0));
    once.pass(at(3_600));
    assert_eq!(once.holding(), 1);
    once.pass(at(3_601));
    assert_eq!(once.holding(), 0);
}

#[test]
fn only_who_announced_can_withdraw() {
    let mut listener = Listener::default();
    listener.handle(&packet(0, TEXT.as_bytes()), DESK, at(0));
    let by_hash = packet(4, b"");
    let by_line = {
        let mut bytes = packet(4, b"o=- 7 1 IN IP4 192.0.2.1\r\n");
        bytes[3] = 0x99;
        bytes
    };
    listener.handle(&by_line, OTHER, at(1));
    assert_eq!((listener.holding(), listener.counts().not_believed), (1, 1));
    let mut named = packet(4, b"application/sdp\0");
    listener.handle(&named, OTHER, at(1));
    assert_eq!((listener.holding(), listener.counts().not_believed), (1, 2));
    listener.handle(&by_line, DESK, at(2));
    assert_eq!((listener.holding(), listener.snapshot()[0].ended), (0, Some(at(2))));
    named[3] = 0x77;
    listener.handle(&named, DESK, at(3));
    assert_eq!(listener.counts().unknown_deletions, 1);
    // Without a type nobody can say what is withdrawn.
    listener.handle(&by_hash, DESK, at(3));
    assert_eq!(listener.counts().other_kinds, 1);
}

#[test]
fn a_new_version_takes_the_place_of_the_old() {
    let mut listener = Listener::default();
    listener.handle(&packet(0, TEXT.as_bytes()), DESK, at(0));
    let newer = TEXT.replace("7 1 IN", "7 2 IN").replace("5004", "5008");
    let mut bytes = packet(0, newer.as_bytes());
    bytes[3] = 0x35;
    listener.handle(&bytes, DESK, at(10));
    let [session] = <[_; 1]>::try_from(listener.snapshot()).unwrap();
    assert_eq!(
        (session.legs[0].destination.port(), session.first, session.last),
        (5008, Some(at(0)), Some(at(10)))
    );
    // From another host it is another's word, and the first one stands.
    listener.handle(&bytes, OTHER, at(11));
    assert_eq!((listener.holding(), listener.counts().not_believed), (2, 1));
    // No hash: the payload tells.
    let mut old = packet(0, TEXT.replace("7 1 IN", "8 1 IN").as_bytes());
    (old[2], old[3]) = (0, 0);
    listener.handle(&old, DESK, at(12));
    listener.handle(&old, DESK, at(13));
    assert_eq!(listener.holding(), 3);
}

#[test]
fn each_packet_tells_what_it_changed_and_what_is_over_by_it() {
    let told = |sessions: Vec<model::media::Session>| -> Vec<(u16, bool)> {
        sessions.iter().map(|it| (it.legs[0].destination.port(), it.ended.is_some())).collect()
    };
    let mut listener = Listener::default();
    let second =
        TEXT.split_once("m=").map(|(_, medium)| format!("m={medium}").replace("5004", "5006")).unwrap();
    let both = packet(0, [TEXT, &second].concat().as_bytes());
    assert_eq!(told(listener.handle(&both, DESK, at(0))), [(5004, false), (5006, false)]);
    assert_eq!(told(listener.handle(&both, DESK, at(30))), [(5004, false), (5006, false)]);
    // The next version has the first medium only.
    let mut one = packet(0, TEXT.replace("7 1 IN", "7 2 IN").as_bytes());
    one[3] = 0x35;
    assert_eq!(told(listener.handle(&one, DESK, at(60))), [(5006, true), (5004, false)]);
    // Another session under the same hash takes its place.
    let mut other = packet(0, TEXT.replace("7 1 IN", "9 1 IN").replace("5004", "5010").as_bytes());
    other[3] = 0x35;
    assert_eq!(told(listener.handle(&other, DESK, at(90))), [(5004, true), (5010, false)]);
    assert_eq!(told(listener.handle(b"noise", DESK, at(91))), []);
    assert_eq!(told(listener.pass(at(100))), []);
    assert_eq!(told(listener.pass(at(50_000))), [(5010, true)]);
    assert_eq!(told(listener.handle(&other, DESK, at(50_001))), [(5010, false)]);
    let mut gone = packet(4, b"o=- 9 1 IN IP4 192.0.2.1\r\n");
    gone[3] = 0x35;
    assert_eq!(told(listener.handle(&gone, DESK, at(50_002))), [(5010, true)]);
}

#[test]
fn a_change_that_the_header_hides_is_seen() {
    let mut listener = Listener::default();
    listener.handle(&packet(0, TEXT.as_bytes()), DESK, at(0));
    listener.handle(&packet(0, TEXT.replace("5004", "5008").as_bytes()), DESK, at(10));
    let [session] = <[_; 1]>::try_from(listener.snapshot()).unwrap();
    assert_eq!((session.legs[0].destination.port(), session.first), (5008, Some(at(0))));
}

#[test]
fn a_description_can_say_when_it_is_over() {
    let mut listener = Listener::default();
    // Until 1970-01-01 00:00:50, in seconds since 1900.
    let text = TEXT.replace("t=0 0", "t=2208988800 2208988850");
    listener.handle(&packet(0, text.as_bytes()), DESK, at(10));
    listener.pass(at(50));
    assert_eq!(listener.holding(), 1);
    listener.pass(at(51));
    assert_eq!((listener.holding(), listener.snapshot()[0].ended), (0, Some(at(50))));
    // Whoever goes on announcing it does not make it go on.
    listener.handle(&packet(0, text.as_bytes()), DESK, at(60));
    assert_eq!(listener.holding(), 0);
}

#[test]
fn one_announcement_is_not_many_sessions() {
    let mut listener = Listener::default();
    let text = TEXT.replace("audio 5004", "audio 5004/60").repeat(20);
    listener.handle(&packet(0, text.as_bytes()), DESK, at(0));
    assert_eq!(listener.snapshot().len(), listener::MAX_SESSIONS);
}

#[test]
fn what_cannot_be_read_is_counted() {
    let mut listener = Listener::default();
    listener.handle(b"noise", DESK, at(0));
    listener.handle(&packet(2, b"secret"), DESK, at(0));
    listener.handle(&packet(0, b"text/html\0<p>"), DESK, at(0));
    let counts = listener.counts();
    assert_eq!((counts.packets, counts.faults, counts.encrypted, counts.other_kinds), (3, 1, 1, 1));
    assert_eq!(listener.snapshot(), []);
}

#[test]
fn memory_is_bounded_and_what_holds_stays() {
    let mut listener = Listener::default();
    let text = |number: usize| TEXT.replace("- 7 1", &format!("- {number} 1"));
    for number in 0..listener::MAX_ANNOUNCEMENTS + 10 {
        let mut bytes = packet(0, text(number).as_bytes());
        let [.., high, low] = number.to_be_bytes();
        (bytes[2], bytes[3]) = (high | 0x80, low);
        listener.handle(&bytes, DESK, at(0));
    }
    assert_eq!((listener.holding(), listener.counts().left_out), (listener::MAX_ANNOUNCEMENTS, 10));
    listener.handle(&packet(4, b"o=- 5 1 IN IP4 192.0.2.1\r\n"), DESK, at(1));
    let mut bytes = packet(0, text(100_000).as_bytes());
    bytes[3] = 1;
    listener.handle(&bytes, DESK, at(2));
    assert_eq!((listener.holding(), listener.counts().left_out), (listener::MAX_ANNOUNCEMENTS, 10));
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let samples = [
        packet(0, TEXT.as_bytes()),
        packet(0, &[b"application/sdp\0", TEXT.as_bytes()].concat()),
        packet(1, &zlib(TEXT.as_bytes())),
        packet(4, b"application/sdp\0o=- 7 1 IN IP4 192.0.2.1\r\n"),
    ];
    let mut seed = 9_u64;
    for sample in samples {
        for end in 0..sample.len() {
            check(&sample[..end]);
        }
        for _ in 0..500 {
            let mut copy = sample.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[2];
            }
            check(&copy);
        }
    }
}
