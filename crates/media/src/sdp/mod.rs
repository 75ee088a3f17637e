//! Session descriptions (RFC 8866): read, checked, written.
//!
//! [`parse`] keeps every line that can be read and says what could not be. [`sessions`] makes of a document what was
//! agreed, [`lint`] says which rules it breaks, [`describe`] and [`write`] make the documents of our own senders.

pub mod clocks;
pub mod describe;
pub mod document;
pub mod fields;
pub mod format;
pub mod lint;
pub mod sessions;
pub mod write;

pub use describe::describe;
pub use document::{Document, Line, Section, parse};
pub use fields::{Connection, Host, MediaLine, Origin, SourceFilter};
pub use lint::{Complaint, Edition, Lint, lint};
pub use sessions::sessions;
pub use write::write;

/// What must hold of any input; used by the fuzz target and the seeded tests.
pub fn check(bytes: &[u8]) {
    let (document, faults) = parse(bytes);
    assert!(document.media.len() <= document::MAX_MEDIA && faults.len() <= document::MAX_FAULTS);
    assert!(faults.windows(2).all(|pair| pair.iter().map(|fault| fault.at).is_sorted()));
    // What we write is what we read, and needs no second writing.
    let text = write(&document);
    let (again, _) = parse(text.as_bytes());
    assert_eq!(again, document);
    assert_eq!(write(&again), text);

    let source = model::media::SessionSource::File("check".into());
    let (sessions, _) = sessions(&document, &source);
    assert!(sessions.len() <= sessions::MAX_SESSIONS);
    for session in &sessions {
        assert!(!session.legs.is_empty() && session.legs.len() <= sessions::MAX_LEGS);
        assert!(session.legs.iter().all(|leg| leg.destination.port() != 0));
        assert!(
            session.leg_to(session.legs.first().map_or(([0; 4], 0).into(), |leg| leg.destination)).is_some()
        );
    }
    // What we describe is agreed as it was: a second description says the same.
    let origin = Origin::new(1, 1, [192, 0, 2, 1].into());
    let first = describe(&sessions, &origin);
    let (told, _) = self::sessions(&first, &source);
    let (retold, _) = self::sessions(&describe(&told, &origin), &source);
    assert_eq!(told, retold);

    let last = bytes.len().saturating_add(1);
    // One edition for each length: all of them are met by many inputs, and one costs less.
    for edition in Edition::ALL.iter().skip(bytes.len() % Edition::ALL.len()).take(1) {
        for complaint in lint(bytes, *edition) {
            assert!(complaint.line <= last && !complaint.text.is_empty() && !complaint.next.is_empty());
        }
    }
}

#[cfg(test)]
mod tests;
