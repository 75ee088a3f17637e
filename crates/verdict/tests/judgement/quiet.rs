//! An ordinary machine raises nothing, however much runs on it.

use crate::support::*;
use model::*;

fn ordinary() -> Scene {
    let mut scene = Scene::new();
    scene.process(process(1, "/usr/lib/systemd/systemd"));
    let sshd = scene.process(process(812, "/usr/sbin/sshd").unit("ssh.service"));
    scene.tcp("0.0.0.0:22", &[sshd]);
    scene.tcp("[::]:22", &[sshd]);

    // A master with root, and workers without: all hold the same socket.
    let master = scene.process(process(900, "/usr/sbin/nginx").unit("nginx.service"));
    let workers: Vec<u32> = (901..905)
        .map(|pid| scene.process(process(pid, "/usr/sbin/nginx").user(33, "www-data").unit("nginx.service")))
        .collect();
    let all: Vec<u32> = std::iter::once(master).chain(workers).collect();
    for place in ["0.0.0.0:80", "0.0.0.0:443", "[::]:80", "[::]:443", "0.0.0.0:8443"] {
        scene.tcp(place, &all);
    }
    scene.udp("0.0.0.0:443", &all);

    let exe = "/usr/lib/postgresql/16/bin/postgres";
    let postgres = scene.process(process(1000, exe).user(110, "postgres").unit("postgresql@16-main.service"));
    scene.tcp("127.0.0.1:5432", &[postgres]);
    scene.tcp("[::1]:5432", &[postgres]);

    let resolved = process(700, "/usr/lib/systemd/systemd-resolved").user(101, "systemd-resolve");
    let resolved = scene.process(resolved.unit("systemd-resolved.service"));
    for place in ["127.0.0.53:53", "127.0.0.54:53"] {
        scene.tcp(place, &[resolved]);
        scene.udp(place, &[resolved]);
    }
    for place in ["0.0.0.0:5355", "[::]:5355"] {
        scene.tcp(place, &[resolved]);
        scene.udp(place, &[resolved]);
    }

    let chronyd =
        scene.process(process(710, "/usr/sbin/chronyd").user(102, "_chrony").unit("chrony.service"));
    scene.udp("127.0.0.1:323", &[chronyd]);
    scene.udp("[::1]:323", &[chronyd]);
    scene.udp("0.0.0.0:123", &[chronyd]);

    let cupsd = scene.process(process(720, "/usr/sbin/cupsd").unit("cups.service"));
    scene.tcp("127.0.0.1:631", &[cupsd]);
    scene.tcp("[::1]:631", &[cupsd]);
    let avahi =
        scene.process(process(730, "/usr/sbin/avahi-daemon").user(103, "avahi").unit("avahi-daemon.service"));
    scene.udp("0.0.0.0:5353", &[avahi]);
    scene.udp("0.0.0.0:41234", &[avahi]);

    // Published by a container runtime; inside, the program is nobody's business.
    let proxy = scene.process(process(2000, "/usr/bin/docker-proxy").unit("docker.service"));
    scene.tcp("0.0.0.0:8080", &[proxy]);
    scene.tcp("0.0.0.0:25", &[proxy]);
    scene.snapshot.namespaces.push(namespace(LAB, "web"));
    let inside = process(2100, "/app/server").in_container("web", "example.org/web:3");
    let inside = scene.process(inside.user(1000, "app"));
    scene.tcp("0.0.0.0:8080", &[inside]);
    scene.last().netns = LAB;
    let redis = scene.process(process(2101, "/usr/local/bin/redis-server").in_container("cache", "redis:7"));
    scene.tcp("0.0.0.0:6379", &[redis]);
    scene.last().netns = LAB;

    // A program of one's own: dual stack, two processes on one socket, a SO_REUSEPORT pair, a port that is only
    // bound, a port that the kernel chose.
    let python = scene.process(process(3000, "/usr/bin/python3.11").user(1000, "ann"));
    let child = scene.process(process(3001, "/usr/bin/python3.11").user(1000, "ann"));
    scene.tcp("[::]:9443", &[python]);
    scene.tcp("127.0.0.1:9000", &[python, child]);
    scene.tcp("0.0.0.0:8081", &[python]);
    scene.tcp("0.0.0.0:8081", &[child]);
    scene.tcp("0.0.0.0:8080", &[python]);
    scene.socket(Kind::Tcp, State::Bound, "0.0.0.0:7777", &[python]);
    scene.tcp("127.0.0.1:38123", &[python]);
    scene.udp("0.0.0.0:50000", &[python]);
    scene.tcp("0.0.0.0:5000", &[python]);

    // Discovery and media: everybody who takes part binds the same port.
    let player = scene.process(process(3100, "/opt/player/player").user(1000, "ann"));
    for place in ["0.0.0.0:5353", "0.0.0.0:1900", "239.255.255.250:1900", "0.0.0.0:5004", "239.1.2.3:20000"] {
        scene.udp(place, &[player]);
    }
    // Root's own tools on loopback and above 1024.
    let root = scene.process(process(3200, "/usr/local/bin/exporter").unpackaged());
    scene.tcp("127.0.0.1:9101", &[root]);
    scene.tcp("0.0.0.0:9100", &[root]);

    // systemd waits for a service that is not running yet.
    scene.tcp("[::]:9090", &[1]);
    scene.last().activation = Some(Box::new(Activation {
        socket_unit: "cockpit.socket".to_owned(),
        service: "cockpit.service".to_owned(),
        program: Some("/usr/lib/cockpit/cockpit-tls".to_owned()),
    }));
    // RPC servers take any port below 1024.
    let statd =
        scene.process(process(740, "/usr/sbin/rpc.statd").user(104, "statd").unit("rpc-statd.service"));
    scene.udp("127.0.0.1:870", &[statd]);
    // Connections of anybody to anything are no listeners.
    scene.socket(Kind::Tcp, State::Established, "192.0.2.7:31337", &[python]);
    scene
}

