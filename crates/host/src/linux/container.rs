//! Containers: from an identifier in a control group to the name and image that people know.
//!
//! Each runtime keeps its books in files; they are read within bounds, and one that we may not read is hidden, not absent.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use model::{Container, Reason, Runtime, Seen};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde_json::Value;
use wire::cgroup;

use super::process::accounts::Accounts;
use super::process::tree::{RootId, Tree, read_stream, reason};

/// Most bytes of one document.
const DOCUMENT_MAX: usize = 16 << 20;
/// Most containers and roots that are remembered.
const REMEMBERED_MAX: usize = 8192;
/// Names can be changed while a container runs.
const FRESH: Duration = Duration::from_secs(30);

/// What is known of the machine's containers.
#[derive(Debug, Default)]
pub(crate) struct Containers {
    known: HashMap<String, Seen<Container>>,
    by_root: HashMap<RootId, Option<cgroup::Container>>,
    by_ip: Option<HashMap<IpAddr, Container>>,
    docker_folders: Option<Vec<String>>,
    since: Option<Instant>,
}

/// Where a runtime keeps its books: the machine's folders, then those of a user's own runtime.
type Folders = Vec<String>;

impl Containers {
    /// A new look begins: what is no longer fresh is forgotten.
    pub(crate) fn begin(&mut self) {
        let full = self.known.len() > REMEMBERED_MAX || self.by_root.len() > REMEMBERED_MAX;
        if full || self.since.is_none_or(|since| since.elapsed() > FRESH) {
            *self = Containers { since: Some(Instant::now()), ..Containers::default() };
        }
    }

