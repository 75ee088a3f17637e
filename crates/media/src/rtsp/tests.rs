//! Whole negotiations: overheard, asked for, and broken.

use model::media::{Essence, Sources};

use super::*;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=Harbour\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
    m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n\
    m=audio 0 RTP/AVP 0 97\r\na=rtpmap:97 L16/48000/2\r\na=control:rtsp://192.0.2.2/live/sound\r\n";

fn described(sequence: u32) -> String {
    format!(
        "RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nContent-Base: rtsp://192.0.2.2/live/\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

fn overheard() -> Overheard {
    Overheard::new("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:554".parse().unwrap())
}

/// Both sides' bytes of a negotiation with a unicast, a multicast and an interleaved medium.
fn negotiation() -> [(From, String); 8] {
    [
        (From::Client, "DESCRIBE rtsp://192.0.2.2/live RTSP/1.0\r\nCSeq: 1\r\n\r\n".into()),
        (From::Server, described(1)),
        (
            From::Client,
            "SETUP rtsp://192.0.2.2/live/trackID=0 RTSP/1.0\r\nCSeq: 2\r\n\
             Transport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n\
             SETUP rtsp://192.0.2.2/live/sound RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP;multicast\r\n\r\n"
                .into(),
        ),
        (
            From::Server,
            "RTSP/1.0 200 OK\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=5000-5001;\
             server_port=6000-6001\r\nSession: 7\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 3\r\nTransport: \
             RTP/AVP;multicast;destination=239.1.2.3;port=5004-5005;ttl=8\r\n\r\n"
                .into(),
        ),
        (
            From::Client,
            "SETUP rtsp://192.0.2.2/live/more RTSP/1.0\r\nCSeq: 4\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n\
             SETUP rtsp://192.0.2.2/live/no RTSP/1.0\r\nCSeq: 5\r\n\r\n"
                .into(),
        ),
        (
            From::Server,
            "RTSP/1.0 200 OK\r\nCSeq: 4\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n\
             $\u{0}\u{0}\u{5}abcde$\u{1}\u{0}\u{0}RTSP/1.0 461 No\r\nCSeq: 5\r\n\r\n"
                .into(),
        ),
        (From::Client, "TEARDOWN rtsp://192.0.2.2/live/trackID=0 RTSP/1.0\r\nCSeq: 6\r\n\r\n".into()),
        (From::Server, "RTSP/1.0 200 OK\r\nCSeq: 6\r\n\r\n".into()),
    ]
}

#[test]
fn a_negotiation_gives_its_sessions_however_it_is_cut() {
    for size in [1, 2, 7, 100, 100_000] {
        let mut both = overheard();
        for (time, (from, text)) in (1..).zip(negotiation()) {
            for piece in text.as_bytes().chunks(size) {
                both.feed(from, piece, Some(Timestamp::from_ns(time)));
            }
        }
        let sessions = both.sessions();
        let [video, sound] = &sessions[..] else { panic!("{sessions:#?}") };
        assert_eq!((video.name.as_str(), sound.name.as_str()), ("Harbour: video", "Harbour: audio"));
        assert_eq!(video.legs[0].destination, "192.0.2.1:5000".parse().unwrap());
        assert_eq!(video.legs[0].rtcp, Some("192.0.2.1:5001".parse().unwrap()));
        assert_eq!(video.legs[0].sources, Sources::Only(vec!["192.0.2.2".parse().unwrap()]));
        assert_eq!(video.formats[0].essence, Essence::Other("H264".into()));
        assert_eq!((video.first, video.ended), (Some(Timestamp::from_ns(4)), Some(Timestamp::from_ns(7))));
        assert_eq!(
            (sound.legs[0].destination, sound.legs[0].ttl),
            ("239.1.2.3:5004".parse().unwrap(), Some(8))
        );
        let sound_formats: Vec<_> = sound.formats.iter().map(|it| (it.payload_type, it.clock_rate)).collect();
        assert_eq!((sound_formats, sound.ended), (vec![(0, 8000), (97, 48_000)], None));
        both.close(Some(Timestamp::from_ns(9)));
        assert!(both.sessions().iter().all(|it| it.ended.is_some()));
    }
}

#[test]
fn what_is_not_rtsp_costs_nothing() {
    let mut both = overheard();
    for _ in 0..2000 {
        both.feed(From::Server, &[b'A'; 1000], None);
        both.feed(From::Client, b"GET / HTTP/1.1\r\n\r\n", None);
    }
    assert!(both.sessions().is_empty());
    // Set up again and again: one session for each address, and no more than are kept.
    let mut both = overheard();
    for sequence in 0..500 {
        let uri = format!("rtsp://192.0.2.2/{}", sequence % 300);
        both.feed(From::Client, format!("SETUP {uri} RTSP/1.0\r\nCSeq: {sequence}\r\n\r\n").as_bytes(), None);
        let answer =
            format!("RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nTransport: RTP/AVP;client_port=5000\r\n\r\n");
        both.feed(From::Server, answer.as_bytes(), None);
    }
    assert_eq!(both.sessions().len(), overheard::MOST_TRACKS);
}

/// Plays a server that answers with what it is given, one answer for each request.
fn ask(client: &mut Client, answers: &[&str]) -> Vec<String> {
    let mut requests = Vec::new();
    let mut answers = answers.iter();
    while let Some(request) = client.poll() {
        let request = String::from_utf8(request).unwrap();
        let sequence = request.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap();
        if let Some(answer) = answers.next() {
            client.handle(answer.replace("SEQ", sequence).as_bytes());
        }
        requests.push(request);
    }
    requests
}

#[test]
fn a_server_is_asked_and_told_who_we_are() {
    let no = "RTSP/1.0 401 No\r\nCSeq: SEQ\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\
        WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n";
    let stale = "RTSP/1.0 401 No\r\nCSeq: SEQ\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"m\", stale=TRUE\r\n\r\n";
    let yes = "RTSP/1.0 200 OK\r\nCSeq: SEQ\r\nPublic: DESCRIBE\r\n\r\n";
    let text = described(0).replace("CSeq: 0", "CSeq: SEQ");
    let mut client = Client::new("rtsp://user:word@camera:8554/live", None).unwrap();
    assert_eq!(client.authority(), "camera:8554");
    let requests = ask(&mut client, &[yes, no, stale, &text]);
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|it| !it.contains("word") && it.contains(" rtsp://camera:8554/live ")));
    assert!(
        requests[3].contains("Authorization: Digest username=\"user\"")
            && requests[3].contains("nonce=\"m\"")
    );
    let sessions = client.sessions("192.0.2.2:8554".parse().unwrap(), None);
    assert_eq!((sessions.len(), sessions[0].legs.len()), (2, 0), "an address is settled by SETUP");
    // The wrong password, or none.
    let mut client = Client::new("rtsp://user:word@camera/", None).unwrap();
    assert_eq!(ask(&mut client, &[no, no]).len(), 2);
    assert_eq!(client.outcome(), Some(&Outcome::NotBelieved));
    let mut client = Client::new("rtsp://camera/", None).unwrap();
    ask(&mut client, &[no]);
    assert_eq!(client.outcome(), Some(&Outcome::WhoAreYou));
}

