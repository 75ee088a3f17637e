//! Paths as systemd and the runtimes make them.

use super::*;
use alloc::{format, string::ToString};

const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
const POD: &str = "0b5a7b1e-3c52-4f55-9d0c-2f7c6a1b8e11";

fn unit(path: &str) -> Option<(String, Option<u32>)> {
    read_path(path).unit.map(|unit| (unit.name.to_string(), unit.user))
}

fn system(name: &str) -> Option<(String, Option<u32>)> {
    Some((name.to_string(), None))
}

fn container(path: &str) -> Option<(Option<Runtime>, String, Option<String>)> {
    read_path(path).container.map(|c| (c.runtime, c.id, c.pod))
}

fn runs(runtime: Runtime, id: &str) -> Option<(Option<Runtime>, String, Option<String>)> {
    Some((Some(runtime), id.to_string(), None))
}

#[test]
fn units_of_the_system_and_of_users() {
    assert_eq!(unit("/system.slice/ssh.service"), system("ssh.service"));
    assert_eq!(unit("/system.slice/system-getty.slice/getty@tty1.service"), system("getty@tty1.service"));
    assert_eq!(unit("/system.slice/foo.service/sub/child.scope"), system("foo.service"));
    assert_eq!(unit("/user.slice/user-1000.slice/session-3.scope"), system("session-3.scope"));
    assert_eq!(unit("/init.scope"), system("init.scope"));
    assert_eq!(
        unit("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service"),
        Some(("foo.service".to_string(), Some(1000)))
    );
    assert_eq!(unit("/user.slice/user-1000.slice/user@1000.service/init.scope"), system("user@1000.service"));
    assert_eq!(
        unit("/user.slice/user-7.slice/user@7.service/app.slice/app-a\\x2db.slice/run-1.scope"),
        Some(("run-1.scope".to_string(), Some(7)))
    );
    assert_eq!(unit("/../../system.slice/x.service"), system("x.service"));
    assert_eq!(unit("/system.slice/_cpu.service"), system("cpu.service"));
    assert_eq!(unit("/system.slice/a\\x2db.service"), system("a\\x2db.service"));
    assert_eq!(unit("/system.slice"), None);
    assert_eq!(unit("/"), None);
    assert_eq!(unit("/something/else.service"), None);
    assert_eq!(unit("/system.slice/.service"), None);
}

#[test]
fn containers_of_every_runtime_and_driver() {
    use Runtime::{Containerd, CriO, Docker, Kubernetes, Lxc, Nspawn, Podman};
    assert_eq!(container(&format!("/docker/{ID}")), runs(Docker, ID));
    assert_eq!(container(&format!("/system.slice/docker-{ID}.scope")), runs(Docker, ID));
    assert_eq!(unit(&format!("/system.slice/docker-{ID}.scope")), system(&format!("docker-{ID}.scope")));
    assert_eq!(container(&format!("/system.slice:docker:{ID}")), runs(Docker, ID));
    assert_eq!(container(&format!("/machine.slice/libpod-{ID}.scope/container")), runs(Podman, ID));
    assert_eq!(container(&format!("/libpod_parent/libpod-{ID}")), runs(Podman, ID));
    assert_eq!(container(&format!("/machine.slice/libpod-conmon-{ID}.scope")), None);
    assert_eq!(container(&format!("/system.slice/nerdctl-{ID}.scope")), runs(Containerd, ID));
    assert_eq!(container("/lxc.payload.web/system.slice/nginx.service"), runs(Lxc, "web"));
    assert_eq!(unit("/lxc.payload.web/system.slice/nginx.service"), system("nginx.service"));
    assert_eq!(container("/lxc/web"), runs(Lxc, "web"));
    assert_eq!(container("/lxc.monitor.web"), None);
    assert_eq!(container("/machine.slice/machine-my\\x2dbox.scope/payload"), runs(Nspawn, "my-box"));
    assert_eq!(container("/machine.slice/machine-my\\x2dbox.scope/supervisor"), None);
    assert_eq!(
        container("/machine.slice/systemd-nspawn@web.service/payload/system.slice/a.service"),
        runs(Nspawn, "web")
    );
    assert_eq!(
        unit("/machine.slice/systemd-nspawn@web.service/payload/system.slice/a.service"),
        system("a.service")
    );
    assert_eq!(container("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"), None);
    assert_eq!(container("/system.slice/ssh.service"), None);

    let in_pod = |runtime| Some((Some(runtime), ID.to_string(), Some(POD.to_string())));
    let slice = POD.replace('-', "_");
    let systemd = format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{slice}.slice");
    assert_eq!(container(&format!("{systemd}/cri-containerd-{ID}.scope")), in_pod(Containerd));
    assert_eq!(container(&format!("{systemd}/crio-{ID}.scope")), in_pod(CriO));
    assert_eq!(container(&format!("{systemd}/docker-{ID}.scope")), in_pod(Docker));
    assert_eq!(container(&format!("/kubepods/besteffort/pod{POD}/{ID}")), in_pod(Kubernetes));
    assert_eq!(container(&format!("/ecs/task/{ID}")), Some((None, ID.to_string(), None)));
}

