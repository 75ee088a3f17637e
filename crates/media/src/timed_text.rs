//! Timed text: TTML documents in RTP packets, and measuring their streams (RFC 8759, ST 2110-43).
//!
//! Neither text was read; the places of the octets are those of public notes that cite them.

use model::media::ancillary::TextFacts;
use model::media::{StreamFault, StreamRule};
use wire::Fault;
use wire::cursor::be16;

use crate::{Packet, Tally};

/// The most octets of a document that are put together.
const MOST_DOCUMENT_BYTES: usize = 256 * 1024;
/// The most letters of a document's text that are kept.
const MOST_LETTERS: usize = 1000;

/// The payload of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The 16 bits that are to be zero.
    pub reserved: u16,
    /// A piece of a document.
    pub text: &'a [u8],
    /// What follows it.
    pub rest: &'a [u8],
}

/// Reads a payload.
pub fn parse(bytes: &[u8]) -> Result<Payload<'_>, Fault> {
    let fault = |at, what| Fault { layer: "timed text", at, what };
    let ends = fault(bytes.len(), "the payload ends in its header (RFC 8759 §6)");
    let (reserved, length) = (be16(bytes, 0).ok_or(ends)?, be16(bytes, 2).ok_or(ends)?);
    let body = bytes.get(4..).unwrap_or_default();
    let (text, rest) = body
        .split_at_checked(usize::from(length))
        .ok_or(fault(2, "Length is more than there is (RFC 8759 §6)"))?;
    Ok(Payload { reserved, text, rest })
}

/// Whether a payload is one and begins a document of TTML, by its outermost element.
pub fn begins(bytes: &[u8]) -> bool {
    let Ok(Payload { reserved: 0, text, rest: [] }) = parse(bytes) else { return false };
    let text = String::from_utf8_lossy(text);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<') && root(&text).is_some_and(is_ttml)
}

/// Whether an outermost element of this name is TTML's.
fn is_ttml(root: &str) -> bool {
    root.rsplit(':').next() == Some("tt")
}

/// Writes a payload.
pub fn write(text: &[u8], to: &mut Vec<u8>) {
    let text = text.get(..text.len().min(usize::from(u16::MAX))).unwrap_or_default();
    to.extend_from_slice(&[0, 0]);
    to.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    to.extend_from_slice(text);
}

/// A payload is not what it claims.
pub static SHORT: StreamRule =
    StreamRule { name: "text-short", clause: "RFC 8759 §6", text: "A payload is not what it claims." };
/// Reserved bits are not zero.
pub static RESERVED: StreamRule =
    StreamRule { name: "text-reserved", clause: "RFC 8759 §6", text: "Reserved bits are not zero." };
/// A document began before the one before had ended.
pub static UNFINISHED: StreamRule = StreamRule {
    name: "text-unfinished",
    clause: "RFC 8759 §6",
    text: "A document began before the one before had ended.",
};
/// A document is not TTML.
pub static NOT_TTML: StreamRule =
    StreamRule { name: "text-not-ttml", clause: "RFC 8759 §5", text: "A document is not TTML." };

/// Measures one stream.
#[derive(Debug, Clone, Default)]
pub struct Measure {
    facts: TextFacts,
    tally: Tally,
    document: Vec<u8>,
    /// The timestamp of the document, and the number of its last packet.
    open: Option<(u32, u16)>,
    whole: bool,
}