#[test]
fn who_we_are_is_told_to_the_same_server_only() {
    let no = "RTSP/1.0 401 No\r\nCSeq: SEQ\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\r\n";
    let yes = "RTSP/1.0 200 OK\r\nCSeq: SEQ\r\n\r\n";
    let first = Client::new("rtsp://user:word@camera:8554/live", None).unwrap();
    for (place, outcome) in [
        ("rtsp://Camera:8554/other", None),
        ("rtsp://camera:8555/other", Some(Outcome::WhoAreYou)),
        ("rtsps://camera:8554/other", Some(Outcome::WhoAreYou)),
        ("rtsp://thief/live", Some(Outcome::WhoAreYou)),
    ] {
        let mut client = first.moved(place).unwrap();
        let requests = ask(&mut client, &[yes, no]);
        assert_eq!(client.outcome(), outcome.as_ref(), "{place}");
        assert_eq!(requests.last().unwrap().contains("Authorization: Basic "), outcome.is_none(), "{place}");
    }
    assert!(first.moved("http://camera:8554/").is_none());
    let mut silent = Client::new("rtsp://camera/", None).unwrap();
    silent.close();
    assert_eq!(silent.outcome(), Some(&Outcome::Ended));
}

#[test]
fn refusals_and_garbage_are_outcomes() {
    let yes = "RTSP/1.0 200 OK\r\nCSeq: SEQ\r\n\r\n";
    for (answer, outcome) in [
        ("RTSP/1.0 404 Not Found\r\nCSeq: SEQ\r\n\r\n", Some(Outcome::Refused(404))),
        (
            "RTSP/1.0 302 Moved\r\nCSeq: SEQ\r\nLocation: rtsp://b/\r\n\r\n",
            Some(Outcome::Moved("rtsp://b/".into())),
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", Some(Outcome::Broken)),
        // An answer to nothing that was asked.
        ("RTSP/1.0 404 Not Found\r\nCSeq: 99\r\n\r\n", None),
    ] {
        let mut client = Client::new("rtsp://camera/", None).unwrap();
        ask(&mut client, &[yes, answer]);
        assert_eq!(client.outcome(), outcome.as_ref());
    }
    for bad in ["http://a/", "rtsp://", "rtsp:///x", "rtsp://a/\r\n", "rtsp://a/ b"] {
        assert!(Client::new(bad, None).is_none(), "{bad}");
    }
}

#[test]
fn random_changes_break_nothing() {
    let whole: Vec<u8> = negotiation().iter().flat_map(|(_, text)| text.bytes()).collect();
    let mut state = 5_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..next() % 5 {
            let place = next() % bytes.len();
            bytes[place] = u8::try_from(next() % 256).unwrap();
        }
        bytes.rotate_left(next() % whole.len());
        check(&bytes);
    }
}
