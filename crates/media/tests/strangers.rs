//! Others read the session descriptions that we write: ffprobe hears the streams, GStreamer knows their formats.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "in a test a panic is how it fails, and it says what it skips"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::media::{
    AncillaryFormat, AudioFormat, Colorimetry, Depth, Essence, Format, Leg, MediaClock, Packing, Range,
    Ratio, ReferenceClock, Sampling, Scan, Session, SessionSource, Sources, Transfer, VideoFormat,
};
use portreeve_media::sdp::{self, Origin};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn session(destination: SocketAddr, format: Format) -> Session {
    Session {
        name: "Strangers".into(),
        identity: String::new(),
        source: SessionSource::File("strangers".into()),
        formats: vec![format],
        legs: vec![Leg { destination, sources: Sources::Only(vec![HERE]), rtcp: None, ttl: None }],
        reference: Some(ReferenceClock::Ptp {
            version: "IEEE1588-2008".into(),
            grandmaster: None,
            domain: None,
        }),
        media_clock: Some(MediaClock::Direct { offset: 0, rate: None }),
        first: None,
        last: None,
        ended: None,
    }
}

fn video(sampling: Sampling, depth: Depth, scan: Scan) -> Format {
    let format = VideoFormat {
        sampling,
        depth,
        width: 64,
        height: 16,
        frame_rate: Ratio::new(30_000, 1001).unwrap(),
        scan,
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: None,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1).unwrap(),
    };
    Format { payload_type: 96, clock_rate: 90_000, essence: Essence::Video(format) }
}

fn audio(bits: u8, channels: u16) -> Format {
    let format = AudioFormat {
        bits,
        am824: bits == 32,
        sample_rate: 48_000,
        channels,
        packet_time_ns: Some(1_000_000),
        channel_order: "ST".into(),
    };
    Format { payload_type: 97, clock_rate: 48_000, essence: Essence::Audio(format) }
}

fn ancillary() -> Format {
    let format = AncillaryFormat {
        frame_rate: Ratio::new(25, 1),
        kinds: vec![(0x61, 0x02)],
        low_latency: false,
        vpid_code: Some(133),
    };
    Format { payload_type: 100, clock_rate: 90_000, essence: Essence::Ancillary(format) }
}

fn plain(payload_type: u8, clock_rate: u32, essence: Essence) -> Format {
    Format { payload_type, clock_rate, essence }
}

fn text(sessions: &[Session]) -> String {
    sdp::write(&sdp::describe(sessions, &Origin::new(1, 1, HERE)))
}

/// One RTP packet.
fn packet(payload_type: u8, sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend([1, 2, 3, 4]);
    bytes.extend(payload);
    bytes
}

/// What ffprobe says of a stream that it hears.
fn probe(format: Format, packets: impl Fn(u16) -> Vec<Vec<u8>>) -> Option<String> {
    let socket = UdpSocket::bind((HERE, 0)).unwrap();
    // An even port with a free neighbour, from those the system gives.
    let port = (0..100)
        .map(|_| UdpSocket::bind((HERE, 0)).unwrap())
        .map(|socket| socket.local_addr().unwrap().port() & !1)
        .find(|port| UdpSocket::bind((HERE, *port)).is_ok() && UdpSocket::bind((HERE, *port + 1)).is_ok())?;
    let to = SocketAddr::new(HERE, port);
    let place = std::env::temp_dir().join(format!("portreeve-{}-{port}.sdp", std::process::id()));
    std::fs::write(&place, text(&[session(to, format)])).unwrap();
    let child = Command::new("ffprobe")
        .args(["-v", "debug", "-hide_banner", "-protocol_whitelist", "file,udp,rtp", "-show_streams", "-i"])
        .arg(&place)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: no ffprobe to read what we describe");
        return None;
    };
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let ready = errors.any(|line| line.contains("Before avformat_find_stream_info"));
    let rest = std::thread::spawn(move || errors.for_each(drop));
    if ready {
        send(&socket, to, &mut child, packets);
    }
    let _ = child.kill();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    rest.join().unwrap();
    std::fs::remove_file(&place).unwrap();
    assert!(ready, "ffprobe does not read what we describe");
    Some(said)
}

/// Sends until ffprobe knows enough. The time between is the wait for an answer that does not come.
fn send(socket: &UdpSocket, to: SocketAddr, child: &mut Child, packets: impl Fn(u16) -> Vec<Vec<u8>>) {
    socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    for round in 0..4_000 {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        for bytes in packets(round) {
            // Its port closes when it has heard enough.
            let _ = socket.send_to(&bytes, to);
        }
        let _ = socket.recv(&mut [0; 1]);
    }
}

#[test]
fn ffprobe_hears_audio() {
    for (bits, codec) in [(16, "pcm_s16be"), (24, "pcm_s24be")] {
        let octets = 48 * 2 * usize::from(bits) / 8;
        let sound = move |round: u16| vec![packet(97, round, u32::from(round) * 48, false, &vec![0; octets])];
        let Some(said) = probe(audio(bits, 2), sound) else { return };
        for fact in [&format!("codec_name={codec}"), "sample_rate=48000", "channels=2"] {
            assert!(said.lines().any(|line| line == fact), "{fact}\n{said}");
        }
    }
}

