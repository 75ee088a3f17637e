//! SCTP: what the chunks of a packet say of an association, and the message that they carry (RFC 9260 §3).

use wire::cursor::be16;

use crate::entry::{Entry, Marks};
use crate::key::End;

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const ABORT: u8 = 6;
const SHUTDOWN_COMPLETE: u8 = 14;
/// RFC 8260 §2.1.
const I_DATA: u8 = 64;

/// Notes what a packet says of its association; gives the first whole message in it.
pub(super) fn handle<'a>(entry: &mut Entry, from: End, chunks: &'a [u8]) -> Option<&'a [u8]> {
    let spoken = messages(chunks);
    match chunks.first() {
        Some(&INIT) if !entry.marks.has(Marks::OPENED) => {
            entry.client = from;
            entry.marks.set(Marks::OPENED);
            entry.marks.set(Marks::ASKED);
        }
        Some(&INIT_ACK) if !entry.marks.has(Marks::OPENED) => {
            entry.client = from.other();
            entry.marks.set(Marks::OPENED);
        }
        Some(&ABORT) => {
            let refuses = entry.marks.has(Marks::ASKED) && !entry.marks.has(Marks::ANSWERED);
            entry.marks.set(if refuses && from == entry.server() { Marks::REFUSED } else { Marks::RESET });
            return None;
        }
        Some(&SHUTDOWN_COMPLETE) => {
            entry.counts.low.finished = true;
            entry.counts.high.finished = true;
        }
        _ => {}
    }
    if from == entry.server() {
        entry.marks.set(Marks::ANSWERED);
    }
    entry.counts.at_mut(from).spoke |= spoken.any;
    spoken.whole
}

/// What the chunks of one packet carry for whoever uses the association.
#[derive(Debug, PartialEq, Eq)]
struct Spoken<'a> {
    /// Whether there is anything.
    any: bool,
    /// The first message that begins and ends here.
    whole: Option<&'a [u8]>,
}

fn messages(chunks: &[u8]) -> Spoken<'_> {
    let mut spoken = Spoken { any: false, whole: None };
    let mut rest = chunks;
    while let (Some([kind, flags, ..]), Some(length)) = (rest.first_chunk::<4>(), be16(rest, 2)) {
        let length = usize::from(length);
        if length < 4 {
            break;
        }
        let head = match *kind {
            DATA => 16,
            I_DATA => 20,
            _ => length,
        };
        if length > head {
            spoken.any = true;
            // The first piece and the last in one, and not cut by the capture.
            if flags & 3 == 3 {
                spoken.whole = rest.get(head..length);
            }
        }
        if spoken.whole.is_some() {
            break;
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + body.len()).unwrap().to_be_bytes();
        let mut bytes = [&[kind, flags][..], &length, body].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn data(flags: u8, message: &[u8]) -> Vec<u8> {
        chunk(DATA, flags, &[&[0, 0, 0, 7, 0, 1, 0, 2, 0, 0, 0, 46][..], message].concat())
    }

    #[test]
    fn a_whole_message_is_found_behind_other_chunks() {
        let cookie = chunk(10, 0, b"a cookie of 21 bytes.");
        let packet = [cookie, data(3, b"hello"), data(3, b"again")].concat();
        assert_eq!(messages(&packet), Spoken { any: true, whole: Some(b"hello") });
        // A piece of one is something, and no message.
        assert_eq!(messages(&data(2, b"hel")), Spoken { any: true, whole: None });
        assert_eq!(
            messages(&[data(2, b"hel"), data(3, b"again")].concat()),
            Spoken { any: true, whole: Some(b"again") }
        );
        for quiet in [chunk(INIT, 0, &[0; 16]), chunk(3, 0, &[0; 12]), data(3, b"")] {
            assert_eq!(messages(&quiet), Spoken { any: false, whole: None });
        }
        for length in 0..packet.len() {
            messages(&packet[..length]);
        }
        // A length of nothing does not go round for ever.
        assert_eq!(messages(&[0, 3, 0, 0, 9, 9]), Spoken { any: false, whole: None });
    }
}
