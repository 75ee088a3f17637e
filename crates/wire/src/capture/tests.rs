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
    [0, 0, 65535, link].into_iter().for_each(&mut word);
    let length = u32::try_from(data.len()).unwrap();
    [1_700_000_000, 123_456, length, length + 9].into_iter().for_each(&mut word);
    if magic == 0xa1b2_cd34 {
        [1, 2].into_iter().for_each(&mut word);
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

/// Numbers of a section in the byte order asked for.
struct Section {
    big_endian: bool,
    file: Vec<u8>,
}

impl Section {
    fn begin(big_endian: bool, file: Vec<u8>) -> Section {
        let mut section = Section { big_endian, file };
        let version = section.halves(&[1, 0]);
        let body = [&section.words(&[0x1a2b_3c4d])[..], &version, &[0xff; 8]].concat();
        section.block(0x0a0d_0d0a, &body);
        section
    }

    fn words(&self, words: &[u32]) -> Vec<u8> {
        let order = |word: &u32| if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        words.iter().flat_map(order).collect()
    }

    fn halves(&self, halves: &[u16]) -> Vec<u8> {
        let order = |half: &u16| if self.big_endian { half.to_be_bytes() } else { half.to_le_bytes() };
        halves.iter().flat_map(order).collect()
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = self.halves(&[code, u16::try_from(value.len()).unwrap()]);
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn u64_option(&self, code: u16, value: u64) -> Vec<u8> {
        self.option(code, &if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() })
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(12 + body.len().next_multiple_of(4)).unwrap();
        let head = self.words(&[kind, length]);
        self.file.extend_from_slice(&head);
        self.file.extend_from_slice(body);
        self.file.resize(self.file.len().next_multiple_of(4), 0);
        self.file.extend_from_slice(&head[4..]);
    }

    fn interface(&mut self, link: u16, snap: u32, options: &[Vec<u8>]) {
        let body = [&self.halves(&[link, 0])[..], &self.words(&[snap]), &options.concat()].concat();
        self.block(1, &body);
    }

    fn enhanced(&mut self, interface: u32, ticks: u64, wire: u32, data: &[u8], options: &[Vec<u8>]) {
        let (high, low) = (u32::try_from(ticks >> 32).unwrap(), (ticks & 0xffff_ffff) as u32);
        let mut body = self.words(&[interface, high, low, u32::try_from(data.len()).unwrap(), wire]);
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(&options.concat());
        self.block(6, &body);
    }
}

#[test]
fn comments_say_what_they_are_about_and_are_bounded() {
    let mut section = Section::begin(true, Vec::new());
    section.interface(1, 0, &[section.option(1, b"the uplink\0"), section.option(2, b"eth0")]);
    section.enhanced(0, 1, 3, b"abc", &[]);
    let two = [section.option(1, "über 420".as_bytes()), section.option(1, &[0xff; 3000])];
    section.enhanced(0, 2, 3, b"abc", &two);
    let statistics = [&section.words(&[0, 0, 0])[..], &section.option(1, b"dropped none")].concat();
    section.block(5, &statistics);
    let mut file = section.file;
    // A second section, with a comment in its header.
    let at = file.len();
    let mut section = Section::begin(false, file);
    file = section.file.split_off(at);
    let body = [&file[8..24], &section.option(1, b"the afternoon")].concat();
    section.block(0x0a0d_0d0a, &body);
    let (frames, faults, reader) = read_all(&section.file);
    assert_eq!((frames.len(), faults.len()), (2, 0));
    let told: Vec<(Place, &str)> =
        reader.comments().kept().iter().map(|comment| (comment.place, &*comment.text)).collect();
    let [uplink, name, long, none, afternoon] = told[..] else { panic!("{told:?}") };
    assert_eq!(uplink, (Place::Interface(0), "the uplink"));
    assert_eq!(name, (Place::Frame(2), "über 420"));
    assert_eq!(long.0, Place::Frame(2));
    assert!(long.1.ends_with('…') && long.1.len() <= 3 * MOST_COMMENT_BYTES + 3);
    assert_eq!(none, (Place::Interface(0), "dropped none"));
    assert_eq!(afternoon, (Place::Section, "the afternoon"));
    assert_eq!(reader.comments().left_out(), 0);

    let mut section = Section::begin(false, Vec::new());
    section.interface(1, 0, &[]);
    for _ in 0..MOST_COMMENTS + 7 {
        section.enhanced(0, 1, 3, b"abc", &[section.option(1, b"again")]);
    }
    let (_, _, reader) = read_all(&section.file);
    assert_eq!((reader.comments().kept().len(), reader.comments().left_out()), (MOST_COMMENTS, 7));
}

/// Two sections in different byte orders, with blocks of every kind.
pub(super) fn sample_pcapng() -> Vec<u8> {
    let mut section = Section::begin(false, Vec::new());
    section.interface(1, 5, &[section.option(2, b"eth0"), section.option(9, &[9]), section.option(0, &[])]);
    section.interface(101, 0, &[section.option(9, &[0x80 | 10]), section.u64_option(14, 1000)]);
    section.enhanced(0, 1_700_000_000_123_456_789, 60, b"12345", &[section.u64_option(4, 3)]);
    section.enhanced(1, 5 * 1024 + 512, 4, b"abcd", &[]);
    section.block(4, &[0; 4]);
    section.block(10, &[0; 8]);
    section.block(0x4000_0bad, &[1, 2, 3]);
    let body = [&section.words(&[8])[..], b"simple!!"].concat();
    section.block(3, &body);
    let statistics =
        [&section.words(&[0, 0, 0])[..], &section.u64_option(5, 17), &section.option(0, &[])].concat();
    section.block(5, &statistics);

    let mut section = Section::begin(true, section.file);
    section.interface(113, 0, &[]);
    section.enhanced(0, 1_700_000_000_123_456, 3, b"xyz", &[]);
    let old = [&section.halves(&[0, 2])[..], &section.words(&[0, 7, 2, 9]), b"ol"].concat();
    section.block(2, &old);
    section.file
}

#[test]
fn a_pcapng_with_everything_is_read() {
    let file = sample_pcapng();
    let (frames, faults, reader) = read_all(&file);
    assert_eq!(faults, []);
    let seen: Vec<_> = frames
        .iter()
        .map(|frame| {
            (
                frame.bytes,
                frame.interface,
                frame.link.0,
                frame.wire_bytes,
                frame.time.map(|time| time.as_ns()),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (&b"12345"[..], 0, 1, 60, Some(1_700_000_000_123_456_789)),
            (b"abcd", 1, 101, 4, Some(1_005_500_000_000)),
            // Cut by the snap length of the first interface, and without a time.
            (b"simpl", 0, 1, 8, None),
            (b"xyz", 2, 113, 3, Some(1_700_000_000_123_456_000)),
            (b"ol", 2, 113, 9, Some(7000)),
        ]
    );
    let counts = reader.counts();
    assert_eq!((counts.sections, counts.known_blocks, counts.unknown_blocks), (2, 3, 1));
    assert_eq!((counts.dropped_frames, counts.noted_drops, counts.damaged_blocks), (17, 5, 0));
    assert_eq!(reader.format(), Some(Format::Pcapng));
    let (first, interfaces) = reader.interfaces();
    assert_eq!((first, interfaces.len(), interfaces[0].link), (2, 1, LinkType::LINUX_SLL));
}

#[test]
fn every_resolution_gives_its_time_or_none() {
    let time = |resolution: u8, offset: u64, ticks: u64| {
        let mut section = Section::begin(false, Vec::new());
        section.interface(1, 0, &[section.option(9, &[resolution]), section.u64_option(14, offset)]);
        section.enhanced(0, ticks, 0, b"", &[]);
        read_all(&section.file).0[0].time.map(|time| time.as_ns())
    };
    assert_eq!(time(0, 0, 3), Some(3_000_000_000));
    assert_eq!(time(3, 0, 3), Some(3_000_000));
    assert_eq!(time(12, 0, 3_500), Some(3));
    assert_eq!(time(0x80 | 32, 0, 3 << 31), Some(1_500_000_000));
    assert_eq!(time(6, 10, 1), Some(10_000_001_000));
    assert_eq!(time(6, (-10_i64).cast_unsigned(), 1), Some(-9_999_999_000));
    // What does not fit is not known, and not something else.
    assert_eq!(time(0, 0, u64::MAX), None);
    assert_eq!(time(127, 0, 1), None);
    assert_eq!(time(0xff, 0, 1), None);
    assert_eq!(time(6, i64::MAX.cast_unsigned(), 0), None);
}

#[test]
fn a_damaged_block_is_passed_over_where_its_end_is_known() {
    let frames = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut section = Section::begin(false, Vec::new());
        section.interface(1, 0, &[]);
        section.enhanced(0, 1, 3, b"one", &[]);
        let at = section.file.len();
        section.enhanced(0, 2, 3, b"two", &[]);
        section.enhanced(0, 3, 5, b"three", &[]);
        let mut block = section.file.split_off(at);
        change(&mut block);
        section.file.append(&mut block);
        let (frames, faults, reader) = read_all(&section.file);
        let names: Vec<_> = frames.iter().map(|frame| frame.bytes.to_vec()).collect();
        (names.concat(), faults.iter().map(|fault| fault.at - at).collect::<Vec<_>>(), reader.counts())
    };
    assert_eq!(frames(&|_| {}).0, b"onetwothree");
    // An interface that is not there, a captured length beyond the block, another length at the end.
    let (names, faults, counts) = frames(&|block| block[8] = 9);
    assert_eq!((&names[..], &faults[..], counts.orphan_frames), (&b"onethree"[..], &[8][..], 1));
    let (names, faults, counts) = frames(&|block| block[20] = 5);
    assert_eq!((&names[..], &faults[..], counts.damaged_blocks), (&b"onethree"[..], &[4][..], 1));
    let (names, faults, _) = frames(&|block| block[32] = 40);
    assert_eq!((&names[..], &faults[..]), (&b"onethree"[..], &[32][..]));
    // A length that cannot be ends the read, and says where.
    for length in [[0, 0, 0, 0], [11, 0, 0, 0], [37, 0, 0, 0], [4, 0, 0, 1], [0xfc, 0xff, 0, 0], [0xff; 4]] {
        let (names, faults, _) = frames(&|block| block[4..8].copy_from_slice(&length));
        assert_eq!(names, b"one");
        assert_eq!(faults.len(), 1, "{length:?}");
        assert!(faults[0] <= 4);
    }
}

#[test]
fn a_section_begins_even_where_its_header_is_damaged_at_the_end() {
    let mut section = Section::begin(true, Vec::new());
    let end = section.file.len();
    section.file[end - 1] ^= 4;
    section.interface(1, 0, &[]);
    section.enhanced(0, 1, 3, b"one", &[]);
    let (frames, faults, _) = read_all(&section.file);
    assert_eq!((frames.len(), frames[0].bytes), (1, &b"one"[..]));
    assert_eq!((faults.len(), faults[0].at), (1, end - 4));
}

#[test]
fn forbidden_headers_are_faults_with_their_place() {
    assert_eq!(read_all(b"").1[0].what, "the file is empty");
    assert_eq!(read_all(b"not a capture").1[0].at, 0);
    assert_eq!(read_all(b"no").1[0].what, "the file ends within its header");
    let mut file = pcap(0xa1b2_c3d4, false, 1, b"abc");
    file[4] = 3;
    assert_eq!(read_all(&file).1[0].at, 4);
    let mut file = pcap(0xa1b2_c3d4, false, 1, b"abc");
    file[35] = 1;
    assert_eq!(read_all(&file).1[0].at, 32);
    for at in [8, 12] {
        let mut file = sample_pcapng();
        file[at] ^= 0x40;
        assert_eq!(read_all(&file).1[0].at, at);
    }
}

#[test]
fn what_is_written_is_read_back() {
    let frames: Vec<_> = (0..5_u32)
        .map(|index| Frame {
            time: Some(model::Timestamp::from_ns(1_700_000_000_000_000_001 + i64::from(index))),
            link: LinkType::ETHERNET,
            interface: index % 2,
            wire_bytes: 100 + index,
            bytes: &[1, 2, 3, 4, 5][..index as usize],
        })
        .collect();
    let mut file = Vec::new();
    let mut writer = Writer::new("portreeve", &mut file);
    assert_eq!(writer.interface(Some("eth0"), LinkType::ETHERNET, 0, &mut file), 0);
    assert_eq!(writer.interface(None, LinkType::ETHERNET, 96, &mut file), 1);
    for (index, frame) in frames.iter().enumerate() {
        writer.frame(frame.interface, frame, ["a", "ab", "abc", "abcd"].get(index).copied(), &mut file);
    }
    // Without a time, whole, and without a comment: a simple packet.
    let simple = Frame { time: None, interface: 0, wire_bytes: 3, bytes: b"abc", ..frames[0] };
    writer.frame(0, &simple, None, &mut file);
    let (read, faults, reader) = read_all(&file);
    assert_eq!(faults, []);
    assert_eq!(read[..5], frames);
    assert_eq!(read[5..], [simple]);
    let (_, interfaces) = reader.interfaces();
    assert_eq!((interfaces[0].name.as_deref(), interfaces[1].snap_bytes), (Some("eth0"), 96));
    // A text that is too long is cut between two characters.
    let long = "\u{20ac}".repeat(30_000);
    writer.frame(0, &frames[3], Some(&long), &mut file);
    assert_eq!(read_all(&file).0.len(), 7);
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let mut seed = 11_u64;
    let old = pcap(0xa1b2_3c4d, true, 1, b"abc");
    for sample in [[&old[..], &old[24..], &old[24..]].concat(), sample_pcapng()] {
        for end in 0..sample.len() {
            check(&sample[..end]);
        }
        for _ in 0..800 {
            let mut copy = sample.clone();
            for _ in 0..2 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[2] & if seed & 1 == 0 { 31 } else { 255 };
            }
            check(&copy);
        }
    }
}
