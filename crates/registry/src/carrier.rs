//! Which protocols carry a service: what the bytes on its port may rightly be, where they are not called like it.
//!
//! The registry names services, bytes name protocols: `ipp` travels as HTTP, `imaps` as TLS. Most names say it
//! themselves (`pcsync-https`, `opcua-tls`); the table has those that do not. Written by hand from the documents of the
//! services, 2026-11.

/// HTTP and what begins as HTTP.
const HTTP: &[&str] = &["http", "http2", "websocket", "grpc", "icy"];
/// HTTP under TLS, over TCP or QUIC.
const HTTPS: &[&str] = &["tls", "quic"];
/// TLS, or its sibling for datagrams.
const SECURE: &[&str] = &["tls", "dtls"];
/// HTTP, in the clear or not.
const WEB: &[&str] = &["http", "http2", "websocket", "grpc", "icy", "tls", "quic"];
/// A connection that may begin with TLS at once, without a word of its own protocol.
const TLS: &[&str] = &["tls"];
/// Datagrams under TLS.
const DTLS: &[&str] = &["dtls"];

/// The protocols, by the name of their recogniser, that carry a service: `ipp` gives `http`, `imaps` gives `tls`.
///
/// Takes names of the registry, and the words of [`crate::program::commonly_seen`] (`smtp over tls`, `http proxy`).
/// Empty where the service is no more than itself, or where we do not know.
pub fn carried_over(service: &str) -> &'static [&'static str] {
    if let Ok(at) = TABLE.binary_search_by(|(name, _)| (*name).cmp(service)) {
        return TABLE.get(at).map_or(&[], |(_, carriers)| carriers);
    }
    // What a name says of itself.
    let ends = |ends: &[&str]| ends.iter().any(|end| service.ends_with(end));
    if service.contains("http/3") {
        HTTPS
    } else if service.contains("https") {
        WEB
    } else if service.contains("http") {
        HTTP
    } else if service.contains("dtls") {
        DTLS
    } else if service.contains("over quic") {
        &["quic"]
    } else if ends(&["-tls", "-ssl", "over tls", "ssl", "_secure"]) {
        SECURE
    } else if service.contains("soap") || service.contains("webadmin") {
        WEB
    } else {
        &[]
    }
}

/// Every protocol that carries a service, in order.
pub fn carriers() -> Vec<&'static str> {
    let mut all: Vec<&str> = TABLE.iter().flat_map(|(_, carriers)| carriers.iter().copied()).collect();
    all.extend(HTTPS.iter().chain(SECURE).chain(HTTP).copied());
    all.sort_unstable();
    all.dedup();
    all
}

/// Names on the network, which share one format of message (RFC 6762 §18, RFC 4795 §2.1).
const NAMES: &[&str] = &["dns", "mdns", "llmnr"];
/// Media, and the control that may share its port (RFC 5761 §3).
const MEDIA: &[&str] = &["rtp", "rtcp"];