#[test]
fn ffprobe_sees_video() {
    for (depth, codec, row_octets) in [(Depth::Eight, "rawvideo", 128_u16), (Depth::Ten, "bitpacked", 160)] {
        let picture = move |round: u16| {
            (0..16_u16)
                .map(|row| {
                    let mut payload = vec![0, 0];
                    payload.extend(row_octets.to_be_bytes());
                    payload.extend(row.to_be_bytes());
                    payload.extend([0, 0]);
                    payload.resize(8 + usize::from(row_octets), 0x40);
                    packet(96, round.wrapping_mul(16) + row, u32::from(round) * 3003, row == 15, &payload)
                })
                .collect()
        };
        let Some(said) = probe(video(Sampling::YCbCr422, depth, Scan::Progressive), picture) else { return };
        for fact in [&format!("codec_name={codec}"), "width=64", "height=16"] {
            assert!(said.lines().any(|line| line == fact), "{fact}\n{said}");
        }
    }
}

/// Prints the caps that GStreamer makes of each medium, one line each, or the word that it cannot.
const CAPS: &str = r#"
import sys
try:
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstSdp", "1.0")
    from gi.repository import Gst, GstSdp
except (ImportError, ValueError):
    print("MISSING")
    sys.exit(0)
Gst.init(None)
result, message = GstSdp.SDPMessage.new_from_text(sys.stdin.read())
assert result == GstSdp.SDPResult.OK, result
print("name", message.get_session_name())
for index in range(message.medias_len()):
    media = message.get_media(index)
    number = int(media.get_format(0))
    caps = media.get_caps_from_media(number)
    if caps:
        media.attributes_to_caps(caps)
    connection = media.get_connection(0)
    print(media.get_media(), media.get_port(), connection.address, connection.ttl, caps.to_string() if caps else None)
"#;

#[test]
fn gstreamer_knows_every_format() {
    let to = |port| SocketAddr::new([239, 1, 1, 1].into(), port);
    let formats = [
        video(Sampling::YCbCr422, Depth::Ten, Scan::Interlaced),
        video(Sampling::Rgb, Depth::Twelve, Scan::Progressive),
        audio(16, 2),
        audio(24, 2),
        audio(32, 2),
        ancillary(),
        plain(98, 27_000_000, Essence::Sdi),
        plain(33, 90_000, Essence::TransportStream),
        plain(99, 90_000, Essence::FastMetadata(vec![0x100])),
        plain(101, 90_000, Essence::TimedText),
    ];
    let ports = (5_000..).step_by(2);
    let sessions: Vec<Session> =
        formats.into_iter().zip(ports).map(|(format, port)| session(to(port), format)).collect();
    // The interpreter of the system, which the bindings are installed for, comes first.
    let python = ["/usr/bin/python3", "python3"].into_iter().find_map(|python| {
        let command = Command::new(python)
            .args(["-W", "ignore", "-c", CAPS])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        command.ok()
    });
    let Some(mut child) = python else {
        eprintln!("SKIPPED: no python3 to ask GStreamer");
        return;
    };
    child.stdin.take().unwrap().write_all(text(&sessions).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    if said.trim() == "MISSING" {
        eprintln!("SKIPPED: no GstSdp for python3 (gir1.2-gst-plugins-base-1.0) to read what we describe");
        return;
    }
    assert!(output.status.success());
    // Values are quoted and escaped for GStreamer's own parser.
    let said = said.replace(['\\', '"'], "");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines.len(), lines.first()), (sessions.len() + 1, Some(&"name Strangers")), "{said}");
    let facts: [&[&str]; 10] = [
        &[
            "video 5000 239.1.1.1 64 ",
            "encoding-name=(string)RAW",
            "sampling=(string)YCbCr-4:2:2",
            "width=(string)64",
            "height=(string)16",
            "depth=(string)10",
            "exactframerate=(string)30000/1001",
            "colorimetry=(string)BT709",
            "interlace=(string)",
        ],
        &["video 5002 ", "sampling=(string)RGB", "depth=(string)12", "clock-rate=(int)90000"],
        &["audio 5004 ", "encoding-name=(string)L16", "clock-rate=(int)48000", "encoding-params=(string)2"],
        &[
            "audio 5006 ",
            "encoding-name=(string)L24",
            "channel-order=(string)SMPTE2110.(ST)",
            "a-ptime=(string)1",
        ],
        &["audio 5008 ", "encoding-name=(string)AM824"],
        &["video 5010 ", "encoding-name=(string)SMPTE291", "did_sdid=(string){0x61,0x02}"],
        &["video 5012 ", "encoding-name=(string)SMPTE2022-6", "clock-rate=(int)27000000"],
        &["video 5014 ", "encoding-name=(string)MP2T", "payload=(int)33"],
        &["application 5016 ", "encoding-name=(string)ST2110-41", "dit=(string)100"],
        &["application 5018 ", "encoding-name=(string)TTML+XML"],
    ];
    for (line, facts) in lines.iter().skip(1).zip(facts) {
        for fact in facts {
            // Newer releases keep the letters of a key, older ones write them small.
            assert!(line.to_lowercase().contains(&fact.to_lowercase()), "{fact}\n{line}");
        }
        assert!(line.contains("a-ts-refclk") && line.contains("a-mediaclk"), "{line}");
    }
}
