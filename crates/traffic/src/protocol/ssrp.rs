//! SQL Server's resolution: one byte asks which instances there are, a list answers (MC-SQLR 2.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, between, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How the resolution of SQL Server's instances is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ssrp",
        title: "SQL Server resolution",
        reference: "MC-SQLR",
        services: &["ms-sql-m"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Datagram, &[In(2, 4)]),
        Sign::classes(
            Side::Server,
            Over::Datagram,
            &[Is(5), Any, In(0, 5), Is(b'S'), Is(b'e'), Is(b'r'), Is(b'v')],
        ),
    ],
    look,
};

/// The instance that is asked for; none for all of them.
fn request(mut reader: Reader<'_>) -> Part<Option<&[u8]>> {
    match reader.u8()? {
        2 | 3 => must(reader.left() == 0).map(|()| None),
        4 => {
            let name = reader.c_string(33)?;
            must(printable(name) && reader.left() == 0).map(|()| Some(name))
        }
        _ => Err(Not::Other),
    }
}

fn answer(mut reader: Reader<'_>) -> Part<&[u8]> {
    reader.is(&[5])?;
    let length = usize::from(reader.le16()?);
    must(length == reader.left() && reader.rest().starts_with(b"ServerName;"))?;
    Ok(reader.rest())
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, request);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(_), Ok(_)) => talk.claim(By::Both, 112, "question, and a list of instances"),
        (_, Ok(_)) => talk.claim(By::Server, 104, "server's list of instances"),
        // One byte is no evidence; a name behind it is a little.
        (Ok(Some(_)), Err(Not::Silent)) => talk.claim(By::Client, 14, "client asks for an instance"),
        _ => return otherwise(talk, &client, &server),
    };
    let list = server.unwrap_or_default();
    let details =
        [("server", &b"ServerName;"[..]), ("instance", b";InstanceName;"), ("version", b";Version;")];
    Look::Yes(details.into_iter().fold(claim, |claim, (name, key)| match between(list, key, b";") {
        Some(value) => claim.with(name, value),
        None => claim,
    }))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, partial, udp};

    #[test]
    fn lists_of_instances() {
        let list = b"ServerName;DB1;InstanceName;MAIN;IsClustered;No;Version;15.0.2000.5;tcp;1433;;";
        let say = [&[5, u8::try_from(list.len()).unwrap(), 0][..], list].concat();
        let said = confirmed("ssrp", &udp(&[b"\x03"], &[&say]).talk());
        assert_eq!((said.detail("instance"), said.detail("version")), (Some("MAIN"), Some("15.0.2000.5")));
        confirmed("ssrp", &udp(&[], &[&say]).talk());
        partial("ssrp", &udp(&[b"\x04MAIN\0"], &[]).talk());
        nothing(&udp(&[b"\x03"], &[]).talk());
        nothing(&udp(&[b"\x03\x03"], &[]).talk());
        nothing(&udp(&[], &[&say[..40]]).talk());
    }
}
