//! Unit files on a made tree.

use super::*;
use std::path::PathBuf;

struct Made(PathBuf);

impl Made {
    fn new(name: &str) -> Made {
        let path = std::env::temp_dir().join(format!("portreeve-unit-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Made(path)
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, path).unwrap();
    }

    fn ask(&self, kind: Kind, local: &str) -> Option<(String, String, Option<String>)> {
        let tree = Tree::open(&self.0).unwrap();
        let found = Units::default().activation(&tree, None, kind, local.parse().unwrap())?;
        Some((found.socket_unit, found.service, found.program))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn answer(unit: &str, service: &str, program: Option<&str>) -> Option<(String, String, Option<String>)> {
    Some((unit.to_owned(), service.to_owned(), program.map(str::to_owned)))
}

#[test]
fn the_service_of_a_port_with_drop_ins_and_masks() {
    let made = Made::new("plain");
    made.file("usr/lib/systemd/system/ssh.socket", "[Socket]\nListenStream=22\n");
    made.file("usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=-/usr/sbin/sshd -D $OPTS\n");
    made.file("usr/lib/systemd/system/off.socket", "[Socket]\nListenStream=23\n");
    made.link("etc/systemd/system/off.socket", "/dev/null");
    assert_eq!(made.ask(Kind::Tcp, "[::]:22"), answer("ssh.socket", "ssh.service", Some("/usr/sbin/sshd")));
    assert_eq!(
        made.ask(Kind::Tcp, "0.0.0.0:22"),
        answer("ssh.socket", "ssh.service", Some("/usr/sbin/sshd"))
    );
    assert_eq!(made.ask(Kind::Udp, "[::]:22"), None);
    assert_eq!(made.ask(Kind::Tcp, "[::]:2222"), None);
    assert_eq!(made.ask(Kind::Tcp, "[::]:23"), None);

    made.file("usr/lib/systemd/system/ssh.socket.d/a.conf", "[Socket]\nListenStream=\nListenStream=1022\n");
    made.file(
        "etc/systemd/system/ssh.socket.d/a.conf",
        "[Socket]\nListenStream=\nListenStream=127.0.0.1:2222\n",
    );
    made.file("etc/systemd/system/ssh.service.d/b.conf", "[Service]\nExecStart=\nExecStart=/opt/sshd\n");
    assert_eq!(made.ask(Kind::Tcp, "127.0.0.1:2222"), answer("ssh.socket", "ssh.service", Some("/opt/sshd")));
    assert_eq!(made.ask(Kind::Tcp, "[::]:22"), None);
    assert_eq!(made.ask(Kind::Tcp, "[::]:1022"), None);
}

#[test]
fn accept_service_protocol_and_instances() {
    let made = Made::new("kinds");
    let folder = "lib/systemd/system";
    made.file(&format!("{folder}/telnet.socket"), "[Socket]\nListenStream=23\nAccept=yes\n");
    made.file(&format!("{folder}/telnet@.service"), "[Service]\nExecStart=/usr/sbin/in.telnetd\n");
    made.file(
        &format!("{folder}/two.socket"),
        "[Socket]\nListenDatagram=[::1]:69\nListenStream=69\nService=tftp.service\n",
    );
    made.file(&format!("{folder}/m.socket"), "[Socket]\nListenStream=70\nSocketProtocol=mptcp\n");
    made.file(&format!("{folder}/port@.socket"), "[Socket]\nListenStream=%i\n");
    made.link("etc/systemd/system/sockets.target.wants/port@8080.socket", "/lib/systemd/system/port@.socket");
    assert_eq!(
        made.ask(Kind::Tcp, "[::]:23"),
        answer("telnet.socket", "telnet@.service", Some("/usr/sbin/in.telnetd"))
    );
    assert_eq!(made.ask(Kind::Udp, "[::1]:69"), answer("two.socket", "tftp.service", None));
    assert_eq!(made.ask(Kind::Udp, "[::]:69"), None);
    assert_eq!(made.ask(Kind::Mptcp, "[::]:70"), answer("m.socket", "m.service", None));
    assert_eq!(made.ask(Kind::Tcp, "[::]:70"), None);
    assert_eq!(made.ask(Kind::Tcp, "[::]:8080"), answer("port@8080.socket", "port@8080.service", None));
}

#[test]
fn the_exact_address_and_the_wanted_unit_come_first() {
    let made = Made::new("rank");
    made.file("etc/systemd/system/a.socket", "[Socket]\nListenStream=80\n");
    made.file("etc/systemd/system/b.socket", "[Socket]\nListenStream=80\n");
    made.file("etc/systemd/system/c.socket", "[Socket]\nListenStream=0.0.0.0:80\n");
    made.link("etc/systemd/system/sockets.target.wants/b.socket", "../b.socket");
    assert_eq!(made.ask(Kind::Tcp, "[::]:80").unwrap().0, "b.socket");
    assert_eq!(made.ask(Kind::Tcp, "0.0.0.0:80").unwrap().0, "c.socket");
}

#[test]
fn a_users_own_units() {
    let made = Made::new("user");
    made.file("home/jo/.config/systemd/user/app.socket", "[Socket]\nListenStream=127.0.0.1:9000\n");
    let tree = Tree::open(&made.0).unwrap();
    let mut units = Units::default();
    let local = "127.0.0.1:9000".parse().unwrap();
    assert!(units.activation(&tree, Some((1000, "/home/jo")), Kind::Tcp, local).is_some());
    assert!(units.activation(&tree, None, Kind::Tcp, local).is_none());
}
