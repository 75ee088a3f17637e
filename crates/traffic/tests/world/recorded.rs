//! What real programs said, as a worse capture has it: packets in another order, and each of them twice.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use model::{Certainty, Traffic, Transport};
use portreeve_traffic::Observer;
use wire::Frame;
use wire::capture::{Reader, Step};

use super::{config, protocol};

/// Captures of the corpus by name, as bytes.
fn captures() -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../corpus/wire"].iter().collect();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let captures: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "pcap"))
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&file).unwrap()))
        .collect();
    assert!(captures.len() > 100, "the corpus is not here");
    captures
}

fn frames(capture: &[u8]) -> Vec<Frame<'_>> {
    let (mut reader, mut rest, mut frames) = (Reader::new(), capture, Vec::new());
    loop {
        let consumed = match reader.read(rest, true).unwrap() {
            Step::Frame { frame, consumed } => {
                frames.push(frame);
                consumed
            }
            Step::Skipped { consumed } => consumed,
            Step::End => return frames,
            step => panic!("{step:?}"),
        };
        rest = &rest[consumed..];
    }
}

/// The facts of these frames, at the times of `frames`: what is seen later is not earlier.
fn seen(frames: &[Frame<'_>], order: impl Iterator<Item = usize>) -> Traffic {
    let mut observer = Observer::new(config());
    let mut last = None;
    for (number, index) in order.enumerate() {
        last = last.max(frames[index].time);
        observer.handle(&Frame { time: last, ..frames[index] }, number as u64 + 1);
    }
    observer.finish()
}

/// Which ports serve what over datagrams, where the server or the sender says so.
fn served(traffic: &Traffic) -> BTreeSet<(u16, &'static str)> {
    let services = traffic.services.iter().filter(|service| service.transport == Transport::Udp);
    services
        .filter(|service| service.recognised.certainty == Certainty::Confirmed)
        .filter_map(|service| Some((service.server.port(), protocol(service)?)))
        .collect()
}

/// Who serves is not in the bytes of RTCP and of peers, and TFTP answers from a port that only the request explains.
const BY_ORDER: [&str; 3] = ["bittorrent", "rist", "tftp"];

#[test]
fn datagrams_that_overtake_each_other_change_nobody_s_part() {
    let mut changed = Vec::new();
    for (name, capture) in captures() {
        if BY_ORDER.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let frames = frames(&capture);
        let last = frames.len() & !1;
        let swapped = (0..frames.len()).map(|index| if index < last { index ^ 1 } else { index });
        let expected = served(&seen(&frames, 0..frames.len()));
        let found = served(&seen(&frames, swapped));
        if found != expected {
            changed.push((name, found, expected));
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn what_a_mirror_shows_twice_says_the_same() {
    for (name, capture) in captures() {
        let frames = frames(&capture);
        let once = seen(&frames, 0..frames.len());
        let twice = seen(&frames, (0..frames.len()).flat_map(|index| [index, index]));
        let told = |traffic: &Traffic| -> BTreeSet<_> {
            let services = traffic.services.iter();
            services
                .map(|service| (service.server, protocol(service), service.recognised.certainty))
                .collect()
        };
        assert_eq!(told(&twice), told(&once), "{name}");
    }
}
