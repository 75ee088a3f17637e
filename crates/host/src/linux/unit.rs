//! Which service systemd starts for a socket that it holds: socket units, their drop-ins, and the service's program.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use model::{Activation, Kind};
use wire::unit_file::{self, Entry, Listen};

use super::process::tree::{RootId, Stamp, Tree};

/// Most bytes of one unit file.
const FILE_MAX: usize = 1 << 20;
/// Most files in one folder of units.
const FILES_MAX: usize = 16_384;

/// Folders of the system's manager, the most important first (systemd.unit(5)).
const SYSTEM: [&str; 11] = [
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "run/systemd/generator.late",
];

/// The socket units of the machine, read when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Units {
    managers: HashMap<(RootId, Option<u32>), Manager>,
    look: u64,
}

#[derive(Debug, Default)]
struct Manager {
    look: u64,
    folders: Vec<Option<Stamp>>,
    sockets: Vec<SocketUnit>,
}

#[derive(Debug)]
struct SocketUnit {
    name: String,
    service: String,
    program: Option<String>,
    /// What it listens on: an address, and the kind that its key and `SocketProtocol=` make.
    listens: Vec<(Kind, Listen)>,
    /// Whether something wants it started.
    wanted: bool,
}

impl Units {
    /// A new look begins: folders are compared again when next asked.
    pub(crate) fn begin(&mut self) {
        self.look += 1;
        if self.managers.len() > 64 {
            self.managers.clear();
        }
    }

    /// The service behind a socket, by the system's units or by those of a user and home.
    pub(crate) fn activation(
        &mut self,
        tree: &Tree,
        user: Option<(u32, &str)>,
        kind: Kind,
        local: SocketAddr,
    ) -> Option<Activation> {
        let look = self.look;
        let manager = self.managers.entry((tree.id, user.map(|(uid, _)| uid))).or_default();
        if manager.look != look || manager.folders.is_empty() {
            manager.look = look;
            manager.refresh(tree, &folders(user));
        }
        let unit =
            manager.sockets.iter().filter_map(|unit| Some((unit.rank(kind, local)?, unit))).max_by_key(
                // Of two that fit equally, the name decides, so that every look answers alike.
                |(rank, unit)| (*rank, std::cmp::Reverse(unit.name.as_str())),
            );
        let (_, unit) = unit?;
        Some(Activation {
            socket_unit: unit.name.clone(),
            service: unit.service.clone(),
            program: unit.program.clone(),
        })
    }
}

fn folders(user: Option<(u32, &str)>) -> Vec<String> {
    let Some((uid, home)) = user else { return SYSTEM.map(str::to_owned).to_vec() };
    let run = format!("run/user/{uid}/systemd");
    vec![
        format!("{home}/.config/systemd/user.control"),
        format!("{run}/user.control"),
        format!("{run}/transient"),
        format!("{run}/generator.early"),
        format!("{home}/.config/systemd/user"),
        "etc/systemd/user".to_owned(),
        format!("{run}/user"),
        "run/systemd/user".to_owned(),
        format!("{run}/generator"),
        format!("{home}/.local/share/systemd/user"),
        "usr/local/lib/systemd/user".to_owned(),
        "usr/lib/systemd/user".to_owned(),
        format!("{run}/generator.late"),
    ]
}

impl SocketUnit {
    /// How well it fits: an exact address before a port alone, a wanted unit before one that only lies there.
    fn rank(&self, kind: Kind, local: SocketAddr) -> Option<(u8, bool)> {
        self.listens
            .iter()
            .filter(|(of, listen)| *of == kind && listen.port == local.port())
            .filter_map(|(_, listen)| match listen.addr.map(|addr| addr.to_canonical()) {
                Some(addr) if addr == local.ip().to_canonical() => Some((2, self.wanted)),
                // A port alone binds to [::], or to 0.0.0.0 where there is no IPv6.
                None if local.ip().is_unspecified() => Some((1, self.wanted)),
                // [::] also takes IPv4 and may be shown as 0.0.0.0.
                Some(IpAddr::V6(addr)) if addr.is_unspecified() && local.ip().is_unspecified() => {
                    Some((0, self.wanted))
                }
                _ => None,
            })
            .max()
    }
}

impl Manager {
    fn refresh(&mut self, tree: &Tree, folders: &[String]) {
        let stamps: Vec<Option<Stamp>> =
            folders.iter().map(|folder| tree.stat(folder).ok().map(|stat| Stamp::of(&stat))).collect();
        if stamps == self.folders {
            return;
        }
        self.folders = stamps;
        let here: Vec<(&str, Vec<String>)> = folders
            .iter()
            .filter_map(|folder| Some((folder.as_str(), tree.names(folder, FILES_MAX).ok()?)))
            .collect();
        let files = Files { tree, here };
        self.sockets = files
            .socket_units()
            .into_iter()
            .filter_map(|(name, wanted)| files.socket(&name, wanted))
            .collect();
    }
}

/// The unit files of one manager.
struct Files<'t> {
    tree: &'t Tree,
    /// Folders that exist, the most important first, with the names in them.
    here: Vec<(&'t str, Vec<String>)>,
}