/// Services whose names do not say it, in order.
#[rustfmt::skip]
const TABLE: &[(&str, &[&str])] = &[
    ("3com-webview", WEB), ("adws", TLS), ("amqps", TLS), ("amx-weblinx", WEB), ("anydesk", TLS), ("autodesk-nlm", WEB), ("avt-profile-1", MEDIA),
    ("avt-profile-2", MEDIA), ("bex-webadmin", WEB), ("bveapi", WEB), ("caacws", WEB), ("cassandra", TLS), ("cawas", WEB), ("cddbp-alt", WEB),
    ("chrome devtools", HTTP), ("cimple", WEB), ("clearvisn", WEB), ("cockroachdb", WEB), ("commplex-main", WEB), ("cops-tls", TLS), ("couchdb", WEB),
    ("cpq-wbem", WEB), ("cwmp", WEB), ("d2000webserver", WEB), ("daap", HTTP), ("davsrc", HTTP), ("davsrcs", WEB), ("dey-sapi", WEB),
    ("diameters", SECURE), ("dns", NAMES), ("docker", WEB), ("docker over tls", WEB), ("docker swarm", WEB), ("docker-s", WEB), ("domain", NAMES),
    ("domain-s", &["tls", "dtls", "quic"]), ("elasticsearch peers", TLS), ("eli", WEB), ("etcd", WEB), ("etcd peers", WEB), ("etcd-client", WEB),
    ("etcd-server", WEB), ("ethernet-ip-s", SECURE), ("event-port", HTTP), ("fmwp", WEB), ("ftps", TLS), ("ftps-data", TLS), ("gnunet", WEB),
    ("hawk", WEB), ("hkp", WEB), ("homeportal-web", WEB), ("hp-webadmin", WEB), ("hp-webqosdb", WEB), ("hpvirtgrp", TLS), ("hpvroom", TLS),
    ("http", HTTP), ("http proxy", HTTP), ("http-alt", WEB), ("https", &["tls", "quic", "http2"]), ("icslap", HTTP), ("iec-104-sec", TLS),
    ("imap", TLS), ("imaps", TLS), ("imqstomps", TLS), ("imqtunnels", TLS), ("infowave", WEB), ("ipfixs", SECURE), ("ipp", WEB), ("ipps", WEB),
    ("ircs-u", TLS), ("ircu", TLS), ("iwec", WEB), ("jaxer-web", WEB), ("jwpc", WEB), ("kafka", TLS), ("ktickets-rest", WEB), ("ldap", TLS),
    ("ldaps", TLS), ("libvirt", TLS), ("llmnr", NAMES), ("lm-webwatcher", WEB), ("loreji-panel", WEB), ("lot105-ds-upd", WEB), ("matrix-fed", WEB),
    ("mbap-s", TLS), ("mccwebsvr-port", WEB), ("mdns", NAMES), ("mdnsresponder", NAMES), ("memcache", TLS), ("metaedit-ws", WEB), ("mongodb", TLS),
    ("mqtt", &["tls", "websocket"]), ("msft-gc-ssl", TLS), ("mysqlx", TLS), ("nats", &["tls", "websocket"]), ("nbx-au", WEB), ("nbx-cc", WEB),
    ("nbx-dir", WEB), ("nbx-ser", WEB), ("ndl-aas", HTTP), ("nntps", TLS), ("node inspector", HTTP), ("nrpe", TLS), ("nsesrvr", WEB), ("ntske", TLS),
    ("nvme-disc", TLS), ("ollama", WEB), ("oob-ws-http", HTTP), ("oob-ws-https", WEB), ("opcua-tls", WEB), ("openremote-ctrl", WEB),
    ("opentelemetry", WEB), ("ov-nnm-websrv", WEB), ("plex", WEB), ("pmcdproxy", HTTP), ("pmsm-webrctl", WEB), ("pmwebapi", WEB), ("pop3", TLS),
    ("pop3s", TLS), ("postgresql", TLS), ("privoxy", HTTP), ("qmtps", TLS), ("radsec", SECURE), ("railgun-webaccl", TLS), ("redis", TLS),
    ("restconf-ch-tls", WEB), ("rfb", &["websocket", "tls"]), ("rid", WEB), ("rtp", MEDIA), ("rtsp", &["http"]), ("rtsp-alt", &["http"]),
    ("rtsps", TLS), ("saphostctrl", HTTP), ("saphostctrls", WEB), ("sco-websrvrmg3", WEB), ("sco-websrvrmgr", WEB), ("secure-mqtt", TLS),
    ("secure-ts", TLS), ("shoutcast", HTTP), ("sips", SECURE), ("smc-admin", WEB), ("snmpdtls", DTLS), ("snmpdtls-trap", DTLS), ("snmptls", TLS),
    ("snmptls-trap", TLS), ("spdy", WEB), ("ssdp", &["http"]), ("storageos", WEB), ("stuns", SECURE), ("submission", TLS), ("submissions", TLS),
    ("sun-user-https", WEB), ("sunwebadmin", WEB), ("sunwebadmins", WEB), ("swarm", WEB), ("syam-webserver", WEB), ("syslog-tls", SECURE),
    ("tacacss", TLS), ("talon-webserver", WEB), ("telnets", TLS), ("tftps", TLS), ("trivnet1", WEB), ("trusted-web", WEB), ("ttc-ssl", TLS),
    ("tungsten-https", WEB), ("turns", SECURE), ("twsdss", WEB), ("ultraseek-http", HTTP), ("vnc", &["websocket", "tls"]), ("wbem-exp-https", WEB),
    ("wbem-http", HTTP), ("wbem-https", WEB), ("webaccess", WEB), ("webemshttp", HTTP), ("weblogin", WEB), ("webmail-2", WEB),
    ("webmethods-b2b", WEB), ("webobjects", WEB), ("webpush", WEB), ("websm", WEB), ("webyast", WEB), ("ws-discovery", HTTP), ("wsdapi", HTTP),
    ("wsdapi-s", WEB), ("wsdl-event", WEB), ("wsm-server-ssl", WEB), ("wsman", WEB), ("wsmans", WEB), ("wso2esb-console", WEB), ("www", HTTP),
    ("www-dev", HTTP), ("www-http", HTTP), ("xmlblaster", HTTP), ("xmlrpc-beep", HTTP), ("xmltec-xmlmail", HTTP), ("xmpp-bosh", WEB),
    ("xmpp-client", &["tls", "websocket"]), ("xmpp-server", TLS), ("xnm-ssl", TLS), ("z-wave-s", TLS), ("zabbix-agent", TLS), ("zabbix-trapper", TLS),
];

