//! How a client says who it is: Basic and Digest (RFC 7617, RFC 7616, RFC 2069 where a server asks for that).

use md5::{Digest, Md5};
use sha2::Sha256;

use super::message::Message;

/// Name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    name: String,
    password: String,
}

impl Credentials {
    /// Those that can be said in a header.
    pub(super) fn new(name: &str, password: &str) -> Option<Credentials> {
        let sayable = |text: &str| text.len() <= 256 && !text.chars().any(|it| it.is_control() || it == '"');
        (sayable(name) && sayable(password) && !name.contains(':'))
            .then(|| Credentials { name: name.to_owned(), password: password.to_owned() })
    }
}

/// How a server wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The password itself.
    Basic,
    /// A digest of it.
    Digest {
        realm: String,
        nonce: String,
        opaque: Option<String>,
        sha256: bool,
        /// Whether the answer is counted (`qop=auth`).
        counted: bool,
        /// Whether only the nonce was too old.
        stale: bool,
    },
}

impl Challenge {
    /// The best of those that an answer offers.
    pub(super) fn of(message: &Message<'_>) -> Option<Challenge> {
        let all = message.all("WWW-Authenticate").filter_map(Challenge::parse);
        all.max_by_key(|it| match it {
            Challenge::Basic => 0,
            Challenge::Digest { sha256, .. } => 1 + u8::from(*sha256),
        })
    }

    fn parse(value: &str) -> Option<Challenge> {
        let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let parameter = |wanted: &str| parameters(rest).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let text = |wanted: &str| parameter(wanted).map(|(_, value)| value);
        let algorithm = text("algorithm").unwrap_or_else(|| "MD5".into()).to_ascii_uppercase();
        Some(Challenge::Digest {
            realm: text("realm")?,
            nonce: text("nonce")?,
            opaque: text("opaque"),
            sha256: match algorithm.as_str() {
                "MD5" => false,
                "SHA-256" => true,
                _ => return None,
            },
            counted: text("qop").is_some_and(|qop| qop.split(',').any(|it| it.trim() == "auth")),
            stale: text("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Challenge::Digest { stale: true, .. })
    }

    /// The header's value for a request.
    pub(super) fn answer(&self, who: &Credentials, method: &str, uri: &str, count: u32) -> String {
        match self {
            Challenge::Basic => {
                format!("Basic {}", base64(format!("{}:{}", who.name, who.password).as_bytes()))
            }
            Challenge::Digest { realm, nonce, opaque, sha256, counted, .. } => {
                let hash = |text: &str| digest(*sha256, text);
                let secret = hash(&format!("{}:{realm}:{}", who.name, who.password));
                let request = hash(&format!("{method}:{uri}"));
                let mut value = format!(
                    "Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\"",
                    who.name
                );
                if *counted {
                    // Nobody can guess it who does not know the password.
                    let own = hash(&format!("{secret}:{count}:{uri}"));
                    let response = hash(&format!("{secret}:{nonce}:{count:08x}:{own}:auth:{request}"));
                    value +=
                        &format!(", response=\"{response}\", qop=auth, nc={count:08x}, cnonce=\"{own}\"");
                } else {
                    value += &format!(", response=\"{}\"", hash(&format!("{secret}:{nonce}:{request}")));
                }
                if *sha256 {
                    value += ", algorithm=SHA-256";
                }
                opaque.iter().for_each(|opaque| value += &format!(", opaque=\"{opaque}\""));
                value
            }
        }
    }
}

/// `name="value", name=value`.
fn parameters(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at_checked(after.find(',').unwrap_or(after.len()))?,
        };
        rest = after;
        Some((name.trim_matches([' ', ',', '\t']), value.trim().to_owned()))
    })
}

fn digest(sha256: bool, text: &str) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if sha256 { hex(&Sha256::digest(text)) } else { hex(&Md5::digest(text)) }
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter =
        |bits: u32| LETTERS.get((bits & 63).try_into().unwrap_or(0_usize)).map_or('A', |it| char::from(*it));
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            text.push(if place <= three.len() { letter(bits >> shift) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standards_hold() {
        let who = Credentials::new("Mufasa", "Circle of Life").unwrap();
        // RFC 7616 §3.9.1 and RFC 2617 §3.5 have a client's nonce of their own; without one it is RFC 2069.
        let challenge = Challenge::parse(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
             algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQh\"",
        );
        let Some(Challenge::Digest { sha256: true, counted: true, opaque: Some(opaque), .. }) = &challenge
        else {
            panic!("{challenge:?}")
        };
        assert_eq!(opaque, "FQh");
        let secret = digest(true, "Mufasa:http-auth@example.org:Circle of Life");
        let request = digest(true, "GET:/dir/index.html");
        let (nonce, own) =
            ("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        assert_eq!(
            digest(true, &format!("{secret}:{nonce}:00000001:{own}:auth:{request}")),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
        let plain = Challenge::parse("Digest realm=\"r\",nonce=n").unwrap();
        let answer = plain.answer(&who, "DESCRIBE", "rtsp://h/", 1);
        let expected = digest(
            false,
            &format!(
                "{}:n:{}",
                digest(false, "Mufasa:r:Circle of Life"),
                digest(false, "DESCRIBE:rtsp://h/")
            ),
        );
        assert!(answer.contains(&format!("response=\"{expected}\"")) && !answer.contains("qop"), "{answer}");
        let basic = Challenge::parse("Basic realm=\"x\"").unwrap();
        let who = Credentials::new("Aladdin", "open sesame").unwrap();
        assert_eq!(basic.answer(&who, "", "", 1), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn nothing_gets_into_a_header_that_ends_it() {
        assert_eq!(Credentials::new("a\r\nX: y", "b"), None);
        assert_eq!(Credentials::new("a\"", "b"), None);
        assert_eq!(Challenge::parse("Bearer x"), None);
        assert_eq!(Challenge::parse("Digest realm=\"r"), None);
    }
}