#[test]
fn rootless_and_nested_containers() {
    let rootless =
        format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container");
    let found = read_path(&rootless).container.unwrap();
    assert_eq!((found.runtime, found.user, found.nested), (Some(Runtime::Podman), Some(1000), false));

    let inner = ID.replace('4', "5");
    let nested = format!("/docker/{ID}/docker/{inner}");
    let found = read_path(&nested).container.unwrap();
    assert_eq!((found.id.as_str(), found.nested), (inner.as_str(), true));
}

#[test]
fn the_whole_file_on_v1_v2_and_both() {
    let text =
        format!("12:pids:/docker/{ID}\n3:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n");
    let (found, fault) = place(text.as_bytes());
    assert_eq!((found.container.unwrap().id.as_str(), found.unit, fault), (ID, None, None));

    let (found, _) = place(b"1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n");
    assert_eq!(found.unit.unwrap().name, "a.service");
    let (found, _) = place(b"2:cpu:/x.service\n0::/system.slice/b.service (deleted)\n");
    assert_eq!(found.unit.unwrap().name, "b.service");
    assert_eq!(place(b"0::/\n").0, Place::default());
    assert!(place(b"zero::/\n").1.is_some());
    assert!(place(b"0:\n").1.is_some());
    assert!(place(b"0::relative\n").1.is_some());
    assert!(place(b"+1::/\n").1.is_some());
}

#[test]
fn every_prefix_and_random_paths_are_harmless() {
    let whole = format!(
        "0::/user.slice/user@1000.service/machine.slice/libpod-{ID}.scope/container/a\\x2d.service\n"
    );
    for cut in 0..whole.len() {
        let (found, _) = place(&whole.as_bytes()[..cut]);
        if let Some(container) = found.container {
            assert!(ID.starts_with(&container.id), "{}", container.id);
        }
    }
    let pieces = [
        "/", "docker-", ID, ".scope", "..", "user@1", ".service", "pod", POD, "\\x2", ":", "lxc", "é",
        "machine-",
    ];
    let mut seed = 99u32;
    for _ in 0..20_000 {
        let mut path = String::from("/");
        for _ in 0..8 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            path.push_str(pieces[usize::try_from(seed >> 16).unwrap() % pieces.len()]);
        }
        let found = read_path(&path);
        if let Some(unit) = found.unit {
            assert!(path.contains(unit.name) && !unit.name.contains('/'));
        }
        if let Some(container) = found.container {
            assert!(!container.id.is_empty() && !container.id.contains('/'));
        }
    }
}

#[test]
fn escapes_are_undone_once() {
    assert_eq!(unescape("my\\x2dbox"), "my-box");
    assert_eq!(unescape("a\\x5cx2d"), "a\\x2d");
    assert_eq!(unescape("\\x2"), "\\x2");
    assert_eq!(unescape("\\xff"), "\\xff");
    assert_eq!(unescape("caf\\xc3\\xa9"), "café");
}
