//! The hellos of TLS and DTLS: what a client offers, what a server chooses (RFC 8446 §4.1).

use super::{vector8, vector16};
use crate::Fault;
use crate::cursor::be16;

/// A ServerHello with this random asks the client to begin again (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A value that says nothing and is there to be ignored (RFC 8701).
pub fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// One extension of a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its number in the registry.
    pub kind: u16,
    /// Its content.
    pub data: &'a [u8],
}

/// Numbers of extensions that are read here.
pub mod extension {
    /// RFC 6066 §3.
    pub const SERVER_NAME: u16 = 0;
    /// RFC 8422 §5.1.1.
    pub const GROUPS: u16 = 10;
    /// RFC 8422 §5.1.2.
    pub const POINT_FORMATS: u16 = 11;
    /// RFC 8446 §4.2.3.
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    /// RFC 7301.
    pub const ALPN: u16 = 16;
    /// RFC 8446 §4.2.1.
    pub const SUPPORTED_VERSIONS: u16 = 43;
}

fn extensions(bytes: &[u8]) -> impl Iterator<Item = Extension<'_>> + Clone {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let kind = be16(rest, 0)?;
        let (data, after) = vector16(rest.get(2..)?)?;
        rest = after;
        Some(Extension { kind, data })
    })
}

/// Whether the bytes are extensions to their end.
fn are_extensions(bytes: &[u8]) -> bool {
    extensions(bytes).map(|extension| 4 + extension.data.len()).sum::<usize>() == bytes.len()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> + Clone {
    bytes.chunks_exact(2).map(|pair| be16(pair, 0).unwrap_or_default())
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "tls hello", at, what }
}

/// What a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// The version it claims; TLS 1.3 claims 1.2 here and says the truth in an extension.
    pub version: u16,
    /// The session that it wants to take up again.
    pub session: &'a [u8],
    /// The cookie of DTLS; empty otherwise.
    pub cookie: &'a [u8],
    ciphers: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads the body of the message; `datagram` for DTLS, which has a cookie in it (RFC 6347 §4.2.1).
    pub fn parse(body: &'a [u8], datagram: bool) -> Result<ClientHello<'a>, Fault> {
        let at = |rest: &[u8]| body.len() - rest.len();
        let version = be16(body, 0).ok_or(fault(0, "no version"))?;
        let known = match datagram {
            true => matches!(version, 0xfeff | 0xfefd | 0xfefc | 0x0100),
            false => (0x0300..=0x0304).contains(&version),
        };
        if !known {
            return Err(fault(0, "no version of this protocol"));
        }
        let rest = body.get(34..).ok_or(fault(2, "the random ends early"))?;
        let (session, rest) = vector8(rest).ok_or(fault(34, "the session ends early"))?;
        if session.len() > 32 {
            return Err(fault(34, "a session of more than 32 bytes (RFC 8446 §4.1.2)"));
        }
        let (cookie, rest) = match datagram {
            true => vector8(rest).ok_or(fault(at(rest), "the cookie ends early"))?,
            false => (&[][..], rest),
        };
        let (ciphers, after) = vector16(rest).ok_or(fault(at(rest), "the ciphers end early"))?;
        if ciphers.is_empty() || !ciphers.len().is_multiple_of(2) {
            return Err(fault(at(rest), "ciphers are pairs of bytes, and one at least (RFC 8446 §4.1.2)"));
        }
        let (compressions, rest) = vector8(after).ok_or(fault(at(after), "the compressions end early"))?;
        if !compressions.contains(&0) {
            return Err(fault(at(after), "no compression is always offered (RFC 5246 §7.4.1.2)"));
        }
        let extensions = match rest {
            [] => &[],
            _ => match vector16(rest) {
                Some((extensions, [])) if are_extensions(extensions) => extensions,
                _ => return Err(fault(at(rest), "extensions do not end with the message")),
            },
        };
        Ok(ClientHello { version, session, cookie, ciphers, extensions })
    }

    /// The ciphers, in the client's order.
    pub fn ciphers(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        numbers(self.ciphers)
    }

    /// The extensions, in the client's order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + Clone + use<'a> {
        extensions(self.extensions)
    }

    fn extension(&self, kind: u16) -> Option<&'a [u8]> {
        self.extensions().find(|extension| extension.kind == kind).map(|extension| extension.data)
    }

    /// Numbers of an extension that is one list with its length in two bytes.
    fn listed(&self, kind: u16) -> impl Iterator<Item = u16> + Clone + use<'a> {
        numbers(self.extension(kind).and_then(vector16).map(|(list, _)| list).unwrap_or_default())
    }

    /// The name of the server that is asked for (RFC 6066 §3).
    pub fn server_name(&self) -> Option<&'a [u8]> {
        let (list, _) = vector16(self.extension(extension::SERVER_NAME)?)?;
        let (name, _) = vector16(list.strip_prefix(&[0])?)?;
        (!name.is_empty()).then_some(name)
    }

    /// Protocols to be spoken inside (RFC 7301).
    pub fn protocols(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        protocols(self.extension(extension::ALPN))
    }

    /// Versions offered in the extension, in the client's order; none before TLS 1.3.
    pub fn versions(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        let list = self.extension(extension::SUPPORTED_VERSIONS).and_then(vector8);
        numbers(list.map(|(list, _)| list).unwrap_or_default())
    }

    /// Groups for the key exchange.
    pub fn groups(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        self.listed(extension::GROUPS)
    }

    /// Formats of points on a curve.
    pub fn point_formats(&self) -> &'a [u8] {
        self.extension(extension::POINT_FORMATS).and_then(vector8).map(|(list, _)| list).unwrap_or_default()
    }

    /// Signature algorithms.
    pub fn signature_algorithms(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        self.listed(extension::SIGNATURE_ALGORITHMS)
    }
}

