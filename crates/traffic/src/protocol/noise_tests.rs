//! Random bytes, alone and behind every sign, are recognised as nothing; no table of neighbours is needed for that.

use model::{Certainty, Transport};

use super::ALL;
use crate::recognise::recognise;
use crate::talk::{Said, Talk};

pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x5851_f42d_4c95_7f2d)
    }

    pub(super) fn below(&mut self, limit: u64) -> usize {
        usize::try_from((self.next() >> 32) % limit).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// One side: a stream, or a few datagrams.
struct Side {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Side {
    fn new(random: &mut Random, datagrams: bool, begin: &[u8]) -> Side {
        let mut side = Side { bytes: Vec::new(), ends: Vec::new() };
        for _ in 0..if datagrams { 1 + random.below(6) } else { 1 } {
            side.bytes.extend_from_slice(begin);
            let length = 1 + random.below(200);
            side.bytes.extend_from_slice(&random.bytes(length));
            side.ends.push(u32::try_from(side.bytes.len()).unwrap());
        }
        side
    }

    fn said(&self, datagrams: bool) -> Said<'_> {
        if datagrams { Said::datagrams(&self.bytes, &self.ends) } else { Said::stream(&self.bytes, true) }
    }
}

/// What is recognised in talks that begin like this on one side and at random on the other.
fn recognised(random: &mut Random, datagrams: bool, begin: [&[u8]; 2]) -> Option<(&'static str, Certainty)> {
    let sides = begin.map(|begin| Side::new(random, datagrams, begin));
    let silent = random.below(2) == 0;
    of(datagrams, &sides, silent)
}

fn of(datagrams: bool, [client, server]: &[Side; 2], silent: bool) -> Option<(&'static str, Certainty)> {
    let talk = Talk {
        transport: if datagrams { Transport::Udp } else { Transport::Tcp },
        client: client.said(datagrams),
        server: if silent { Said::default() } else { server.said(datagrams) },
        ended: true,
        particulars: true,
    };
    let said = recognise(&talk).settle(&talk);
    said.protocol.map(|protocol| (protocol.name, said.certainty))
}

#[test]
fn random_talks_are_recognised_as_nothing() {
    let mut random = Random(0x0dd_ba11);
    for _ in 0..20_000 {
        for datagrams in [false, true] {
            let found = recognised(&mut random, datagrams, [b"", b""]);
            assert_eq!(found, None);
        }
    }
}

/// Protocols whose signs decide by themselves: text that nobody else begins with, or eight bytes that are all fixed.
const BY_THEIR_SIGN: &[&str] = &["ftp", "postgresql", "quic", "smtp", "ssh"];

/// Of all talks behind a protocol's signs, as many may fit by chance: a datagram of one exact length, a short request.
const BY_CHANCE: u32 = 3;

#[test]
fn noise_behind_a_sign_is_recognised_as_nothing() {
    let mut random = Random(0x5eed);
    let mut faults = std::collections::BTreeMap::<(&str, &str), u32>::new();
    for recogniser in ALL {
        for sign in recogniser.signs {
            for round in 0..200 {
                let begin = sign.example(random.next());
                let datagrams = sign.is_over(round % 2 == 0);
                let sides: [&[u8]; 2] = if round % 4 < 2 { [&begin, b""] } else { [b"", &begin] };
                if let Some((found, Certainty::Confirmed | Certainty::Attempt)) =
                    recognised(&mut random, datagrams, sides)
                {
                    *faults.entry((recogniser.protocol.name, found)).or_default() += 1;
                }
            }
        }
    }
    faults.retain(|(_, found), count| !BY_THEIR_SIGN.contains(found) && *count > BY_CHANCE);
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn small_numbers_are_recognised_as_nothing() {
    let mut random = Random(0x00c0_ffee);
    let mut faults = std::collections::BTreeMap::<(&str, bool), u32>::new();
    for round in 0..60_000 {
        let datagrams = round % 2 == 0;
        let sides = [(), ()].map(|()| {
            let mut side = Side::new(&mut random, datagrams, b"");
            // As binary formats are full of: zeros, numbers below sixteen, few others.
            for byte in &mut side.bytes {
                *byte = if *byte < 150 { 0 } else { *byte & 0x0f };
            }
            side
        });
        if let Some((found, Certainty::Confirmed | Certainty::Attempt)) = of(datagrams, &sides, round % 4 < 2)
        {
            *faults.entry((found, datagrams)).or_default() += 1;
        }
    }
    faults.retain(|_, count| *count > BY_CHANCE);
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn words_are_recognised_as_nothing() {
    const WORDS: &[&str] = &[
        "the", "he", "-", "get", "{", "}", "<x>", "no", "OK", "+", "200", "220", "hello", "user", "END",
        "\r\n", "\n", ":", "$", "*1", "stat", "INFO", "key", "/", "a.b", "ERROR", "PING", "set", "1", "<13>",
        "version",
    ];
    let mut random = Random(0x0abc_def1);
    let mut faults = std::collections::BTreeMap::<(&str, bool), u32>::new();
    for round in 0..60_000 {
        let datagrams = round % 2 == 0;
        let sides = [(), ()].map(|()| {
            let words: Vec<&str> =
                (0..1 + random.below(12)).map(|_| WORDS[random.below(WORDS.len() as u64)]).collect();
            let bytes = words.join(" ").into_bytes();
            Side { ends: vec![u32::try_from(bytes.len()).unwrap()], bytes }
        });
        if let Some((found, Certainty::Confirmed | Certainty::Attempt)) = of(datagrams, &sides, round % 4 < 2)
        {
            *faults.entry((found, datagrams)).or_default() += 1;
        }
    }
    assert!(faults.is_empty(), "{faults:?}");
}
