//! The file that a holder runs: exe-deleted, exe-replaced, exe-memfd, exe-writable-place, unpackaged-service,
//! package-file-modified, preloaded-library.

use model::{Code, Confidence, Exe, ExeState, Integrity, Process, Seen, Severity, Socket, Subject};

use crate::docket::{Cause, Docket, Draft};
use crate::judge::{Bench, SURE, say};
use crate::known::{Known, shell, who};

pub(crate) fn judge<'a>(
    _bench: &Bench<'a>,
    index: usize,
    socket: &Socket,
    holders: &[&Known<'a>],
    docket: &mut Docket<'a>,
) {
    for holder in holders {
        let process = holder.process;
        let subject = Subject::Socket(index);
        if let Seen::Value(exe) = &process.exe {
            let found = running_file(holder, exe, socket, subject.clone(), docket);
            package(holder, exe, found, subject.clone(), docket);
        }
        if let Seen::Value(libraries) = &process.preload
            && !libraries.is_empty()
        {
            preload(holder, libraries, subject, docket);
        }
    }
}

/// Raises at most one finding: of several things to say about one file, the gravest.
fn running_file(
    holder: &Known<'_>,
    exe: &Exe,
    socket: &Socket,
    subject: Subject,
    docket: &mut Docket<'_>,
) -> bool {
    let process = holder.process;
    let (code, weight) = match exe.state {
        ExeState::Memfd => (Code::ExeMemfd, (Severity::Alert, Confidence::High)),
        ExeState::Deleted => (Code::ExeDeleted, deleted(holder, exe)),
        ExeState::Present | ExeState::Replaced if exe.temporary || exe.world_writable => {
            let harmless =
                !socket.scope.beyond_loopback() && process.user.value().is_some_and(|user| user.uid != 0);
            let severity = if harmless { Severity::Note } else { Severity::Warning };
            let confidence = if holder.in_container { Confidence::Medium } else { Confidence::High };
            (Code::ExeWritablePlace, (severity, confidence))
        }
        ExeState::Replaced => (Code::ExeReplaced, (Severity::Note, Confidence::High)),
        ExeState::Present => return false,
    };
    docket.raise(code, weight, Cause::Exe(holder.exe), subject, || {
        let pid = process.pid;
        let link = format!("/proc/{pid}/exe");
        let owner = match &process.package {
            Seen::Value(package) => format!("Package {} {} owns that path.", package.name, package.version),
            Seen::Absent => "No package owns that path.".to_owned(),
            Seen::Hidden(reason) => {
                format!("Whether a package owns that path is not known: {}.", reason.words())
            }
        };
        let (after, fact) = match code {
            Code::ExeMemfd => (
                format!(" is held by {}, which runs from memory and never was a file", who(process)),
                format!("The executable is {}: memory, not a file.", exe.path),
            ),
            Code::ExeDeleted => (
                format!(" is held by {}, whose executable {} is deleted", who(process), exe.path),
                format!("The running file was {}; nothing is there now.", exe.path),
            ),
            Code::ExeReplaced => (
                format!(" is held by {}, which still runs the old {}", who(process), exe.path),
                format!("Another file is at {} now than the one that runs.", exe.path),
            ),
            _ => (
                format!(" is held by {}, whose executable {} {}", who(process), exe.path, place(exe)),
                format!("{} {}.", exe.path, place(exe)),
            ),
        };
        let facts = vec![(fact, link.clone()), (owner, "package database".to_owned())];
        Draft { named: Some(pid), ..say("", after, facts, next_step(code, process, exe)) }
    });
    true
}

fn deleted(holder: &Known<'_>, exe: &Exe) -> (Severity, Confidence) {
    if holder.process.pid == 1 {
        return (Severity::Note, Confidence::High);
    }
    if exe.temporary || exe.world_writable {
        return (Severity::Alert, Confidence::High);
    }
    // A removed or upgraded package, or a container whose layers went away, leaves the same trace.
    let explained = holder.process.package.value().is_some() || holder.in_container;
    (Severity::Warning, if explained { Confidence::Medium } else { Confidence::High })
}

fn place(exe: &Exe) -> &'static str {
    match (exe.temporary, exe.world_writable) {
        (true, true) => "lies in a place for temporary files and can be changed by every user",
        (true, false) => "lies in a place for temporary files",
        (false, _) => "can be changed by every user",
    }
}

fn next_step(code: Code, process: &Process, exe: &Exe) -> String {
    let pid = process.pid;
    let unit = process.unit.value().filter(|unit| unit.name.ends_with(".service"));
    match (code, unit) {
        (Code::ExeReplaced, _) if pid == 1 => "systemctl daemon-reexec".to_owned(),
        (Code::ExeReplaced, Some(unit)) => format!("restart it: systemctl restart -- {}", shell(&unit.name)),
        (Code::ExeReplaced, None) => {
            format!("restart it, so that the new file runs: ps -o pid,lstart,args -p {pid}")
        }
        (Code::ExeWritablePlace, _) => {
            format!("ls -l {}; move it to a place that only root can write", shell(&exe.path))
        }
        (_, unit) => {
            let status =
                unit.map(|unit| format!("; systemctl status -- {}", shell(&unit.name))).unwrap_or_default();
            format!(
                "keep a copy before it ends: cp /proc/{pid}/exe ./exe-{pid}; sha256sum ./exe-{pid}{status}"
            )
        }
    }
}

