//! Books of the runtimes, on a made tree.

use super::*;
use std::path::{Path, PathBuf};

const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A folder that is gone when the test ends.
struct Made(PathBuf);

impl Made {
    fn new(name: &str) -> Made {
        let path = std::env::temp_dir().join(format!("portreeve-container-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Made(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn tree(&self) -> Tree {
        Tree::open(Path::new(&self.0)).unwrap()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn named(made: &Made, path: &str) -> Seen<Container> {
    let tree = made.tree();
    let mut accounts = Accounts::default();
    accounts.refresh(&tree);
    let place = cgroup::read_path(path).container.unwrap();
    Containers::default().name(&place, &tree, &accounts)
}

fn words(seen: Seen<Container>) -> (Runtime, Option<String>, Option<String>) {
    let container = seen.value().unwrap().clone();
    (container.runtime, container.name.value().cloned(), container.image.value().cloned())
}

#[test]
fn docker_by_group_by_bare_identifier_and_by_address() {
    let made = Made::new("docker");
    made.write("etc/docker/daemon.json", r#"{"data-root": "/srv/docker"}"#);
    made.write(
        &format!("srv/docker/containers/{ID}/config.v2.json"),
        r#"{"Name":"/web","Config":{"Image":"nginx:1.27"},"State":{"Running":true},
            "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2","GlobalIPv6Address":"2001:db8::2"}}}}"#,
    );
    let other = ID.replace('4', "9");
    made.write(
        &format!("var/lib/docker/containers/{other}/config.v2.json"),
        r#"{"Name":"/old","State":{"Running":false},
            "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.3"}}}}"#,
    );
    let expected = (Runtime::Docker, Some("web".to_owned()), Some("nginx:1.27".to_owned()));
    assert_eq!(words(named(&made, &format!("/system.slice/docker-{ID}.scope"))), expected);
    assert_eq!(words(named(&made, &format!("/actions_job/{ID}"))), expected);
    assert_eq!(named(&made, &format!("/actions_job/{}", ID.replace('4', "7"))), Seen::Absent);

    let (tree, accounts) = (made.tree(), Accounts::default());
    let mut containers = Containers::default();
    let mut at = |ip: &str| containers.by_ip(ip.parse().unwrap(), &tree, &accounts).map(|c| c.id);
    assert_eq!(at("172.17.0.2").as_deref(), Some(ID));
    assert_eq!(at("::ffff:172.17.0.2").as_deref(), Some(ID));
    assert_eq!(at("2001:db8::2").as_deref(), Some(ID));
    assert_eq!(at("172.17.0.3"), None);
}

#[test]
fn podman_of_the_machine_and_of_a_user() {
    let made = Made::new("podman");
    made.write("etc/passwd", "jo:x:1000:1000::/home/jo:/bin/sh\n");
    let book = format!(
        r#"[{{"id":"{ID}","names":["db"],"image":"abc","metadata":"{{\"image-name\":\"docker.io/library/redis:7\"}}"}}]"#
    );
    made.write("home/jo/.local/share/containers/storage/overlay-containers/containers.json", &book);
    let rootless =
        format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container");
    let expected = (Runtime::Podman, Some("db".to_owned()), Some("docker.io/library/redis:7".to_owned()));
    assert_eq!(words(named(&made, &rootless)), expected);
    // The machine's own podman does not have it.
    assert_eq!(
        words(named(&made, &format!("/machine.slice/libpod-{ID}.scope"))),
        (Runtime::Podman, None, None)
    );
}

#[test]
fn kubernetes_by_containerd_and_crio() {
    let made = Made::new("kubernetes");
    made.write(
        &format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"),
        r#"{"annotations":{"io.kubernetes.cri.container-name":"etcd","io.kubernetes.cri.image-name":"etcd:3.5"}}"#,
    );
    let pod = "0b5a7b1e-3c52-4f55-9d0c-2f7c6a1b8e11";
    let found = named(&made, &format!("/kubepods/burstable/pod{pod}/{ID}"));
    assert_eq!(found.value().unwrap().pod.as_deref(), Some(pod));
    assert_eq!(words(found), (Runtime::Kubernetes, Some("etcd".to_owned()), Some("etcd:3.5".to_owned())));

    let other = ID.replace('4', "8");
    made.write(
        &format!("run/containers/storage/overlay-containers/{other}/userdata/config.json"),
        r#"{"annotations":{"io.kubernetes.container.name":"dns","io.kubernetes.cri-o.ImageName":"coredns:1"}}"#,
    );
    let path = format!("/kubepods.slice/kubepods-pod{}.slice/crio-{other}.scope", pod.replace('-', "_"));
    assert_eq!(
        words(named(&made, &path)),
        (Runtime::CriO, Some("dns".to_owned()), Some("coredns:1".to_owned()))
    );
}

#[test]
fn damaged_books_and_links_out_of_the_tree_are_not_believed() {
    let made = Made::new("damaged");
    made.write(&format!("var/lib/docker/containers/{ID}/config.v2.json"), "{\"Name\":");
    let found = named(&made, &format!("/docker/{ID}"));
    assert_eq!(found.value().unwrap().name, Seen::Hidden(Reason::Damaged));

    let outside = Made::new("outside");
    outside.write("config.v2.json", r#"{"Name":"/lie"}"#);
    let other = ID.replace('4', "6");
    let folder = made.0.join(format!("var/lib/docker/containers/{other}"));
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(outside.0.join("config.v2.json"), folder.join("config.v2.json")).unwrap();
    let found = named(&made, &format!("/docker/{other}"));
    assert_eq!(found.value().unwrap().name, Seen::Absent);
}

#[test]
fn lxc_and_nspawn_are_called_by_their_names() {
    let made = Made::new("lxc");
    assert_eq!(words(named(&made, "/lxc.payload.web/init.scope")), (Runtime::Lxc, Some("web".into()), None));
    assert_eq!(
        words(named(&made, "/machine.slice/machine-a\\x2db.scope/payload")),
        (Runtime::Nspawn, Some("a-b".into()), None)
    );
}
