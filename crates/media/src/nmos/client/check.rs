//! What holds of a client whatever it is answered; for the fuzzer and the tests.

use model::Timestamp;

use super::super::url::Url;
use super::{Answer, Ask, Client, MOST_UNDER_WAY, Mode};

/// Plays a client against answers made of any bytes.
pub(in crate::nmos) fn check(bytes: &[u8]) {
    let Some(mut client) = Client::new("http://192.0.2.1", Mode::Follow) else { return };
    let mut now = Timestamp::from_ns(0);
    let mut pieces = bytes.chunks(97);
    for _ in 0..64 {
        let Some(request) = client.poll(now) else {
            now = client.wake().unwrap_or(now);
            continue;
        };
        let piece = pieces.next().unwrap_or_default();
        let (first, body) = piece.split_first().unwrap_or((&0, &[]));
        let link = String::from_utf8_lossy(body).into_owned();
        let headers = [("Link".to_owned(), link), ("X-Paging-Limit".to_owned(), "1".to_owned())];
        let status = [200, 201, 404, 501, 500, 301].get(usize::from(first % 8)).copied();
        match (&request.ask, status) {
            (Ask::Listen { url, .. }, _) => {
                assert!(Url::parse(url).is_some_and(|url| url.is_websocket()));
                client.handle(request.ticket, Answer::Opened, now);
                client.handle(request.ticket, Answer::Message(body), now);
                if first & 0x80 != 0 {
                    client.handle(request.ticket, Answer::Failed("it ended"), now);
                }
            }
            (Ask::Read { url, .. } | Ask::Post { url, .. }, Some(status)) => {
                assert!(Url::parse(url).is_some_and(|url| url.is_http()));
                client.handle(request.ticket, Answer::Response { status, headers: &headers, body }, now);
            }
            (_, None) => client.handle(request.ticket, Answer::Failed("no answer"), now),
        }
        assert!(client.busy() <= MOST_UNDER_WAY);
    }
}
