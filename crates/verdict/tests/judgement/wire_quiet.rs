//! An ordinary capture raises nothing, however much goes on in it.

use model::Transport::{Tcp, Udp};
use model::*;

use crate::wire_support::*;

fn ordinary() -> Wire {
    let mut wire = Wire::new();
    for (server, protocol) in [
        ("192.168.1.1:53", &DNS),
        ("192.168.1.2:22", &SSH),
        ("192.168.1.2:2222", &SSH),
        ("192.168.1.2:80", &HTTP),
        ("192.168.1.2:8080", &HTTP),
        ("192.168.1.2:8000", &HTTP),
        ("192.168.1.2:3000", &HTTP),
        ("192.168.1.2:5985", &HTTP),
        ("192.168.1.2:2375", &HTTP),
        ("192.168.1.2:9200", &HTTP),
        ("192.168.1.2:631", &HTTP),
        ("192.168.1.2:5357", &HTTP),
        ("203.0.113.7:443", &TLS),
        ("203.0.113.7:8443", &TLS),
        ("203.0.113.7:993", &TLS),
        ("203.0.113.7:853", &TLS),
        ("203.0.113.7:5223", &TLS),
        ("203.0.113.7:5061", &TLS),
        ("203.0.113.7:9443", &TLS),
        ("[2001:db8::7]:443", &TLS),
        ("192.168.1.2:445", &SMB),
        ("192.168.1.2:139", &SMB),
        ("192.168.1.2:3389", &RDP),
        ("192.168.1.2:502", &MODBUS),
        ("192.168.1.2:5060", &SIP),
        ("192.168.1.2:2049", &RPC),
        ("192.168.1.2:111", &RPC),
        ("192.168.1.2:875", &RPC),
        ("192.168.1.2:6379", &REDIS),
        ("192.168.1.2:25", &SMTP),
        ("192.168.1.2:587", &SMTP),
        ("192.168.1.2:143", &IMAP),
        ("192.168.1.2:514", &SYSLOG),
        ("192.168.1.2:88", &KERBEROS),
        ("192.168.1.2:9092", &KAFKA),
        ("192.168.1.2:4222", &NATS),
        ("192.168.1.2:9042", &CASSANDRA),
        ("192.168.1.2:1521", &ORACLE),
        ("192.168.1.2:1433", &MSSQL),
        ("192.168.1.2:3306", &MYSQL),
        ("192.168.1.2:4000", &MYSQL),
        ("192.168.1.2:5900", &VNC),
        ("192.168.1.2:5901", &VNC),
        ("203.0.113.7:6667", &IRC),
        ("203.0.113.7:6697", &TLS),
        ("192.168.1.2:6010", &X11),
        ("203.0.113.7:8000", &ICY),
        ("192.168.1.2:4317", &GRPC),
        ("192.168.1.2:8123", &WEBSOCKET),
        ("192.168.1.2:2379", &GRPC),
        ("203.0.113.7:8883", &TLS),
        ("203.0.113.7:6443", &TLS),
        ("203.0.113.7:10250", &TLS),
        ("203.0.113.7:2083", &TLS),
        ("203.0.113.7:2376", &TLS),
        ("203.0.113.7:5671", &TLS),
        ("203.0.113.7:636", &TLS),
        ("203.0.113.7:465", &TLS),
        ("203.0.113.7:995", &TLS),
        ("203.0.113.7:990", &TLS),
        // Whoever comes first has a user port of nobody, and the system chooses the rest.
        ("192.168.1.2:13131", &HTTP),
        ("192.168.1.2:40123", &SSH),
        ("192.168.1.2:51413", &BITTORRENT),
        ("192.168.1.2:60000", &TLS),
        ("192.168.1.2:49700", &REDIS),
    ] {
        wire.speaks(Tcp, server, protocol);
    }
    for (server, protocol) in [
        ("192.168.1.1:53", &DNS),
        ("203.0.113.7:443", &QUIC),
        ("203.0.113.7:123", &NTP),
        ("192.168.1.1:67", &DHCP),
        ("192.168.1.2:88", &KERBEROS),
        ("192.168.1.2:5060", &SIP),
        ("192.168.1.2:5004", &RTP),
        ("192.168.1.2:50004", &RTP),
        // Ports of media are negotiated, whatever the registry has there.
        ("192.168.1.2:12121", &RTP),
        ("239.1.2.3:20000", &RTP),
        ("192.168.1.2:5005", &RTCP),
        ("192.168.1.2:5004", &RTCP),
        ("203.0.113.7:51820", &WIREGUARD),
        ("192.168.1.2:4789", &VXLAN),
        ("192.168.1.2:8472", &VXLAN),
        ("192.168.1.9:5353", &DNS),
        ("239.1.2.3:5004", &RTP),
        ("224.0.0.251:5353", &MDNS),
        ("[ff02::fb]:5353", &MDNS),
        ("192.168.1.77:40444", &BITTORRENT),
        ("192.168.1.77:34567", &TFTP),
    ] {
        wire.speaks(Udp, server, protocol);
    }
    // One-way talk on its own ports, and broadcast.
    for (server, protocol) in
        [("192.168.1.2:514", &SYSLOG), ("192.168.1.2:162", &SNMP), ("255.255.255.255:67", &DHCP)]
    {
        wire.tried(Udp, server, protocol).answered = false;
    }
    // A stream to a player, one way, on a port that something else is commonly on.
    wire.tried(Udp, "192.168.1.9:6881", &RTP).answered = false;
    // Bytes of nobody, where nobody is promised.
    wire.mutters(Tcp, "192.168.1.2:13131", Appearance::Encrypted);
    wire.mutters(Tcp, "192.168.1.2:50123", Appearance::Binary);
    wire.mutters(Udp, "192.168.1.2:27015", Appearance::Binary);
    // A greeting that was lost, and an error in a few words.
    wire.mutters(Tcp, "203.0.113.7:443", Appearance::Binary).tally.server_bytes = 560;
    wire.mutters(Tcp, "203.0.113.8:443", Appearance::Empty);
    // The connection of another program on a service that is recognised in other flows is seen from its middle.
    wire.mutters(Tcp, "192.168.1.2:6379", Appearance::Binary).direction = Direction::FirstSeen;
    // The middle of what is encrypted or packed looks so.
    wire.mutters(Tcp, "203.0.113.12:80", Appearance::Encrypted).direction = Direction::FirstSeen;
    wire.mutters(Tcp, "203.0.113.11:443", Appearance::Encrypted).direction = Direction::FirstSeen;
    // AnyDesk speaks TLS on its own port.
    wire.speaks(Tcp, "192.168.1.2:7070", &TLS);
    // Telnet to oneself crosses no network; SNMPv3 is encrypted.
    wire.speaks(Tcp, "127.0.0.1:23", &TELNET);
    wire.speaks(Udp, "192.168.1.9:161", &SNMP)
        .recognised
        .details
        .push(Detail { name: "version", value: "3".to_owned() });
    // A certificate of an authority, in its time.
    wire.speaks(Tcp, "203.0.113.9:443", &TLS).recognised.certificate =
        Some(certificate("www.example.org", -10..80, false));
    // Clocks call like clocks.
    let clock = wire.beacon("192.168.1.50", "203.0.113.7:123", 0.99);
    clock.transport = Udp;
    wire.beacon("192.168.1.50", "203.0.113.7:443", 0.5);
    wire.beacon("192.168.1.50", "203.0.113.7:443", f64::NAN);
    wire.beacon("192.168.1.50", "239.1.1.1:9999", 0.99);
    // A load test is regular, too; and nobody is called by who calls himself.
    wire.beacon("192.168.1.50", "203.0.113.7:443", 0.99).last = Some(at(9));
    wire.beacon("192.168.1.50", "192.168.1.50:443", 0.99);
    // Knocks at doors where somebody might have been.
    wire.touch(Tcp, 443, 3);
    wire.touch(Tcp, 13131, 3);
    wire
}

