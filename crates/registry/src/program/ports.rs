//! What is said of a port without regard to a program: what is commonly seen there, and what ought not to face the
//! network. Written by hand from the defaults that the programs' own documentation gives, 2026-11.

use model::Transport::{self, Tcp, Udp};

/// A port that ought not to face the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensitive {
    /// What kind of door it is.
    pub kind: SensitiveKind,
    /// What is ordinarily there.
    pub what: &'static str,
    /// Why it ought not to be reachable from everywhere.
    pub why: &'static str,
}

/// What kind of door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SensitiveKind {
    /// A database, cache or message store.
    Database,
    /// A debugger or profiler: whoever reaches it runs code.
    Debugger,
    /// Administration of a machine, cluster or service.
    Admin,
}

impl SensitiveKind {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            SensitiveKind::Database => "database",
            SensitiveKind::Debugger => "debugger",
            SensitiveKind::Admin => "admin",
        }
    }
}

/// The service commonly seen on a port, whatever the registry says; by port and transport.
pub fn commonly_seen(transport: Transport, port: u16) -> Option<&'static str> {
    let word = SEEN_NUMBERS.get(usize::from(port / 64)).copied().unwrap_or(0);
    if word >> (port % 64) & 1 == 0 {
        return None;
    }
    let at = SEEN.binary_search_by_key(&(port, transport), |seen| (seen.0, seen.1)).ok()?;
    SEEN.get(at).map(|seen| seen.2)
}

/// The single names in what is commonly seen on a port, without the programs: `http`, `mysql` for `http, mysql (TiDB)`.
pub fn commonly_named(transport: Transport, port: u16) -> impl Iterator<Item = &'static str> {
    let text = commonly_seen(transport, port).unwrap_or_default();
    // Programs stand in parentheses, behind the name or behind several.
    let outside = text.split('(').map(|piece| piece.rsplit(')').next().unwrap_or_default());
    outside.flat_map(|piece| piece.split(',')).map(str::trim).filter(|name| !name.is_empty())
}

/// The numbers that `SEEN` has, as a set of bits: most ports are not in it, and every socket asks.
static SEEN_NUMBERS: [u64; 1024] = numbers();

#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which checks")]
const fn numbers() -> [u64; 1024] {
    let mut bits = [0; 1024];
    let mut at = 0;
    while at < SEEN.len() {
        let port = SEEN[at].0 as usize;
        bits[port / 64] |= 1 << (port % 64);
        at += 1;
    }
    bits
}

/// What is ordinarily on this port and ought not to face the network.
pub fn sensitive(transport: Transport, port: u16) -> Option<Sensitive> {
    let at = DOORS.binary_search_by_key(&(port, transport), |door| (door.0, door.1)).ok()?;
    let (_, _, kind, what, reason) = *DOORS.get(at)?;
    Some(Sensitive { kind, what, why: reason.words() })
}

/// Why a door ought to stay shut.
#[derive(Clone, Copy)]
enum Why {
    /// Asks for no password as it comes.
    Open,
    /// Asks for a password, which can be guessed, and holds what others want.
    Guess,
    /// Whoever reaches it runs code.
    Code,
    /// Words go over the network as they are.
    Clear,
    /// Whoever is let in rules the machine or the cluster.
    Rule,
    /// Small questions get large answers: others are attacked through it.
    Amplify,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Why::Open => "as it comes it asks nobody for a password",
            Why::Guess => "it holds data, and a password is all that stands before it",
            Why::Code => "whoever reaches it can run code",
            Why::Clear => "passwords and data cross the network unencrypted",
            Why::Rule => "whoever is let in rules the machine or the cluster",
            Why::Amplify => {
                "it answers small questions with large answers, and others are attacked through it"
            }
        }
    }
}

use SensitiveKind::{Admin, Database, Debugger};