    /// The container that the files mounted in a root name, for processes whose control group names none.
    pub(crate) fn by_root(&mut self, dir: BorrowedFd<'_>, root: RootId) -> Option<cgroup::Container> {
        let read = || {
            let file =
                rustix::fs::openat(dir, "mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
            let mut text = Vec::new();
            read_stream(std::os::fd::AsFd::as_fd(&file), &mut text, 16 << 10, DOCUMENT_MAX).ok()?;
            wire::mountinfo::container(&text)
        };
        self.by_root.entry(root).or_insert_with(read).clone()
    }

    /// Names a container that a control group shows.
    pub(crate) fn name(
        &mut self,
        place: &cgroup::Container,
        system: &Tree,
        accounts: &Accounts,
    ) -> Seen<Container> {
        if let Some(known) = self.known.get(&place.id) {
            return known.clone();
        }
        let home = place.user.and_then(|uid| accounts.home(uid));
        let found = self.describe(place, system, home);
        self.known.insert(place.id.clone(), found.clone());
        found
    }

    fn describe(&mut self, place: &cgroup::Container, system: &Tree, home: Option<&str>) -> Seen<Container> {
        let books = |container: &mut Container, found: Result<Names, Reason>| match found {
            Ok(names) => (container.name, container.image) = (names.name.into(), names.image.into()),
            Err(Reason::Exited) => (container.name, container.image) = (Seen::Absent, Seen::Absent),
            Err(why) => (container.name, container.image) = (Seen::Hidden(why), Seen::Hidden(why)),
        };
        let mut out = Container {
            runtime: place.runtime.unwrap_or(Runtime::Docker),
            id: place.id.clone(),
            name: Seen::Hidden(Reason::Unknown),
            image: Seen::Hidden(Reason::Unknown),
            pod: place.pod.clone(),
        };
        if place.nested && place.runtime.is_some() {
            // Its books are inside the container around it.
            return Seen::Value(out);
        }
        match place.runtime {
            Some(Runtime::Docker) => {
                let found = self.docker(system, home, &place.id);
                books(&mut out, found);
            }
            Some(Runtime::Podman) => books(&mut out, podman(system, home, &place.id)),
            Some(Runtime::Containerd) => books(&mut out, containerd(system, &place.id)),
            Some(Runtime::CriO) => books(&mut out, crio(system, &place.id)),
            Some(Runtime::Kubernetes) => {
                books(&mut out, containerd(system, &place.id).or_else(|_| crio(system, &place.id)));
            }
            Some(Runtime::Lxc | Runtime::Nspawn) => {
                (out.name, out.image) = (Seen::Value(place.id.clone()), Seen::Absent);
            }
            None => return self.guess(out, system, home),
        }
        Seen::Value(out)
    }

    /// An identifier alone: whoever has it in the books runs it, and in nobody's books it is no container.
    fn guess(&mut self, mut out: Container, system: &Tree, home: Option<&str>) -> Seen<Container> {
        let mut refused = false;
        let tries = [
            (Runtime::Docker, self.docker(system, home, &out.id)),
            (Runtime::Podman, podman(system, home, &out.id)),
            (Runtime::Containerd, containerd(system, &out.id)),
        ];
        for (runtime, found) in tries {
            match found {
                Ok(names) => {
                    out.runtime = runtime;
                    (out.name, out.image) = (names.name.into(), names.image.into());
                    return Seen::Value(out);
                }
                Err(why) => refused |= why == Reason::NoPermission,
            }
        }
        if refused { Seen::Hidden(Reason::NoPermission) } else { Seen::Absent }
    }

    fn docker(&mut self, system: &Tree, home: Option<&str>, id: &str) -> Result<Names, Reason> {
        let mut folders = self.docker_folders(system).clone();
        folders.extend(home.map(|home| format!("{home}/.local/share/docker")));
        first(&folders, |folder| docker_config(system, folder, id).map(|config| docker_names(&config)))
    }

    fn docker_folders(&mut self, system: &Tree) -> &Folders {
        self.docker_folders.get_or_insert_with(|| {
            let moved = json(system, "etc/docker/daemon.json")
                .ok()
                .and_then(|document| Some(document.get("data-root")?.as_str()?.to_owned()));
            moved.into_iter().chain(["var/lib/docker".to_owned()]).collect()
        })
    }

    /// The container that has an address on a network of its runtime.
    pub(crate) fn by_ip(&mut self, ip: IpAddr, system: &Tree, accounts: &Accounts) -> Option<Container> {
        if self.by_ip.is_none() {
            let mut all = HashMap::new();
            for folder in self.docker_folders(system).clone() {
                docker_addresses(system, &folder, &mut all);
            }
            for (addr, id) in cni_addresses(system) {
                let place = cgroup::Container { runtime: None, id, pod: None, user: None, nested: false };
                if let Seen::Value(container) = self.name(&place, system, accounts) {
                    all.entry(addr).or_insert(container);
                }
            }
            self.by_ip = Some(all);
        }
        self.by_ip.as_ref()?.get(&ip.to_canonical()).cloned()
    }
}

#[derive(Debug, Default)]
struct Names {
    name: Option<String>,
    image: Option<String>,
}

/// The first folder that has it; a refusal is told only where no other folder has it.
fn first(folders: &[String], look: impl Fn(&str) -> Result<Names, Reason>) -> Result<Names, Reason> {
    let mut worst = Reason::Exited;
    for folder in folders {
        match look(folder) {
            Ok(names) => return Ok(names),
            Err(Reason::Exited) => {}
            Err(why) => worst = why,
        }
    }
    Err(worst)
}

/// A JSON document; what is not there is [`Reason::Exited`].
fn json(system: &Tree, path: &str) -> Result<Value, Reason> {
    let text = system.read(path, DOCUMENT_MAX).map_err(reason)?;
    serde_json::from_slice(&text).map_err(|_| Reason::Damaged)
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn docker_config(system: &Tree, folder: &str, id: &str) -> Result<Value, Reason> {
    json(system, &format!("{folder}/containers/{id}/config.v2.json"))
}

fn docker_names(config: &Value) -> Names {
    Names {
        name: text(config, "/Name").map(|name| name.trim_start_matches('/').to_owned()),
        image: text(config, "/Config/Image"),
    }
}

fn docker_addresses(system: &Tree, folder: &str, all: &mut HashMap<IpAddr, Container>) {
    let ids = system.names(&format!("{folder}/containers"), REMEMBERED_MAX).unwrap_or_default();
    for id in ids {
        let Ok(config) = docker_config(system, folder, &id) else { continue };
        // A stopped container keeps its last address, which another may have by now.
        if config.pointer("/State/Running").and_then(Value::as_bool) == Some(false) {
            continue;
        }
        let names = docker_names(&config);
        let container = Container {
            runtime: Runtime::Docker,
            id,
            name: names.name.into(),
            image: names.image.into(),
            pod: None,
        };
        let networks = config.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
        for network in networks.into_iter().flat_map(|networks| networks.values()).take(256) {
            for key in ["/IPAddress", "/GlobalIPv6Address"] {
                if let Some(addr) = text(network, key).and_then(|addr| addr.parse::<IpAddr>().ok()) {
                    all.insert(addr.to_canonical(), container.clone());
                }
            }
        }
    }
}

/// The addresses that CNI's host-local plugin gave: one file for each, whose first line is the container.
fn cni_addresses(system: &Tree) -> Vec<(IpAddr, String)> {
    const NETWORKS: &str = "var/lib/cni/networks";
    let mut out = Vec::new();
    for network in system.names(NETWORKS, 256).unwrap_or_default() {
        let folder = format!("{NETWORKS}/{network}");
        for name in system.names(&folder, REMEMBERED_MAX).unwrap_or_default() {
            let Ok(addr) = name.parse::<IpAddr>() else { continue };
            let Ok(content) = system.read(&format!("{folder}/{name}"), 4096) else { continue };
            let id = String::from_utf8_lossy(&content);
            let id = id.lines().next().unwrap_or("").trim();
            if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                out.push((addr.to_canonical(), id.to_owned()));
            }
        }
    }
    out
}

fn podman(system: &Tree, home: Option<&str>, id: &str) -> Result<Names, Reason> {
    let mut folders: Folders = vec!["var/lib/containers/storage".to_owned()];
    folders.extend(home.map(|home| format!("{home}/.local/share/containers/storage")));
    first(&folders, |folder| {
        let document = json(system, &format!("{folder}/overlay-containers/containers.json"))?;
        let all = document.as_array().ok_or(Reason::Damaged)?;
        let entry = all
            .iter()
            .find(|entry| entry.get("id").and_then(Value::as_str) == Some(id))
            .ok_or(Reason::Exited)?;
        // What podman itself wrote is a document in a string.
        let inner: Value = text(entry, "/metadata")
            .and_then(|metadata| serde_json::from_str(&metadata).ok())
            .unwrap_or(Value::Null);
        Ok(Names {
            name: text(entry, "/names/0").or_else(|| text(&inner, "/name")),
            image: text(&inner, "/image-name").or_else(|| text(entry, "/image")),
        })
    })
}

fn containerd(system: &Tree, id: &str) -> Result<Names, Reason> {
    const TASKS: &str = "run/containerd/io.containerd.runtime.v2.task";
    let mut spaces: Vec<String> = vec!["k8s.io".to_owned()];
    match system.names(TASKS, 256) {
        Ok(names) => spaces.extend(names),
        Err(Errno::NOENT) => return Err(Reason::Exited),
        Err(errno) => return Err(reason(errno)),
    }
    first(&spaces, |space| {
        let config = json(system, &format!("{TASKS}/{space}/{id}/config.json"))?;
        Ok(annotated(
            &config,
            &["io.kubernetes.cri.container-name", "nerdctl/name", "io.kubernetes.cri.sandbox-name"],
            &["io.kubernetes.cri.image-name", "nerdctl/image-name"],
        ))
    })
}

fn crio(system: &Tree, id: &str) -> Result<Names, Reason> {
    let folders: Folders = vec![
        "run/containers/storage/overlay-containers".into(),
        "var/lib/containers/storage/overlay-containers".into(),
    ];
    first(&folders, |folder| {
        let config = json(system, &format!("{folder}/{id}/userdata/config.json"))?;
        Ok(annotated(
            &config,
            &["io.kubernetes.container.name", "io.kubernetes.cri-o.Name"],
            &["io.kubernetes.cri-o.ImageName", "io.kubernetes.cri-o.Image"],
        ))
    })
}

fn annotated(config: &Value, names: &[&str], images: &[&str]) -> Names {
    let find = |keys: &[&str]| {
        let annotations = config.get("annotations")?;
        keys.iter().find_map(|key| annotations.get(key)?.as_str()).map(str::to_owned)
    };
    Names { name: find(names), image: find(images) }
}

#[cfg(test)]
mod tests;
