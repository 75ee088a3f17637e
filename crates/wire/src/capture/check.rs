//! What must hold of any capture; used by the fuzz target and the seeded test.

use alloc::vec::Vec;

use super::{MOST_BLOCK_BYTES, MOST_COMMENT_BYTES, MOST_COMMENTS, Place, Reader, Step, Writer};
use crate::{Fault, Frame};

/// What was read from a capture, in order: frames, and faults with their place.
type Read<'a> = (Vec<Frame<'a>>, Vec<Fault>, u64);

/// Reads `bytes`, of which the reader first sees `window` beyond its position, and more only as it asks for it.
fn read(bytes: &[u8], window: usize) -> Read<'_> {
    let (mut frames, mut faults, mut reader) = (Vec::new(), Vec::new(), Reader::new());
    let mut given = window;
    loop {
        let at = usize::try_from(reader.position()).unwrap_or(usize::MAX);
        let rest = bytes.get(at..).unwrap_or_default();
        let part = rest.get(..given).unwrap_or(rest);
        let step = reader.read(part, part.len() == rest.len());
        let consumed = match step {
            Ok(Step::Frame { frame, consumed }) => {
                // A frame lies within what is consumed, and what was captured was on the wire.
                let start = frame.bytes.as_ptr() as usize - part.as_ptr() as usize;
                assert!(start >= 8 && start + frame.bytes.len() <= consumed);
                assert!(frame.bytes.len() <= frame.wire_bytes as usize);
                frames.push(frame);
                consumed
            }
            Ok(Step::Skipped { consumed }) => consumed,
            Ok(Step::Damaged { fault, consumed }) => {
                assert!(fault.at >= at && fault.at < at + consumed);
                faults.push(fault);
                consumed
            }
            Ok(Step::NeedMore { at_least }) => {
                assert!(at_least > part.len() && at_least <= MOST_BLOCK_BYTES + 24);
                assert!(part.len() < rest.len(), "more is asked for at the end");
                given = at_least;
                continue;
            }
            Err(fault) => {
                assert!(fault.at >= at && fault.at <= bytes.len());
                faults.push(fault);
                assert_eq!(reader.read(part, true), Ok(Step::End));
                break;
            }
            Ok(Step::End) => {
                assert_eq!(at, bytes.len());
                break;
            }
        };
        assert!(consumed > 0 && consumed <= part.len());
        assert_eq!(reader.position(), (at + consumed) as u64);
        given = window;
    }
    assert_eq!(reader.counts().frames, frames.len() as u64);
    let comments = reader.comments();
    assert!(comments.kept().len() <= MOST_COMMENTS && comments.kept().len() <= bytes.len() / 4);
    assert!(comments.left_out() == 0 || comments.kept().len() == MOST_COMMENTS);
    for comment in comments.kept() {
        // A byte that is no text becomes a sign of three.
        assert!(comment.text.len() <= 3 * MOST_COMMENT_BYTES + 3);
        assert!(!matches!(comment.place, Place::Frame(number) if number == 0));
    }
    (frames, faults, reader.position())
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let whole = read(bytes, bytes.len());
    assert!(whole.0.len() <= bytes.len() / 12);
    for window in [0, 1, 37, 4096] {
        assert_eq!(read(bytes, window), whole, "in parts of {window}");
    }
    // What we write reads back the same.
    let mut file = Vec::new();
    let mut writer = Writer::new("check", &mut file);
    let mut expected: Vec<Frame<'_>> = Vec::new();
    for frame in &whole.0 {
        let interface = writer.interface(Some("a name"), frame.link, 0, &mut file);
        writer.frame(interface, frame, Some("why"), &mut file);
        let time = frame.time.filter(|time| time.as_ns() >= 0).or(Some(model::Timestamp::from_ns(0)));
        expected.push(Frame { interface, time, ..*frame });
        // A section may describe only so many.
        if expected.len() == 1000 {
            break;
        }
    }
    let (frames, faults, position) = read(&file, file.len());
    assert_eq!((frames, faults, position), (expected, Vec::new(), file.len() as u64));
}
