//! The benchmark of media: `portreeve media probe` beside tshark's list of RTP streams, on captures that it makes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use media::clock::Alignment;
use media::make::Batch;
use media::make::audio::{AudioMaker, Signal as Sound, Tone};
use media::make::schedule::{AudioSchedule, VideoSchedule};
use media::make::video::{Head, Signal, VideoMaker};
use media::shaping::Raster;
use model::Timestamp;
use model::media::{
    AudioFormat, Colorimetry, Depth, Packing, Range, Ratio, Sampling, Scan, SenderType, Transfer, VideoFormat,
};
use wire::capture::Writer;
use wire::{Frame, LinkType};

use super::portreeve;
use super::wire::{Entry, compare};
use crate::Outcome;
use crate::say::{run as run_command, say};

/// Frames of 1080p50 in the capture of video: some 860,000 packets.
const FRAMES: i64 = 200;
/// Packets of each of the streams of audio.
const AUDIO_PACKETS: u64 = 2000;
/// When captures begin, in TAI; and TAI less UTC.
const BEGIN_NS: i64 = 1_790_000_000_000_000_000;
const LEAP_NS: i64 = 37_000_000_000;

/// Builds the product, makes the captures, and prints the figures.
pub fn run(arguments: &[String]) -> Outcome {
    let rounds: usize = match arguments {
        [] => 3,
        [flag, count] if flag == "--rounds" => count.parse().map_err(|_| "--rounds N")?,
        _ => return Err("usage: cargo xtask bench-media [--rounds N]".into()),
    };
    let build = ["build", "--release", "--package", "portreeve"];
    run_command(Command::new(env!("CARGO")).args(build).current_dir(crate::root()))?;
    let portreeve = portreeve()?;
    let folder = crate::root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let path = folder.join("video.pcapng");
    let description = folder.join("video.sdp");
    std::fs::write(&description, VIDEO_SDP).map_err(|error| error.to_string())?;
    let packets = video(&path).map_err(|error| error.to_string())?;
    let entries = entries(&portreeve, &path, Some(&description), rounds);
    compare("video", "one stream of 1080p50, 4:2:2, 10 bits", &path, packets, entries, rounds)?;
    let _ = std::fs::remove_file(&path);
    for streams in [50, 500] {
        let path = folder.join("audio.pcapng");
        let packets = audio(&path, streams).map_err(|error| error.to_string())?;
        let what = format!("{streams} streams of L24, 8 channels, 1 ms, without a session");
        compare("audio", &what, &path, packets, self::entries(&portreeve, &path, None, rounds), rounds)?;
        let _ = std::fs::remove_file(&path);
    }
    say("Left out: files lie in the page cache. tshark counts loss and jitter; it knows no ST 2110.");
    Ok(())
}

fn entries(portreeve: &Path, path: &Path, sdp: Option<&Path>, rounds: usize) -> Vec<Entry> {
    let file = path.display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let binary = portreeve.display().to_string();
    let mut probe = words(&[&binary, "media", "probe", &file, "--no-progress", "--json"]);
    if let Some(sdp) = sdp {
        probe.extend(["--sdp".to_owned(), sdp.display().to_string()]);
    }
    vec![
        Entry { name: "portreeve media probe", command: probe, rounds },
        Entry {
            name: "tshark -z rtp,streams",
            command: words(&[
                "tshark",
                "-n",
                "-q",
                "-r",
                &file,
                "-o",
                "rtp.heuristic_rtp:TRUE",
                "-z",
                "rtp,streams",
            ]),
            rounds: 1,
        },
        Entry {
            name: "tcpdump -w /dev/null",
            command: words(&["tcpdump", "-r", &file, "-w", "/dev/null"]),
            rounds,
        },
    ]
}

const VIDEO_SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=bars\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n\
c=IN IP4 239.1.1.1/32\r\na=source-filter: incl IN IP4 239.1.1.1 192.0.2.1\r\na=rtpmap:96 raw/90000\r\n\
a=fmtp:96 sampling=YCbCr-4:2:2; width=1920; height=1080; depth=10; exactframerate=50; colorimetry=BT709; \
PM=2110GPM; SSN=ST2110-20:2017; TP=2110TPN; TCS=SDR; RANGE=NARROW\r\n\
a=ts-refclk:ptp=IEEE1588-2008:traceable\r\na=mediaclk:direct=0\r\n";

/// A capture while it is written.
struct Capture {
    to: BufWriter<File>,
    writer: Writer,
    bytes: Vec<u8>,
    packets: u64,
}