fn package(holder: &Known<'_>, exe: &Exe, said: bool, subject: Subject, docket: &mut Docket<'_>) {
    let process = holder.process;
    match &process.package {
        Seen::Value(package)
            if package.integrity == Integrity::Modified && exe.state == ExeState::Present =>
        {
            let weight = (Severity::Alert, Confidence::High);
            docket.raise(Code::PackageFileModified, weight, Cause::Exe(holder.exe), subject, || {
                let manager = package.manager.name();
                let name = &package.name;
                let after = format!(" is held by {}, whose file differs from package {name}", who(process));
                let fact = format!(
                    "{} has another digest than {manager} recorded for {name} {}.",
                    exe.path, package.version
                );
                let verify = match package.manager {
                    model::Manager::Dpkg => {
                        format!("dpkg --verify {0}; apt-get install --reinstall {0}", shell(name))
                    }
                    model::Manager::Rpm => format!("rpm -V {0}; dnf reinstall {0}", shell(name)),
                    model::Manager::Apk => format!("apk audit --system; apk fix {}", shell(name)),
                };
                say(
                    "",
                    after,
                    vec![(fact, format!("{manager} database"))],
                    format!("keep a copy, then: {verify}"),
                )
            });
        }
        Seen::Absent if !said && exe.state == ExeState::Present && holder.is_system_service() => {
            let weight = unpackaged(&exe.path);
            docket.raise(Code::UnpackagedService, weight, Cause::Exe(holder.exe), subject, || {
                let unit = process.unit.value().map_or("", |unit| unit.name.as_str());
                let after =
                    format!(" is held by the system service {unit}, whose {} no package owns", exe.path);
                let facts = vec![
                    (format!("No installed package lists {}.", exe.path), "package database".to_owned()),
                    (format!("systemd runs it as {unit}."), format!("/proc/{}/cgroup", process.pid)),
                ];
                say("", after, facts, format!("systemctl cat -- {}; ls -l {}", shell(unit), shell(&exe.path)))
            });
        }
        _ => {}
    }
}

/// Where an executable lies says how unusual it is that no package owns it.
fn unpackaged(path: &str) -> (Severity, Confidence) {
    let own = ["/usr/local/", "/opt/", "/srv/", "/nix/", "/gnu/", "/snap/", "/var/lib/"];
    let managed = ["/usr/", "/bin/", "/sbin/", "/lib"];
    if own.iter().any(|start| path.starts_with(start)) {
        (Severity::Note, Confidence::Low)
    } else if managed.iter().any(|start| path.starts_with(start)) {
        (Severity::Warning, Confidence::Medium)
    } else {
        (Severity::Note, Confidence::Medium)
    }
}

/// Allocators and test aids that people preload on purpose.
const ORDINARY_PRELOADS: [&str; 10] = [
    "libjemalloc",
    "libtcmalloc",
    "libmimalloc",
    "libasan",
    "libeatmydata",
    "libfaketime",
    "libnss_wrapper",
    "libfakeroot",
    "libstdc++",
    "libsystemd-shim",
];

fn preload(holder: &Known<'_>, libraries: &[String], subject: Subject, docket: &mut Docket<'_>) {
    let file = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let ordinary = |path: &String| {
        let place =
            !path.contains('/') || ["/usr/", "/lib", "/opt/"].iter().any(|start| path.starts_with(start));
        place && ORDINARY_PRELOADS.iter().any(|name| file(path).starts_with(name))
    };
    let furtive = |path: &String| {
        let places = ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/"];
        places.iter().any(|start| path.starts_with(start)) || file(path).starts_with('.')
    };
    let weight = if libraries.iter().any(furtive) {
        (Severity::Alert, SURE)
    } else if libraries.iter().all(ordinary) {
        (Severity::Note, Confidence::Low)
    } else {
        (Severity::Warning, Confidence::Medium)
    };
    let list = libraries.join(", ");
    docket.raise(Code::PreloadedLibrary, weight, Cause::Text(list.clone()), subject, || {
        let pid = holder.process.pid;
        let after = format!(" is held by {}, into which {list} is loaded from outside", who(holder.process));
        let source = format!("/proc/{pid}/environ, /etc/ld.so.preload");
        let command =
            format!("cat /etc/ld.so.preload; tr '\\0' '\\n' </proc/{pid}/environ | grep LD_; ls -l --");
        let paths: Vec<String> = libraries.iter().map(|path| shell(path)).collect();
        say(
            "",
            after,
            vec![(format!("Preloaded: {list}."), source)],
            format!("{command} {}", paths.join(" ")),
        )
    });
}
