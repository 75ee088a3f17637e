//! What is less common, and easily told wrong: odd executables, sockets on their way, other kinds and addresses.

use crate::document::{Names, array, rows};
use crate::stage::{KERNEL_PROGRAMS, PYTHON, Planter, Stage, possible};
use crate::support::{out, status};

/// The rows of a namespace after these processes were planted.
fn check(stage: &Stage, planters: &[(&str, Planter)], expected: &[&str]) {
    let mut names = Names::default();
    names.name(stage.netns, "own");
    for (name, planter) in planters {
        names.planter(name, planter);
    }
    let document = stage.document(&["list", "--own-netns"]);
    assert_eq!(rows(&document, &names), expected, "{}", document["gaps"]);
}

#[test]
fn executables_that_are_not_what_they_were() {
    if !possible("odd executables", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("exe");
    let python = std::fs::canonicalize(PYTHON).unwrap();
    let copy = |name: &str| {
        let path = stage.home.0.join(name);
        std::fs::copy(&python, &path).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (plain, replaced) = (copy("plain"), copy("replaced"));
    let planters = [
        // An executable in memory: the script becomes it.
        (
            "memory",
            stage.plant(
                r#"
if sys.argv[0] == "-c" and not os.environ.get("AGAIN"):
    fd = os.memfd_create("cache")
    os.write(fd, open(sys.executable, "rb").read())
    program = open("/proc/self/cmdline").read().split("\0")[2]
    os.environ.update(AGAIN="1", PYTHONHOME="/usr")
    os.execv(f"/proc/self/fd/{fd}", ["[kworker]", "-c", program])
s = tcp(18101); ready()"#,
            ),
        ),
        ("temporary", stage.plant_with(&[&plain], r#"s = tcp(18102, "0.0.0.0"); ready()"#)),
        ("replaced", stage.plant_with(&[&replaced], r#"s = tcp(18103, "0.0.0.0"); ready()"#)),
        // A file system of its own: to us nothing is at that path, to the process everything is as it was.
        (
            "apart",
            stage.plant_with(
                &[
                    "unshare",
                    "-m",
                    "sh",
                    "-c",
                    "mount -t tmpfs -o mode=755 none /opt && cp \"$(readlink -f /usr/bin/python3)\" /opt/agent && exec /opt/agent \"$@\"",
                    "sh",
                ],
                r#"s = tcp(18104, "0.0.0.0"); ready()"#,
            ),
        ),
        (
            "apart-deleted",
            stage.plant_with(
                &[
                    "unshare",
                    "-m",
                    "sh",
                    "-c",
                    "mount -t tmpfs -o mode=755 none /opt && cp \"$(readlink -f /usr/bin/python3)\" /opt/agent && exec /opt/agent \"$@\"",
                    "sh",
                ],
                r#"os.unlink("/opt/agent"); s = tcp(18105, "0.0.0.0"); ready()"#,
            ),
        ),
    ];
    let other = stage.home.file("other", "another file");
    std::fs::rename(other, &replaced).unwrap();
    check(
        &stage,
        &planters,
        &[
            "tcp 0.0.0.0:18102 ipv4 any listening own [temporary] exe-writable-place:warning",
            "tcp 0.0.0.0:18103 ipv4 any listening own [replaced] exe-writable-place:warning",
            "tcp 0.0.0.0:18104 ipv4 any listening own [apart]",
            "tcp 0.0.0.0:18105 ipv4 any listening own [apart-deleted] exe-deleted:warning",
            "tcp 127.0.0.1:18101 ipv4 loopback listening own [memory] exe-memfd:alert",
        ],
    );
    let document = stage.document(&["list", "--own-netns", "port=18103"]);
    assert_eq!(document["processes"][0]["exe"]["state"], "replaced");
}

#[test]
fn sockets_that_change_hands() {
    if !possible("sockets that change hands", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("hands");
    let planters = [
        (
            "process",
            stage.plant(
                r#"
told, opened = [], threading.Event()
def alone():
    assert libc.unshare(0x400) == 0  # CLONE_FILES
    told.append(tcp(18201))
    told.append(threading.get_native_id())
    opened.set()
    threading.Event().wait()
threading.Thread(target=alone, daemon=True).start()
opened.wait()
ready(thread=told[1])"#,
            ),
        ),
        // The first thread has ended; the process lives on in another.
        (
            "headless",
            stage.plant(
                r#"
s = tcp(18206)
threading.Thread(target=lambda: ready(survivor=threading.get_native_id())).start()
libc.syscall(60, 0)  # exit of this thread, not of the process"#,
            ),
        ),
        // Given away: only the receiver has it.
        (
            "giver",
            stage.plant(
                r#"
a, b = socket.socketpair()
done = os.pipe()
def take():
    global kept
    kept = socket.recv_fds(b, 1, 1)[1]
    os.write(done[1], b".")
taker = fork(take)
s = tcp(18202)
socket.send_fds(a, [b"."], [s.fileno()])
s.close()
os.read(done[0], 1)
ready(taker=taker)"#,
            ),
        ),
        // Sent and never received.
        (
            "sender",
            stage.plant(
                r#"
a, b = socket.socketpair()
s = tcp(18203)
socket.send_fds(a, [b"."], [s.fileno()])
s.close()
ready()"#,
            ),
        ),
        // A worker that closed it again is no holder.
        (
            "master",
            stage.plant(
                r#"
done = os.pipe()
s, t = tcp(18204), tcp(18205)
def work():
    s.close()
    os.write(done[1], b".")
worker = fork(work)
os.read(done[0], 1)
ready(worker=worker)"#,
            ),
        ),
    ];
    check(
        &stage,
        &planters,
        &[
            "tcp 127.0.0.1:18201 ipv4 loopback listening own [process/thread] hidden-holder:note",
            "tcp 127.0.0.1:18202 ipv4 loopback listening own [taker]",
            "tcp 127.0.0.1:18203 ipv4 loopback listening own [(in_flight)] holder-unknown:warning",
            "tcp 127.0.0.1:18204 ipv4 loopback listening own [master]",
            "tcp 127.0.0.1:18205 ipv4 loopback listening own [master worker]",
            "tcp 127.0.0.1:18206 ipv4 loopback listening own [headless/survivor] hidden-holder:note",
        ],
    );
    // What its first thread can no longer tell, another tells.
    let headless = planters.iter().find(|(name, _)| *name == "headless").unwrap().1.pid();
    let document = stage.document(&["list", "--own-netns", &format!("pid={headless}")]);
    let process = &document["processes"][0];
    assert_eq!(process["exe"]["state"], "present", "{process}");
    assert!(process["cmdline"].is_array() && process["cwd"].is_string(), "{process}");
    assert!(process["hidden"].is_null(), "{process}");
    // That no process has it is all that there is to know: nothing was left unseen.
    let output = stage.run(&["list", "--own-netns"]);
    assert_eq!(status(&output), 0);
    assert!(out(&output).contains("18203/tcp"), "{}", out(&output));
}

#[test]
fn other_kinds_of_socket() {
    if !possible("other kinds of socket", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("kinds");
    let planters = [
        ("mptcp", stage.plant(r#"s = tcp(18301, "0.0.0.0", protocol=262); ready()"#)),
        ("lite", stage.plant(r#"s = udp(18302, "0.0.0.0", protocol=136); ready()"#)),
        (
            "raw",
            stage.plant(
                "a = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\n\
                 b = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)\n\
                 c = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6); ready()",
            ),
        ),
        ("arp", stage.plant("s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x806)); s.bind(('lo', 0x806)); ready()")),
        // Nothing that waits: a connection, and sockets that were never bound.
        (
            "quiet",
            stage.plant(
                r#"
a = tcp(18303)
b = socket.create_connection(("127.0.0.1", 18303))
c, _ = a.accept()
d = udp(18304); d.connect(("127.0.0.1", 9))
e = socket.socket(); f = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); g = socket.socket(socket.AF_UNIX)
ready()"#,
            ),
        ),
    ];
    check(
        &stage,
        &planters,
        &[
            "mptcp 0.0.0.0:18301 ipv4 any listening own [mptcp]",
            "packet -:2054 link loopback listening own [arp] %lo packet-socket:note",
            "raw 0.0.0.0:1 ipv4 any listening own [raw] packet-socket:note",
            "raw 0.0.0.0:6 ipv4 any listening own [raw] packet-socket:warning",
            "raw :::58 ipv6 any listening own [raw] packet-socket:note",
            "tcp 127.0.0.1:18303 ipv4 loopback listening own [quiet]",
            "udplite 0.0.0.0:18302 ipv4 any listening own [lite]",
        ],
    );
    let all = stage.document(&["list", "--own-netns", "-a", "port=18303,18304"]);
    let states: Vec<&str> =
        array(&all, "sockets").iter().map(|socket| socket["state"].as_str().unwrap()).collect();
    assert_eq!(states.iter().filter(|state| **state == "established").count(), 2, "{states:?}");
}

#[test]
fn from_where_a_socket_can_be_reached() {
    if !possible("scopes", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("scopes");
    stage.sh(
        "ip link add out type veth peer name far; ip link set out up; ip link set far up; \
         ip addr add 192.0.2.1/24 dev out; ip addr add 169.254.7.1/16 dev out; ip addr add fe80::420/64 dev out nodad",
    );
    let planters = [(
        "planter",
        stage.plant(
            r#"
held = [
    tcp(18401, "::ffff:127.0.0.1"),
    tcp(18402, "::ffff:0.0.0.0", only6=False),
    tcp(18403, "::", only6=True),
    tcp(18403, "0.0.0.0"),
    tcp(18404, "::", only6=False),
    tcp(18405, "::1"),
    tcp(18406, "fe80::420%out"),
    tcp(18407, "169.254.7.1"),
    tcp(18408, "0.0.0.0", device="out"),
    tcp(18409, "0.0.0.0", device="lo"),
    udp(18410, "239.1.2.3"),
    udp(18411, "ff02::1:3%out"),
    tcp(18412, "192.0.2.1"),
    tcp(18413, "127.9.9.9"),
]
ready()"#,
        ),
    )];
    check(
        &stage,
        &planters,
        &[
            "tcp 0.0.0.0:18403 ipv4 any listening own [planter]",
            "tcp 0.0.0.0:18408 ipv4 interface listening own [planter] %out",
            "tcp 0.0.0.0:18409 ipv4 loopback listening own [planter] %lo",
            "tcp 127.9.9.9:18413 ipv4 loopback listening own [planter]",
            "tcp 169.254.7.1:18407 ipv4 link listening own [planter]",
            "tcp 192.0.2.1:18412 ipv4 interface listening own [planter]",
            "tcp ::1:18405 ipv6 loopback listening own [planter]",
            "tcp :::18403 ipv6 any listening own [planter]",
            "tcp :::18404 dual any listening own [planter]",
            "tcp ::ffff:0.0.0.0:18402 dual any listening own [planter]",
            "tcp ::ffff:127.0.0.1:18401 dual loopback listening own [planter]",
            "tcp fe80::420:18406 ipv6 link listening own [planter] %out",
            "udp 239.1.2.3:18410 ipv4 group listening own [planter]",
            "udp ff02::1:3:18411 ipv6 group listening own [planter] %out",
        ],
    );
}

#[test]
fn ports_without_a_socket() {
    if !possible("published ports", &["nft", KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("forwards");
    stage.sh("nft -f - <<'END'\n\
         table ip nat {\n\
           chain before {\n\
             type nat hook prerouting priority dstnat; policy accept;\n\
             tcp dport 8081 dnat to 10.0.0.2:80\n\
             tcp dport 6380 dnat to 10.0.0.3:6379\n\
             ip daddr 127.0.0.1 udp dport 5000-5010 dnat to 10.0.0.4\n\
             tcp dport 8083 redirect to :3000\n\
             tcp dport 8084 accept\n\
           }\n\
         }\nEND");
    check(
        &stage,
        &[],
        &[
            "forward tcp *:6380 any own > 10.0.0.3:6379 exposed-service:warning",
            "forward tcp *:8081 any own > 10.0.0.2:80",
            "forward tcp *:8083 any own > *:3000",
            "forward udp 127.0.0.1:5000 loopback own > 10.0.0.4:null",
        ],
    );
    let page = out(&stage.run(&["8081"]));
    assert!(page.contains("10.0.0.2"), "{page}");
    let without = stage.document(&["list", "--own-netns", "--no-forwards"]);
    assert!(array(&without, "forwards").is_empty());
}

#[test]
fn the_privileged_range_is_that_of_the_namespace() {
    if !possible("the privileged range", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("range");
    stage.sh("echo 80 > /proc/sys/net/ipv4/ip_unprivileged_port_start; echo '20000 20099' > /proc/sys/net/ipv4/ip_local_port_range");
    let free = stage.plant_with(
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PYTHON],
        r#"s = tcp(443); ready()"#,
    );
    let document = stage.document(&["list", "--own-netns"]);
    let rules = &document["namespaces"][0]["rules"];
    assert_eq!(rules["unprivileged_start"], 80);
    assert_eq!((&rules["ephemeral"]["first"], &rules["ephemeral"]["last"]), (&20000.into(), &20099.into()));
    let mut names = Names::default();
    names.name(stage.netns, "own").name(free.pid(), "free");
    assert_eq!(rows(&document, &names), ["tcp 127.0.0.1:443 ipv4 loopback listening own [free]"]);
    assert_eq!(document["processes"][0]["user"]["uid"], 65534);
    let page = stage.run(&["port", "443", "--own-netns"]);
    assert_eq!(status(&page), 0);
    assert!(out(&page).contains("80"), "{}", out(&page));
}

#[test]
fn a_bind_probe_finds_nothing_where_nothing_hides() {
    if !possible("a bind probe", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("probe");
    // Ports that refuse a bind for reasons that everybody can see: in use, in their last minute, held by a kernel
    // that waits for stray packets, or taken for one interface or family only.
    let planters = [(
        "planter",
        stage.plant(
            r#"
server = tcp(18310)
client = socket.socket()
client.bind(("127.0.0.1", 18311))
client.connect(("127.0.0.1", 18310))
peer, _ = server.accept()
client.close()  # TIME-WAIT is the client's
peer.close()
held = [tcp(18312, "::", only6=True), tcp(18313, "0.0.0.0", device="lo"), tcp(18314, listen=False)]
held += [udp(18315), udp(18316, protocol=136), tcp(18317, protocol=262), udp(18318, "::", only6=False)]
chat = udp(18319); chat.connect(("127.0.0.1", 18315))
ready()"#,
        ),
    )];
    let rows_of = |words: &[&str]| {
        let mut names = Names::default();
        names.name(stage.netns, "own").planter("planter", &planters[0].1);
        rows(&stage.document(words), &names)
    };
    let plain = rows_of(&["list", "--own-netns"]);
    assert_eq!(plain.len(), 8, "{plain:?}");
    assert_eq!(rows_of(&["list", "--own-netns", "--probe=18000-19000"]), plain);
}
