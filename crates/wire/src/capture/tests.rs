//! Captures read back, in both formats and every byte order.

use std::vec::Vec;

use super::*;

/// A pcap with one record, in the byte order asked for.
fn pcap(magic: u32, big_endian: bool, link: u32, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut word = |value: u32| {
        file.extend_from_slice(&if big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    };
    word(magic);
    word(if big_endian { 0x0002_0004 } else { 0x0004_0002 });
    [0, 0, 65535, link].map(&mut word);
    let length = u32::try_from(data.len()).unwrap();
    [1_700_000_000, 123_456, length, length + 9].map(&mut word);
    if magic == 0xa1b2_cd34 {
        [1, 2].map(&mut word);
    }
    file.extend_from_slice(data);
    file
}

/// Everything in a capture, and how it ends.
pub(super) fn read_all(bytes: &[u8]) -> (Vec<Frame<'_>>, Vec<Fault>, Reader) {
    let (mut frames, mut faults, mut reader) = (Vec::new(), Vec::new(), Reader::new());
    loop {
        let at = usize::try_from(reader.position()).unwrap();
        match reader.read(&bytes[at..], true) {
            Ok(Step::Frame { frame, .. }) => frames.push(frame),
            Ok(Step::Damaged { fault, .. }) | Err(fault) => faults.push(fault),
            Ok(Step::Skipped { .. }) => {}
            Ok(Step::NeedMore { .. }) => panic!("more is asked for at the end"),
            Ok(Step::End) => return (frames, faults, reader),
        }
    }
}

#[test]
fn every_kind_of_pcap_is_read() {
    for (magic, ns) in [(0xa1b2_c3d4, 123_456_000), (0xa1b2_3c4d, 123_456), (0xa1b2_cd34, 123_456_000)] {
        for big_endian in [false, true] {
            let file = pcap(magic, big_endian, 1, b"abc");
            let (frames, faults, reader) = read_all(&file);
            assert_eq!(faults, []);
            assert_eq!(frames.len(), 1, "{magic:x}");
            assert_eq!(frames[0].bytes, b"abc");
            assert_eq!((frames[0].wire_bytes, frames[0].link), (12, LinkType::ETHERNET));
            assert_eq!(frames[0].time.unwrap().as_ns(), 1_700_000_000_000_000_000 + ns);
            assert_eq!(reader.position(), file.len() as u64);
            for end in 0..file.len() {
                let (frames, faults, reader) = read_all(&file[..end]);
                assert_eq!(frames.len(), 0);
                assert_eq!(faults.len(), usize::from(end != 24), "prefix of {end}");
                assert_eq!(reader.position(), if end < 24 { 0 } else { 24 });
            }
        }
    }
}
