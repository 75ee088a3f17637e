//! What a decoy says: a few words in a protocol, written by us. They name no product and no version, and promise nothing.

use model::Protocol;

/// How a decoy greets.
#[derive(Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The stable name of the protocol.
    pub name: &'static str,
    /// The words.
    pub words: &'static [u8],
    /// Whether the client speaks first.
    pub after_request: bool,
}

const fn first(name: &'static str, words: &'static [u8]) -> Greeting {
    Greeting { name, words, after_request: false }
}

const fn after(name: &'static str, words: &'static [u8]) -> Greeting {
    Greeting { name, words, after_request: true }
}

/// Every greeting.
static ALL: [Greeting; 10] = [
    first("ftp", b"220 Ready\r\n"),
    after("http", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    first("imap", b"* OK Ready\r\n"),
    first("nntp", b"201 Ready\r\n"),
    first("pop3", b"+OK Ready\r\n"),
    after("redis", b"-ERR unknown command\r\n"),
    after("rtsp", b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"),
    first("smtp", b"220 localhost Ready\r\n"),
    // RFC 4253 §4.2: a version of software has to stand there.
    first("ssh", b"SSH-2.0-server\r\n"),
    first("telnet", b"login: "),
];

impl Greeting {
    /// The protocol, as recognisers know it.
    pub fn protocol(&self) -> Option<&'static Protocol> {
        traffic::protocol::all().find(|protocol| protocol.name == self.name)
    }
}

/// The greeting in a protocol.
pub fn named(name: &str) -> Option<&'static Greeting> {
    ALL.iter().find(|greeting| greeting.name == name)
}

/// The protocols in which there is one.
pub fn names() -> String {
    ALL.iter().map(|greeting| greeting.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use model::Transport;
    use traffic::{Said, Talk};

    use super::*;

    #[test]
    fn each_is_what_it_says_and_promises_no_version() {
        for greeting in &ALL {
            let protocol = greeting.protocol().expect(greeting.name);
            assert_eq!(protocol.name, greeting.name);
            assert!(greeting.words.len() <= 80, "{}", greeting.name);
            let text = std::str::from_utf8(greeting.words).unwrap();
            let known = ["SSH-2.0", "HTTP/1.1", "RTSP/1.0"]
                .iter()
                .fold(text.to_owned(), |text, it| text.replace(it, ""));
            assert!(!known.contains('.'), "{text:?} looks like a version");
        }
        // Our own recognisers take them for what they are, where words alone can tell.
        for name in ["ssh", "imap", "pop3"] {
            let words = named(name).unwrap().words;
            let talk = Talk {
                transport: Transport::Tcp,
                client: Said::stream(b"", true),
                server: Said::stream(words, true),
                ended: true,
                particulars: false,
            };
            let found = traffic::recognise(&talk).found.map(|(protocol, _)| protocol.name);
            assert_eq!(found, Some(name));
        }
    }
}
