//! VNC: both sides begin with the version of the remote framebuffer protocol (RFC 6143 §7.1.1).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How VNC is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "vnc",
        title: "VNC (RFB)",
        reference: "RFC 6143",
        services: &["rfb"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[Sign::text(Side::Either, Over::Stream, b"RFB ")],
    look,
};

/// `RFB 003.008` and a line feed.
fn version(mut reader: Reader<'_>) -> Part<&[u8]> {
    reader.is(b"RFB ")?;
    let version = reader.take(7)?;
    reader.is(b"\n")?;
    let fits = version
        .iter()
        .enumerate()
        .all(|(at, byte)| if at == 3 { *byte == b'.' } else { byte.is_ascii_digit() });
    must(fits)?;
    Ok(version)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, version);
    let server = hear(talk, &talk.server, version);
    let (version, claim) = match (&client, &server) {
        (Ok(_), Ok(version)) => (version, talk.claim(By::Both, 160, "both sides begin with their version")),
        (_, Ok(version)) => (version, talk.claim(By::Server, 80, "server begins with RFB and its version")),
        (Ok(version), _) => (version, talk.claim(By::Client, 80, "client says RFB and its version")),
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(claim.with("version", version))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, tcp};

    #[test]
    fn versions() {
        let said = confirmed("vnc", &tcp(b"RFB 003.008\n\x01", b"RFB 003.008\n\x01\x02"));
        assert_eq!(said.detail("version"), Some("003.008"));
        confirmed("vnc", &tcp(b"", b"RFB 005.000\n"));
        nothing(&tcp(b"", b"RFB 3.8\nabcdefg"));
        nothing(&tcp(b"", b"RFB 003.008 "));
    }
}
