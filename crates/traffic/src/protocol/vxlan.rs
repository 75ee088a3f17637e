//! VXLAN: a network's number, and an Ethernet frame whose packet has the right length (RFC 7348 §5).

use model::{Protocol, Secrecy, Wandering};
use wire::tunnel::vxlan;

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How VXLAN is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "vxlan",
        title: "VXLAN",
        reference: "RFC 7348",
        services: &["vxlan"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Is(8), Is(0), Is(0), Is(0), Any, Any, Any, Is(0)]),
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[Is(0x88), Mask(0xb7, 0), Any, Any, Any, Any, Any, Is(0)],
        ),
    ],
    look,
};

/// The number of the network, where a plausible frame follows.
fn network(mut reader: Reader<'_>) -> Part<u32> {
    let network = vxlan::parse(reader.take(vxlan::HEADER_BYTES)?).map_err(|_| Not::Other)?.network;
    reader.take(6)?;
    // A sender is no group.
    must(reader.take(6)?.first().is_some_and(|first| first & 1 == 0))?;
    let mut kind = reader.be16()?;
    if kind == 0x8100 {
        reader.be16()?;
        kind = reader.be16()?;
    }
    let frame = reader.rest();
    let length = match kind {
        0x0800 => {
            must(frame.first().is_some_and(|first| (0x45..=0x4f).contains(first)))?;
            reader.be16()?;
            usize::from(reader.be16()?)
        }
        0x86dd => {
            must(reader.be32()? >> 28 == 6)?;
            usize::from(reader.be16()?) + 40
        }
        0x0806 => {
            must(reader.be32()? == 0x0001_0800 && reader.be16()? == 0x0604)?;
            28
        }
        // LLDP and the spanning tree have no length that could be compared.
        _ => return Err(Not::Other),
    };
    // Short frames are padded.
    must(length <= frame.len() && frame.len() - length <= 46)?;
    Ok(network)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, network);
    let server = hear(talk, &talk.server, network);
    let (network, claim) = match (&client, &server) {
        (Ok(network), Ok(_)) => (network, talk.claim(By::Both, 120, "frames inside of both sides")),
        (Ok(network), Err(_)) | (Err(_), Ok(network)) => {
            (network, talk.claim(By::Sender, 76, "a frame inside"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(claim.showing("vni", network))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, udp};

    #[test]
    fn a_frame_inside() {
        let head = b"\x08\0\0\0\0\0\x2a\0\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01";
        let arp = [&head[..], b"\x08\x06\0\x01\x08\0\x06\x04\0\x01", &[1; 20]].concat();
        assert_eq!(confirmed("vxlan", &udp(&[&arp], &[]).talk()).detail("vni"), Some("42"));
        let ip = [&head[..], b"\x08\0\x45\0\0\x18", &[1; 20]].concat();
        confirmed("vxlan", &udp(&[&ip], &[]).talk());
        // With a group's policy.
        for flags in [0, 0x08, 0x40, 0x48] {
            let policy = [&[0x88, flags, 0x12, 0x34], &ip[4..]].concat();
            confirmed("vxlan", &udp(&[&policy], &[]).talk());
        }
        nothing(&udp(&[&[&[0x88, 0x10, 0, 0], &ip[4..]].concat()], &[]).talk());
        nothing(&udp(&[&[&head[..], b"\x08\0\x45\0\0\x19", &[1; 20]].concat()], &[]).talk());
        nothing(&udp(&[&[&head[..], b"\x12\x34\x45\0\0\x18", &[1; 20]].concat()], &[]).talk());
    }
}
