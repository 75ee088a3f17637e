//! The program map, one line per program:
//! `[executables] [units] [registry services] [other ports it is commonly seen on] root? class;`
//!
//! Executables are named as Debian, Red Hat and Alpine name them, here and there as Windows and macOS do. The first
//! name is the one that a reason mentions. Ports make a registered port one in ordinary use: only defaults that a
//! program's own documentation gives belong here, not what somebody once configured. Written by hand, 2026-11.

use model::Transport::{self, Dccp, Sctp, Tcp, Udp};

use super::Class::{self, Multiplexer, Runtime, Service, Sniffer};
use super::Program;

/// A program, and the sentence that names it as the reason for ordinary use.
pub(crate) struct Entry {
    pub(crate) program: Program,
    pub(crate) reason: &'static str,
}

macro_rules! programs {
    ($([$first:literal $(, $name:literal)*] [$($unit:literal),*] [$($service:literal),*]
       [$($transport:ident $port:literal),*] $privilege:ident $class:ident;)+) => {
        pub(crate) const MAP: &[Entry] = &[$(Entry {
            program: Program {
                names: &[$first $(, $name)*],
                units: &[$($unit),*],
                services: &[$($service),*],
                ports: &[$(($transport, $port)),*],
                needs_root: $privilege,
                class: $class,
            },
            reason: concat!("in ordinary use: ", $first, " in our program map (2026-11) serves it"),
        }),+];
    };
}

const ROOT: bool = true;
const USER: bool = false;