#[test]
fn an_ordinary_machine_raises_nothing() {
    let judgement = ordinary().judge();
    assert_eq!(
        judgement.findings,
        [],
        "{:#?}",
        judgement.findings.iter().map(|f| &f.title).collect::<Vec<_>>()
    );
    assert_eq!(judgement.accepted, []);
}

/// The number of a user port promises little: programs of one's own there are nobody's business, or worth a note where
/// the number is that of a database or a debugger.
#[test]
fn programs_of_ones_own_on_user_ports_raise_next_to_nothing() {
    for exe in ["/usr/bin/python3.11", "/usr/bin/node", "/home/ann/project/target/debug/server"] {
        let (mut scene, mut loopback) = (Scene::new(), Scene::new());
        for scene in [&mut scene, &mut loopback] {
            scene.process(process(3000, exe).unpackaged().user(1000, "ann"));
        }
        for port in 5000..10_000 {
            scene.tcp(&format!("0.0.0.0:{port}"), &[3000]);
            loopback.tcp(&format!("127.0.0.1:{port}"), &[3000]);
        }
        let warned = |scene: &Scene| -> Vec<String> {
            let findings = scene.judge().findings;
            let graver = findings.into_iter().filter(|finding| finding.severity > Severity::Note);
            graver.map(|finding| finding.title).collect()
        };
        // Databases: PostgreSQL, Cassandra, CouchDB, Redis, Elasticsearch and their kin.
        let open = warned(&scene);
        let meant = |title: &String| title.contains("database") || title.contains("Node inspector");
        assert!(open.len() <= 20 && open.iter().all(meant), "{exe}: {open:#?}");
        assert_eq!(warned(&loopback), [""; 0], "{exe}");
        // Registered names of strangers say nothing of a program that nobody knows.
        let codes: Vec<Code> = loopback.judge().findings.iter().map(|finding| finding.code).collect();
        assert!(
            codes.iter().all(|code| *code == Code::UnexpectedHolder) && codes.len() <= 1,
            "{exe}: {codes:?}"
        );
    }
}

#[test]
fn a_restart_is_not_a_change() {
    let before = ordinary();
    let baseline = portreeve_verdict::baseline::learn(&before.snapshot, &before.paper);
    // Every process has another number, started later; workers come and go.
    let mut after = ordinary();
    for process in &mut after.snapshot.processes {
        let process = std::sync::Arc::make_mut(process);
        if process.pid != 1 {
            process.pid += 20_000;
        }
        process.started = Seen::Value(Timestamp::from_ns(1_795_000_000_000_000_000));
    }
    for socket in &mut after.snapshot.sockets {
        socket.inode += 5000;
        socket.cookie += 5000;
        for holder in &mut socket.holders {
            holder.pid += if holder.pid == 1 { 0 } else { 20_000 };
        }
        if socket.holders.len() > 3 {
            socket.holders.truncate(3);
        }
    }
    // The kernel chooses another port where nobody asked for one.
    for socket in &mut after.snapshot.sockets {
        if socket.local.port() == 38_123 || socket.local.port() == 41_234 {
            socket.local.set_port(socket.local.port() + 100);
        }
    }
    assert_eq!(baseline.diff(&after.snapshot), []);
    after.baseline = Some(baseline);
    assert_eq!(after.judge().findings, []);
}

#[test]
fn a_closed_policy_that_names_everything_raises_nothing() {
    let mut scene =
        ordinary().policy("mode = \"closed\"\n[[allow]]\nport = \"1-65535\"\nreason = \"all of it\"\n");
    assert_eq!(scene.judge().findings, []);
    scene.policy = portreeve_verdict::policy::parse("policy.toml", "mode = \"closed\"").unwrap();
    assert!(scene.judge().findings.iter().all(|finding| finding.code == Code::PolicyViolation));
    assert!(!scene.judge().findings.is_empty());
}