impl Measure {
    /// Takes a packet.
    pub fn handle(&mut self, packet: &Packet<'_>) {
        let at = packet.occurrence();
        self.facts.packets += 1;
        let payload = match parse(packet.rtp.payload) {
            Ok(payload) if payload.rest.is_empty() => payload,
            Ok(payload) => {
                self.facts.malformed += 1;
                let rest = payload.rest.len();
                self.tally.note(&SHORT, at, || format!("{rest} octets follow the text"));
                payload
            }
            Err(fault) => {
                self.facts.malformed += 1;
                self.whole = false;
                self.tally.note(&SHORT, at, || fault.to_string());
                return;
            }
        };
        if payload.reserved != 0 {
            self.tally.note(&RESERVED, at, || format!("{:#06x}", payload.reserved));
        }
        if payload.text.is_empty() {
            self.facts.keep_alives += 1;
            return;
        }
        match self.open {
            Some((timestamp, before)) if timestamp == at.timestamp => {
                self.whole &= at.sequence == before.wrapping_add(1);
            }
            Some((_, before)) => {
                self.facts.incomplete += 1;
                if at.sequence == before.wrapping_add(1) {
                    self.tally.note(&UNFINISHED, at, String::new);
                }
                self.begin();
            }
            None => self.begin(),
        }
        self.open = Some((at.timestamp, at.sequence));
        if self.document.len() + payload.text.len() <= MOST_DOCUMENT_BYTES {
            self.document.extend_from_slice(payload.text);
        } else {
            self.whole = false;
        }
        if !packet.rtp.marker {
            return;
        }
        self.open = None;
        if !self.whole {
            self.facts.incomplete += 1;
            return;
        }
        self.facts.documents += 1;
        self.facts.document_bytes.add(i64::try_from(self.document.len()).unwrap_or(i64::MAX));
        let document = String::from_utf8_lossy(&self.document);
        let root = root(&document).unwrap_or_default();
        let ttml = is_ttml(root);
        self.facts.ttml += u64::from(ttml);
        if !ttml {
            self.tally.note(&NOT_TTML, at, || root.chars().take(40).collect());
        }
        self.facts.root = root.chars().take(80).collect();
        self.facts.last = text(&document);
    }

    fn begin(&mut self) {
        self.document.clear();
        self.whole = true;
    }

    /// What was measured so far.
    pub fn facts(&self) -> TextFacts {
        self.facts.clone()
    }

    /// Which rules were broken.
    pub fn faults(&self) -> &[StreamFault] {
        self.tally.faults()
    }
}

/// The name of a document's outermost element.
fn root(document: &str) -> Option<&str> {
    let mut rest = document;
    loop {
        let (_, behind) = rest.split_once('<')?;
        rest = match behind.chars().next()? {
            '?' => behind.split_once("?>")?.1,
            '!' if behind.starts_with("!--") => behind.split_once("-->")?.1,
            '!' => behind.split_once('>')?.1,
            _ => return behind.split(|letter: char| letter.is_whitespace() || "/>".contains(letter)).next(),
        };
    }
}

/// The text of a document's body: without marks, blanks made one, line breaks kept.
fn text(document: &str) -> String {
    let body = document.find("<body").or_else(|| document.find(":body")).unwrap_or(0);
    let mut words = String::new();
    let mut letters = 0;
    let mut push = |words: &mut String, letter: char| {
        let blank = letter.is_whitespace() && letter != '\n';
        let doubled = words.chars().next_back().is_none_or(char::is_whitespace) && letter.is_whitespace();
        if letters < MOST_LETTERS && !doubled {
            words.push(if blank { ' ' } else { letter });
            letters += 1;
        }
    };
    let mut pieces = document.get(body..).unwrap_or_default().split('<');
    // What stands before the first mark belongs to the mark that was cut.
    let first = pieces.next().filter(|_| body == 0).unwrap_or_default();
    for piece in core::iter::once(first).chain(pieces) {
        let (mark, plain) = piece.split_once('>').unwrap_or(("", piece));
        let name = mark.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if matches!(name.rsplit(':').next(), Some("br" | "p")) {
            push(&mut words, '\n');
        }
        let plain =
            plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
        for letter in plain.replace("&amp;", "&").chars() {
            push(&mut words, if letter == '\n' { ' ' } else { letter });
        }
    }
    words.trim().into()
}

