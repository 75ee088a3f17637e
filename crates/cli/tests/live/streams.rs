//! Strangers receive what we send, and we receive what they send: pictures and sound are equal, bit by bit.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::{Stage, possible};
use crate::support::err;

const US: &str = env!("CARGO_BIN_EXE_portreeve");
const FFMPEG: &[&str] = &["ffmpeg", "-nostdin", "-v", "error"];
const PICTURE: &[&str] =
    &["--to", "239.1.1.1:5004", "-i", "lo", "--modest", "--no-progress", "--raster", "320x180p25"];
const SOUND: &[&str] =
    &["--to", "239.1.1.2:5004", "-i", "lo", "--modest", "--no-progress", "--signal", "sweep"];
const PIXELS: usize = 320 * 180;

/// A namespace in which groups are heard on the loopback interface.
fn stage(name: &str) -> Stage {
    let stage = Stage::new(name);
    stage.sh("ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo");
    stage
}

impl Stage {
    fn file(&self, name: &str) -> PathBuf {
        self.home.0.join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    fn begin(&self, words: &[&str]) -> Child {
        self.command(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Sends for so many seconds, and gives what it tells of it.
    fn send(&self, kind: &str, common: &[&str], more: &[&str], seconds: &str) -> Value {
        let mut words = vec![US, "media", "send", kind];
        words.extend_from_slice(common);
        words.extend_from_slice(more);
        words.extend_from_slice(&["--json", "--duration", seconds]);
        let output = self.command(&words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The description of what will be sent.
    fn describe(&self, kind: &str, common: &[&str], more: &[&str]) -> String {
        let path = self.path(&format!("{kind}.sdp"));
        let mut all = more.to_vec();
        all.extend_from_slice(&["--sdp", &path]);
        self.send(kind, common, &all, "0.05");
        path
    }
}

fn ended(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Cuts a file into pieces of one length; what is left over is no piece.
fn pieces(stage: &Stage, name: &str, bytes: usize) -> Vec<Vec<u8>> {
    let whole = std::fs::read(stage.file(name)).unwrap_or_default();
    whole.chunks_exact(bytes).map(Vec::from).collect()
}

/// How many of theirs are among ours. The first may have begun before they listened.
fn equal(ours: &[Vec<u8>], theirs: &[Vec<u8>]) -> usize {
    let ours: HashSet<&Vec<u8>> = ours.iter().collect();
    theirs.iter().filter(|one| ours.contains(one)).count()
}

#[test]
fn ffmpeg_receives_our_pictures() {
    if !possible("ffmpeg receives our pictures", &["ffmpeg"]) {
        return;
    }
    // What it reads of RFC 4175. Its 4:2:0 takes pixel groups for planes.
    for (kind, sampling, depth, form, bytes) in [
        ("wide", "YCbCr-4:2:2", "8", "yuv422p", PIXELS * 2),
        ("wide", "YCbCr-4:2:2", "10", "yuv422p10le", PIXELS * 4),
        // Its packets go on in the next row.
        ("narrow-linear", "YCbCr-4:2:2", "10", "yuv422p10le", PIXELS * 4),
        ("wide", "RGB", "8", "gbrp", PIXELS * 3),
    ] {
        let stage = stage("streams-ffmpeg");
        let format = ["--type", kind, "--sampling", sampling, "--depth", depth, "--signal", "zone-plate"];
        let sdp = stage.describe("video", PICTURE, &format);
        let (ours, theirs) = (stage.path("ours"), stage.path("theirs"));
        let us = stage.begin(&[
            US,
            "media",
            "receive",
            &sdp,
            "-i",
            "lo",
            "-o",
            &ours,
            "--duration",
            "6",
            "--json",
        ]);
        let mut words = FFMPEG.to_vec();
        words.extend_from_slice(&["-protocol_whitelist", "file,udp,rtp", "-i", &sdp, "-frames:v", "12"]);
        words.extend_from_slice(&["-pix_fmt", form, "-f", "rawvideo", "-y", &theirs]);
        let them = stage.begin(&words);
        stage.send("video", PICTURE, &format, "5");
        ended(them);
        let told: Value = serde_json::from_str(&ended(us)).unwrap();
        assert_eq!(told["legs"][0]["dropped"], 0);
        let (ours, theirs) = (pieces(&stage, "ours", bytes), pieces(&stage, "theirs", bytes));
        let found = equal(&ours, &theirs);
        assert!(theirs.len() == 12 && found >= 10, "{kind} {sampling} {depth}: {found} of {}", theirs.len());
    }
}

#[test]
fn gstreamer_receives_our_pictures() {
    if !possible("gstreamer receives our pictures", &["gst-launch-1.0"]) {
        return;
    }
    for (kind, sampling, depth, theirs_bytes, ours_bytes) in [
        ("wide", "YCbCr-4:2:0", "8", PIXELS * 3 / 2, PIXELS * 3 / 2),
        ("wide", "YCbCr-4:2:2", "10", PIXELS / 2 * 5, PIXELS * 4),
        ("narrow-linear", "YCbCr-4:2:2", "10", PIXELS / 2 * 5, PIXELS * 4),
    ] {
        let stage = stage("streams-gstreamer");
        let format = ["--type", kind, "--sampling", sampling, "--depth", depth, "--signal", "zone-plate"];
        let sdp = stage.describe("video", PICTURE, &format);
        let (ours, theirs) = (stage.path("ours"), stage.path("theirs"));
        let us = stage.begin(&[
            US,
            "media",
            "receive",
            &sdp,
            "-i",
            "lo",
            "-o",
            &ours,
            "--duration",
            "6",
            "--json",
        ]);
        let caps = format!(
            "application/x-rtp,media=video,clock-rate=90000,encoding-name=RAW,sampling=(string){sampling},depth=(string){depth},width=(string)320,height=(string)180,colorimetry=(string)BT601-5,payload=96"
        );
        let line = format!(
            "gst-launch-1.0 -q udpsrc address=239.1.1.1 port=5004 multicast-iface=lo buffer-size=4000000 caps='{caps}' ! rtpvrawdepay ! identity eos-after=12 ! filesink location={theirs}"
        );
        let them = stage.begin(&["timeout", "20", "sh", "-c", &line]);
        stage.send("video", PICTURE, &format, "5");
        ended(them);
        ended(us);
        let ours = pieces(&stage, "ours", ours_bytes);
        let mut theirs = pieces(&stage, "theirs", theirs_bytes);
        if depth == "10" {
            theirs.iter_mut().for_each(|frame| *frame = planes_of_uyvp(frame));
        }
        let found = equal(&ours, &theirs);
        assert!(theirs.len() >= 11 && found >= 10, "{kind} {sampling} {depth}: {found} of {}", theirs.len());
    }
}

/// Planes of 16 bits from groups of five octets: Cb, Y, Cr, Y, 10 bits each.
fn planes_of_uyvp(frame: &[u8]) -> Vec<u8> {
    let mut planes = [Vec::new(), Vec::new(), Vec::new()];
    for group in frame.chunks_exact(5) {
        let bits = group.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
        for (plane, shift) in [(1, 30), (0, 20), (2, 10), (0, 0)] {
            let sample = u16::try_from(bits >> shift & 0x3ff).unwrap();
            planes[plane].extend_from_slice(&sample.to_le_bytes());
        }
    }
    planes.concat()
}

#[test]
fn ffmpeg_receives_our_sound() {
    if !possible("ffmpeg receives our sound", &["ffmpeg"]) {
        return;
    }
    for (encoding, channels, packet_time, form, bytes) in
        [("L24", "2", "1", "s24be", 288), ("L24", "8", "0.125", "s24be", 144), ("L16", "1", "1", "s16be", 96)]
    {
        let stage = stage("streams-sound");
        let format = ["--encoding", encoding, "--channels", channels, "--packet-time", packet_time];
        let sdp = stage.describe("audio", SOUND, &format);
        let (ours, theirs) = (stage.path("ours.wav"), stage.path("theirs"));
        let us = stage.begin(&[
            US,
            "media",
            "receive",
            &sdp,
            "-i",
            "lo",
            "-o",
            &ours,
            "--duration",
            "6",
            "--json",
        ]);
        let mut words = FFMPEG.to_vec();
        words.extend_from_slice(&[
            "-protocol_whitelist",
            "file,udp,rtp",
            "-i",
            &sdp,
            "-t",
            "2",
            "-c:a",
            "copy",
        ]);
        words.extend_from_slice(&["-f", form, "-y", &theirs]);
        let them = stage.begin(&words);
        stage.send("audio", SOUND, &format, "5");
        ended(them);
        ended(us);
        // WAV is little-endian.
        let octets = if encoding == "L24" { 3 } else { 2 };
        let wav = std::fs::read(stage.file("ours.wav")).unwrap();
        let (head, samples) = wav.split_at(104);
        assert_eq!(head[..4], *b"RIFF");
        let ours: Vec<u8> =
            samples.chunks_exact(octets).flat_map(|sample| sample.iter().rev().copied()).collect();
        let ours: Vec<Vec<u8>> = ours.chunks_exact(bytes).map(Vec::from).collect();
        let theirs = pieces(&stage, "theirs", bytes);
        let found = equal(&ours, &theirs);
        assert!(theirs.len() > 500 && found + 5 >= theirs.len(), "{encoding}: {found} of {}", theirs.len());
    }
}

#[test]
fn pictures_of_ffmpeg_are_received() {
    if !possible("pictures of ffmpeg are received", &["ffmpeg"]) {
        return;
    }
    let stage = stage("streams-theirs");
    let (want, ours, sdp) = (stage.path("want"), stage.path("ours"), stage.path("theirs.sdp"));
    let source = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-frames:v", "75"];
    let mut words = FFMPEG.to_vec();
    words.extend_from_slice(&source);
    words.extend_from_slice(&["-pix_fmt", "yuv422p10le", "-f", "rawvideo", "-y", &want]);
    ended(stage.begin(&words));
    // As FFmpeg describes it: without most of what ST 2110-20 demands.
    let described = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nc=IN IP4 239.1.1.1/8\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\na=rtpmap:96 raw/90000\r\na=fmtp:96 sampling=YCbCr-4:2:2; width=320; height=180; depth=10\r\n";
    std::fs::write(&sdp, described).unwrap();
    let receive = [
        US,
        "media",
        "receive",
        &sdp,
        "-i",
        "lo",
        "-o",
        &ours,
        "--count",
        "40",
        "--duration",
        "20",
        "--json",
    ];
    let us = stage.begin(&receive);
    let mut words = FFMPEG.to_vec();
    words.push("-re");
    words.extend_from_slice(&source);
    words.extend_from_slice(&["-pix_fmt", "yuv422p10", "-c:v", "bitpacked", "-f", "rtp"]);
    words.push("rtp://239.1.1.1:5004?pkt_size=1400&localaddr=127.0.0.1");
    ended(stage.begin(&words));
    let told: Value = serde_json::from_str(&ended(us)).unwrap();
    let (want, ours) = (pieces(&stage, "want", PIXELS * 4), pieces(&stage, "ours", PIXELS * 4));
    assert!(ours.len() == 40 && equal(&want, &ours) == 40, "{told}");
}

#[test]
fn sound_of_gstreamer_is_received() {
    if !possible("sound of gstreamer is received", &["gst-launch-1.0"]) {
        return;
    }
    let stage = stage("streams-their-sound");
    let (want, ours, sdp) = (stage.path("want"), stage.path("ours.wav"), stage.path("theirs.sdp"));
    let described = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=theirs\r\nc=IN IP4 239.1.1.2/8\r\nt=0 0\r\nm=audio 5004 RTP/AVP 96\r\na=rtpmap:96 L24/48000/2\r\na=ptime:1\r\n";
    std::fs::write(&sdp, described).unwrap();
    let us = stage.begin(&[
        US,
        "media",
        "receive",
        &sdp,
        "-i",
        "lo",
        "-o",
        &ours,
        "--count",
        "48000",
        "--duration",
        "20",
        "--json",
    ]);
    let line = format!(
        "gst-launch-1.0 -q audiotestsrc num-buffers=300 samplesperbuffer=480 wave=white-noise is-live=true ! audio/x-raw,format=S24BE,rate=48000,channels=2 ! tee name=t ! queue ! rtpL24pay min-ptime=1000000 max-ptime=1000000 ! udpsink host=239.1.1.2 port=5004 multicast-iface=lo bind-address=127.0.0.1 t. ! queue ! filesink location={want}"
    );
    ended(stage.begin(&["timeout", "20", "sh", "-c", &line]));
    ended(us);
    let want = std::fs::read(&want).unwrap();
    let wav = std::fs::read(&ours).unwrap();
    let ours: Vec<u8> = wav[104..].chunks_exact(3).flat_map(|sample| sample.iter().rev().copied()).collect();
    assert!(ours.len() >= 48_000 * 6, "{} octets", ours.len());
    let (ours, begin) = (&ours[..48_000 * 6], &ours[..600]);
    let at = want.windows(600).position(|part| part == begin).unwrap();
    assert!(want[at..at + ours.len()] == *ours);
}

#[test]
fn tcpdump_sees_what_we_say_we_sent() {
    if !possible("tcpdump sees what we say we sent", &["tcpdump"]) {
        return;
    }
    let stage = stage("streams-tcpdump");
    let pcap = stage.path("sent.pcap");
    let words = [
        "tcpdump",
        "-i",
        "lo",
        "-n",
        "-U",
        "--immediate-mode",
        "-s",
        "64",
        "-B",
        "65536",
        "-w",
        &pcap,
        "udp dst port 5004",
    ];
    let dump = stage.serve(&words, "listening on");
    // Each packet by itself: the loopback interface would show several as one.
    let more = ["--no-segments", "--fault", "loss=1/100,duplicate=1/250", "--also", "239.1.2.1:5004"];
    let told = stage.send("video", PICTURE, &more, "2");
    let faults = &told["streams"][0]["faults"];
    assert!(faults[0]["count"].as_u64().unwrap() > 10, "{told}");
    let packets = |leg: usize| told["streams"][0]["legs"][leg]["packets"].as_u64().unwrap();
    let sent = usize::try_from(packets(0) + packets(1)).unwrap();
    // It writes each packet when it sees it, which may be after we have ended.
    let end = Instant::now() + Duration::from_secs(20);
    let mut sequences = sequences_of_legs(&pcap);
    while sequences.iter().map(Vec::len).sum::<usize>() < sent && Instant::now() < end {
        std::thread::yield_now();
        sequences = sequences_of_legs(&pcap);
    }
    drop(dump);
    assert_eq!(sequences.iter().map(Vec::len).sum::<usize>(), sent);
    assert_eq!(sequences[0], sequences[1], "both legs carry the same");
}

/// The sequence numbers of packets to 239.1.1.1 and to 239.1.2.1, of a capture that may still be written.
fn sequences_of_legs(pcap: &str) -> [Vec<u16>; 2] {
    let bytes = std::fs::read(pcap).unwrap_or_default();
    let (mut at, mut sequences) = (24, [Vec::new(), Vec::new()]);
    while let Some(header) = bytes.get(at..at + 16) {
        let kept = usize::try_from(u32::from_le_bytes(header[8..12].try_into().unwrap())).unwrap();
        let Some(frame) = bytes.get(at + 16..at + 16 + kept) else { break };
        let leg = usize::from(frame[14 + 18] == 2);
        sequences[leg].push(u16::from_be_bytes(frame[44..46].try_into().unwrap()));
        at += 16 + kept;
    }
    sequences
}

#[test]
fn two_legs_become_one() {
    if !possible("two legs become one", &[]) {
        return;
    }
    let stage = stage("streams-legs");
    let more = ["--also", "239.1.2.1:5004"];
    let sdp = stage.describe("video", PICTURE, &more);
    let ours = stage.path("ours");
    let us = stage.begin(&[
        US,
        "media",
        "receive",
        &sdp,
        "-i",
        "lo",
        "-o",
        &ours,
        "--count",
        "20",
        "--duration",
        "20",
        "--json",
    ]);
    stage.send("video", PICTURE, &more, "3");
    let told: Value = serde_json::from_str(&ended(us)).unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let legs = told["hitless_legs"].as_array().unwrap();
    assert_eq!(legs.len(), 2);
    assert!(number(&legs[0]["received"]) > 1900 && number(&legs[1]["received"]) > 1900, "{told}");
    // One leg may have been read a little further than the other when there was enough.
    let most = number(&legs[0]["received"]).max(number(&legs[1]["received"]));
    assert!(number(&told["packets_used"]) <= most, "{told}");
    assert_eq!(pieces(&stage, "ours", PIXELS * 4).len(), 20);
}

#[test]
fn sound_goes_to_a_group_of_ipv6_and_its_description_names_who_sends() {
    if !possible("sound to a group of IPv6", &["ffmpeg"]) {
        return;
    }
    let stage = Stage::new("streams-six");
    stage.sh("ip link add q0 type veth peer name q1 && ip address add 2001:db8::1/64 dev q0 nodad");
    stage.sh("ip address add 2001:db8::2/64 dev q1 nodad && ip link set q0 up && ip link set q1 up");
    let common = ["--to", "[ff15::1:2]:5004", "-i", "q0", "--modest", "--no-progress", "--signal", "sweep"];
    let sdp = stage.describe("audio", &common, &[]);
    let text = std::fs::read_to_string(&sdp).unwrap();
    assert!(text.contains("a=source-filter: incl IN IP6 ff15::1:2 2001:db8::1\r\n"), "{text}");
    assert!(text.contains("c=IN IP6 ff15::1:2\r\n") && text.contains("IN IP6 2001:db8::1\r\ns="), "{text}");
    let ours = stage.path("ours.wav");
    let us =
        stage.begin(&[US, "media", "receive", &sdp, "-i", "q1", "-o", &ours, "--duration", "5", "--json"]);
    let probe =
        [US, "media", "probe", "-i", "q1", "--sdp", &sdp, "--duration", "5", "--json", "--no-progress"];
    let probe = stage.begin(&probe);
    let sent = stage.send("audio", &common, &["--rtcp"], "3");
    assert_eq!(sent["streams"][0]["legs"][0]["packets"], 3000);
    let told: Value = serde_json::from_str(&ended(us)).unwrap();
    let came = told["legs"][0]["packets"].as_u64().unwrap();
    assert!(
        came > 1000 && told["legs"][0]["source"].as_str().unwrap().starts_with("[2001:db8::1]:"),
        "{told}"
    );
    let document: Value = serde_json::from_slice(&probe.wait_with_output().unwrap().stdout).unwrap();
    let stream = &document["streams"][0];
    assert_eq!((&stream["session"], &stream["legs"][0]["source"]), (&0.into(), &"2001:db8::1".into()));
    assert!(stream["legs"][0]["reception"]["packets"].as_u64().unwrap() > 1000, "{stream}");
    let codes = document["findings"].to_string();
    assert!(!codes.contains("not-agreed") && !codes.contains("without-session"), "{codes}");
}
