//! Traffic made by hand: services, scans and beacons for tests of the judgement.

use std::net::{IpAddr, SocketAddr};

use model::*;
use portreeve_verdict::{Earlier, Judgement, Policy, TrafficFacts, judge_traffic};
use registry::Paper;

use crate::support::TODAY;

/// Protocols with what the judgement may know of them.
macro_rules! protocols {
    ($($name:ident = $word:literal, $title:literal, [$($service:literal),*], $wandering:ident, $secrecy:ident;)+) => {
        $(pub static $name: Protocol = Protocol {
            name: $word,
            title: $title,
            reference: "its document",
            services: &[$($service),*],
            wandering: Wandering::$wandering,
            secrecy: Secrecy::$secrecy,
        };)+
        pub static ALL: &[&Protocol] = &[$(&$name,)+];
    };
}

protocols! {
    SSH = "ssh", "SSH", ["ssh", "sftp-ssh", "netconf-ssh"], Often, Encrypted;
    HTTP = "http", "HTTP", ["http", "www", "http-alt"], Often, Cleartext;
    TLS = "tls", "TLS", ["https"], Often, Encrypted;
    QUIC = "quic", "QUIC", ["https"], Often, Encrypted;
    DNS = "dns", "DNS", ["domain"], Seldom, Cleartext;
    MDNS = "mdns", "mDNS", ["mdns"], Seldom, Cleartext;
    DHCP = "dhcp", "DHCP", ["bootps", "bootpc"], Never, Cleartext;
    NTP = "ntp", "NTP", ["ntp"], Seldom, Cleartext;
    SNMP = "snmp", "SNMP", ["snmp", "snmptrap"], Seldom, CleartextCredentials;
    SYSLOG = "syslog", "Syslog", ["syslog", "syslog-conn"], Seldom, Cleartext;
    SMB = "smb", "SMB", ["microsoft-ds", "netbios-ssn"], Never, Optional;
    RDP = "rdp", "RDP", ["ms-wbt-server"], Never, Encrypted;
    MODBUS = "modbus", "Modbus/TCP", ["mbap"], Never, Cleartext;
    KERBEROS = "kerberos", "Kerberos", ["kerberos"], Never, Encrypted;
    SIP = "sip", "SIP", ["sip"], Seldom, Cleartext;
    RTP = "rtp", "RTP", ["avt-profile-1"], Often, Cleartext;
    RPC = "rpc", "RPC", ["sunrpc", "nfs"], Seldom, Cleartext;
    TFTP = "tftp", "TFTP", ["tftp"], Seldom, Cleartext;
    FTP_DATA = "ftp-data", "FTP data", ["ftp-data"], Often, Cleartext;
    MQTT = "mqtt", "MQTT", ["mqtt"], Seldom, Optional;
    REDIS = "redis", "Redis", ["redis"], Seldom, Optional;
    SMTP = "smtp", "SMTP", ["smtp", "submission"], Seldom, Optional;
    IMAP = "imap", "IMAP", ["imap"], Seldom, Optional;
    TELNET = "telnet", "Telnet", ["telnet"], Seldom, CleartextCredentials;
    KAFKA = "kafka", "Kafka", [], Seldom, Optional;
    NATS = "nats", "NATS", [], Seldom, Optional;
    CASSANDRA = "cassandra", "Cassandra", [], Seldom, Optional;
    ORACLE = "oracle", "Oracle TNS", ["sql-net"], Seldom, Optional;
    MSSQL = "mssql", "MS-SQL", ["ms-sql-s"], Seldom, Optional;
    MYSQL = "mysql", "MySQL", ["mysql"], Seldom, Optional;
    VNC = "vnc", "VNC", ["rfb"], Seldom, Optional;
    IRC = "irc", "IRC", ["irc", "ircu"], Seldom, Optional;
    X11 = "x11", "X11", ["x11"], Seldom, Optional;
    WIREGUARD = "wireguard", "WireGuard", [], Often, Encrypted;
    VXLAN = "vxlan", "VXLAN", ["vxlan"], Seldom, Cleartext;
    ICY = "icy", "ICY", ["shoutcast"], Often, Cleartext;
    RTCP = "rtcp", "RTCP", ["avt-profile-2"], Often, Cleartext;
    GRPC = "grpc", "gRPC", ["http"], Often, Cleartext;
    WEBSOCKET = "websocket", "WebSocket", ["http"], Often, Cleartext;
    BITTORRENT = "bittorrent", "BitTorrent", [], Often, Cleartext;
}

/// A capture under construction.
pub struct Wire {
    pub traffic: Traffic,
    pub policy: Policy,
    pub earlier: Option<Earlier>,
    paper: Paper,
}

pub fn at(seconds: i64) -> Timestamp<Utc> {
    Timestamp::from_ns((TODAY * 86_400 + seconds) * 1_000_000_000)
}

