//! gRPC: HTTP/2 whose content is of the type `application/grpc` (gRPC over HTTP/2).

use std::sync::LazyLock;

use memchr::memmem::Finder;
use model::{Protocol, Secrecy, Wandering};
use wire::hpack::Field;
use wire::http2::{self, PREFACE};

use super::Recogniser;
use super::http2::{Heard, SIGNS};
use crate::recognise::Look;
use crate::talk::Talk;

/// How gRPC is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "grpc",
        title: "gRPC",
        reference: "gRPC over HTTP/2",
        services: &["http", "http-alt", "etcd-client", "etcd-server"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: SIGNS,
    look,
};

/// `application/grpc` in the code of HPACK: it fills whole bytes (RFC 7541 §5.2).
const CODED: [u8; 11] = [0x1d, 0x75, 0xd0, 0x62, 0x0d, 0x26, 0x3d, 0x4c, 0x4d, 0x65, 0x64];
/// The type as it may be written, ready to be searched for.
static TYPES: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| [Finder::new(&CODED), Finder::new(b"application/grpc")]);

/// Whether the first fields of a side may have the type: quicker to say than what all of them are.
fn may_have_type(bytes: &[u8]) -> bool {
    let frames = bytes.strip_prefix(PREFACE).unwrap_or(bytes);
    http2::first_fields(http2::frames(frames))
        .is_some_and(|block| TYPES.iter().any(|written| written.find(&block).is_some()))
}

fn is_grpc(fields: &[Field<'_>]) -> bool {
    fields.iter().any(|field| {
        *field.name == *b"content-type"
            && field
                .value
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    })
}

fn look(talk: &Talk<'_>) -> Look {
    if ![talk.client.bytes(), talk.server.bytes()].into_iter().any(may_have_type) {
        return Look::No;
    }
    let heard = Heard::of(talk, usize::MAX);
    if !is_grpc(&heard.request) && !is_grpc(&heard.response) {
        return Look::No;
    }
    let rules = [
        "content-type application/grpc in HTTP/2",
        "server answers application/grpc",
        "client asks for application/grpc",
    ];
    heard.claim(talk, 220, rules)
}

#[cfg(test)]
mod tests {
    use crate::protocol::http2::tests::{client, frame};
    use crate::protocol::testing::{attempt, confirmed, tcp};

    /// The fields as a Python encoder writes them.
    const REQUEST: &[u8] = &[
        0x83, 0x86, 0x44, 0x95, 0x62, 0x72, 0xd1, 0x41, 0xfc, 0x1e, 0xca, 0x24, 0x5f, 0x15, 0x85, 0x2a, 0x4b,
        0x63, 0x1b, 0x87, 0xeb, 0x19, 0x68, 0xa0, 0xff, 0x41, 0x8b, 0x1a, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xb7,
        0x1b, 0x00, 0x1b, 0x0f, 0x5f, 0x8b, 0x1d, 0x75, 0xd0, 0x62, 0x0d, 0x26, 0x3d, 0x4c, 0x4d, 0x65, 0x64,
    ];
    const RESPONSE: &[u8] = &[
        0x88, 0x5f, 0x8b, 0x1d, 0x75, 0xd0, 0x62, 0x0d, 0x26, 0x3d, 0x4c, 0x4d, 0x65, 0x64, 0x76, 0x83, 0xf2,
        0xc0, 0x7f,
    ];

    #[test]
    fn coded_and_plain_types_of_content() {
        let answer = [frame(4, 0, 0, &[]), frame(1, 4, 1, RESPONSE)].concat();
        let said = confirmed("grpc", &tcp(&client(REQUEST), &answer));
        assert_eq!(said.detail("path"), Some("/helloworld.Greeter/SayHello"));
        assert_eq!((said.detail("host"), said.detail("server")), (Some("a.example:50051"), Some("x/1")));
        attempt("grpc", &tcp(&client(b"\x83\x5f\x16application/grpc+proto"), b""));
        attempt("http2", &tcp(&client(b"\x83\x5f\x14application/grpc-web"), b""));
    }
}
