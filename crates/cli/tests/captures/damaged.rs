//! Captures that are not what they claim: the binary says what it could read and where it had to stop, and never falls.

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::files::{ETHERNET, FORMS, LINKS, PCAP, ends_of_records, file, gzip, zstd};
use crate::packets::scene;
use crate::support::{Home, err, out, status};
use crate::{array, word};

/// Far more than any of these files takes, on a busy machine too.
const LONG: Duration = Duration::from_secs(120);

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % below.max(1)
    }
}

/// Runs it, and fails if it does not end.
fn run(home: &Home, words: &[&str]) -> Output {
    let mut command = home.command();
    command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = child.id().to_string();
    let (to, ended) = mpsc::channel();
    std::thread::spawn(move || to.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(LONG) else {
        let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
        panic!("{words:?} does not end");
    };
    output.unwrap()
}

/// What must hold of any file, whatever is in it. Gives the document.
fn survives(home: &Home, path: &Path, about: &str) -> Value {
    let output = run(home, &["read", "--json", "--workers", "2", word(path)]);
    let status = output.status.code();
    assert!(matches!(status, Some(0 | 2)), "{about}: {status:?} {}", err(&output));
    assert_eq!(err(&output), "", "{about}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["exit_status"], status.unwrap(), "{about}");
    let gaps = array(&document, "gaps");
    // A partial look is never 0, and nothing else makes a look of these files partial.
    assert_eq!(gaps.is_empty(), status == Some(0), "{about}: {gaps:?}");
    for gap in gaps {
        assert!(gap["what"].as_str().is_some_and(|what| !what.is_empty()), "{about}: {gap}");
    }
    document
}

fn is_damaged(document: &Value) -> bool {
    array(document, "gaps").iter().any(|gap| gap["reason"] == "damaged")
}

#[test]
fn a_capture_that_was_cut_keeps_what_came_before() {
    let home = Home::new("cut");
    let path = home.0.join("cut.pcap");
    let packets = scene().packets;
    let pcap = file(PCAP, ETHERNET, &packets);
    let ends = ends_of_records(&pcap);
    assert_eq!(ends.len(), packets.len());
    let mut dice = Dice(420);
    let mut cuts = vec![0, 3, 4, 23, 24, 25, ends[0], ends[0] + 1, pcap.len() - 1, pcap.len()];
    cuts.extend((0..40).map(|_| dice.roll(pcap.len())));
    for cut in cuts {
        std::fs::write(&path, &pcap[..cut]).unwrap();
        let document = survives(&home, &path, &format!("cut at {cut}"));
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(document["volume"]["frames"], whole, "cut at {cut}");
        let is_between = cut == 24 || ends.contains(&cut);
        assert_eq!(is_damaged(&document), !is_between, "cut at {cut}");
        if is_between {
            continue;
        }
        // Where: the record that is not whole, or the file's own header.
        let place =
            if cut < 24 { 0 } else { ends.iter().rev().find(|end| **end <= cut).copied().unwrap_or(24) };
        let fault = &array(&document, "faults")[0];
        assert_eq!(fault["at"], place, "cut at {cut}");
        let what = array(&document, "gaps")[0]["what"].as_str().unwrap();
        assert!(what.contains("cut.pcap") && what.contains(&format!("byte {place}")), "{what}");
        let finding = array(&document, "findings").iter().find(|it| it["code"] == "damaged-traffic");
        assert!(finding.is_some(), "cut at {cut}");
    }
    // People are told the same, also where the result has no place for it.
    std::fs::write(&path, &pcap[..ends[9] + 5]).unwrap();
    let place = format!("byte {}", ends[9]);
    for (words, told_in_result) in
        [(&[][..], true), (&["--csv"], false), (&["--eve"], false), (&["--no-header"], false)]
    {
        let output = home.run(&[&["read", word(&path)], words].concat());
        assert_eq!(status(&output), 2);
        let told = if told_in_result { out(&output) } else { err(&output) };
        assert!(told.contains(&place) && told.contains("cut.pcap"), "{words:?} {told}");
        assert!(out(&output).contains("ssh"), "{words:?}");
    }
    // One damaged file of several does not take the others with it.
    let good = home.0.join("good.pcap");
    std::fs::write(&good, &pcap).unwrap();
    let output = home.run(&["read", "--json", word(&path), word(&good)]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((status(&output), &document["volume"]["frames"]), (2, &(10 + packets.len()).into()));
}

#[test]
fn seeded_damage_of_every_form_and_link_type_is_survived() {
    let home = Home::new("damage");
    let path = home.0.join("damaged");
    let packets = scene().packets;
    let originals: Vec<(String, Vec<u8>)> = FORMS
        .into_iter()
        .map(|form| (format!("{form:?}"), file(form, ETHERNET, &packets)))
        .chain(LINKS.into_iter().map(|(link, _)| (format!("link type {link}"), file(PCAP, link, &packets))))
        .collect();
    let mut dice = Dice(2026);
    let (mut read, mut partial) = (0, 0);
    for round in 0..240 {
        let (name, original) = &originals[round % originals.len()];
        let mut bytes = original.clone();
        let kind = dice.roll(6);
        for _ in 0..=dice.roll(12) {
            // Half of the damage is among the headers of the file and its first records.
            let most = if dice.roll(2) == 0 { 200 } else { bytes.len() };
            let at = dice.roll(most.min(bytes.len()));
            match kind {
                0 => bytes[at] ^= 1 << dice.roll(8),
                1 => bytes[at] = dice.roll(256) as u8,
                // Lengths that nobody means.
                2 => {
                    let absurd = [0, 1, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX][dice.roll(7)];
                    for (place, byte) in bytes.iter_mut().skip(at & !3).zip(u32::to_le_bytes(absurd)) {
                        *place = byte;
                    }
                }
                3 => {
                    bytes.drain(at..(at + 1 + dice.roll(40)).min(bytes.len()));
                }
                4 => {
                    let more: Vec<u8> = (0..dice.roll(40)).map(|_| dice.roll(256) as u8).collect();
                    bytes.splice(at..at, more);
                }
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        let bytes = match dice.roll(8) {
            0 => gzip(&bytes),
            1 => zstd(&bytes),
            2 => {
                let mut packed = gzip(&bytes);
                let at = dice.roll(packed.len());
                packed[at] ^= 1 << dice.roll(8);
                packed
            }
            3 => {
                let mut packed = zstd(&bytes);
                let at = dice.roll(packed.len());
                packed[at] ^= 1 << dice.roll(8);
                packed
            }
            _ => bytes,
        };
        std::fs::write(&path, &bytes).unwrap();
        let about = format!("round {round}: {name}, damage {kind}");
        let document = survives(&home, &path, &about);
        read += u32::from(document["volume"]["frames"] != 0);
        partial += u32::from(document["exit_status"] == 2);
        if round % 8 == 0 {
            let output =
                run(&home, &["read", "--flows", "--write", word(&home.0.join("e.pcapng")), word(&path)]);
            assert_eq!(output.status.code(), document["exit_status"].as_i64().map(|it| it as i32), "{about}");
            assert!(!err(&output).contains("panicked"), "{about}: {}", err(&output));
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!out(&output).contains(control) && !err(&output).contains(control), "{about}");
        }
    }
    // The damage was neither too little nor too much.
    assert!(read > 100 && partial > 60, "{read} {partial}");
}

#[test]
fn a_block_that_is_passed_over_makes_the_look_a_partial_one() {
    let home = Home::new("passed");
    let path = home.0.join("passed.pcapng");
    let packets = scene().packets;
    let mut bytes = file(FORMS[4], ETHERNET, &packets);
    // The last block gives itself another length at its end than at its beginning.
    let place = bytes.len() - 4;
    bytes[place] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    let document = survives(&home, &path, "another length");
    assert_eq!((&document["exit_status"], is_damaged(&document)), (&2.into(), true));
    assert_eq!(document["volume"]["frames"], packets.len() - 1);
    let what = array(&document, "gaps")[0]["what"].as_str().unwrap();
    assert!(what.contains("passed.pcapng") && what.ends_with(&format!("at byte {place}")), "{what}");
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    let home = Home::new("none");
    let pcap = file(PCAP, ETHERNET, &scene().packets);
    let mut dice = Dice(7);
    let noise: Vec<u8> = (0..65_536).map(|_| dice.roll(256) as u8).collect();
    let packed = gzip(&pcap);
    let swapped = [&[0xd4, 0xc3, 0xb2, 0xa2], &pcap[4..]].concat();
    for (name, bytes, words) in [
        ("empty", Vec::new(), "the file is empty"),
        ("text", b"Name,Port\nssh,22\nsmpte,420\n".to_vec(), "neither pcap nor pcapng"),
        ("zeros", vec![0; 65_536], "neither pcap nor pcapng"),
        ("noise", noise.clone(), "neither pcap nor pcapng"),
        ("magic", swapped, "neither pcap nor pcapng"),
        ("old.snoop", b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec(), "snoop of Solaris: editcap"),
        ("packed.xz", b"\xfd7zXZ\0\0\x04and so on, for as long as a header is".to_vec(), "packed with xz"),
        ("nested.gz", gzip(&packed), "packed twice"),
        ("nested.zst", zstd(&packed), "packed twice"),
        ("short.gz", packed[..packed.len() / 2].to_vec(), "to its end"),
        ("short.zst", zstd(&pcap)[..700].to_vec(), "to its end"),
        ("head.gz", packed[..5].to_vec(), "to its end"),
        ("noise.gz", [&packed[..10], &noise].concat(), "to its end"),
        ("trailing.gz", [&packed[..], b"and more"].concat(), "to its end"),
    ] {
        let path = home.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        let document = survives(&home, &path, name);
        assert!(is_damaged(&document), "{name}");
        let what = array(&document, "gaps")[0]["what"].as_str().unwrap();
        assert!(what.contains(words) && what.contains(name), "{name}: {what}");
        // Where a file was unpacked in part, it is said how far.
        let is_part = ["short.gz", "trailing.gz"].contains(&name);
        assert!(what.contains("what follows byte ") && is_part != what.contains("byte 0"), "{name}: {what}");
    }
    // What a whole file holds before what follows it counts.
    let document = survives(&home, &home.0.join("trailing.gz"), "trailing");
    assert_eq!(document["volume"]["frames"], scene().packets.len());

    for (path, words) in
        [(home.0.as_path(), "folder"), (&home.0.join("missing.pcap"), "missing.pcap: No such file")]
    {
        let output = run(&home, &["read", word(path)]);
        assert_eq!((status(&output), out(&output)), (2, String::new()));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
}

#[test]
fn a_small_file_that_unpacks_to_much_takes_little_memory() {
    let home = Home::new("bomb");
    let path = home.0.join("bomb.pcap.gz");
    // Frames of zeros: 96 MiB of them in 100 KiB, and more than the memory there is.
    let zeros = vec![0; 65_000];
    let lengths = 65_000_u32.to_le_bytes();
    let frame = [&1_u32.to_le_bytes()[..], &[0; 4], &lengths, &lengths, &zeros].concat();
    let members = gzip(&frame.repeat(18)).repeat(86);
    std::fs::write(&path, [gzip(&file(PCAP, ETHERNET, &[])), members].concat()).unwrap();
    let output = home
        .at_home(std::process::Command::new("sh"))
        .args(["-c", "ulimit -v 90000; exec \"$0\" read --json --workers 1 --memory 16M \"$1\""])
        .arg(env!("CARGO_BIN_EXE_portreeve"))
        .arg(&path)
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["volume"]["frames"], 1548, "{}", document["volume"]);
}
