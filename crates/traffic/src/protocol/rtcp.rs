//! RTCP: reports and descriptions whose lengths make up the datagram (RFC 3550 §6, Appendix A.2).

use model::{Protocol, Secrecy, Wandering};
use wire::rtcp::{self, Packet, RECEIVER_REPORT, SENDER_REPORT};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How RTCP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "rtcp",
        title: "RTCP",
        reference: "RFC 3550",
        services: &["avt-profile-2"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc0, 0x80), In(200, 207), In(0, 1), Any])],
    look,
};

/// What a side's RTCP says.
pub(super) struct Reports<'a> {
    /// Packets of all its compounds.
    pub(super) packets: usize,
    /// Whether each compound begins with a report, as it should (RFC 3550 §6.1).
    pub(super) whole: bool,
    pub(super) canonical_name: Option<&'a [u8]>,
    /// The four letters of the first application's packet.
    pub(super) application: Option<[u8; 4]>,
}

/// The reports of a side, `None` where one of its datagrams is something else.
pub(super) fn reports<'a>(said: &Said<'a>) -> Option<Reports<'a>> {
    let mut found = Reports { packets: 0, whole: true, canonical_name: None, application: None };
    for piece in said.pieces().take(16) {
        let packets: Vec<Packet<'a>> = rtcp::packets(piece).take(33).collect::<Result<_, _>>().ok()?;
        let first = packets.first()?;
        found.whole &= matches!(first.kind, SENDER_REPORT | RECEIVER_REPORT);
        found.packets += packets.len();
        for packet in packets {
            found.canonical_name = found.canonical_name.or(packet.canonical_name());
            found.application = found.application.or(packet.application());
        }
    }
    (found.packets > 0).then_some(found)
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (reports(&talk.client), reports(&talk.server));
    let both = client.is_some() && server.is_some();
    let silent = talk.client.is_empty() || talk.server.is_empty();
    let Some(reports) = server.or(client).filter(|_| both || silent) else { return Look::No };
    // A report's version, kind and exact length; a feedback alone has no more than that.
    let each = if reports.whole { 26 } else { 13 };
    let bits = u8::try_from(reports.packets.min(4) * each).unwrap_or(u8::MAX);
    let by = if both { By::Both } else { By::Sender };
    let claim = talk.claim(by, bits, "packets of RTCP whose lengths make up the datagram");
    // The media may come on the same port (RFC 5761), and RIST names itself in later reports.
    let claim = if talk.client.pieces().chain(talk.server.pieces()).count() < 8 && !talk.ended {
        claim.and_more()
    } else {
        claim
    };
    Look::Yes(match reports.canonical_name {
        Some(name) => claim.with("cname", name),
        None => claim,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use crate::protocol::testing::{confirmed, nothing, partial, udp};

    /// A sender report and a description.
    pub(crate) fn compound() -> Vec<u8> {
        let mut bytes = b"\x80\xc8\x00\x06".to_vec();
        bytes.extend_from_slice(&[7; 24]);
        bytes.extend_from_slice(b"\x81\xca\x00\x03\x07\x07\x07\x07\x01\x04me@x\0\0");
        bytes
    }

    #[test]
    fn compounds_and_single_reports() {
        let report = b"\x80\xc9\x00\x01\x00\x00\x00\x09";
        let said = confirmed("rtcp", &udp(&[&compound()], &[]).talk());
        assert_eq!(said.detail("cname"), Some("me@x"));
        confirmed("rtcp", &udp(&[&compound()], &[report]).talk());
        confirmed("rtcp", &udp(&[report], &[]).talk());
        partial(
            "rtcp",
            &udp(&[b"\x81\xcd\x00\x03\x00\x00\x00\x01\x00\x00\x00\x02\x00\x05\x00\x00"], &[]).talk(),
        );
        nothing(&udp(&[b"\x80\xc9\x00\x02\x00\x00\x00\x09"], &[]).talk());
        nothing(&udp(&[report], &[b"hello"]).talk());
        nothing(&udp(&[report, b"\x80\xd0\x00\x01\x00\x00\x00\x09"], &[]).talk());
    }
}
