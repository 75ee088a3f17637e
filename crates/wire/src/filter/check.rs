//! What must hold of any text and any frame; used by the fuzz targets and the seeded tests.

use alloc::string::{String, ToString};

use super::evaluate::passes;
use super::expression::Transport;
use super::link::Offsets;
use super::{compile, compile_for_socket, parse_with};
use crate::LinkType;

const LINKS: [LinkType; 11] = [
    LinkType::ETHERNET,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::RAW,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::PPP,
    LinkType::PPP_HDLC,
    LinkType::PPP_ETHER,
    LinkType::IPV4,
    LinkType::IPV6,
];

/// What a byte of the input stands for in an expression, so that many inputs are expressions.
const PIECES: [&str; 128] = [
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "src",
    "dst",
    "src or dst",
    "src and dst",
    "and",
    "or",
    "not",
    "(",
    ")",
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "esp",
    "ah",
    "pim",
    "vrrp",
    "ether",
    "ether host",
    "ether proto",
    "ip proto",
    "ip6 proto",
    "tcp port",
    "udp dst port",
    "ip host",
    "arp net",
    "broadcast",
    "multicast",
    "ip multicast",
    "ip6 multicast",
    "less",
    "greater",
    "len",
    "vlan",
    "mpls",
    "pppoes",
    "pppoed",
    "inbound",
    "outbound",
    "stp",
    "ipx",
    "atalk",
    "iso",
    "1.2.3.4",
    "10.0.0.0/8",
    "192.168",
    "10",
    "0.0.0.0/0",
    "10.0.0.1 or 1.2.3.4",
    "net 0.0.0.1 mask 0.0.0.255",
    "::1",
    "2001:db8::/32",
    "::/0",
    "fe80::1",
    "00:00:5e:00:53:01",
    "1:2:3:4:5:6",
    "0",
    "1",
    "5",
    "6",
    "17",
    "44",
    "80",
    "100",
    "443",
    "1024",
    "65535",
    "0x800",
    "0x86dd",
    "4294967295",
    "20-25",
    "0-65535",
    "http",
    "domain",
    "ip[",
    "tcp[",
    "udp[",
    "ether[",
    "ip6[",
    "icmp6[",
    "arp[",
    "icmp[",
    "]",
    ":1]",
    ":2]",
    ":4]",
    "0]",
    "1]",
    "9]",
    "0:2]",
    "12:4]",
    "len]",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    "<",
    ">",
    "<=",
    ">=",
    "=",
    "==",
    "!=",
    "&&",
    "||",
    "!",
    "tcpflags",
    "tcp-syn",
    "icmp-echo",
    "tcp[tcpflags] & tcp-syn != 0",
    "ip[6:2] & 0x1fff",
];

fn service(name: &str, transport: Transport) -> Option<u16> {
    match (name, transport) {
        ("http", Transport::Tcp) => Some(80),
        ("domain", Transport::Tcp | Transport::Udp) => Some(53),
        ("twice", Transport::Tcp) => Some(1),
        ("twice", Transport::Udp) => Some(2),
        _ => None,
    }
}

/// What is understood reads the same after it was written; what is not says where.
pub fn check_parse(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    match parse_with(text, &service) {
        Ok(expression) => {
            let written = expression.to_string();
            assert_eq!(
                parse_with(&written, &|_, _| None).as_ref(),
                Ok(&expression),
                "{text:?} as {written:?}"
            );
            assert_eq!(parse_with(&written, &service), Ok(expression));
        }
        Err(error) => {
            assert!((1..=text.len().saturating_add(1)).contains(&error.column), "{text:?}: {error}");
            assert!(!error.what.is_empty() && !error.hint.is_empty());
        }
    }
}

/// The program says of a frame what the slow reading says; the one for a socket says the same where no tag was taken.
/// The first byte chooses the link type, those up to 255 the words of the expression, and the rest is the frame.
pub fn check_run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == u8::MAX).unwrap_or(rest.len());
    let (words, frame) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    let mut text = String::new();
    for word in words {
        text.push_str(PIECES.get(usize::from(*word) % PIECES.len()).unwrap_or(&""));
        text.push(' ');
    }
    let frame = frame.get(1..).unwrap_or(&[]);
    check_text(
        &text,
        LINKS.get(usize::from(*first) % LINKS.len()).copied().unwrap_or(LinkType::ETHERNET),
        frame,
    );
}

/// The same for a text.
pub(super) fn check_text(text: &str, link: LinkType, frame: &[u8]) {
    check_parse(text.as_bytes());
    let Ok(expression) = parse_with(text, &service) else { return };
    let Ok(program) = compile(&expression, link) else { return };
    let Ok(offsets) = Offsets::of(link) else { return };
    let wire_bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX).saturating_add(4);
    let expected = passes(&expression, offsets, frame, wire_bytes);
    assert_eq!(program.matches(frame, wire_bytes), expected, "{text:?} on {link:?}: {frame:02x?}");
    if link == LinkType::ETHERNET
        && let Ok(live) = compile_for_socket(&expression)
    {
        assert_eq!(live.matches(frame, wire_bytes), expected, "{text:?} on a socket: {frame:02x?}");
    }
}
