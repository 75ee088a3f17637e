//! Recordings that lie beside the checkout, for tests; without them the tests say so and are skipped.

use std::fs;
use std::path::PathBuf;

use wire::capture::{Reader, Step};
use wire::packet::Decoded;

use crate::Packet;

/// The bytes of a recording; `None`, said loudly, where it is not there.
pub fn read(path: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/pcap"));
    let bytes = fs::read(folder.join(path)).ok();
    if bytes.is_none() {
        println!("SKIPPED: the recording {path} is not beside the checkout");
    }
    bytes
}

/// Every datagram of a recording that reads as RTP.
pub fn packets(capture: &[u8], mut to: impl FnMut(&Packet<'_>)) {
    let mut reader = Reader::new();
    let (mut at, mut number) = (0, 0);
    loop {
        match reader.read(&capture[at..], true).unwrap() {
            Step::Frame { frame, consumed } => {
                at += consumed;
                number += 1;
                let Ok(Decoded::Packet(packet)) = wire::packet::decode(&frame) else { continue };
                let Ok(rtp) = wire::rtp::parse(packet.payload) else { continue };
                let udp_bytes = u16::try_from(packet.payload.len() + 8).unwrap();
                to(&Packet { time: frame.time, frame: number, udp_bytes, rtp });
            }
            Step::Skipped { consumed } | Step::Damaged { consumed, .. } => at += consumed,
            Step::NeedMore { .. } | Step::End => return,
        }
    }
}
