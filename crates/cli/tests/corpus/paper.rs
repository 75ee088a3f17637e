//! The paper on protocols, made of the tables; and where others say something else, why.

use std::fmt::Write as _;

use super::others;
use super::table::{Line, committed, own_port, root};

/// Names that tshark's column has for a protocol of ours.
const TSHARK: &[(&str, &[&str])] = &[
    ("bacnet", &["BACnet-APDU"]),
    ("bittorrent", &["BitTorrent"]),
    ("bittorrent-dht", &["BT-DHT"]),
    ("dtls", &["DTLSv1.2"]),
    ("ethernet-ip", &["ENIP"]),
    ("ike", &["ISAKMP"]),
    ("iec104", &["IEC 60870-5-104"]),
    ("kerberos", &["KRB5"]),
    ("memcached", &["MEMCACHE"]),
    ("modbus", &["Modbus/TCP"]),
    ("netbios-dgm", &["BROWSER"]),
    ("netbios-ns", &["NBNS"]),
    ("netbios-ssn", &["NBSS"]),
    ("onc-rpc", &["Portmap"]),
    ("pop3", &["POP"]),
    ("postgresql", &["PGSQL"]),
    ("ptp", &["PTPv2"]),
    ("redis", &["RESP"]),
    ("s7", &["S7COMM"]),
    ("sap", &["SAP/SDP"]),
    ("smb", &["SMB", "SMB2"]),
    ("tls", &["TLSv1.2", "TLSv1.3"]),
    ("xmpp", &["XMPP/XML"]),
    ("zookeeper", &["ZooKeeper"]),
];

/// Where tshark says something else on a protocol's own port, by capture and protocol, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("bittorrent-utp-6881", "bittorrent-utp", "it shows plain UDP"),
    ("crossed-ssh-on-53-53", "ssh", "it reads port 53 as DNS, finds no message there, and shows plain TCP"),
    ("crossed-syslog-from-53-514", "syslog", "it takes the sender's port 53 for DNS"),
    ("crossed-tls-on-25-25", "tls", "it reads port 25 as SMTP"),
    (
        "grpc-50051",
        "grpc",
        "the server speaks before the client; it looks for the client's preface first, and shows plain TCP",
    ),
    ("nats-4222", "nats", "it shows plain TCP"),
    ("rist-5000", "rist", "it shows RTCP; the packet that names RIST is among its particulars"),
    ("rist-5000", "rtp", "without a session's description it shows media as plain UDP"),
    ("rtp-5004", "rtp", "without a session's description it shows media as plain UDP"),
    ("srt-9000", "srt", "it shows UDT, the older protocol that SRT is made of"),
    ("stomp-61613", "stomp", "it shows plain TCP"),
    ("svn-3690", "svn", "it shows plain TCP"),
    ("vxlan-4789", "vxlan", "it shows what is inside the tunnel"),
    ("ws-discovery-3702", "ws-discovery", "it shows plain UDP"),
];

/// Where a protocol on its own port raises something, and why that is right.
pub const REASONS: &[(&str, &str)] = &[(
    "rist-5000",
    "its control is on 5001, which is assigned to commplex-link; RIST has no port of its own",
)];

/// Whether tshark's word for the capture has this line's protocol.
pub fn tshark_agrees(line: &Line) -> bool {
    let (_, opinions) = others::committed();
    let Some(opinion) = opinions.get(&line.capture) else { return false };
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let mapped = TSHARK.iter().find(|(ours, _)| *ours == line.protocol);
    opinion.tshark.iter().any(|theirs| match mapped {
        Some((_, names)) => names.contains(&theirs.as_str()),
        None => plain(theirs) == plain(&line.protocol),
    })
}

/// Why tshark says something else of this line.
pub fn reason(line: &Line) -> Option<&'static str> {
    let found = DIFFERENCES
        .iter()
        .find(|(capture, protocol, _)| *capture == line.capture && *protocol == line.protocol);
    found.map(|(_, _, why)| *why)
}

/// How a protocol is recognised: the first line of its file.
fn in_words(name: &str) -> String {
    let folder = root().join("crates/traffic/src/protocol");
    let file = match name {
        "ethernet-ip" => "enip.rs".to_owned(),
        _ => format!("{}.rs", name.replace('-', "_")),
    };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let first = text.lines().next().unwrap().trim_start_matches("//! ");
    let said = first.split_once(": ").map_or(first, |(_, said)| said);
    // The specification has a column of its own.
    let said = said.rsplit_once(" (").filter(|(_, end)| end.ends_with(").")).map_or(said, |(said, _)| said);
    said.trim_end_matches('.').replace('|', "\\|")
}

fn join<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen.join(", ")
}