#[rustfmt::skip]
programs! {
    // Remote login and desktops
    ["sshd", "sshd-session", "sshd-auth", "openssh-server"] ["ssh", "sshd", "sshd-unix-local", "sshd-vsock"] ["ssh"] [Tcp 2222] ROOT Service;
    ["dropbear"] ["dropbear"] ["ssh"] [Tcp 2222] ROOT Service;
    ["tinysshd"] ["tinysshd"] ["ssh"] [] ROOT Service;
    ["in.telnetd", "telnetd", "utelnetd"] ["telnet", "inetutils-telnetd"] ["telnet"] [Tcp 2323] ROOT Service;
    ["in.rshd", "in.rlogind", "in.rexecd", "rshd", "rlogind", "rexecd"] ["rsh", "rlogin", "rexec"] ["shell", "login", "exec"] [] ROOT Service;
    ["mosh-server"] [] [] [Udp 60001] USER Service;
    ["etserver"] ["et"] [] [Tcp 2022] ROOT Service;
    ["xrdp", "xrdp-sesman", "xrdp-chansrv"] ["xrdp", "xrdp-sesman"] ["ms-wbt-server"] [Tcp 3350] ROOT Service;
    ["gnome-remote-desktop-daemon"] ["gnome-remote-desktop"] ["ms-wbt-server", "rfb"] [Tcp 3390, Tcp 5900] USER Service;
    ["krdpserver", "krfb"] [] ["ms-wbt-server", "rfb"] [Tcp 5900] USER Service;
    ["Xvnc", "Xtigervnc", "x0vncserver", "x11vnc", "vino-server", "wayvnc", "Xtightvnc", "Xvnc4", "vncserver-x11-core", "winvnc"] ["vncserver", "x11vnc", "vino-server", "tigervncserver", "wayvnc"] ["rfb"] [Tcp 5900, Tcp 5901, Tcp 5902, Tcp 5903] USER Service;
    ["Xorg", "X", "Xwayland", "Xnest", "Xephyr"] ["display-manager"] ["x11"] [] ROOT Service;
    ["xpra"] ["xpra"] [] [Tcp 14500] USER Service;
    ["teamviewerd", "TeamViewer"] ["teamviewerd"] [] [Tcp 5938, Tcp 5939, Udp 5938] ROOT Service;
    ["anydesk"] ["anydesk"] [] [Tcp 7070, Udp 50001] ROOT Service;
    ["rustdesk", "hbbs", "hbbr"] ["rustdesk", "rustdesk-hbbs", "rustdesk-hbbr"] [] [Tcp 21115, Tcp 21116, Udp 21116, Tcp 21117, Tcp 21118, Tcp 21119] USER Service;
    ["guacd"] ["guacd"] [] [Tcp 4822] USER Service;
    ["teleport"] ["teleport"] [] [Tcp 3022, Tcp 3023, Tcp 3024, Tcp 3025, Tcp 3080] ROOT Service;
    ["ttyd", "gotty", "wetty"] ["ttyd"] [] [Tcp 7681] USER Service;
    ["shellinaboxd"] ["shellinabox"] [] [Tcp 4200] USER Service;
    ["cockpit-tls", "cockpit-ws"] ["cockpit"] [] [Tcp 9090] USER Service;
    ["webmin", "miniserv.pl"] ["webmin"] [] [Tcp 10000, Udp 10000] ROOT Service;

    // Web servers and what stands before them
    ["nginx", "openresty", "tengine", "angie"] ["nginx", "openresty", "angie"] ["http", "https", "http-alt"] [Tcp 8443, Udp 443, Tcp 81, Tcp 8000, Tcp 8081, Tcp 8888] USER Multiplexer;
    ["apache2", "httpd", "httpd.worker", "httpd.event"] ["apache2", "httpd"] ["http", "https", "http-alt"] [Tcp 8443, Tcp 81, Tcp 8000, Tcp 8081] USER Multiplexer;
    ["caddy"] ["caddy", "caddy-api"] ["http", "https", "http-alt"] [Tcp 2019, Udp 443, Tcp 8443] USER Multiplexer;
    ["lighttpd", "lighttpd2"] ["lighttpd"] ["http", "https", "http-alt"] [Tcp 81] USER Service;
    ["haproxy"] ["haproxy"] ["http", "https"] [Tcp 8404, Tcp 1936, Udp 443] USER Multiplexer;
    ["traefik"] ["traefik"] ["http", "https", "http-alt"] [Tcp 8082, Udp 443] USER Multiplexer;
    ["envoy", "contour", "pilot-agent", "istio-proxy"] ["envoy"] ["http", "https"] [Tcp 9901, Tcp 10000, Tcp 15000, Tcp 15001, Tcp 15006, Tcp 15020, Tcp 15021, Tcp 15090] USER Multiplexer;
    ["varnishd"] ["varnish"] ["http"] [Tcp 6081, Tcp 6082] USER Service;
    ["squid", "squid3"] ["squid"] ["ndl-aas"] [Tcp 3128, Tcp 3129, Udp 3130] USER Service;
    ["tinyproxy"] ["tinyproxy"] ["ddi-tcp-1"] [Tcp 8888] USER Service;
    ["privoxy"] ["privoxy"] ["privoxy"] [Tcp 8118] USER Service;
    ["danted", "sockd", "microsocks", "3proxy"] ["danted", "sockd", "microsocks", "3proxy"] ["socks"] [Tcp 3128] USER Service;
    ["h2o", "hitch", "pound", "hiawatha", "cherokee", "thttpd", "mini_httpd", "boa", "monkey", "sws", "static-web-server", "webfsd", "darkhttpd", "bozohttpd", "merecat", "uhttpd"] ["h2o", "hitch", "pound", "hiawatha", "webfs", "thttpd"] ["http", "https", "http-alt"] [Tcp 8000, Tcp 8001] USER Service;
    ["stunnel", "stunnel4", "stunnel5"] ["stunnel", "stunnel4"] [] [] USER Multiplexer;
    ["sslh", "sslh-select", "sslh-ev", "sslh-fork"] ["sslh"] ["https"] [] USER Multiplexer;
    ["busybox"] [] ["http", "telnet", "ftp", "ntp", "domain", "bootps", "tftp"] [] USER Multiplexer;
    ["php-fpm", "php-fpm.bin"] ["php-fpm"] [] [Tcp 9000] USER Service;
    ["uwsgi", "uwsgi-core", "gunicorn", "uvicorn", "hypercorn", "waitress-serve", "daphne"] ["uwsgi", "gunicorn"] ["http-alt"] [Tcp 8000] USER Runtime;
    ["puma", "unicorn", "thin", "passenger", "PassengerAgent"] ["puma"] [] [Tcp 3000, Tcp 9292] USER Runtime;
    ["oauth2-proxy"] ["oauth2-proxy"] [] [Tcp 4180] USER Service;
    ["authelia"] ["authelia"] [] [Tcp 9091] USER Service;
    ["cloudflared"] ["cloudflared"] ["domain"] [Tcp 20241, Udp 5053] USER Service;
    ["anubis"] ["anubis"] [] [Tcp 8923] USER Service;

    // Names, time, addresses
    ["named", "bind9"] ["named", "bind9", "named-chroot"] ["domain", "domain-s", "rndc"] [Tcp 8053, Tcp 443] USER Service;
    ["unbound"] ["unbound"] ["domain", "domain-s"] [Tcp 8953, Tcp 5335, Udp 5335] USER Service;
    ["dnsmasq"] ["dnsmasq"] ["domain", "bootps", "tftp", "dhcpv6-server"] [Udp 69] ROOT Service;
    ["pihole-FTL"] ["pihole-FTL"] ["domain", "bootps", "http", "ntp"] [Tcp 4711] ROOT Service;
    ["AdGuardHome"] ["AdGuardHome"] ["domain", "domain-s", "http", "https", "bootps"] [Tcp 3000, Udp 784] ROOT Service;
    ["systemd-resolved", "systemd-resolve"] ["systemd-resolved"] ["domain", "llmnr", "mdns"] [Udp 5355, Tcp 5355, Udp 5353] USER Service;
    ["pdns_server", "pdns_recursor", "dnsdist"] ["pdns", "pdns-recursor", "dnsdist"] ["domain", "domain-s"] [Tcp 8081, Tcp 8082, Tcp 8083, Tcp 5199] USER Service;
    ["knotd", "kresd", "knot-resolver"] ["knot", "kresd"] ["domain", "domain-s"] [Tcp 8453] USER Service;
    ["nsd"] ["nsd"] ["domain", "domain-s"] [Tcp 8952] USER Service;
    ["coredns"] ["coredns"] ["domain", "domain-s"] [Tcp 9153, Tcp 8181, Tcp 8080] USER Service;
    ["dnscrypt-proxy"] ["dnscrypt-proxy"] ["domain"] [Tcp 5053, Udp 5053] USER Service;
    ["stubby", "dnss", "smartdns", "blocky", "technitium"] ["stubby", "smartdns", "blocky"] ["domain", "domain-s"] [Tcp 4000] USER Service;
    ["ntpd", "openntpd", "ntpsec", "ntpd-rs", "ntp-daemon"] ["ntp", "ntpd", "ntpsec", "openntpd", "ntpd-rs"] ["ntp", "ntske"] [] USER Service;
    ["chronyd"] ["chrony", "chronyd"] ["ntp", "ntske"] [Udp 323] USER Service;
    ["systemd-timesyncd", "systemd-timesyn"] ["systemd-timesyncd"] ["ntp"] [] USER Service;
    ["ptp4l", "ptpd", "ptpd2", "phc2sys", "timemaster", "statime"] ["ptp4l", "ptpd", "phc2sys", "timemaster", "statime"] ["ptp-event", "ptp-general"] [] ROOT Sniffer;
    ["dhcpd", "dhcrelay"] ["isc-dhcp-server", "dhcpd", "isc-dhcp-relay"] ["bootps", "dhcpv6-server", "dhcp-failover"] [Tcp 7911] ROOT Sniffer;
    ["kea-dhcp4", "kea-dhcp6", "kea-ctrl-agent", "kea-dhcp-ddns"] ["kea-dhcp4", "kea-dhcp4-server", "kea-dhcp6-server", "kea-ctrl-agent"] ["bootps", "dhcpv6-server"] [Tcp 8000, Udp 53001] USER Sniffer;
    ["dhclient", "dhcpcd", "udhcpc", "udhcpd", "pump", "odhcp6c", "odhcpd"] ["dhcpcd", "dhclient", "udhcpd"] ["bootpc", "dhcpv6-client"] [] ROOT Sniffer;
    ["systemd-networkd", "systemd-network"] ["systemd-networkd"] ["bootpc", "bootps", "dhcpv6-client"] [] ROOT Sniffer;
    ["NetworkManager", "nm-dhcp-helper"] ["NetworkManager"] ["bootpc", "dhcpv6-client"] [] ROOT Sniffer;
    ["connmand"] ["connman"] ["bootpc", "domain", "dhcpv6-client"] [] ROOT Sniffer;
    ["radvd", "ndppd", "rdnssd", "rad"] ["radvd", "ndppd", "rdnssd"] [] [] ROOT Sniffer;
    ["avahi-daemon", "mDNSResponder", "mdnsd", "umdns"] ["avahi-daemon"] ["mdns"] [] USER Service;
    ["wsdd", "wsdd2", "wsdd.py"] ["wsdd", "wsdd2", "wsdd-server"] ["ws-discovery", "llmnr"] [Tcp 5357] USER Service;
    ["minissdpd", "miniupnpd", "minidlnad", "minidlna", "upnpd", "rygel", "gmediarender", "gerbera"] ["minissdpd", "miniupnpd", "minidlna", "gerbera"] ["ssdp", "trivnet1"] [Udp 1900, Tcp 8200, Tcp 5000, Udp 5351, Tcp 49152, Tcp 49494] USER Service;

    // Mail
    ["master", "smtpd", "postscreen", "tlsproxy", "postfix"] ["postfix"] ["smtp", "submission", "submissions"] [Tcp 10025, Tcp 10026, Tcp 10027] ROOT Service;
    ["exim", "exim4"] ["exim", "exim4"] ["smtp", "submission", "submissions"] [] ROOT Service;
    ["sendmail", "sendmail-mta", "sendmail.sendmail"] ["sendmail"] ["smtp", "submission", "submissions"] [] ROOT Service;
    ["opensmtpd", "msmtpd", "nullmailer", "courieresmtpd", "courieresmtpd-msa"] ["opensmtpd", "courier-mta"] ["smtp", "submission", "submissions"] [] ROOT Service;
    ["maddy", "stalwart", "stalwart-mail", "mox"] ["maddy", "stalwart", "stalwart-mail", "mox"] ["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "sieve"] [] USER Service;
    ["dovecot", "imap-login", "pop3-login", "lmtp", "managesieve-login"] ["dovecot"] ["imap", "imaps", "pop3", "pop3s", "sieve", "submission"] [Tcp 24] ROOT Service;
    ["cyrmaster", "cyrus-master", "imapd", "pop3d", "lmtpd", "timsieved"] ["cyrus-imapd"] ["imap", "imaps", "pop3", "pop3s", "sieve"] [] USER Service;
    ["couriertcpd", "courierpop3d"] ["courier-imap", "courier-imap-ssl", "courier-pop"] ["imap", "imaps", "pop3", "pop3s"] [] ROOT Service;
    ["rspamd", "rspamd_proxy"] ["rspamd"] [] [Tcp 11332, Tcp 11333, Tcp 11334] USER Service;
    ["spamd"] ["spamassassin", "spamd"] ["spamd"] [Tcp 783] ROOT Service;
    ["amavisd", "amavisd-new", "amavi"] ["amavis", "amavisd"] [] [Tcp 10024] USER Service;
    ["clamd", "clamav-milter"] ["clamav-daemon", "clamd"] [] [Tcp 3310] USER Service;
    ["opendkim", "opendmarc", "openarc", "policyd-spf"] ["opendkim", "opendmarc"] [] [Tcp 8891, Tcp 8893, Tcp 12301] USER Service;
    ["postgrey", "sqlgrey", "milter-greylist"] ["postgrey", "sqlgrey"] [] [Tcp 10023, Tcp 2501] USER Service;
    ["mailpit", "MailHog", "smtp4dev", "maildev"] ["mailpit"] [] [Tcp 1025, Tcp 8025] USER Service;
    ["innd", "nnrpd", "leafnode"] ["inn2", "leafnode"] ["nntp", "nntps"] [] ROOT Service;

    // Files
    ["smbd", "smbd-notifyd", "ksmbd.mountd", "samba-dcerpcd"] ["smbd", "smb", "ksmbd"] ["microsoft-ds", "netbios-ssn"] [] ROOT Service;
    ["nmbd"] ["nmbd", "nmb"] ["netbios-ns", "netbios-dgm"] [] ROOT Service;
    ["samba", "winbindd"] ["samba", "samba-ad-dc", "winbind"] ["kerberos", "kpasswd", "ldap", "ldaps", "domain", "epmap", "microsoft-ds", "netbios-ssn", "netbios-ns", "netbios-dgm", "msft-gc", "msft-gc-ssl", "ntp"] [Udp 389, Tcp 3268, Tcp 3269] ROOT Service;
    ["rpcbind", "portmap"] ["rpcbind"] ["sunrpc"] [] USER Service;
    ["rpc.nfsd", "nfsd", "nfsdctl"] ["nfs-server", "nfs-kernel-server"] ["nfs"] [Udp 2049] ROOT Service;
    ["rpc.mountd", "rpc.statd", "rpc.rquotad", "rpc.idmapd", "rpc.gssd"] ["nfs-mountd", "rpc-statd", "rpc-rquotad"] ["mountd"] [Tcp 20048, Udp 20048] ROOT Service;
    ["ganesha.nfsd"] ["nfs-ganesha"] ["nfs", "sunrpc"] [] ROOT Service;
    ["vsftpd", "proftpd", "pure-ftpd", "ftpd", "in.ftpd", "bftpd", "filezilla-server", "tnftpd"] ["vsftpd", "proftpd", "pure-ftpd"] ["ftp", "ftp-data", "ftps", "ftps-data"] [] ROOT Service;
    ["sftpgo"] ["sftpgo"] [] [Tcp 2022, Tcp 8080] USER Service;
    ["in.tftpd", "tftpd", "atftpd", "tftpd-hpa"] ["tftpd-hpa", "atftpd", "tftp"] ["tftp"] [] ROOT Service;
    ["rsync"] ["rsync", "rsyncd"] ["rsync"] [] ROOT Service;
    ["afpd", "cnid_metad", "netatalk"] ["netatalk"] ["afpovertcp"] [] ROOT Service;
    ["iscsid", "tgtd", "ietd", "iscsi-target"] ["tgt", "iscsid"] ["iscsi-target", "iscsi"] [] ROOT Service;
    ["nbd-server", "nbdkit", "qemu-nbd"] ["nbd-server"] ["nbd"] [] USER Service;
    ["glusterd", "glusterfsd", "glusterfs"] ["glusterd"] [] [Tcp 24007, Tcp 24008] ROOT Service;
    ["ceph-mon", "ceph-osd", "ceph-mgr", "ceph-mds", "radosgw"] ["ceph-mon", "ceph-osd", "ceph-mgr", "ceph-mds", "ceph-radosgw"] [] [Tcp 3300, Tcp 6789, Tcp 6800, Tcp 6801, Tcp 6802, Tcp 6803, Tcp 7480, Tcp 8443, Tcp 9283] USER Service;
    ["minio", "garage", "weed"] ["minio", "garage", "seaweedfs"] [] [Tcp 9000, Tcp 9001, Tcp 3900, Tcp 3901, Tcp 9333, Tcp 8333] USER Service;
    ["syncthing", "stdiscosrv", "strelaysrv"] ["syncthing"] [] [Tcp 8384, Tcp 22000, Udp 22000, Udp 21027] USER Service;
    ["rclone", "restic", "rest-server", "borg"] ["rclone"] [] [Tcp 5572, Tcp 8000] USER Service;
    ["bacula-dir", "bacula-fd", "bacula-sd", "bareos-dir", "bareos-fd", "bareos-sd"] ["bacula-director", "bacula-fd", "bacula-sd", "bareos-director", "bareos-filedaemon", "bareos-storage"] ["bacula-dir", "bacula-fd", "bacula-sd"] [] ROOT Service;
    ["urbackupsrv", "urbackupclientbackend"] ["urbackupsrv", "urbackupclientbackend"] [] [Tcp 55413, Tcp 55414, Tcp 55415, Udp 35622, Tcp 35621, Tcp 35623] ROOT Service;
    ["amandad"] ["amanda"] ["amanda"] [] USER Service;

    // Databases, caches, queues
    ["postgres", "postmaster", "pgbouncer", "pgpool", "pgcat", "odyssey"] ["postgresql", "pgbouncer", "pgpool"] ["postgresql"] [Tcp 6432, Tcp 5433, Tcp 5434, Tcp 9999] USER Service;
    ["mysqld", "mariadbd", "mysqlrouter", "proxysql", "maxscale"] ["mysql", "mysqld", "mariadb", "proxysql", "maxscale"] ["mysql", "mysqlx"] [Tcp 33060, Tcp 33062, Tcp 4567, Tcp 4568, Tcp 4444, Tcp 6032, Tcp 6033, Tcp 6446, Tcp 6447, Tcp 8989] USER Service;
    ["sqlservr"] ["mssql-server"] ["ms-sql-s", "ms-sql-m"] [Tcp 1431] USER Service;
    ["tnslsnr", "oracle", "ora_pmon"] ["oracle-xe", "oracledb"] ["ncube-lm", "oracle", "ttc"] [Tcp 1521, Tcp 1526, Tcp 5500] USER Service;
    ["db2sysc", "db2"] ["db2"] ["ibm-db2"] [Tcp 50000] ROOT Service;
    ["firebird", "fbserver", "fb_inet_server"] ["firebird"] ["gds-db", "gds_db"] [] USER Service;
    ["mongod", "mongos", "ferretdb"] ["mongod", "mongodb", "mongos", "ferretdb"] ["mongodb"] [Tcp 27017, Tcp 27018, Tcp 27019] USER Service;
    ["redis-server", "valkey-server", "keydb-server", "redict-server", "dragonfly", "kvrocks", "redis-check-rdb", "valkey"] ["redis", "redis-server", "valkey", "valkey-server", "keydb-server", "dragonfly"] ["redis"] [Tcp 16379, Tcp 6380] USER Service;
    ["redis-sentinel", "valkey-sentinel"] ["redis-sentinel", "valkey-sentinel"] [] [Tcp 26379] USER Service;
    ["memcached"] ["memcached"] ["memcache"] [Udp 11211] USER Service;
    ["couchdb", "couchjs"] ["couchdb"] ["couchdb"] [Tcp 4369, Tcp 5986] USER Service;
    ["influxd", "influxdb3"] ["influxdb"] [] [Tcp 8086, Tcp 8088, Tcp 8181] USER Service;
    ["clickhouse-server", "clickhouse", "clickhouse-keeper"] ["clickhouse-server", "clickhouse-keeper"] [] [Tcp 8123, Tcp 8443, Tcp 9000, Tcp 9440, Tcp 9009, Tcp 9004, Tcp 9005, Tcp 9181, Tcp 9234] USER Service;
    ["cockroach"] ["cockroach"] [] [Tcp 26257, Tcp 8080] USER Service;
    ["tidb-server", "tikv-server", "pd-server"] ["tidb", "tikv", "pd"] [] [Tcp 4000, Tcp 10080, Tcp 20160, Tcp 20180, Tcp 2379, Tcp 2380] USER Service;
    ["rethinkdb"] ["rethinkdb"] [] [Tcp 28015, Tcp 29015, Tcp 8080] USER Service;
    ["arangod"] ["arangodb3"] [] [Tcp 8529] USER Service;
    ["scylla"] ["scylla-server"] [] [Tcp 9042, Tcp 9142, Tcp 7000, Tcp 7001, Tcp 9160, Tcp 10000, Tcp 9180, Tcp 19042] USER Service;
    ["searchd", "manticore"] ["manticore", "sphinxsearch"] ["sphinxql", "sphinxapi"] [Tcp 9306, Tcp 9308, Tcp 9312] USER Service;
    ["meilisearch"] ["meilisearch"] [] [Tcp 7700] USER Service;
    ["typesense-server"] ["typesense-server"] [] [Tcp 8108] USER Service;
    ["qdrant", "milvus", "weaviate", "chroma"] ["qdrant", "milvus", "weaviate"] [] [Tcp 6333, Tcp 6334, Tcp 19530, Tcp 9091] USER Service;
    ["etcd"] ["etcd"] ["etcd-client", "etcd-server"] [Tcp 4001, Tcp 2381] USER Service;
    ["consul"] ["consul"] [] [Tcp 8300, Tcp 8301, Udp 8301, Tcp 8302, Udp 8302, Tcp 8500, Tcp 8501, Tcp 8502, Tcp 8503, Tcp 8600, Udp 8600] USER Service;
    ["vault", "bao"] ["vault", "openbao"] [] [Tcp 8200, Tcp 8201] USER Service;
    ["rabbitmq-server", "beam.smp", "beam", "epmd", "erl", "ejabberd", "ejabberdctl", "emqx", "elixir"] ["rabbitmq-server", "epmd", "emqx", "ejabberd"] ["amqp", "amqps", "epmd", "mqtt", "secure-mqtt", "xmpp-client", "xmpp-server"] [Tcp 15672, Tcp 15692, Tcp 25672, Tcp 8083, Tcp 8084, Tcp 18083, Tcp 5280, Tcp 5443, Tcp 61613] USER Runtime;
    ["mosquitto", "nanomq", "vernemq", "rumqttd", "hivemq"] ["mosquitto", "nanomq"] ["mqtt", "secure-mqtt"] [Tcp 9001, Tcp 8083, Tcp 8084] USER Service;
    ["nats-server", "nats-streaming-server"] ["nats", "nats-server"] [] [Tcp 4222, Tcp 6222, Tcp 8222] USER Service;
    ["qpidd", "artemis"] ["qpidd", "artemis"] ["amqp", "amqps"] [Tcp 61616] USER Service;
    ["beanstalkd"] ["beanstalkd"] [] [Tcp 11300] USER Service;
    ["gearmand"] ["gearman-job-server"] ["gearman"] [] USER Service;
    ["nsqd", "nsqlookupd", "nsqadmin"] ["nsqd", "nsqlookupd"] [] [Tcp 4150, Tcp 4151, Tcp 4160, Tcp 4161, Tcp 4171] USER Service;
    ["redpanda"] ["redpanda"] [] [Tcp 9092, Tcp 8081, Tcp 8082, Tcp 9644, Tcp 33145] USER Service;
    ["aerospike", "asd"] ["aerospike"] [] [Tcp 3000, Tcp 3001, Tcp 3002, Tcp 3003] USER Service;

    // Directory, login, certificates
    ["slapd", "ns-slapd", "openldap"] ["slapd", "dirsrv"] ["ldap", "ldaps"] [] USER Service;
    ["krb5kdc"] ["krb5-kdc", "krb5kdc"] ["kerberos"] [] USER Service;
    ["kadmind"] ["krb5-admin-server", "kadmin"] ["kerberos-adm", "kpasswd"] [] USER Service;
    ["radiusd", "freeradius"] ["freeradius", "radiusd"] ["radius", "radius-acct", "radsec"] [Tcp 18120, Udp 18120] USER Service;
    ["tac_plus", "tac_plus-ng"] ["tacacs_plus", "tac_plus"] ["tacacs"] [] ROOT Service;
    ["sssd", "sssd_be", "nslcd"] ["sssd"] [] [] ROOT Service;
    ["step-ca"] ["step-ca"] [] [Tcp 9000, Tcp 8443] USER Service;
    ["identd", "oidentd"] ["oidentd"] ["auth"] [] USER Service;

    // Containers, clusters, virtual machines
    ["systemd", "init"] ["init", "systemd"] [] [] ROOT Multiplexer;
    ["inetd", "xinetd", "openbsd-inetd", "inetutils-inetd", "tcpserver", "tcpsvd", "s6-tcpserver", "s6-tcpserver4d"] ["inetd", "xinetd", "openbsd-inetd", "inetutils-inetd"] ["echo", "discard", "daytime", "chargen", "time"] [] ROOT Multiplexer;
    ["docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "passt", "conmon", "gvproxy", "vpnkit"] [] [] [] USER Multiplexer;
    ["dockerd", "docker-init", "com.docker.backend"] ["docker"] ["docker", "docker-s", "swarm"] [Tcp 2375, Tcp 2376, Tcp 2377, Tcp 7946, Udp 7946, Udp 4789, Tcp 9323] ROOT Multiplexer;
    ["containerd", "cri-dockerd", "crio"] ["containerd", "crio", "cri-docker"] [] [Tcp 1338] ROOT Service;
    ["podman"] ["podman"] [] [Tcp 8080] USER Multiplexer;
    ["lxd", "incusd", "lxc-start", "forklxd"] ["lxd", "incus", "snap.lxd.daemon"] [] [Tcp 8443] ROOT Multiplexer;
    ["kube-apiserver"] ["kube-apiserver"] ["sun-sr-https"] [Tcp 6443] ROOT Service;
    ["kubelet"] ["kubelet"] [] [Tcp 10250, Tcp 10255, Tcp 10248, Tcp 4194] ROOT Service;
    ["kube-proxy"] ["kube-proxy"] [] [Tcp 10249, Tcp 10256] ROOT Multiplexer;
    ["kube-controller-manager", "kube-scheduler", "cloud-controller-manager"] ["kube-controller-manager", "kube-scheduler"] [] [Tcp 10257, Tcp 10259, Tcp 10258] USER Service;
    ["k3s", "k3s-server", "k3s-agent", "k0s", "rke2", "microk8s", "kubelite"] ["k3s", "k3s-agent", "k0scontroller", "rke2-server", "snap.microk8s.daemon-kubelite"] [] [Tcp 6443, Tcp 6444, Tcp 10250, Tcp 9345, Tcp 16443, Tcp 10010, Udp 8472] ROOT Multiplexer;
    ["cilium-agent", "cilium-operator", "hubble-relay", "calico-node", "felix", "flanneld", "weaver"] ["cilium", "flanneld"] [] [Tcp 4240, Tcp 4244, Tcp 9962, Tcp 9963, Tcp 9099, Tcp 9091, Udp 8472, Tcp 6783, Udp 6783] ROOT Sniffer;
    ["nomad"] ["nomad"] [] [Tcp 4646, Tcp 4647, Tcp 4648, Udp 4648] ROOT Service;
    ["portainer", "portainer-agent"] ["portainer"] [] [Tcp 9443, Tcp 9000, Tcp 8000, Tcp 9001] USER Service;
    ["registry", "docker-registry", "zot", "harbor_core"] ["docker-registry"] [] [Tcp 5000] USER Service;
    ["libvirtd", "virtqemud", "virtproxyd"] ["libvirtd", "virtproxyd", "virtqemud"] [] [Tcp 16509, Tcp 16514] ROOT Service;
    ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-kvm", "qemu-system-x86", "kvm"] [] ["rfb"] [Tcp 5900, Tcp 5901, Tcp 5902, Tcp 49152] USER Multiplexer;
    ["VBoxHeadless", "VirtualBoxVM", "vmware-vmx", "vmnet-natd"] ["vboxweb-service"] [] [Tcp 3389, Tcp 18083] USER Multiplexer;
    ["pveproxy", "pvedaemon", "spiceproxy"] ["pveproxy", "pvedaemon", "spiceproxy"] [] [Tcp 8006, Tcp 85, Tcp 3128] ROOT Service;
    ["corosync", "pacemakerd", "pacemaker-remoted", "pcsd"] ["corosync", "pacemaker", "pacemaker_remote", "pcsd"] [] [Udp 5404, Udp 5405, Tcp 3121, Tcp 2224] ROOT Service;
    ["keepalived", "ucarp", "vrrpd"] ["keepalived"] [] [] ROOT Sniffer;

    // Watching and logging
    ["prometheus"] ["prometheus"] [] [Tcp 9090] USER Service;
    ["node_exporter", "prometheus-node-exporter"] ["node_exporter", "prometheus-node-exporter"] [] [Tcp 9100] USER Service;
    ["alertmanager", "prometheus-alertmanager"] ["alertmanager", "prometheus-alertmanager"] [] [Tcp 9093, Tcp 9094, Udp 9094] USER Service;
    ["blackbox_exporter", "pushgateway", "snmp_exporter", "postgres_exporter", "mysqld_exporter", "redis_exporter", "process-exporter", "cadvisor"] ["prometheus-blackbox-exporter", "prometheus-pushgateway", "prometheus-snmp-exporter", "cadvisor"] [] [Tcp 9115, Tcp 9091, Tcp 9116, Tcp 9187, Tcp 9104, Tcp 9121, Tcp 9256, Tcp 8080] USER Service;
    ["grafana", "grafana-server"] ["grafana-server", "grafana"] [] [Tcp 3000] USER Service;
    ["loki", "promtail", "mimir", "tempo", "alloy", "grafana-agent"] ["loki", "promtail", "alloy", "grafana-agent"] [] [Tcp 3100, Tcp 9096, Tcp 9095, Tcp 9080, Tcp 12345] USER Service;
    ["victoria-metrics", "victoria-metrics-prod", "vmagent", "vmagent-prod", "victoria-logs"] ["victoria-metrics", "victoriametrics", "vmagent"] [] [Tcp 8428, Tcp 8429, Tcp 9428] USER Service;
    ["otelcol", "otelcol-contrib", "jaeger", "jaeger-all-in-one", "zipkin"] ["otelcol", "otelcol-contrib", "jaeger"] ["opentelemetry"] [Tcp 4317, Tcp 4318, Tcp 8888, Tcp 13133, Tcp 16686, Tcp 14268, Tcp 9411, Udp 6831] USER Service;
    ["telegraf", "collectd", "statsd", "graphite", "carbon-cache", "carbon-c-relay"] ["telegraf", "collectd", "carbon-cache"] [] [Udp 8125, Udp 25826, Tcp 2003, Udp 2003, Tcp 2004, Tcp 7002, Tcp 8126] USER Service;
    ["netdata"] ["netdata"] [] [Tcp 19999, Udp 8125] USER Service;
    ["zabbix_agentd", "zabbix_agent2", "zabbix_server", "zabbix_proxy"] ["zabbix-agent", "zabbix-agent2", "zabbix-server", "zabbix-proxy"] ["zabbix-agent", "zabbix-trapper"] [] USER Service;
    ["nrpe"] ["nagios-nrpe-server", "nrpe"] ["nrpe"] [Tcp 5666] USER Service;
    ["icinga2"] ["icinga2"] [] [Tcp 5665] USER Service;
    ["munin-node"] ["munin-node"] ["munin"] [] ROOT Service;
    ["cmk-agent-ctl", "check_mk_agent"] ["check-mk-agent", "cmk-agent-ctl-daemon"] [] [Tcp 6556] ROOT Service;
    ["pmcd", "pmproxy", "pmlogger"] ["pmcd", "pmproxy"] ["pmcd", "pmcdproxy", "pmwebapi"] [Tcp 4330] USER Service;
    ["snmpd", "snmptrapd"] ["snmpd", "snmptrapd"] ["snmp", "snmptrap", "agentx"] [] ROOT Service;
    ["rsyslogd", "syslogd", "klogd"] ["rsyslog", "syslog", "syslogd"] ["syslog", "syslog-tls", "syslog-conn"] [Tcp 514, Tcp 10514] ROOT Service;
    ["syslog-ng"] ["syslog-ng"] ["syslog", "syslog-tls", "syslog-conn"] [Tcp 514] ROOT Service;
    ["systemd-journal-remote", "systemd-journal-gatewayd"] ["systemd-journal-remote", "systemd-journal-gatewayd"] [] [Tcp 19531, Tcp 19532] USER Service;
    ["fluentd", "fluent-bit", "td-agent", "vector"] ["fluentd", "fluent-bit", "td-agent", "vector"] [] [Tcp 24224, Udp 24224, Tcp 2020, Tcp 8686] USER Service;
    ["filebeat", "metricbeat", "packetbeat", "heartbeat", "elastic-agent"] ["filebeat", "metricbeat", "packetbeat", "elastic-agent"] [] [Tcp 5066, Tcp 6791] ROOT Sniffer;
    ["datadog-agent", "trace-agent", "process-agent", "system-probe"] ["datadog-agent"] [] [Tcp 5000, Tcp 5001, Tcp 8126, Udp 8125] ROOT Service;
    ["wazuh-remoted", "wazuh-authd", "ossec-remoted", "ossec-authd"] ["wazuh-manager", "wazuh-agent"] [] [Tcp 1514, Tcp 1515, Udp 1514, Tcp 55000] ROOT Service;
    ["osqueryd", "auditd", "falco", "tetragon", "tracee"] ["osqueryd", "auditd", "falco", "tetragon"] [] [Tcp 8765, Tcp 54321] ROOT Service;
    ["softflowd", "nfcapd", "sfcapd", "pmacctd", "nfacctd", "goflow2", "fprobe", "ntopng", "nprobe"] ["softflowd", "nfdump", "pmacctd", "ntopng"] ["sflow", "ipfix"] [Udp 2055, Udp 9995, Udp 9996, Udp 6343] ROOT Sniffer;
    ["uptime-kuma", "gatus", "healthchecks"] ["uptime-kuma", "gatus"] [] [Tcp 3001] USER Service;

    // Who listens to packets on purpose
    ["tcpdump", "dumpcap", "tshark", "wireshark", "ngrep", "tcpflow", "tcpick", "iftop", "nethogs", "bandwhich", "sniffnet", "rustnet", "iptraf-ng", "vnstatd", "netsniff-ng", "p0f", "ettercap", "arpwatch", "arpspoof", "arping", "arp-scan", "masscan", "nmap", "zmap", "hping3", "mtr-packet", "ping", "fping", "traceroute", "tracepath"] ["tcpdump", "vnstat", "arpwatch", "p0f"] [] [] ROOT Sniffer;
    ["darkstat"] ["darkstat"] [] [Tcp 667] ROOT Sniffer;
    ["suricata", "snort", "zeek", "bro", "arkime-capture", "yaf"] ["suricata", "snort", "zeek"] [] [Tcp 47760] ROOT Sniffer;
    ["lldpd", "ladvd", "lldpad", "cdpd", "lldpcli"] ["lldpd", "lldpad", "ladvd"] [] [] ROOT Sniffer;
    ["wpa_supplicant", "hostapd", "iwd", "iwevent"] ["wpa_supplicant", "hostapd", "iwd"] [] [] ROOT Sniffer;
    ["pppoe", "pppoe-server", "pppd", "rp-pppoe", "accel-pppd"] ["pppoe-server", "accel-ppp"] [] [] ROOT Sniffer;
    ["zebra", "bgpd", "ospfd", "ospf6d", "ripd", "ripngd", "isisd", "ldpd", "bfdd", "pimd", "eigrpd", "staticd", "watchfrr", "mgmtd", "pathd"] ["frr", "quagga", "zebra"] ["bgp", "ripng", "router", "ldp", "bfd-control", "bfd-echo", "bfd-multi-ctl"] [Tcp 2601, Tcp 2602, Tcp 2603, Tcp 2604, Tcp 2605, Tcp 2606, Tcp 2608, Tcp 2616, Tcp 2617] ROOT Sniffer;
    ["bird", "bird6"] ["bird", "bird6"] ["bgp", "ripng", "router", "bfd-control"] [] ROOT Sniffer;
    ["gobgpd", "exabgp"] ["gobgpd", "exabgp"] ["bgp"] [Tcp 50051] USER Service;
    ["mcelog", "igmpproxy", "smcrouted", "mrouted", "pimd-dense"] ["igmpproxy", "smcroute"] [] [] ROOT Sniffer;
    ["ovs-vswitchd", "ovsdb-server", "ovn-controller", "ovn-northd"] ["openvswitch-switch", "ovs-vswitchd", "ovsdb-server", "ovn-controller"] ["openflow", "ovsdb"] [Tcp 6640, Tcp 6641, Tcp 6642, Tcp 6653] ROOT Sniffer;
    ["teamd", "bonding", "mstpd"] ["teamd", "mstpd"] [] [] ROOT Sniffer;
    ["dnstap", "passivedns", "dnscap"] [] [] [] ROOT Sniffer;

    // Tunnels
    ["openvpn", "openvpn3-service-backendstart", "ovpn-dco"] ["openvpn", "openvpn-server", "openvpn-client"] ["openvpn"] [Tcp 1194, Udp 1194, Tcp 943] ROOT Service;
    ["wg", "wireguard-go", "boringtun", "boringtun-cli", "wg-quick"] ["wg-quick"] [] [Udp 51820, Udp 51821] ROOT Service;
    ["tailscaled"] ["tailscaled"] [] [Udp 41641] ROOT Service;
    ["headscale", "derper", "netbird", "netbird-mgmt", "nebula", "netmaker", "netclient"] ["headscale", "netbird", "nebula", "netclient"] [] [Udp 4242, Tcp 50443, Udp 3478, Tcp 9090] ROOT Service;
    ["zerotier-one", "zerotier-cli"] ["zerotier-one"] [] [Udp 9993, Tcp 9993] ROOT Service;
    ["charon", "charon-systemd", "pluto", "racoon", "iked"] ["strongswan", "strongswan-starter", "ipsec", "libreswan"] ["isakmp", "ipsec-nat-t"] [] ROOT Service;
    ["xl2tpd", "pptpd", "sstpd"] ["xl2tpd", "pptpd"] ["l2tp", "l2f", "pptp"] [Udp 1701] ROOT Service;
    ["tor", "snowflake-proxy", "obfs4proxy", "lyrebird"] ["tor"] [] [Tcp 9001, Tcp 9030, Tcp 9050, Tcp 9051, Tcp 9150] USER Service;
    ["i2pd", "i2prouter"] ["i2pd", "i2p"] [] [Tcp 4444, Tcp 4447, Tcp 7070, Tcp 7656, Tcp 7657] USER Service;
    ["ss-server", "ssserver", "ss-local", "sslocal", "v2ray", "xray", "sing-box", "trojan", "hysteria", "clash", "mihomo"] ["shadowsocks-libev", "v2ray", "xray", "sing-box", "hysteria-server"] ["socks"] [Tcp 8388, Udp 8388, Tcp 10808, Tcp 7890] USER Multiplexer;
    ["frps", "frpc", "ngrok", "rathole", "chisel", "bore", "gost", "autossh", "socat", "rinetd", "redir", "tcpproxy"] ["frps", "frpc", "rathole", "rinetd"] [] [Tcp 7000, Tcp 7500, Tcp 4040] USER Multiplexer;
    ["ssh"] [] [] [] USER Multiplexer;
    ["coturn", "turnserver"] ["coturn", "turnserver"] ["stun", "turn", "stuns", "turns"] [Udp 3478, Tcp 3478, Tcp 5349, Udp 5349, Tcp 9641] USER Service;

    // Voice, chat, media, games
    ["asterisk"] ["asterisk"] ["sip", "sips", "iax"] [Udp 4569, Tcp 5038, Tcp 8088, Tcp 8089, Udp 2727, Udp 4520] USER Service;
    ["freeswitch"] ["freeswitch"] ["sip", "sips"] [Tcp 8021, Tcp 5080, Udp 5080, Tcp 7443] USER Service;
    ["kamailio", "opensips", "rtpengine", "rtpproxy", "baresip"] ["kamailio", "opensips", "rtpengine"] ["sip", "sips"] [Udp 2223, Tcp 9900, Udp 22222] USER Service;
    ["prosody", "prosodyctl"] ["prosody"] ["xmpp-client", "xmpp-server", "xmpp-bosh"] [Tcp 5000, Tcp 5281] USER Service;
    ["mumble-server", "murmurd", "mumble-serve"] ["mumble-server"] [] [Tcp 64738, Udp 64738] USER Service;
    ["ts3server", "tsserver"] ["teamspeak"] [] [Udp 9987, Tcp 10011, Tcp 30033] USER Service;
    ["inspircd", "ircd", "ircd-hybrid", "ngircd", "unrealircd", "ergo", "solanum", "znc", "bitlbee"] ["inspircd", "ngircd", "znc", "bitlbee", "ergo"] ["ircu", "ircs-u", "irc"] [Tcp 6667, Tcp 6697] USER Service;
    ["synapse_homeserver", "conduit", "dendrite", "tuwunel", "continuwuity"] ["matrix-synapse", "conduit", "dendrite"] ["matrix-fed"] [Tcp 8008, Tcp 8448, Tcp 6167] USER Service;
    ["mattermost", "rocketchat", "zulip"] ["mattermost", "rocketchat"] [] [Tcp 8065, Tcp 8067] USER Service;
    ["jicofo", "jitsi-videobridge", "livekit-server", "janus", "mediasoup-worker"] ["jicofo", "jitsi-videobridge2", "janus", "livekit"] [] [Udp 10000, Tcp 7880, Tcp 7881, Tcp 8088, Tcp 8188] USER Service;
    ["icecast", "icecast2", "shoutcast", "sc_serv", "liquidsoap"] ["icecast", "icecast2"] [] [Tcp 8000, Tcp 8001, Tcp 1234] USER Service;
    ["mediamtx", "rtsp-simple-server", "live555MediaServer", "gst-rtsp-server"] ["mediamtx"] ["rtsp"] [Tcp 8554, Tcp 1935, Tcp 8888, Tcp 8889, Udp 8890, Udp 8000, Udp 8001, Tcp 9997] USER Service;
    ["Plex Media Server", "plexmediaserver"] ["plexmediaserver"] ["plex"] [Tcp 32400, Tcp 32469, Udp 1900, Udp 32410, Udp 32412, Udp 32413, Udp 32414] USER Service;
    ["jellyfin", "EmbyServer", "emby-server"] ["jellyfin", "emby-server"] [] [Tcp 8096, Tcp 8920, Udp 7359, Udp 1900] USER Service;
    ["kodi", "kodi.bin", "kodi-x11"] ["kodi"] [] [Tcp 8080, Tcp 9090, Udp 9777] USER Service;
    ["mpd"] ["mpd"] [] [Tcp 6600] USER Service;
    ["snapserver", "squeezeboxserver", "slimserver", "shairport-sync", "owntone", "librespot", "spotifyd", "roonserver"] ["snapserver", "logitechmediaserver", "shairport-sync", "owntone"] ["daap"] [Tcp 1704, Tcp 1705, Tcp 1780, Tcp 3483, Udp 3483, Tcp 9000, Tcp 3689, Tcp 7000, Tcp 5000] USER Service;
    ["pulseaudio", "pipewire", "pipewire-pulse", "aes67-daemon"] ["pulseaudio", "pipewire", "pipewire-pulse"] [] [Tcp 4713, Tcp 4656, Udp 9875] USER Service;
    ["vlc", "cvlc", "ffmpeg", "ffplay", "gst-launch-1.0", "obs", "mpv"] [] ["rtsp"] [Tcp 8080, Udp 1234, Udp 5004] USER Runtime;
    ["transmission-daemon", "transmission-gtk", "transmission-qt"] ["transmission-daemon", "transmission"] [] [Tcp 9091, Tcp 51413, Udp 51413, Udp 6771] USER Service;
    ["qbittorrent", "qbittorrent-nox"] ["qbittorrent-nox"] [] [Tcp 8080, Tcp 6881, Udp 6881, Udp 6771] USER Service;
    ["deluged", "deluge-web", "rtorrent", "aria2c"] ["deluged", "deluge-web", "rtorrent"] [] [Tcp 58846, Tcp 8112, Tcp 6881, Udp 6881, Tcp 6800] USER Service;
    ["sabnzbd", "SABnzbd.py", "nzbget", "Sonarr", "Radarr", "Lidarr", "Prowlarr", "Readarr", "bazarr"] ["sabnzbd", "nzbget", "sonarr", "radarr", "lidarr", "prowlarr"] [] [Tcp 6789, Tcp 8989, Tcp 7878, Tcp 8686, Tcp 9696, Tcp 8787, Tcp 6767] USER Service;
    ["srcds_linux", "srcds_run", "hlds_linux"] [] [] [Udp 27015, Tcp 27015, Udp 27020, Udp 27005] USER Service;
    ["bedrock_server", "minetestserver", "luantiserver", "terraria", "TerrariaServer", "factorio"] ["minetest-server", "factorio"] [] [Udp 19132, Udp 19133, Udp 30000, Tcp 7777, Udp 34197] USER Service;
    ["steam", "steamwebhelper"] [] [] [Udp 27036, Tcp 27036] USER Service;
    ["nmos-cpp-node", "nmos-cpp-registry"] ["nmos-node", "nmos-registry"] [] [Tcp 3210, Tcp 3211, Tcp 3212, Tcp 3213, Tcp 3215, Tcp 8010, Tcp 8011] USER Service;

    // Printing, home, things
    ["cupsd", "cups-browsed", "ipp-usb"] ["cups", "cups-browsed", "ipp-usb"] ["ipp", "ipps"] [Udp 631, Tcp 60000] ROOT Service;
    ["lpd", "p910nd"] ["lpd", "lprng", "p910nd"] ["printer", "pdl-datastream"] [Tcp 9100] ROOT Service;
    ["saned", "scanservjs"] ["saned"] ["sane-port"] [] USER Service;
    ["hass", "homeassistant"] ["home-assistant"] [] [Tcp 8123, Udp 5353, Udp 1900] USER Service;
    ["openhab", "domoticz", "iobroker.js-controller", "zigbee2mqtt", "esphome"] ["openhab", "domoticz", "zigbee2mqtt"] [] [Tcp 8080, Tcp 8443, Tcp 8101, Tcp 6052] USER Service;
    ["gpsd"] ["gpsd"] ["gpsd"] [] USER Service;
    ["usbipd", "usbmuxd"] ["usbipd", "usbmuxd"] [] [Tcp 3240] ROOT Service;
    ["rtl_tcp", "rtl_433", "readsb", "dump1090", "dump1090-fa", "dump1090-mutability"] ["readsb", "dump1090-fa"] [] [Tcp 1234, Tcp 30001, Tcp 30002, Tcp 30003, Tcp 30004, Tcp 30005, Tcp 30104] USER Service;
    ["upsd", "apcupsd"] ["nut-server", "apcupsd"] ["nut", "apcupsd"] [Tcp 3493, Tcp 3551] USER Service;
    ["distccd", "iceccd", "icecc-scheduler", "sccache", "buildbarn"] ["distcc", "iceccd"] ["distcc"] [Tcp 3632, Tcp 8765, Tcp 10245, Tcp 10246, Tcp 10500] USER Service;

    // Code, build, administration
    ["git-daemon", "git"] ["git-daemon"] ["git"] [] USER Service;
    ["gitea", "forgejo", "gogs"] ["gitea", "forgejo", "gogs"] [] [Tcp 3000, Tcp 2222] USER Service;
    ["gitlab-workhorse", "gitaly", "gitlab-kas", "gitlab-runner"] ["gitlab-runsvdir", "gitlab-runner"] [] [Tcp 8060, Tcp 8075, Tcp 8181, Tcp 8150, Tcp 8153, Tcp 8154] USER Service;
    ["svnserve", "hg", "cvs", "p4d", "fossil"] ["svnserve"] ["svn", "cvspserver"] [Tcp 1666, Tcp 8000] USER Service;
    ["vscode-server", "code-server", "code", "code-tunnel", "openvscode-server"] ["code-server"] [] [Tcp 8080] USER Runtime;
    ["jupyter-lab", "jupyter-notebook", "jupyterhub", "jupyter-server", "marimo"] ["jupyterhub", "jupyter"] [] [Tcp 8888, Tcp 8000, Tcp 8081] USER Runtime;
    ["ollama", "llama-server", "vllm", "text-generation-launcher", "localai"] ["ollama"] ["ollama"] [Tcp 11434, Tcp 8080, Tcp 8000] USER Service;
    ["puppetserver", "puppet", "mcollectived"] ["puppetserver", "puppet"] [] [Tcp 8140] ROOT Service;
    ["salt-master", "salt-minion", "salt-api"] ["salt-master", "salt-minion", "salt-api"] [] [Tcp 4505, Tcp 4506] ROOT Service;
    ["cfengine", "cf-serverd", "chef-client", "knife"] ["cfengine3"] ["cfengine"] [] ROOT Service;
    ["snapd", "apt-cacher-ng", "approx", "squid-deb-proxy", "packagekitd"] ["snapd", "apt-cacher-ng"] [] [Tcp 3142, Tcp 9999] USER Service;
    ["cloud-init", "waagent", "google_guest_agent", "amazon-ssm-agent"] ["walinuxagent", "google-guest-agent", "amazon-ssm-agent"] [] [] ROOT Service;
    ["supervisord", "pm2", "monit", "runit", "circusd"] ["supervisor", "supervisord", "monit"] [] [Tcp 9001, Tcp 2812] ROOT Service;
    ["fwupd", "ModemManager", "bluetoothd", "thermald"] ["fwupd", "ModemManager", "bluetooth"] [] [] ROOT Service;
    ["bitcoind", "bitcoin-qt", "litecoind", "monerod", "geth", "lnd", "lightningd"] ["bitcoind", "monerod", "geth"] [] [Tcp 8332, Tcp 8333, Tcp 18080, Tcp 18081, Tcp 30303, Udp 30303, Tcp 8545, Tcp 9735] USER Service;
    ["ipfs", "kubo"] ["ipfs"] [] [Tcp 4001, Udp 4001, Tcp 5001, Tcp 8080] USER Service;
    ["boinc", "boinc_client"] ["boinc-client"] [] [Tcp 31416] USER Service;
    ["slurmctld", "slurmd", "slurmdbd", "munged"] ["slurmctld", "slurmd", "slurmdbd"] [] [Tcp 6817, Tcp 6818, Tcp 6819] ROOT Service;
    ["iperf", "iperf3", "netserver", "nuttcp", "sockperf", "qperf"] ["iperf3", "netperf"] ["targus-getdata1"] [Tcp 5001, Udp 5001, Tcp 5201, Udp 5201, Tcp 12865] USER Service;
    ["nc", "ncat", "netcat", "nc.openbsd", "nc.traditional"] [] [] [] USER Runtime;
    ["gdbserver", "lldb-server", "delve", "dlv", "msvsmon"] [] [] [Tcp 2345, Tcp 1234] USER Service;
    ["adb"] ["adb"] [] [Tcp 5037, Tcp 5555] USER Service;
    ["dbus-daemon", "dbus-broker"] ["dbus"] [] [] ROOT Service;

    // Runtimes: the program is what they run
    ["python", "pypy", "pypy3", "ipython"] [] ["http-alt"] [Tcp 8000, Tcp 5000] USER Runtime;
    ["node", "nodejs", "MainThread", "electron", "npm", "npx", "yarn"] [] ["http-alt"] [Tcp 3000, Tcp 5173, Tcp 9229, Tcp 4200, Tcp 8081] USER Runtime;
    ["deno", "bun"] [] [] [Tcp 8000, Tcp 3000] USER Runtime;
    ["java", "javaw", "jsvc", "graalvm"] ["tomcat", "jenkins", "elasticsearch", "opensearch", "kafka", "zookeeper", "cassandra", "solr", "logstash", "keycloak", "nexus", "sonarqube", "activemq", "neo4j", "wildfly", "jetty", "unifi", "graylog-server", "minecraft", "opensearch-dashboards", "hadoop", "druid"] ["http-alt"] [Tcp 8443, Tcp 8005, Tcp 8009, Tcp 9200, Tcp 9300, Tcp 9092, Tcp 2181, Tcp 9042, Tcp 7000, Tcp 7199, Tcp 8983, Tcp 9600, Tcp 5044, Tcp 8161, Tcp 61616, Tcp 5672, Tcp 7474, Tcp 7687, Tcp 9990, Tcp 25565, Tcp 50000, Tcp 8081, Tcp 9000, Tcp 9870, Tcp 8088] USER Runtime;
    ["ruby", "irb", "jruby", "rails", "rackup"] [] [] [Tcp 3000, Tcp 4567, Tcp 9292] USER Runtime;
    ["perl"] [] [] [] USER Runtime;
    ["php", "php-cgi", "frankenphp", "rr"] ["frankenphp"] ["http", "https"] [Tcp 8000, Tcp 9003] USER Runtime;
    ["dotnet", "mono", "mono-sgen"] [] ["http-alt"] [Tcp 5000, Tcp 5001, Tcp 7000] USER Runtime;
    ["kibana"] ["kibana"] [] [Tcp 5601] USER Service;
    ["R", "rserver", "rsession", "Rserve", "shiny-server"] ["rstudio-server", "shiny-server"] [] [Tcp 8787, Tcp 3838, Tcp 6311] USER Runtime;
    ["julia", "lua", "luajit", "tclsh", "guile", "sbcl", "racket", "ghc", "ocaml", "octave-cli", "wasmtime", "wine", "wine64", "wineserver", "pwsh", "bash", "go"] [] [] [] USER Runtime;
    ["qtwebengine", "chrome", "chromium", "google-chrome", "firefox", "firefox-bin", "firefox-esr", "msedge", "brave", "chromedriver", "geckodriver"] [] ["mdns"] [Udp 5353, Tcp 9222, Tcp 9515, Tcp 4444] USER Runtime;

    // Windows and macOS, as their tools name them
    ["svchost", "lsass", "services", "wininit", "spoolsv"] [] ["epmap", "microsoft-ds", "ms-wbt-server", "ntp", "kerberos", "ldap", "domain", "ssdp", "ws-discovery", "llmnr", "mdns", "isakmp", "ipsec-nat-t", "kpasswd"] [Tcp 5040, Udp 5050, Tcp 7680, Udp 5355, Tcp 3268, Tcp 3269, Udp 3389] ROOT Multiplexer;
    ["w3wp", "System"] [] ["http", "https", "microsoft-ds", "netbios-ssn", "netbios-ns", "netbios-dgm", "wsman", "wsmans"] [Tcp 5357, Tcp 5985, Tcp 5986, Tcp 47001] ROOT Multiplexer;
    ["launchd", "rapportd", "ControlCenter", "ControlCe", "sharingd", "ARDAgent", "screensharingd", "configd", "netbiosd"] [] ["ssh", "rfb", "mdns", "netbios-ns", "netbios-dgm"] [Tcp 5000, Tcp 7000, Udp 3722] ROOT Multiplexer;

    // SCTP and DCCP are rare enough to name their users
    ["open5gs-mmed", "open5gs-amfd", "open5gs-hssd", "open5gs-smfd", "srsmme", "freeDiameterd"] ["open5gs-mmed", "open5gs-amfd", "freediameter"] ["s1-control", "ng-control", "diameter"] [Sctp 36412, Sctp 38412, Sctp 3868] USER Service;
}

// Named so that a line of the table may use any transport.
const _: (Class, Transport) = (Service, Dccp);
