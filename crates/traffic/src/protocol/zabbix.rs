//! Zabbix: its header with a length, and JSON or an item's name behind it (Zabbix protocol, "Header and data length").

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, json_text, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Zabbix is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "zabbix",
        title: "Zabbix",
        reference: "Zabbix protocol",
        services: &["zabbix-agent", "zabbix-trapper"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::text(Side::Either, Over::Stream, b"ZBXD")],
    look,
};

fn message(mut reader: Reader<'_>) -> Part<&[u8]> {
    reader.is(b"ZBXD")?;
    let flags = reader.u8()?;
    must(flags & 1 == 1 && flags < 8)?;
    // Large packets have numbers of eight bytes; compressed ones, in the second, the length before.
    let (length, second) = if flags & 4 != 0 {
        (reader.le64()?, reader.le64()?)
    } else {
        (u64::from(reader.le32()?), u64::from(reader.le32()?))
    };
    must(length < 1 << 30 && (flags & 2 != 0 || second == 0))?;
    Ok(reader.up_to(usize::try_from(length).unwrap_or(usize::MAX)))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let claim = match (&client, &server) {
        (Ok(_), Ok(_)) => talk.claim(By::Both, 96, "headers of both sides"),
        (_, Ok(_)) => talk.claim(By::Server, 48, "server's header"),
        (Ok(_), Err(Not::Silent | Not::Short)) => talk.claim(By::Client, 48, "client's header"),
        _ => return otherwise(talk, &client, &server),
    };
    let asked = client.unwrap_or_default();
    Look::Yes(match json_text(asked, "request") {
        Some(request) => claim.with("request", request),
        None if printable(asked) && !asked.starts_with(b"{") => claim.with("item", asked),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn headers() {
        let ask = b"ZBXD\x01\x1b\0\0\0\0\0\0\0{\"request\":\"active checks\"}";
        let said = confirmed("zabbix", &tcp(ask, b"ZBXD\x01\x02\0\0\0\0\0\0\0{}"));
        assert_eq!(said.detail("request"), Some("active checks"));
        let item = attempt("zabbix", &tcp(b"ZBXD\x01\x0a\0\0\0\0\0\0\0agent.ping", b""));
        assert_eq!(item.detail("item"), Some("agent.ping"));
        nothing(&tcp(b"ZBXD\x02\x0a\0\0\0\0\0\0\0agent.ping", b""));
        nothing(&tcp(b"ZBXD\x01\x0a\0\0\0\x01\0\0\0agent.ping", b""));
    }
}
