//! ONC RPC and the programs that use it: portmap, NFS, mount, lock manager (RFC 5531 §9, §11).

use model::{Protocol, Secrecy, Wandering};
use wire::onc_rpc::{self, Body};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, not, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How ONC RPC is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "onc-rpc",
        title: "ONC RPC (NFS, portmap)",
        reference: "RFC 5531",
        services: &["sunrpc", "nfs", "mountd", "nfsrdma"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Any, Any, Any, Any, Is(0), Is(0), Is(0), In(0, 1)]),
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Mask(0x7f, 0), In(0, 0x3f), Any, Mask(3, 0), Any, Any, Any, Any],
        ),
    ],
    look,
};

/// The longest message that is worth believing: a write of a mebibyte.
const MOST_RECORD: u32 = 0x14_0000;

fn message<'a>(talk: &Talk<'_>, mut reader: Reader<'a>) -> Part<onc_rpc::Message<'a>> {
    if !talk.is_datagrams() {
        let (_, length) = onc_rpc::record_mark(reader.take(4)?).ok_or(Not::Short)?;
        must((24..=MOST_RECORD).contains(&length))?;
    }
    let bytes = reader.rest();
    onc_rpc::parse(bytes).map_err(|fault| not(fault, bytes))
}

struct Call {
    xid: u32,
    program: u32,
    version: u32,
    by_numbers: bool,
}

fn call(talk: &Talk<'_>, reader: Reader<'_>) -> Part<Call> {
    let message = message(talk, reader)?;
    match message.body {
        Body::Call { program, version, procedure, flavor } => {
            // Numbers below 0x20000000 are given out, those up to 0x40000000 are a site's own (RFC 5531 §8.1).
            must((100_000..0x6000_0000).contains(&program) && version < 64 && procedure < 512)?;
            must(flavor <= 6 || (390_000..=400_200).contains(&flavor))?;
            Ok(Call { xid: message.xid, program, version, by_numbers: flavor == 1 })
        }
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = hear_pair(
        talk,
        |reader| call(talk, reader),
        |reader| {
            let message = message(talk, reader)?;
            must(!matches!(message.body, Body::Call { .. })).map(|()| message.xid)
        },
        |call, xid| call.xid == *xid,
    );
    let (call, claim) = match (&client, &server) {
        (Ok(call), Ok(xid)) if call.xid == *xid => {
            (call, talk.claim(By::Both, 128, "call, and a reply with its number"))
        }
        (Ok(call), Err(Not::Silent | Not::Short)) => {
            (call, talk.claim(By::Client, 72, "client begins with a call"))
        }
        (Err(Not::Silent), Ok(_)) => {
            return Look::Yes(talk.claim(By::Server, 100, "server begins with a reply"));
        }
        _ => return otherwise(talk, &client, &server),
    };
    let number = call.program.to_string();
    let claim = claim
        .with("program", onc_rpc::program_name(call.program).map_or(number.as_bytes(), str::as_bytes))
        .showing("version", call.version);
    Look::Yes(if call.by_numbers { claim.with("authentication", b"by numbers") } else { claim })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn calls_and_replies_over_both_transports() {
        let call = [0xabcd_0001, 0, 2, 100_003, 3, 0, 0, 0, 0, 0];
        let reply = [0xabcd_0001, 1, 0, 0, 0, 0];
        let said = confirmed("onc-rpc", &udp(&[&words(&call)], &[&words(&reply)]).talk());
        assert_eq!((said.detail("program"), said.detail("version")), (Some("nfs"), Some("3")));
        let marked = |body: &[u32]| {
            let mark = 0x8000_0000 | u32::try_from(body.len() * 4).unwrap();
            words(&[&[mark], body].concat())
        };
        confirmed("onc-rpc", &tcp(&marked(&call), &marked(&reply)));
        attempt("onc-rpc", &tcp(&marked(&call), b""));
        let other = [0xabcd_0002, 1, 0, 0, 0, 0];
        nothing(&udp(&[&words(&call)], &[&words(&other)]).talk());
        // A reply whose call was not heard.
        confirmed("onc-rpc", &udp(&[], &[&words(&[7, 1, 0, 0, 0, 0, 420])]).talk());
        nothing(&udp(&[], &[&words(&[7, 1, 0, 0, 0, 6, 420])]).talk());
        nothing(&udp(&[&words(&[1, 0, 2, 99_999, 3, 0, 0, 0, 0, 0])], &[]).talk());
        nothing(&udp(&[&words(&[1, 0, 2, 100_003, 64, 0, 0, 0, 0, 0])], &[]).talk());
    }
}
