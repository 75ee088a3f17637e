//! iSCSI: the login of an initiator, and the target's answer to its tag (RFC 7143 §11.12, §11.13).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, between, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How iSCSI is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "iscsi",
        title: "iSCSI",
        reference: "RFC 7143",
        services: &["iscsi", "iscsi-target"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Stream, &[Is(0x43), Mask(0x30, 0), Is(0), Is(0), Is(0), Is(0)]),
        Sign::classes(Side::Server, Over::Stream, &[Is(0x23), Mask(0x30, 0), Is(0), Is(0), Any, Any]),
    ],
    look,
};

struct Login<'a> {
    tag: u32,
    status: u8,
    text: &'a [u8],
}

fn login(mut reader: Reader<'_>, code: u8) -> Part<Login<'_>> {
    let [first, flags, highest, lowest] = reader.array()?;
    let headers = reader.u8()?;
    let length = reader.be24()?;
    must(first == code && headers == 0 && highest >= lowest && highest <= 1 && length <= 16_384)?;
    // Current and next stage: 0, 1 or 3, and the next comes later.
    let (current, next) = (flags >> 2 & 3, flags & 3);
    must(current != 2 && (flags & 0x80 == 0 || next > current))?;
    let _session = reader.be64()?;
    let tag = reader.be32()?;
    reader.take(16)?;
    let [class, detail] = reader.array()?;
    must(code == 0x43 || (class <= 3 && detail <= 0x0f))?;
    reader.take(10)?;
    let text = reader.up_to(length as usize);
    // Keys and values, each closed by a zero (RFC 7143 §6.1).
    must(text.is_empty() || text.iter().take(24).any(|byte| *byte == b'='))?;
    Ok(Login { tag, status: class, text })
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| {
        let login = login(reader, 0x43)?;
        must(login.text.windows(14).any(|window| window == b"InitiatorName=")).map(|()| login)
    });
    let server = hear(talk, &talk.server, |reader| login(reader, 0x23));
    let claim = match (&client, &server) {
        (Ok(asked), Ok(said)) if asked.tag == said.tag => {
            let claim = talk.claim(By::Both, 160, "login, and an answer to its tag");
            if said.status > 1 { claim.showing("refused", said.status) } else { claim }
        }
        (Ok(_), Err(Not::Silent | Not::Short)) => talk.claim(By::Client, 120, "client begins with a login"),
        (Err(Not::Silent), Ok(said)) if between(said.text, b"TargetPortalGroupTag=", b"\0").is_some() => {
            talk.claim(By::Server, 120, "server answers a login that was not seen")
        }
        _ => return otherwise(talk, &client, &server),
    };
    let text = client.map(|login| login.text).unwrap_or_default();
    let details = [("initiator", &b"InitiatorName="[..]), ("target", b"TargetName=")];
    Look::Yes(details.into_iter().fold(claim, |claim, (name, key)| match between(text, key, b"\0") {
        Some(value) => claim.with(name, value),
        None => claim,
    }))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    fn login(code: u8, tag: u8, text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![code, 0x87, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(&[0x40, 0, 1, 0x37, 0, 0, 0, 0, 0, 0, 0, tag]);
        bytes.resize(48, 0);
        bytes.extend_from_slice(text);
        bytes
    }

    #[test]
    fn logins() {
        let ask = login(
            0x43,
            5,
            b"InitiatorName=iqn.1993-08.org.debian:01:x\0TargetName=iqn.2001-04.com.example:disk\0",
        );
        let say = login(0x23, 5, b"TargetPortalGroupTag=1\0");
        let said = confirmed("iscsi", &tcp(&ask, &say));
        assert_eq!(said.detail("target"), Some("iqn.2001-04.com.example:disk"));
        attempt("iscsi", &tcp(&ask, b""));
        confirmed("iscsi", &tcp(b"", &say));
        nothing(&tcp(b"", &login(0x23, 5, b"AuthMethod=None\0")));
        nothing(&tcp(&ask, &login(0x23, 6, b"TargetPortalGroupTag=1\0")));
        nothing(&tcp(&login(0x43, 5, b"SessionType=Discovery\0"), b""));
    }
}
