//! What measuring audio costs, by CPU time: `cargo bench -p portreeve-media --bench audio --profile bench-dev`.
//!
//! The same number of packets (L24, 8 channels, 125 µs) belongs to 1, 50 and 500 streams: the cost of a packet must not
//! grow with their number. Frames are read, told apart by destination, and measured. AM824 looks at every subframe.
//! A word as argument runs only that one.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a measurement for people, not a part of the product"
)]

use std::collections::HashMap;
use std::fs;
use std::net::Ipv4Addr;
use std::time::Instant;

use model::Timestamp;
use model::media::AudioFormat;
use portreeve_media::Packet;
use portreeve_media::audio::Measure;
use portreeve_media::make::Batch;
use portreeve_media::make::audio::{AudioMaker, Signal, Tone};
use wire::packet::Decoded;
use wire::{Frame, LinkType};

/// Nanoseconds that this process was on a CPU; by the wall where the kernel does not say.
fn cpu_ns(begin: Instant) -> u64 {
    let said = fs::read_to_string("/proc/self/schedstat").ok();
    let said = said.and_then(|text| text.split(' ').next()?.parse().ok());
    said.unwrap_or_else(|| u64::try_from(begin.elapsed().as_nanos()).unwrap())
}

/// A frame of Ethernet, IPv4 and UDP around an RTP packet.
fn frame(stream: u16, rtp: &[u8]) -> Vec<u8> {
    let [high, low] = stream.to_be_bytes();
    let mut bytes = vec![1, 0, 0x5e, 1, high, low, 2, 0, 0, 0, 0, 1, 8, 0];
    let length = |more: usize| u16::try_from(rtp.len() + more).unwrap().to_be_bytes();
    bytes.extend([0x45, 0x88]);
    bytes.extend(length(28));
    bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 192, 168, 0, 1]);
    bytes.extend(Ipv4Addr::new(239, 1, high, low).octets());
    bytes.extend([0x13, 0x8c, 0x13, 0x8c]);
    bytes.extend(length(8));
    bytes.extend([0, 0]);
    bytes.extend_from_slice(rtp);
    bytes
}

fn run(name: &str, format: &AudioFormat, streams: u16, packets: u64) {
    let maker = AudioMaker::new(format, Signal::Tone(Tone::default()), 97, 1).unwrap();
    // Each stream has the frames of an AES3 block of its own, whose numbers are written anew for each turn.
    let mut tape: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut batch = Batch::default();
    for stream in 0..streams {
        let mut own = Vec::new();
        for number in 0..32 {
            batch.clear();
            maker.packet(number, &mut batch);
            own.push(frame(stream, batch.packet(0).unwrap()));
        }
        tape.push(own);
    }
    let begin = Instant::now();
    let mut measures: HashMap<(std::net::IpAddr, u16), Measure> = HashMap::new();
    let (mut frames, mut decode_ns) = (0_u64, 0);
    // Once to see what writing, reading and telling apart cost, once with measuring.
    for measured in [false, true] {
        let cpu = cpu_ns(begin);
        frames = 0;
        for turn in 0..packets / u64::from(streams) {
            let time = Timestamp::from_ns(i64::try_from(maker.ready_ns(turn)).unwrap());
            for own in &mut tape {
                let bytes = &mut own[usize::try_from(turn % 32).unwrap()];
                bytes[44..46].copy_from_slice(&turn.to_be_bytes()[6..]);
                let timestamp = turn * u64::from(maker.samples_per_packet());
                bytes[46..50].copy_from_slice(&timestamp.to_be_bytes()[4..]);
                frames += 1;
                let wire_bytes = u32::try_from(bytes.len()).unwrap();
                let frame =
                    Frame { time: Some(time), link: LinkType::ETHERNET, interface: 0, wire_bytes, bytes };
                let Ok(Decoded::Packet(found)) = wire::packet::decode(&frame) else { continue };
                let rtp = wire::rtp::parse(found.payload).unwrap();
                let key = (found.destination_ip(), found.destination_port);
                let measure = measures.entry(key).or_insert_with(|| Measure::new(format));
                if measured {
                    let udp_bytes = u16::try_from(found.payload_wire_bytes + 8).unwrap();
                    measure.handle(&Packet { time: Some(time), frame: frames, udp_bytes, rtp }, None);
                }
            }
        }
        let ns = cpu_ns(begin) - cpu;
        if measured {
            let each = |ns: u64| ns as f64 / frames as f64;
            println!(
                "{name:>8}: {streams:>3} streams, {frames} packets: {:.0} ns a packet with reading ({:.2} M/s), {:.0} ns of measuring",
                each(ns),
                1000.0 / each(ns),
                each(ns.saturating_sub(decode_ns)),
            );
        } else {
            decode_ns = ns;
        }
    }
    let faults: usize = measures.values().map(|measure| measure.tally().faults().len()).sum();
    let packets: u64 = measures.values().map(|measure| measure.facts().packets).sum();
    assert!(faults == 0 && packets == frames, "{faults} faults, {packets} packets");
}

fn main() {
    let format = |bits: u8, channels| AudioFormat {
        bits,
        am824: bits == 32,
        sample_rate: 48_000,
        channels,
        packet_time_ns: Some(125_000),
        channel_order: String::new(),
    };
    let wanted = |name: &str| {
        let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-')).peekable();
        words.peek().is_none() || words.any(|word| word == name)
    };
    for streams in [1, 50, 500].into_iter().filter(|_| wanted("L24")) {
        run("L24", &format(24, 8), streams, 4_000_000);
    }
    for streams in [1, 500].into_iter().filter(|_| wanted("AM824")) {
        run("AM824", &format(32, 8), streams, 1_000_000);
    }
}