impl Files<'_> {
    /// The socket units, instances of templates too, and whether something wants them.
    fn socket_units(&self) -> BTreeMap<String, bool> {
        let mut out = BTreeMap::new();
        for (folder, names) in &self.here {
            for name in names {
                if name.ends_with(".socket") {
                    // A template is no unit; its instances are.
                    if !name.contains("@.") {
                        out.entry(name.clone()).or_insert(false);
                    }
                } else if name.ends_with(".wants") || name.ends_with(".requires") {
                    let wanted = self.tree.names(&format!("{folder}/{name}"), FILES_MAX).unwrap_or_default();
                    for name in wanted.into_iter().filter(|name| name.ends_with(".socket")) {
                        out.insert(name, true);
                    }
                }
            }
        }
        out
    }

    /// The text of a unit and of its drop-ins, in the order in which they count.
    fn texts(&self, unit: &str) -> Option<Vec<Vec<u8>>> {
        let template = unit_file::template(unit);
        let main = self.file(unit).or_else(|| self.file(template.as_deref()?))?;
        // An empty file, or a link to /dev/null, is a mask.
        if main.is_empty() {
            return None;
        }
        let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
        let places: Vec<String> = drop_in_folders(unit, template.as_deref());
        for (folder, names) in &self.here {
            for place in places.iter().filter(|place| names.contains(place)) {
                for name in self.tree.names(&format!("{folder}/{place}"), 1024).unwrap_or_default() {
                    if name.ends_with(".conf") {
                        // The first folder that has a name hides it in the others.
                        drop_ins.entry(name.clone()).or_insert_with(|| format!("{folder}/{place}/{name}"));
                    }
                }
            }
        }
        let mut out = vec![main];
        out.extend(drop_ins.values().filter_map(|path| self.tree.read(path, FILE_MAX).ok()));
        Some(out)
    }

    fn file(&self, unit: &str) -> Option<Vec<u8>> {
        let (folder, _) = self.here.iter().find(|(_, names)| names.iter().any(|name| name == unit))?;
        // A mask cannot be read as a file: it is empty to us.
        Some(self.tree.read(&format!("{folder}/{unit}"), FILE_MAX).unwrap_or_default())
    }

    fn socket(&self, unit: &str, wanted: bool) -> Option<SocketUnit> {
        let texts = self.texts(unit)?;
        let entries: Vec<Entry<'_>> = texts.iter().flat_map(|text| unit_file::parse(text).0).collect();
        let protocol = unit_file::value(&entries, "Socket", "SocketProtocol").unwrap_or("");
        let mut listens = Vec::new();
        for (key, kind) in [
            ("ListenStream", stream_kind(protocol)),
            ("ListenDatagram", datagram_kind(protocol)),
            ("ListenSequentialPacket", (protocol == "sctp").then_some(Kind::Sctp)),
        ] {
            let Some(kind) = kind else { continue };
            for value in unit_file::values(&entries, "Socket", key) {
                if let Some(listen) = unit_file::listen(&unit_file::specifiers(value, unit)) {
                    listens.push((kind, listen));
                }
            }
        }
        if listens.is_empty() {
            return None;
        }
        let stem = unit.strip_suffix(".socket")?;
        let accept = unit_file::value(&entries, "Socket", "Accept").is_some_and(unit_file::is_true);
        let service = match unit_file::value(&entries, "Socket", "Service") {
            Some(service) if !accept => unit_file::specifiers(service, unit),
            // One instance for each connection.
            _ if accept => format!("{}@.service", stem.split('@').next().unwrap_or(stem)),
            _ => format!("{stem}.service"),
        };
        let program = self.program(&service);
        Some(SocketUnit { name: unit.to_owned(), service, program, listens, wanted })
    }

    fn program(&self, service: &str) -> Option<String> {
        let texts = self.texts(service)?;
        let entries: Vec<Entry<'_>> = texts.iter().flat_map(|text| unit_file::parse(text).0).collect();
        let start = unit_file::values(&entries, "Service", "ExecStart").into_iter().next()?;
        unit_file::program(&unit_file::specifiers(start, service))
    }
}

fn stream_kind(protocol: &str) -> Option<Kind> {
    match protocol {
        "" | "tcp" => Some(Kind::Tcp),
        "mptcp" => Some(Kind::Mptcp),
        "sctp" => Some(Kind::Sctp),
        _ => None,
    }
}

fn datagram_kind(protocol: &str) -> Option<Kind> {
    match protocol {
        "" | "udp" => Some(Kind::Udp),
        "udplite" => Some(Kind::UdpLite),
        _ => None,
    }
}

/// The folders of drop-ins for a unit: its own, its template's, those of its name cut at each dash, its type's.
fn drop_in_folders(unit: &str, template: Option<&str>) -> Vec<String> {
    let mut out = vec![format!("{unit}.d")];
    out.extend(template.map(|template| format!("{template}.d")));
    if let Some((stem, kind)) = unit.rsplit_once('.') {
        let cuts = stem.match_indices('-').filter_map(|(at, _)| stem.get(..=at));
        out.extend(cuts.map(|cut| format!("{cut}.{kind}.d")));
        out.push(format!("{kind}.d"));
    }
    out
}

#[cfg(test)]
mod tests;