impl Capture {
    fn begin(path: &Path) -> std::io::Result<Capture> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new("bench", &mut bytes);
        writer.interface(None, LinkType::IPV4, 65_535, &mut bytes);
        Ok(Capture { to: BufWriter::new(File::create(path)?), writer, bytes, packets: 0 })
    }

    fn add(&mut self, at_ns: i64, from: Ipv4Addr, to: SocketAddrV4, payload: &[u8]) -> std::io::Result<()> {
        let udp = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
        let mut packet = vec![0x45, 0];
        packet.extend_from_slice(&(udp + 20).to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0x40, 0, 64, 17, 0, 0]);
        packet.extend_from_slice(&from.octets());
        packet.extend_from_slice(&to.ip().octets());
        packet.extend_from_slice(&5004_u16.to_be_bytes());
        packet.extend_from_slice(&to.port().to_be_bytes());
        packet.extend_from_slice(&udp.to_be_bytes());
        packet.extend_from_slice(&[0, 0]);
        packet.extend_from_slice(payload);
        let frame = Frame {
            time: Some(Timestamp::from_ns(at_ns - LEAP_NS)),
            link: LinkType::IPV4,
            interface: 0,
            wire_bytes: u32::from(udp) + 20,
            bytes: &packet,
        };
        self.writer.frame(0, &frame, None, &mut self.bytes);
        self.packets += 1;
        if self.bytes.len() > 1 << 20 {
            self.to.write_all(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }

    fn end(mut self) -> std::io::Result<u64> {
        self.to.write_all(&self.bytes)?;
        self.to.flush()?;
        Ok(self.packets)
    }
}

fn impossible(what: &str) -> std::io::Error {
    std::io::Error::other(what.to_owned())
}

fn video(path: &Path) -> std::io::Result<u64> {
    let rate = Ratio::new(50, 1).ok_or_else(|| impossible("no rate"))?;
    let format = VideoFormat {
        sampling: Sampling::YCbCr422,
        depth: Depth::Ten,
        width: 1920,
        height: 1080,
        frame_rate: rate,
        scan: Scan::Progressive,
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: Some(SenderType::Narrow),
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1).ok_or_else(|| impossible("no aspect"))?,
    };
    let head = Head { payload_type: 96, ssrc: 7, sequence: 0 };
    let mut maker = VideoMaker::new(&format, Signal::Bars, false, head).map_err(impossible)?;
    let raster = Raster {
        frame_rate: rate,
        scan: Scan::Progressive,
        width: Some(1920),
        height: Some(1080),
        offset_us: None,
        max_udp_bytes: 1460,
    };
    let schedule = VideoSchedule::new(raster, SenderType::Narrow).ok_or_else(|| impossible("no schedule"))?;
    let alignment = Alignment::new(rate);
    let first = alignment.number(Timestamp::from_ns(BEGIN_NS));
    let mut capture = Capture::begin(path)?;
    let mut batch = Batch::default();
    let to = SocketAddrV4::new(Ipv4Addr::new(239, 1, 1, 1), 5004);
    for number in first..first + FRAMES {
        batch.clear();
        let timestamp = alignment.rtp(number, 90_000);
        maker.frame(u64::try_from(number).unwrap_or(0), [timestamp; 2], &mut batch);
        let departures = schedule.departures(number, false, u32::try_from(batch.len()).unwrap_or(0));
        for (packet, at) in batch.iter().zip(departures) {
            capture.add(at.as_ns(), Ipv4Addr::new(192, 0, 2, 1), to, packet)?;
        }
    }
    capture.end()
}

fn audio(path: &Path, streams: u16) -> std::io::Result<u64> {
    let format = AudioFormat {
        bits: 24,
        am824: false,
        sample_rate: 48_000,
        channels: 8,
        packet_time_ns: Some(1_000_000),
        channel_order: String::new(),
    };
    let makers: Vec<AudioMaker> = (0..u32::from(streams))
        .filter_map(|ssrc| AudioMaker::new(&format, Sound::Tone(Tone::default()), 97, ssrc).ok())
        .collect();
    let schedule = AudioSchedule::new(48_000, 48).ok_or_else(|| impossible("no schedule"))?;
    let first = schedule.number(Timestamp::from_ns(BEGIN_NS));
    let mut capture = Capture::begin(path)?;
    let mut batch = Batch::default();
    for packet in 0..AUDIO_PACKETS {
        let number = first + i64::try_from(packet).unwrap_or(0);
        let at = schedule.departure(number).as_ns();
        for (stream, maker) in (0_u16..).zip(&makers) {
            batch.clear();
            maker.packet(u64::try_from(number).unwrap_or(0), &mut batch);
            let [high, low] = stream.to_be_bytes();
            let to = SocketAddrV4::new(Ipv4Addr::new(239, 2, high, low), 5004);
            let payload = batch.packet(0).unwrap_or_default();
            capture.add(at + i64::from(stream) * 700, Ipv4Addr::new(192, 0, 2, 2), to, payload)?;
        }
    }
    capture.end()
}