#[rustfmt::skip]
const SEEN: &[(u16, Transport, &str)] = &[
    (21, Tcp, "ftp"), (22, Tcp, "ssh"), (23, Tcp, "telnet"), (25, Tcp, "smtp"),
    (53, Tcp, "dns"), (53, Udp, "dns"), (67, Udp, "dhcp server"), (68, Udp, "dhcp client"), (69, Udp, "tftp"),
    (80, Tcp, "http"), (81, Tcp, "http"), (85, Tcp, "http (Proxmox)"), (110, Tcp, "pop3"), (111, Tcp, "rpcbind"), (111, Udp, "rpcbind"),
    (123, Udp, "ntp"), (135, Tcp, "msrpc"), (137, Udp, "netbios names"), (138, Udp, "netbios datagrams"), (139, Tcp, "smb"),
    (143, Tcp, "imap"), (161, Udp, "snmp"), (162, Udp, "snmp traps"), (179, Tcp, "bgp"), (319, Udp, "ptp"), (320, Udp, "ptp"),
    (323, Udp, "chrony control"), (389, Tcp, "ldap"), (389, Udp, "cldap (Active Directory)"), (443, Tcp, "https"), (443, Udp, "http/3"),
    (445, Tcp, "smb"), (465, Tcp, "smtp over tls"), (500, Udp, "ike"), (514, Tcp, "syslog"), (514, Udp, "syslog"),
    (515, Tcp, "lpd"), (546, Udp, "dhcpv6 client"), (547, Udp, "dhcpv6 server"), (548, Tcp, "afp"), (554, Tcp, "rtsp"), (587, Tcp, "smtp submission"),
    (623, Udp, "ipmi"), (631, Tcp, "ipp"), (636, Tcp, "ldap over tls"), (783, Tcp, "spamd"), (853, Tcp, "dns over tls"), (853, Udp, "dns over quic"),
    (873, Tcp, "rsync"), (943, Tcp, "https (OpenVPN admin)"), (953, Tcp, "rndc"), (993, Tcp, "imap over tls"), (995, Tcp, "pop3 over tls"),
    (1025, Tcp, "smtp (MailHog, Mailpit)"), (1080, Tcp, "socks"), (1194, Udp, "openvpn"), (1433, Tcp, "ms-sql"), (1434, Udp, "ms-sql browser"),
    (1521, Tcp, "oracle"), (1701, Udp, "l2tp"), (1723, Tcp, "pptp"), (1812, Udp, "radius"), (1813, Udp, "radius accounting"), (1883, Tcp, "mqtt"),
    (1900, Udp, "ssdp"), (1935, Tcp, "rtmp"), (2019, Tcp, "http (Caddy admin)"), (2022, Tcp, "ssh (sftpgo, Eternal Terminal)"), (2049, Tcp, "nfs"), (2055, Udp, "netflow"),
    (2181, Tcp, "zookeeper"), (2222, Tcp, "ssh"), (2375, Tcp, "docker"), (2376, Tcp, "docker over tls"), (2377, Tcp, "docker swarm"),
    (2379, Tcp, "etcd"), (2380, Tcp, "etcd peers"), (2812, Tcp, "http (monit)"), (3000, Tcp, "http (Grafana, Node, Gitea, Rails)"), (3001, Tcp, "http (Uptime Kuma, Node)"),
    (3100, Tcp, "http (Loki)"), (3128, Tcp, "http proxy (Squid)"), (3142, Tcp, "http (apt-cacher-ng)"), (3260, Tcp, "iscsi"), (3268, Tcp, "ldap (global catalogue)"), (3269, Tcp, "ldap over tls (global catalogue)"),
    (3306, Tcp, "mysql"), (3310, Tcp, "clamd"), (3389, Tcp, "rdp"), (3389, Udp, "rdp"), (3478, Tcp, "stun"), (3478, Udp, "stun"), (3493, Tcp, "nut"), (3632, Tcp, "distcc"),
    (3702, Udp, "ws-discovery"), (4000, Tcp, "http, mysql (TiDB)"), (4040, Tcp, "http (ngrok, Spark)"), (4200, Tcp, "http (Angular, Shell In A Box)"), (4222, Tcp, "nats"), (4317, Tcp, "opentelemetry (gRPC)"),
    (4318, Tcp, "opentelemetry (http)"), (4369, Tcp, "epmd"), (4444, Tcp, "http (Selenium), galera"), (4500, Udp, "ipsec nat traversal"), (4505, Tcp, "salt"), (4506, Tcp, "salt"),
    (4567, Tcp, "galera, http (Sinatra)"), (4646, Tcp, "http (Nomad)"), (4713, Tcp, "pulseaudio"), (4789, Udp, "vxlan"), (5000, Tcp, "http (Flask, container registry, AirPlay)"), (5001, Tcp, "iperf, http"),
    (5004, Udp, "rtp"), (5037, Tcp, "adb"), (5038, Tcp, "asterisk manager"), (5044, Tcp, "beats"), (5060, Tcp, "sip"), (5060, Udp, "sip"), (5061, Tcp, "sip over tls"),
    (5173, Tcp, "http (Vite)"), (5201, Tcp, "iperf3"), (5222, Tcp, "xmpp"), (5269, Tcp, "xmpp servers"), (5353, Udp, "mdns"), (5355, Tcp, "llmnr"), (5355, Udp, "llmnr"), (5357, Tcp, "http (ws-discovery)"),
    (5432, Tcp, "postgresql"), (5433, Tcp, "postgresql"), (5555, Tcp, "adb"), (5601, Tcp, "http (Kibana)"), (5666, Tcp, "nrpe"), (5671, Tcp, "amqp over tls"), (5672, Tcp, "amqp"), (5683, Udp, "coap"),
    (5900, Tcp, "vnc"), (5901, Tcp, "vnc"), (5902, Tcp, "vnc"), (5938, Tcp, "teamviewer"), (5984, Tcp, "http (CouchDB)"), (5985, Tcp, "http (WinRM)"), (5986, Tcp, "https (WinRM)"),
    (6000, Tcp, "x11"), (6081, Tcp, "http (Varnish)"), (6379, Tcp, "redis"), (6380, Tcp, "redis"), (6432, Tcp, "postgresql (PgBouncer)"), (6443, Tcp, "https (Kubernetes API)"), (6600, Tcp, "mpd"),
    (6667, Tcp, "irc"), (6697, Tcp, "irc over tls"), (6789, Tcp, "ceph monitor"), (6881, Tcp, "bittorrent"), (6881, Udp, "bittorrent"), (7000, Tcp, "cassandra peers, AirPlay"), (7070, Tcp, "anydesk"), (7199, Tcp, "jmx (Cassandra)"),
    (7474, Tcp, "http (Neo4j)"), (7680, Tcp, "windows delivery optimisation"), (7681, Tcp, "http (ttyd)"), (7687, Tcp, "bolt (Neo4j)"), (7700, Tcp, "http (Meilisearch)"), (7946, Tcp, "docker swarm peers"), (7946, Udp, "docker swarm peers"),
    (8000, Tcp, "http"), (8005, Tcp, "tomcat shutdown"), (8006, Tcp, "https (Proxmox)"), (8008, Tcp, "http (Matrix, Chromecast)"), (8009, Tcp, "ajp (Tomcat)"), (8025, Tcp, "http (MailHog, Mailpit)"), (8065, Tcp, "http (Mattermost)"),
    (8080, Tcp, "http"), (8081, Tcp, "http"), (8082, Tcp, "http"), (8083, Tcp, "http"), (8086, Tcp, "http (InfluxDB)"), (8088, Tcp, "http"), (8089, Tcp, "https (Splunk, Asterisk)"),
    (8090, Tcp, "http"), (8096, Tcp, "http (Jellyfin)"), (8118, Tcp, "http proxy (Privoxy)"), (8123, Tcp, "http (Home Assistant, ClickHouse)"), (8125, Udp, "statsd"), (8126, Tcp, "http (Datadog traces)"), (8140, Tcp, "https (Puppet)"),
    (8161, Tcp, "http (ActiveMQ)"), (8181, Tcp, "http"), (8200, Tcp, "http (Vault, MiniDLNA)"), (8291, Tcp, "winbox (MikroTik)"), (8332, Tcp, "bitcoin rpc"), (8333, Tcp, "bitcoin"), (8384, Tcp, "http (Syncthing)"), (8388, Tcp, "shadowsocks"), (8388, Udp, "shadowsocks"),
    (8404, Tcp, "http (HAProxy statistics)"), (8428, Tcp, "http (VictoriaMetrics)"), (8443, Tcp, "https"), (8448, Tcp, "https (Matrix federation)"), (8472, Udp, "vxlan (flannel, Cilium)"), (8500, Tcp, "http (Consul)"), (8529, Tcp, "http (ArangoDB)"), (8554, Tcp, "rtsp"), (8600, Udp, "dns (Consul)"),
    (8765, Tcp, "http"), (8834, Tcp, "https (Nessus)"), (8883, Tcp, "mqtt over tls"), (8888, Tcp, "http (Jupyter)"), (8983, Tcp, "http (Solr)"), (8989, Tcp, "http (Sonarr)"), (9000, Tcp, "http (Portainer, MinIO, SonarQube), php-fpm"), (9001, Tcp, "http (MinIO console, supervisord), tor"),
    (9042, Tcp, "cassandra"), (9050, Tcp, "socks (Tor)"), (9051, Tcp, "tor control"), (9090, Tcp, "http (Prometheus, Cockpit)"), (9091, Tcp, "http (Transmission, Pushgateway)"), (9092, Tcp, "kafka"), (9093, Tcp, "http (Alertmanager)"), (9100, Tcp, "http (node exporter), raw printing"),
    (9150, Tcp, "socks (Tor Browser)"), (9200, Tcp, "http (Elasticsearch, OpenSearch)"), (9222, Tcp, "chrome devtools"), (9229, Tcp, "node inspector"), (9300, Tcp, "elasticsearch peers"), (9306, Tcp, "mysql (Manticore, Sphinx)"), (9418, Tcp, "git"), (9443, Tcp, "https (Portainer, Tomcat)"),
    (9993, Udp, "zerotier"), (9999, Tcp, "http"), (10000, Tcp, "https (Webmin)"), (10050, Tcp, "zabbix agent"), (10051, Tcp, "zabbix server"), (10250, Tcp, "https (kubelet)"), (10255, Tcp, "http (kubelet, read only)"), (10256, Tcp, "http (kube-proxy health)"), (11211, Tcp, "memcached"), (11211, Udp, "memcached"),
    (11332, Tcp, "http (rspamd)"), (11333, Tcp, "http (rspamd)"), (11334, Tcp, "http (rspamd)"), (11434, Tcp, "http (Ollama)"), (15672, Tcp, "http (RabbitMQ)"), (16443, Tcp, "https (MicroK8s API)"), (16509, Tcp, "libvirt"), (16686, Tcp, "http (Jaeger)"), (18080, Tcp, "monero, http"), (19132, Udp, "minecraft (Bedrock)"), (19999, Tcp, "http (Netdata)"),
    (20048, Tcp, "nfs mountd"), (20048, Udp, "nfs mountd"), (21027, Udp, "syncthing discovery"), (22000, Tcp, "syncthing"), (22000, Udp, "syncthing"), (24007, Tcp, "gluster"), (24224, Tcp, "fluentd"), (25565, Tcp, "minecraft"), (25672, Tcp, "rabbitmq peers"), (26257, Tcp, "cockroachdb"), (26379, Tcp, "redis sentinel"),
    (27015, Udp, "source engine games"), (27017, Tcp, "mongodb"), (27018, Tcp, "mongodb"), (27036, Tcp, "steam"), (28015, Tcp, "rethinkdb"), (30303, Tcp, "ethereum"), (32400, Tcp, "http (Plex)"), (33060, Tcp, "mysql x"), (41641, Udp, "tailscale"), (50000, Tcp, "db2, http (Jenkins agents)"), (51413, Tcp, "bittorrent (Transmission)"), (51413, Udp, "bittorrent (Transmission)"),
    (51820, Udp, "wireguard"), (55000, Tcp, "https (Wazuh)"), (61616, Tcp, "openwire (ActiveMQ)"), (64738, Tcp, "mumble"), (64738, Udp, "mumble"),
];