#[test]
fn an_ordinary_capture_raises_nothing() {
    let judgement = ordinary().judge();
    let titles: Vec<&String> = judgement.findings.iter().map(|finding| &finding.title).collect();
    assert_eq!(judgement.findings, [], "{titles:#?}");
    assert_eq!(judgement.accepted, []);
}

#[test]
fn an_ordinary_capture_keeps_quiet_against_its_own_memory_and_policy() {
    let mut wire = ordinary().policy(
        "mode = \"closed\"\n[[allow]]\nport = 1\nreason = \"never here\"\n\
         [[expect]]\nport = 2\nreason = \"elsewhere\"\n[[deny]]\nport = 3\nreason = \"no\"\n\
         [[allow]]\nport = 4\nreason = \"long ago\"\nexpires = \"2020-01-01\"\n",
    );
    let mut earlier = portreeve_verdict::Earlier::default();
    earlier.remember(&wire.traffic);
    wire.earlier = Some(earlier);
    assert_eq!(wire.rings(), [""; 0]);
}

#[test]
fn nothing_is_new_without_a_memory() {
    let mut wire = ordinary();
    wire.earlier = Some(portreeve_verdict::Earlier::default());
    assert_eq!(wire.rings(), [""; 0]);
}

#[test]
fn an_empty_capture_raises_nothing() {
    assert_eq!(Wire::new().rings(), [""; 0]);
}

/// A service that another flow agreed.
fn agreed<'a>(wire: &'a mut Wire, server: &str, protocol: &'static Protocol) -> &'a mut Service {
    let transport = if protocol == &TFTP { Udp } else { Tcp };
    let service = wire.speaks(transport, server, protocol);
    service.recognised.details.push(Detail {
        name: Recognised::AGREED_ON,
        value: "192.168.1.50:40000 → 192.168.1.2:21/tcp".to_owned(),
    });
    service
}

#[test]
fn a_port_that_was_agreed_is_for_what_was_agreed() {
    // Of others, some in ordinary use; not a system port, which is nobody's to agree.
    for (server, protocol) in
        [("192.168.1.2:3306", &FTP_DATA), ("192.168.1.2:2049", &FTP_DATA), ("192.168.1.2:5060", &TFTP)]
    {
        let mut wire = Wire::new();
        agreed(&mut wire, server, protocol);
        assert_eq!(wire.rings(), [""; 0], "{server}");
        let mut wire = Wire::new();
        let transport = if protocol == &TFTP { Udp } else { Tcp };
        wire.speaks(transport, server, protocol);
        assert!(!wire.rings().is_empty(), "{server}: what nobody agreed");
    }
    let mut wire = Wire::new();
    agreed(&mut wire, "192.168.1.2:420", &FTP_DATA);
    assert!(!wire.rings().is_empty());
    // It is nobody's news, and nothing to remember.
    let mut wire = Wire::new();
    agreed(&mut wire, "192.168.1.2:30000", &FTP_DATA);
    let mut earlier = portreeve_verdict::Earlier::default();
    earlier.remember(&wire.traffic);
    assert!(earlier.is_empty());
    earlier.add(addr("192.168.1.2"), Tcp, 22);
    wire.earlier = Some(earlier);
    assert_eq!(wire.rings(), [""; 0]);
}
