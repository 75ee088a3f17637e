//! What real programs say, given to all other recognisers: from any packet on, over either transport, from either side,
//! and beside what somebody else says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use model::{Certainty, Transport};
use wire::capture::{Reader, Step};
use wire::packet::{Decoded, decode};
use wire::protocol::Protocol;

use super::noise_tests::Random;
use crate::recognise::recognise;
use crate::talk::{Said, Talk};

/// As many packets of a capture are tried as first ones.
const MOST_BEGINNINGS: usize = 60;
/// As many datagrams of a side as a flow keeps, and as many segments.
const KEPT: usize = 8;

/// What snap lengths of 68, 96 and 128 leave of a datagram.
const SNAPPED: [usize; 3] = [26, 54, 86];

/// A side from one of its packets on.
struct Side {
    capture: usize,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    missing: Vec<u32>,
}

impl Side {
    fn said(&self, datagrams: bool) -> Said<'_> {
        if datagrams {
            Said::datagrams(&self.bytes, &self.ends).cut(&self.missing)
        } else {
            Said::stream(&self.bytes, true)
        }
    }

    /// What a snap length leaves of it.
    fn snapped(&self, kept: usize) -> Side {
        let mut side =
            Side { capture: self.capture, bytes: Vec::new(), ends: Vec::new(), missing: Vec::new() };
        for piece in self.said(true).pieces() {
            let captured = &piece[..piece.len().min(kept)];
            side.bytes.extend_from_slice(captured);
            side.ends.push(u32::try_from(side.bytes.len()).unwrap());
            side.missing.push(u32::try_from(piece.len() - captured.len()).unwrap());
        }
        side
    }
}

/// The corpus of the wire: its captures by name, and every side in them from each of its packets on.
fn corpus() -> (Vec<String>, Vec<Side>) {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../corpus/wire"].iter().collect();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|it| it == "pcap")).collect();
    files.sort();
    assert!(files.len() > 100, "the corpus is not here");
    let mut sides = Vec::new();
    for (capture, file) in files.iter().enumerate() {
        let bytes = fs::read(file).unwrap();
        let (mut reader, mut rest) = (Reader::new(), &bytes[..]);
        let mut flows = BTreeMap::<_, Vec<Vec<u8>>>::new();
        loop {
            match reader.read(rest, true).unwrap() {
                Step::Frame { frame, consumed } => {
                    rest = &rest[consumed..];
                    let Ok(Decoded::Packet(packet)) = decode(&frame) else { continue };
                    let datagram = packet.protocol == Protocol::UDP;
                    if packet.payload.is_empty() || !(datagram || packet.protocol == Protocol::TCP) {
                        continue;
                    }
                    let from = (packet.source_ip(), packet.source_port);
                    let to = (packet.destination_ip(), packet.destination_port);
                    flows.entry((from, to, datagram)).or_default().push(packet.payload.to_vec());
                }
                Step::Skipped { consumed } => rest = &rest[consumed..],
                Step::End => break,
                step => unreachable!("{step:?}"),
            }
        }
        let before = sides.len();
        for packets in flows.values() {
            for from in (0..packets.len()).take(MOST_BEGINNINGS) {
                let mut side = Side { capture, bytes: Vec::new(), ends: Vec::new(), missing: Vec::new() };
                for packet in packets.iter().skip(from).take(KEPT) {
                    side.bytes.extend_from_slice(packet);
                    side.ends.push(u32::try_from(side.bytes.len()).unwrap());
                }
                sides.push(side);
            }
        }
        sides.truncate(before + 4 * MOST_BEGINNINGS);
    }
    (files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect(), sides)
}

/// What each capture holds by its table.
fn held(names: &[String]) -> Vec<BTreeSet<String>> {
    let table: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../corpus/wire/EXPECT.tsv"].iter().collect();
    let table = fs::read_to_string(table).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    names
        .iter()
        .map(|name| {
            let own = rows.iter().filter(|row| row[0] == name).flat_map(|row| [row[3], row[5]]);
            let inside = INSIDE.iter().filter(|(outer, _)| name.starts_with(outer)).map(|(_, inner)| *inner);
            own.chain(inside).map(str::to_owned).collect()
        })
        .collect()
}

/// What talks of a protocol go on with, further inside.
const INSIDE: &[(&str, &str)] =
    &[("netbios-ssn", "smb"), ("rdp", "tls"), ("socks5", "http"), ("ssdp", "http")];

/// What is confirmed of a talk.
fn confirmed(datagrams: bool, client: Said<'_>, server: Said<'_>) -> Option<(&'static str, &'static str)> {
    let transport = if datagrams { Transport::Udp } else { Transport::Tcp };
    let talk = Talk { transport, client, server, ended: true, particulars: false };
    let said = recognise(&talk).settle(&talk);
    let protocol = said.protocol.filter(|_| said.certainty == Certainty::Confirmed)?;
    Some((protocol.name, said.rule))
}

#[test]
fn nothing_real_is_confirmed_to_be_something_else() {
    let (names, sides) = corpus();
    let held = held(&names);
    let mut faults = BTreeMap::<String, u32>::new();
    let mut note = |of: [&Side; 2], found: Option<(&'static str, &'static str)>| {
        let Some((found, rule)) = found else { return };
        if !of.iter().any(|side| held[side.capture].contains(found)) {
            let names = of.map(|side| names[side.capture].as_str()).join(" and ");
            *faults.entry(format!("{names}: {found}, {rule}")).or_default() += 1;
        }
    };
    for side in &sides {
        for kept in SNAPPED {
            let cut = side.snapped(kept);
            note([side, side], confirmed(true, cut.said(true), Said::default()));
            note([side, side], confirmed(true, Said::default(), cut.said(true)));
            note([side, side], confirmed(true, cut.said(true), cut.said(true)));
        }
        for datagrams in [false, true] {
            note([side, side], confirmed(datagrams, side.said(datagrams), Said::default()));
            note([side, side], confirmed(datagrams, Said::default(), side.said(datagrams)));
            note([side, side], confirmed(datagrams, side.said(datagrams), side.said(datagrams)));
        }
    }
    let mut random = Random(0x5eed_0420);
    for round in 0..40_000 {
        let any = |random: &mut Random| &sides[random.below(sides.len() as u64)];
        let (client, server) = (any(&mut random), any(&mut random));
        let datagrams = round % 2 == 0;
        note([client, server], confirmed(datagrams, client.said(datagrams), server.said(datagrams)));
    }
    assert!(sides.len() > 1000, "{} beginnings", sides.len());
    assert!(faults.is_empty(), "{faults:#?}");
}