fn protocols(data: Option<&[u8]>) -> impl Iterator<Item = &[u8]> {
    let mut rest = data.and_then(vector16).map(|(list, _)| list).unwrap_or_default();
    core::iter::from_fn(move || {
        let (one, after) = vector8(rest)?;
        rest = after;
        Some(one)
    })
}

/// What a server chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The version it claims; see [`ServerHello::chosen_version`].
    pub version: u16,
    /// The cipher it chose.
    pub cipher: u16,
    /// Whether it asks the client to begin again.
    pub is_retry: bool,
    extensions: &'a [u8],
}

impl<'a> ServerHello<'a> {
    /// Reads the body of the message.
    pub fn parse(body: &'a [u8]) -> Result<ServerHello<'a>, Fault> {
        let version = be16(body, 0).ok_or(fault(0, "no version"))?;
        if !matches!(version, 0x0300..=0x0304 | 0x7f00..=0x7fff | 0xfeff | 0xfefd | 0xfefc | 0x0100) {
            return Err(fault(0, "no version of this protocol"));
        }
        let random = body.get(2..34).ok_or(fault(2, "the random ends early"))?;
        // Drafts of TLS 1.3 had no session here.
        let rest = body.get(34..).unwrap_or_default();
        let (session, rest) = match version {
            0x7f00..=0x7fff => (&[][..], rest),
            _ => vector8(rest).ok_or(fault(34, "the session ends early"))?,
        };
        if session.len() > 32 {
            return Err(fault(34, "a session of more than 32 bytes (RFC 8446 §4.1.3)"));
        }
        let at = body.len() - rest.len();
        let cipher = be16(rest, 0).ok_or(fault(at, "no cipher"))?;
        let rest = match version {
            0x7f00..=0x7fff => rest.get(2..).unwrap_or_default(),
            _ => match rest.get(2..).and_then(<[u8]>::split_first) {
                Some((0 | 1, rest)) => rest,
                _ => return Err(fault(at + 2, "no compression that exists")),
            },
        };
        let extensions = match rest {
            [] => &[],
            _ => match vector16(rest) {
                Some((extensions, [])) if are_extensions(extensions) => extensions,
                _ => return Err(fault(body.len() - rest.len(), "extensions do not end with the message")),
            },
        };
        Ok(ServerHello { version, cipher, is_retry: random == RETRY, extensions })
    }

    /// The extensions, in the server's order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + Clone + use<'a> {
        extensions(self.extensions)
    }