/// What must hold of any input: a payload is written as it was, and what is kept of a document is bounded.
pub fn check(bytes: &[u8]) {
    let mut measure = Measure::default();
    if let Ok(payload) = parse(bytes) {
        let mut again = Vec::new();
        write(payload.text, &mut again);
        again.extend_from_slice(payload.rest);
        assert_eq!(again.get(2..), bytes.get(2..));
    }
    let mut document = Vec::new();
    write(bytes, &mut document);
    for (sequence, payload) in [(0, bytes), (1, document.as_slice())] {
        measure.handle(&Packet {
            time: None,
            frame: 1,
            udp_bytes: 100,
            rtp: wire::rtp::Packet {
                marker: true,
                payload_type: 100,
                sequence,
                timestamp: u32::from(sequence),
                ssrc: 0,
                sources: 0,
                extension: None,
                payload,
                padding_bytes: 0,
            },
        });
    }
    let facts = measure.facts();
    let whole = facts.documents + facts.keep_alives + facts.incomplete;
    assert!(whole <= facts.packets && facts.ttml <= facts.documents && facts.malformed <= facts.packets);
    assert!(facts.last.chars().count() <= MOST_LETTERS && facts.root.chars().count() <= 80);
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<?xml version=\"1.0\"?><!-- <x> --><tt:tt xmlns:tt=\"http://www.w3.org/ns/ttml\"><tt:head/>\
        <tt:body><tt:div>\n  <tt:p begin=\"0s\">Salt &amp;\n pepper<tt:br/>&lt;both&gt;</tt:p></tt:div></tt:body></tt:tt>";

    fn packet(sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Packet<'_> {
        Packet {
            time: None,
            frame: 1,
            udp_bytes: 100,
            rtp: wire::rtp::Packet {
                marker,
                payload_type: 100,
                sequence,
                timestamp,
                ssrc: 0,
                sources: 0,
                extension: None,
                payload,
                padding_bytes: 0,
            },
        }
    }

    #[test]
    fn documents_are_put_together() {
        let mut measure = Measure::default();
        let pieces: Vec<Vec<u8>> = DOCUMENT
            .as_bytes()
            .chunks(60)
            .map(|piece| {
                let mut payload = Vec::new();
                write(piece, &mut payload);
                payload
            })
            .collect();
        for (index, piece) in pieces.iter().enumerate() {
            measure.handle(&packet(u16::try_from(index).unwrap(), 9, index + 1 == pieces.len(), piece));
        }
        measure.handle(&packet(100, 20, true, &[0; 4]));
        let facts = measure.facts();
        assert_eq!((facts.documents, facts.ttml, facts.keep_alives, facts.incomplete), (1, 1, 1, 0));
        assert_eq!((facts.root.as_str(), facts.last.as_str()), ("tt:tt", "Salt & pepper\n<both>"));
        assert!(measure.faults().is_empty());
    }

    #[test]
    fn each_rule_rings() {
        let mut measure = Measure::default();
        measure.handle(&packet(1, 1, true, b"\0\0\0\x06<html>"));
        measure.handle(&packet(2, 2, false, b"\0\0\0\x04<tt>"));
        measure.handle(&packet(3, 3, false, b"\0\x01\0\x04<tt>"));
        measure.handle(&packet(5, 3, true, b"\0\0\0\x01<!"));
        measure.handle(&packet(6, 4, true, b"\0\0\0\x09<"));
        let rung: Vec<_> = measure.faults().iter().map(|it| (it.rule.name, it.count)).collect();
        assert_eq!(
            rung,
            [("text-not-ttml", 1), ("text-reserved", 1), ("text-unfinished", 1), ("text-short", 2)]
        );
        let facts = measure.facts();
        assert_eq!((facts.documents, facts.incomplete, facts.malformed), (1, 2, 2));
    }

    #[test]
    fn any_text_is_survived() {
        let mut seed = 7_u64;
        for _ in 0..5_000 {
            let mut copy = DOCUMENT.as_bytes().to_vec();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[5];
            }
            check(&copy);
            let copy = String::from_utf8_lossy(&copy);
            root(&copy);
            assert!(text(&copy).chars().count() <= MOST_LETTERS);
        }
        for end in 0..DOCUMENT.len() {
            root(DOCUMENT.get(..end).unwrap());
            text(DOCUMENT.get(..end).unwrap());
        }
    }
}
