//! RTSP (RFC 2326, RFC 7826): messages, and the sessions that are negotiated with them.
//!
//! [`Overheard`] follows a connection of others; [`Client`] asks a server itself.

mod client;
mod digest;
mod message;
mod overheard;
#[cfg(test)]
mod tests;
mod transport;

pub use client::{Client, Outcome};
pub use message::{Item, Message, Start, parse};
pub use overheard::{From, Overheard};
pub use transport::{Lower, Transport};

use model::Timestamp;

/// What holds for any bytes; the fuzzer's target, and a test's.
pub fn check(bytes: &[u8]) {
    // What is read is made of the bytes, and a shorter piece of them says the same or nothing yet.
    if let Ok(Some((item, used))) = parse(bytes) {
        assert!(used > 0 && used <= bytes.len());
        assert_eq!(parse(bytes.get(..used).unwrap_or_default()), Ok(Some((item, used))));
        for end in [used - 1, used / 2] {
            assert!(matches!(parse(bytes.get(..end).unwrap_or_default()), Ok(None) | Err(_)));
        }
    }
    let (client, server) = (([192, 0, 2, 1], 40_000).into(), ([192, 0, 2, 2], 554).into());
    let (mut whole, mut cut) = (Overheard::new(client, server), Overheard::new(client, server));
    let now = Some(Timestamp::from_ns(7));
    // The first half is the client's, the rest the server's.
    let (one, other) = bytes.split_at_checked(bytes.len() / 2).unwrap_or_default();
    for (from, part) in [(From::Client, one), (From::Server, other)] {
        whole.feed(from, part, now);
        part.chunks(3).for_each(|piece| cut.feed(from, piece, now));
    }
    assert_eq!(whole.sessions(), cut.sessions());
    assert!(whole.sessions().len() <= overheard::MOST_TRACKS);
    let mut asker = Client::new("rtsp://192.0.2.2/x", Some(("user", "word")));
    if let Some(asker) = &mut asker {
        for piece in bytes.chunks(61) {
            if let Some(request) = asker.poll() {
                assert!(
                    matches!(parse(&request), Ok(Some((Item::Message(_), used))) if used == request.len())
                );
            }
            asker.handle(piece);
        }
    }
}