pub fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl Wire {
    pub fn new() -> Wire {
        Wire {
            traffic: Traffic {
                sources: vec!["day one.pcap".to_owned()],
                first: Some(at(0)),
                last: Some(at(3600)),
                volume: Volume { frames: 100_000, ..Volume::default() },
                ..Traffic::default()
            },
            policy: Policy::default(),
            earlier: None,
            paper: Paper::builtin(),
        }
    }

    pub fn policy(mut self, text: &str) -> Wire {
        self.policy = portreeve_verdict::policy::parse("policy.toml", text).unwrap();
        self
    }

    fn serve(&mut self, transport: Transport, server: &str, recognised: Recognised) -> &mut Service {
        let frame = self.traffic.services.len() as u64 + 1;
        self.traffic.services.push(Service {
            server: server.parse::<SocketAddr>().unwrap(),
            transport,
            recognised,
            direction: if transport == Transport::Udp { Direction::FirstSeen } else { Direction::Opened },
            answered: true,
            flows: 2,
            tally: Tally { client_packets: 10, server_packets: 10, client_bytes: 2_000, server_bytes: 5_000 },
            first: Some(at(10)),
            last: Some(at(20)),
            clients: 1,
            some_clients: vec![addr("192.168.1.50")],
            frames: vec![frame],
        });
        self.traffic.services.last_mut().unwrap()
    }

    /// A service whose server confirms the protocol.
    pub fn speaks(
        &mut self,
        transport: Transport,
        server: &str,
        protocol: &'static Protocol,
    ) -> &mut Service {
        self.serve(transport, server, said(Some(protocol), Certainty::Confirmed))
    }

    /// A service that a client tried with a protocol.
    pub fn tried(&mut self, transport: Transport, server: &str, protocol: &'static Protocol) -> &mut Service {
        self.serve(transport, server, said(Some(protocol), Certainty::Attempt))
    }

    /// A service with bytes that no rule decided on.
    pub fn mutters(&mut self, transport: Transport, server: &str, appearance: Appearance) -> &mut Service {
        self.serve(transport, server, Recognised::nothing(appearance))
    }

    pub fn touch(&mut self, transport: Transport, port: u16, sources: u64) -> &mut Touch {
        self.traffic.touches.push(Touch {
            transport,
            port,
            flows: 7,
            refused: 3,
            sources,
            example_source: addr("203.0.113.9"),
            example_target: addr("192.168.1.1"),
            first: Some(at(1)),
            last: Some(at(2)),
            frame: 77,
        });
        self.traffic.touches.last_mut().unwrap()
    }

    pub fn scan(&mut self, source: &str, kind: ScanKind, ports: (u16, u16)) -> &mut Scan {
        self.traffic.scans.push(Scan {
            source: addr(source),
            kind,
            transport: Transport::Tcp,
            probes: 1_000,
            addresses: if kind == ScanKind::Vertical { 1 } else { 250 },
            ports: u64::from(ports.1 - ports.0) + 1,
            open: 2,
            refused: 900,
            example: addr("192.168.1.1"),
            lowest_port: ports.0,
            highest_port: ports.1,
            first: Some(at(1)),
            last: Some(at(60)),
            frame: 5,
        });
        self.traffic.scans.last_mut().unwrap()
    }

    pub fn beacon(&mut self, client: &str, server: &str, score: f64) -> &mut Beacon {
        self.traffic.beacons.push(Beacon {
            client: addr(client),
            server: server.parse().unwrap(),
            transport: Transport::Tcp,
            connections: 240,
            interval_ns: 60_000_000_000,
            interval_score: score,
            size_score: score,
            duration_score: score,
            histogram_score: score,
            score,
            first: Some(at(0)),
            last: Some(at(3600)),
            frame: 9,
        });
        self.traffic.beacons.last_mut().unwrap()
    }

    pub fn judge(&self) -> Judgement {
        judge_traffic(&TrafficFacts {
            traffic: &self.traffic,
            live: false,
            paper: &self.paper,
            policy: &self.policy,
            earlier: self.earlier.as_ref(),
            recognisable: ALL,
            today: TODAY,
        })
    }

    /// The codes that stand, each with its severity: `protocol-mismatch alert`.
    pub fn rings(&self) -> Vec<String> {
        self.judge().findings.iter().map(|f| format!("{} {}", f.code.name(), f.severity.name())).collect()
    }
}

pub fn said(protocol: Option<&'static Protocol>, certainty: Certainty) -> Recognised {
    Recognised {
        protocol,
        certainty,
        rule: "first bytes",
        attempt: None,
        appearance: Appearance::Binary,
        details: Vec::new(),
        certificate: None,
    }
}

pub fn certificate(subject: &str, days: core::ops::Range<i64>, self_signed: bool) -> Certificate {
    Certificate {
        subject: format!("CN={subject}"),
        issuer: if self_signed { format!("CN={subject}") } else { "CN=Some Authority".to_owned() },
        names: vec![subject.to_owned()],
        not_before: at(days.start * 86_400),
        not_after: at(days.end * 86_400),
        self_signed,
    }
}
