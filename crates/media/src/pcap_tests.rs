//! Captures from the field, read for the tests that measure them.

use std::path::PathBuf;

use wire::capture::{Reader, Step};
use wire::packet::{Decoded, decode};
use wire::{Frame, rtp};

/// A capture of the corpus; `None`, said aloud, where there is no corpus.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/pcap");
    let path = PathBuf::from(shared).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there", path.display());
    None
}

/// Every frame of a capture, with its number from 1.
pub fn frames(mut bytes: &[u8], mut each: impl FnMut(u64, &Frame<'_>)) {
    let mut reader = Reader::new();
    let mut number = 0;
    loop {
        let used = match reader.read(bytes, true).unwrap() {
            Step::Frame { frame, consumed } => {
                number += 1;
                each(number, &frame);
                consumed
            }
            Step::Skipped { consumed } | Step::Damaged { consumed, .. } => consumed,
            Step::NeedMore { .. } | Step::End => return,
        };
        bytes = &bytes[used..];
    }
}

/// Every RTP packet over UDP of a capture.
pub fn rtp_packets(bytes: &[u8], mut each: impl FnMut(&wire::packet::Packet<'_>, &crate::Packet<'_>)) {
    frames(bytes, |number, frame| {
        let Ok(Decoded::Packet(packet)) = decode(frame) else { return };
        let Ok(rtp) = rtp::parse(packet.payload) else { return };
        let udp_bytes = u16::try_from(packet.payload_wire_bytes + 8).unwrap();
        each(&packet, &crate::Packet { time: frame.time, frame: number, udp_bytes, rtp });
    });
}