    /// The version that is spoken from here on (RFC 8446 §4.2.1).
    pub fn chosen_version(&self) -> u16 {
        let said = self.extensions().find(|extension| extension.kind == extension::SUPPORTED_VERSIONS);
        said.and_then(|extension| be16(extension.data, 0)).unwrap_or(self.version)
    }

    /// The protocol to be spoken inside, where the server says so in the clear.
    pub fn protocol(&self) -> Option<&'a [u8]> {
        let said = self.extensions().find(|extension| extension.kind == extension::ALPN);
        protocols(said.map(|extension| extension.data)).next()
    }
}

/// What must hold of any bytes.
pub(super) fn check(body: &[u8]) {
    for datagram in [false, true] {
        let Ok(hello) = ClientHello::parse(body, datagram) else { continue };
        assert!(hello.ciphers().count() > 0 && hello.session.len() <= 32);
        assert!(hello.extensions().map(|extension| extension.data.len() + 4).sum::<usize>() <= body.len());
        assert!(hello.server_name().is_none_or(|name| name.len() < body.len()));
        assert!(hello.protocols().map(<[u8]>::len).sum::<usize>() < body.len());
        assert!(hello.versions().count() + hello.groups().count() < body.len());
        assert!(hello.point_formats().len() + hello.signature_algorithms().count() < body.len());
    }
    if let Ok(hello) = ServerHello::parse(body) {
        assert!(hello.extensions().count() * 4 <= body.len());
        assert!(hello.protocol().is_none_or(|name| name.len() < body.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn client() -> Vec<u8> {
        let mut body = Vec::from([3, 3]);
        body.extend_from_slice(&[7; 32]);
        body.push(0);
        body.extend_from_slice(&[0, 6, 0x1a, 0x1a, 0x13, 0x01, 0xc0, 0x2f, 1, 0]);
        let extensions = [
            &[0, 0, 0, 14, 0, 12, 0, 0, 9][..],
            b"a.example",
            &[0, 16, 0, 14, 0, 12, 2],
            b"h2\x08http/1.1",
            &[0, 43, 0, 5, 4, 0x0a, 0x0a, 3, 4],
            &[0, 10, 0, 4, 0, 2, 0, 29],
            &[0, 11, 0, 2, 1, 0],
            &[0, 13, 0, 4, 0, 2, 4, 3],
        ]
        .concat();
        body.extend_from_slice(&u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&extensions);
        body
    }

    #[test]
    fn an_offer_is_read_whole() {
        let body = client();
        let hello = ClientHello::parse(&body, false).unwrap();
        assert_eq!(hello.server_name(), Some(&b"a.example"[..]));
        assert_eq!(hello.protocols().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
        assert_eq!(hello.versions().collect::<Vec<_>>(), [0x0a0a, 0x0304]);
        assert_eq!(
            hello.ciphers().filter(|cipher| !is_grease(*cipher)).collect::<Vec<_>>(),
            [0x1301, 0xc02f]
        );
        assert_eq!(hello.groups().chain(hello.signature_algorithms()).collect::<Vec<_>>(), [29, 0x0403]);
        assert_eq!(hello.point_formats(), [0]);
    }

    #[test]
    fn every_prefix_and_what_is_forbidden() {
        let body = client();
        for length in 0..body.len() {
            // Without any extensions a hello is whole, too.
            assert_eq!(ClientHello::parse(&body[..length], false).is_ok(), length == 45, "{length}");
            check(&body[..length]);
        }
        for (at, value) in [(0, 2), (1, 5), (34, 33), (36, 5), (36, 0), (44, 1), (46, 200)] {
            let mut bad = body.clone();
            bad[at] = value;
            assert!(ClientHello::parse(&bad, false).is_err(), "{at}");
        }
    }

    #[test]
    fn a_choice_is_read_whole() {
        let mut body = Vec::from([3, 3]);
        body.extend_from_slice(&[9; 32]);
        body.extend_from_slice(&[0, 0x13, 0x02, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        let hello = ServerHello::parse(&body).unwrap();
        assert_eq!((hello.cipher, hello.chosen_version(), hello.is_retry), (0x1302, 0x0304, false));
        for length in 0..body.len() {
            assert_eq!(ServerHello::parse(&body[..length]).is_ok(), length == 38, "{length}");
        }
        body[37] = 2;
        assert!(ServerHello::parse(&body).is_err());
    }
}