/// The whole paper.
pub fn markdown() -> String {
    let ([tshark, ndpi], opinions) = others::committed();
    let lines = committed();
    let mut protocols: Vec<&model::Protocol> = traffic::protocol::all().collect();
    protocols.sort_by_key(|protocol| protocol.name);
    let of = |name: &str, home: bool| -> Vec<&Line> {
        let fits = |line: &&Line| {
            line.protocol == name && own_port(&line.capture) == home && !line.capture.starts_with("crossed-")
        };
        lines.iter().filter(fits).collect()
    };
    let recorded = protocols.iter().filter(|protocol| !of(protocol.name, true).is_empty()).count();
    let mut text = format!(
        "# Protocols that are recognised\n\n\
         {} protocols are recognised from bytes, on any port. {recorded} of them were recorded from real daemons and clients \
         ([how](../corpus/wire/README.md)), on their own port and, where the program allows, on 420, which is assigned to \
         SMPTE and silent. Beside ours stands what {tshark} and nDPI ({ndpi}) say of the same file. This file is made by a \
         test (`crates/cli/tests/corpus.rs`).\n\n\
         **confirmed**: the server's bytes say so, or, where nobody answers by design, the sender's; **attempt**: only a \
         client's bytes were seen; **partial**: only a part was seen, or a weak rule decided. To a group nobody answers, so \
         what is multicast is an attempt.\n\n",
        protocols.len()
    );
    let _ = writeln!(
        text,
        "| protocol | specification | recognised by | seen in | ours | tshark | nDPI | on 420: ours | tshark | nDPI |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    for protocol in &protocols {
        let (home, odd) = (of(protocol.name, true), of(protocol.name, false));
        let ours = |lines: &[&Line]| join(lines.iter().map(|line| line.certainty.as_str()));
        let said = |lines: &[&Line], which: fn(&others::Opinion) -> &Vec<String>| {
            let all = lines.iter().filter_map(|line| opinions.get(&line.capture)).flat_map(which);
            join(all.map(String::as_str))
        };
        let captures = if home.is_empty() && odd.is_empty() {
            "bytes made in unit tests".to_owned()
        } else {
            join(
                home.iter()
                    .chain(&odd)
                    .map(|line| line.capture.as_str())
                    .filter(|name| own_port(name) || home.is_empty()),
            )
        };
        let cells = [
            format!("{} (`{}`)", protocol.title, protocol.name),
            protocol.reference.to_owned(),
            in_words(protocol.name),
            captures,
            ours(&home),
            said(&home, |opinion| &opinion.tshark),
            said(&home, |opinion| &opinion.ndpi),
            ours(&odd),
            said(&odd, |opinion| &opinion.tshark),
            said(&odd, |opinion| &opinion.ndpi),
        ];
        let cells = cells.map(|cell| if cell.is_empty() { "–".to_owned() } else { cell });
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str(
        "\n## What is known by what others agreed\n\n\
         Some flows say nothing of themselves: another one agreed them, and that one is named in `agreed_on`.\n\n\
         | flow | agreed by | who and where | for how long |\n|---|---|---|---|\n\
         | `ftp-data` | a reply 227 or 229 of the server (RFC 959, RFC 2428) | the client of the control connection, to that port of \
         its server; once | 60 s |\n\
         | `ftp-data` | PORT or EPRT of the client, and the server's 200 | the server of the control connection, to that port of its \
         client; once | 60 s |\n\
         | `tftp` | a request (RFC 1350 §4) | the server that was asked, from any port, to the port that asked, with a first block, an \
         acknowledgement of block 0, options or an error; the request is then answered, and *confirmed* | 60 s |\n\n\
         Nothing is raised about the number of such a port, unless it is a system port: those are nobody's to agree. An address \
         of somebody else in PORT or EPRT (RFC 2577 §3) is noted as `port_elsewhere` and not followed. One in a reply 227 is noted \
         as `passive_elsewhere`: servers behind a translation of addresses name the one that they have themselves, and clients keep \
         to the one that they reached. Once AUTH TLS was taken nothing can be read, and the data connections are unknown. At most \
         4,096 flows are awaited at a time; what that leaves out is a gap.\n",
    );
    text.push_str("\n## Where tshark says something else\n\nOn the protocol's own port:\n\n");
    for (capture, protocol, why) in DIFFERENCES {
        let _ = writeln!(text, "- `{capture}`, {protocol}: {why}");
    }
    text.push_str("\n## What raises something on its own port\n\n");
    for (capture, why) in REASONS {
        let _ = writeln!(text, "- `{capture}`: {why}");
    }
    text.push_str("\n## Ten protocols on the port of SMPTE\n\n| session | ours | finding | tshark | nDPI |\n|---|---|---|---|---|\n");
    for name in super::super::TEN {
        let capture = format!("{name}-420");
        let line = lines.iter().find(|line| line.capture == capture && line.port == 420).unwrap();
        let opinion = opinions.get(&capture).cloned().unwrap_or_default();
        let word = |names: &[String]| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
        let _ = writeln!(
            text,
            "| {name} | {} ({}) | {} | {} | {} |",
            line.protocol,
            line.certainty,
            line.findings,
            word(&opinion.tshark),
            word(&opinion.ndpi)
        );
    }
    text
}