#[rustfmt::skip]
const DOORS: &[(u16, Transport, SensitiveKind, &str, Why)] = &[
    (23, Tcp, Admin, "telnet", Why::Clear),
    (111, Tcp, Admin, "rpcbind", Why::Amplify),
    (111, Udp, Admin, "rpcbind", Why::Amplify),
    (161, Udp, Admin, "SNMP", Why::Clear),
    (389, Udp, Admin, "CLDAP", Why::Amplify),
    (512, Tcp, Admin, "rexec", Why::Clear),
    (513, Tcp, Admin, "rlogin", Why::Clear),
    (514, Tcp, Admin, "rsh", Why::Clear),
    (623, Udp, Admin, "IPMI", Why::Rule),
    (873, Tcp, Admin, "rsync", Why::Open),
    (953, Tcp, Admin, "rndc", Why::Rule),
    (1090, Tcp, Debugger, "Java RMI", Why::Code),
    (1098, Tcp, Debugger, "Java RMI", Why::Code),
    (1099, Tcp, Debugger, "Java RMI registry", Why::Code),
    (1234, Tcp, Debugger, "gdbserver", Why::Code),
    (1433, Tcp, Database, "Microsoft SQL Server", Why::Guess),
    (1434, Udp, Database, "SQL Server browser", Why::Amplify),
    (1521, Tcp, Database, "Oracle", Why::Guess),
    (2019, Tcp, Admin, "Caddy administration", Why::Open),
    (2181, Tcp, Database, "ZooKeeper", Why::Open),
    (2345, Tcp, Debugger, "Delve or another remote debugger", Why::Code),
    (2375, Tcp, Admin, "Docker without TLS", Why::Code),
    (2376, Tcp, Admin, "Docker", Why::Rule),
    (2379, Tcp, Database, "etcd", Why::Rule),
    (2380, Tcp, Database, "etcd peers", Why::Rule),
    (3306, Tcp, Database, "MySQL or MariaDB", Why::Guess),
    (3310, Tcp, Admin, "clamd", Why::Open),
    (3389, Tcp, Admin, "remote desktop", Why::Guess),
    (3632, Tcp, Debugger, "distcc", Why::Code),
    (4369, Tcp, Admin, "Erlang port mapper", Why::Rule),
    (4444, Tcp, Admin, "Selenium", Why::Code),
    (4505, Tcp, Admin, "Salt master", Why::Rule),
    (4506, Tcp, Admin, "Salt master", Why::Rule),
    (5005, Tcp, Debugger, "Java debugger (JDWP)", Why::Code),
    (5037, Tcp, Debugger, "Android debug bridge", Why::Code),
    (5038, Tcp, Admin, "Asterisk manager", Why::Clear),
    (5432, Tcp, Database, "PostgreSQL", Why::Guess),
    (5433, Tcp, Database, "PostgreSQL", Why::Guess),
    (5555, Tcp, Debugger, "Android debug bridge", Why::Code),
    (5601, Tcp, Admin, "Kibana", Why::Guess),
    (5672, Tcp, Database, "AMQP message store", Why::Guess),
    (5678, Tcp, Debugger, "Python debugger (debugpy)", Why::Code),
    (5858, Tcp, Debugger, "Node debugger", Why::Code),
    (5900, Tcp, Admin, "VNC", Why::Guess),
    (5901, Tcp, Admin, "VNC", Why::Guess),
    (5902, Tcp, Admin, "VNC", Why::Guess),
    (5984, Tcp, Database, "CouchDB", Why::Guess),
    (5985, Tcp, Admin, "Windows remote management", Why::Rule),
    (5986, Tcp, Admin, "Windows remote management", Why::Rule),
    (6000, Tcp, Admin, "X11 display", Why::Rule),
    (6032, Tcp, Admin, "ProxySQL administration", Why::Guess),
    (6379, Tcp, Database, "Redis or Valkey", Why::Open),
    (6380, Tcp, Database, "Redis or Valkey", Why::Open),
    (6432, Tcp, Database, "PgBouncer", Why::Guess),
    (7000, Tcp, Database, "Cassandra peers", Why::Open),
    (7199, Tcp, Debugger, "Cassandra JMX", Why::Code),
    (7474, Tcp, Database, "Neo4j", Why::Guess),
    (7681, Tcp, Admin, "terminal in a browser (ttyd)", Why::Code),
    (7687, Tcp, Database, "Neo4j", Why::Guess),
    (7700, Tcp, Database, "Meilisearch", Why::Open),
    (8005, Tcp, Admin, "Tomcat shutdown port", Why::Rule),
    (8009, Tcp, Admin, "Tomcat AJP", Why::Open),
    (8086, Tcp, Database, "InfluxDB", Why::Guess),
    (8291, Tcp, Admin, "MikroTik Winbox", Why::Rule),
    (8332, Tcp, Admin, "Bitcoin RPC", Why::Rule),
    (8500, Tcp, Admin, "Consul", Why::Rule),
    (8529, Tcp, Database, "ArangoDB", Why::Guess),
    (8787, Tcp, Debugger, "Java debugger (WildFly) or RStudio", Why::Code),
    (8888, Tcp, Debugger, "Jupyter", Why::Code),
    (8983, Tcp, Database, "Solr", Why::Open),
    (9001, Tcp, Admin, "supervisord or MinIO console", Why::Guess),
    (9003, Tcp, Debugger, "PHP debugger (Xdebug)", Why::Code),
    (9042, Tcp, Database, "Cassandra or Scylla", Why::Open),
    (9051, Tcp, Admin, "Tor control", Why::Rule),
    (9092, Tcp, Database, "Kafka", Why::Open),
    (9160, Tcp, Database, "Cassandra", Why::Open),
    (9200, Tcp, Database, "Elasticsearch or OpenSearch", Why::Open),
    (9222, Tcp, Debugger, "Chrome DevTools", Why::Code),
    (9229, Tcp, Debugger, "Node inspector", Why::Code),
    (9300, Tcp, Database, "Elasticsearch peers", Why::Open),
    (9306, Tcp, Database, "Manticore or Sphinx", Why::Open),
    (9990, Tcp, Admin, "WildFly administration", Why::Guess),
    (10000, Tcp, Admin, "Webmin", Why::Rule),
    (10250, Tcp, Admin, "kubelet", Why::Code),
    (10255, Tcp, Admin, "kubelet, read only", Why::Open),
    (11211, Tcp, Database, "memcached", Why::Open),
    (11211, Udp, Database, "memcached", Why::Amplify),
    (15672, Tcp, Admin, "RabbitMQ administration", Why::Guess),
    (16509, Tcp, Admin, "libvirt without TLS", Why::Rule),
    (26257, Tcp, Database, "CockroachDB", Why::Guess),
    (26379, Tcp, Database, "Redis Sentinel", Why::Open),
    (27017, Tcp, Database, "MongoDB", Why::Guess),
    (27018, Tcp, Database, "MongoDB", Why::Guess),
    (28015, Tcp, Database, "RethinkDB", Why::Open),
    (33060, Tcp, Database, "MySQL X protocol", Why::Guess),
    (50000, Tcp, Database, "DB2 or SAP", Why::Guess),
    (61616, Tcp, Database, "ActiveMQ", Why::Guess),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_without_doubles() {
        assert!(SEEN.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
        assert!(DOORS.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
        assert!(SEEN.len() > 200);
    }

    #[test]
    fn names_come_without_their_programs() {
        let names = |transport, port| commonly_named(transport, port).collect::<Vec<_>>();
        assert_eq!(names(Tcp, 9443), ["https"]);
        assert_eq!(names(Tcp, 4000), ["http", "mysql"]);
        assert_eq!(names(Tcp, 9000), ["http", "php-fpm"]);
        assert_eq!(names(Tcp, 50000), ["db2", "http"]);
        assert_eq!(names(Tcp, 420), [""; 0]);
        for (port, transport, text) in SEEN {
            let names = names(*transport, *port);
            assert!(!names.is_empty() && names.iter().all(|name| !name.contains(['(', ')'])), "{text}");
        }
    }

    #[test]
    fn known_ports_are_found_and_others_are_not() {
        assert_eq!(commonly_seen(Tcp, 9443), Some("https (Portainer, Tomcat)"));
        assert_eq!(commonly_seen(Udp, 51820), Some("wireguard"));
        assert_eq!(commonly_seen(Tcp, 420), None);
        let redis = sensitive(Tcp, 6379).unwrap();
        assert_eq!((redis.kind, redis.what), (Database, "Redis or Valkey"));
        assert_eq!(sensitive(Udp, 6379), None);
        assert_eq!(sensitive(Tcp, 443), None);
    }
}