#[cfg(test)]
mod tests {
    use model::Transport;

    use super::*;
    use crate::{Paper, program};

    #[test]
    fn the_table_is_in_order_without_doubles() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", misplaced());
        assert!(TABLE.iter().all(|(_, carriers)| !carriers.is_empty()));
    }

    fn misplaced() -> Option<&'static str> {
        TABLE.windows(2).find(|pair| pair[0].0 >= pair[1].0).map(|pair| pair[1].0)
    }

    #[test]
    fn every_name_is_one_of_the_registry_or_a_word_of_ours() {
        let paper = Paper::builtin();
        let mut words: Vec<String> = Vec::new();
        for transport in Transport::ALL {
            for port in 0..=u16::MAX {
                words.extend(program::commonly_named(transport, port).map(str::to_owned));
            }
        }
        let unknown: Vec<&str> = TABLE
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| paper.by_name(name).next().is_none() && !words.iter().any(|word| word == name))
            .collect();
        assert_eq!(unknown, [""; 0]);
    }

    #[test]
    fn names_say_it_themselves_or_stand_in_the_table() {
        for (service, carrier) in [
            ("ipp", "http"),
            ("pcsync-https", "tls"),
            ("imaps", "tls"),
            ("opcua-tls", "tls"),
            ("http proxy", "http"),
            ("http/3", "quic"),
            ("dns over quic", "quic"),
            ("smtp over tls", "tls"),
            ("gre-udp-dtls", "dtls"),
            ("docker", "http"),
            ("wsman", "http"),
            ("http-alt", "http"),
            ("https", "tls"),
            ("mdns", "dns"),
            ("avt-profile-1", "rtcp"),
        ] {
            assert!(carried_over(service).contains(&carrier), "{service} {carrier}");
        }
        for service in ["ssh", "smpte", "webster", "", "microsoft-ds"] {
            assert_eq!(carried_over(service), [""; 0], "{service}");
        }
        assert!(!carried_over("https").contains(&"http"), "HTTP/1 in the clear on 443 is not ordinary");
    }
}
