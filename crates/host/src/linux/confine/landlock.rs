//! Files and ports that a thread keeps (landlock(7)), as far as the kernel knows how.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::confine::{Fence, Measure, Rooms};

const NAME: &str = "Landlock";

/// The last whose rights are known here; of a kernel that has fewer, those.
const KNOWN: ABI = ABI::V6;

/// Where programs are loaded from, besides their own file.
const LOADERS: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/libexec"];

/// Puts the fence around the calling thread and what it starts.
pub(crate) fn thread(rooms: &Rooms) -> Measure {
    let fence = match put_up(rooms) {
        Ok((RulesetStatus::FullyEnforced, absent)) if absent.is_empty() => Fence::Whole,
        Ok((RulesetStatus::NotEnforced, _)) => Fence::None(without()),
        Ok((status, absent)) => {
            let mut missing = Vec::new();
            if status == RulesetStatus::PartiallyEnforced {
                missing.push(format!("this kernel has version {} of it", version().unwrap_or(0)));
            }
            if !absent.is_empty() {
                let names: Vec<String> = absent.iter().map(|path| path.display().to_string()).collect();
                missing.push(format!("not there, so not to be used: {}", names.join(", ")));
            }
            Fence::Partly(missing.join("; "))
        }
        Err(error) => Fence::None(error.to_string()),
    };
    Measure { name: NAME, keeps_from: words(rooms), fence }
}

fn words(rooms: &Rooms) -> String {
    let paths = |paths: &[PathBuf]| match paths {
        [] => String::from("nothing"),
        paths => paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    };
    let ports = |ports: &Option<Vec<u16>>| match ports.as_deref() {
        None => String::from("all ports"),
        Some([]) => String::from("no port"),
        Some(ports) => ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
    };
    format!(
        "writes {}; reads {}; starts {}; TCP to {}, on {}",
        paths(&rooms.write),
        rooms.read.as_deref().map_or_else(|| String::from("all"), paths),
        paths(&rooms.execute),
        ports(&rooms.connect),
        ports(&rooms.bind),
    )
}

/// What stands then, and which of the files were not there.
fn put_up(rooms: &Rooms) -> Result<(RulesetStatus, Vec<PathBuf>), RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    if rooms.connect.is_some() {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    if rooms.bind.is_some() {
        ruleset = ruleset.handle_access(AccessNet::BindTcp)?;
    }
    let mut ruleset = ruleset.create()?;
    let mut absent = Vec::new();
    let reading = AccessFs::from_read(KNOWN) & !BitFlags::from(AccessFs::Execute);
    let everything = [PathBuf::from("/")];
    for path in rooms.read.as_deref().unwrap_or(&everything) {
        ruleset = add(ruleset, path, reading, &mut absent)?;
    }
    for path in &rooms.write {
        ruleset = add(ruleset, path, reading | AccessFs::from_write(KNOWN), &mut absent)?;
    }
    let running = BitFlags::from(AccessFs::Execute) | AccessFs::ReadFile | AccessFs::ReadDir;
    for path in &rooms.execute {
        ruleset = add(ruleset, path, running, &mut absent)?;
    }
    if !rooms.execute.is_empty() {
        for path in LOADERS {
            // Not every system has each of them.
            ruleset = add(ruleset, Path::new(path), running, &mut Vec::new())?;
        }
    }
    for (ports, access) in [(&rooms.connect, AccessNet::ConnectTcp), (&rooms.bind, AccessNet::BindTcp)] {
        for port in ports.iter().flatten() {
            ruleset = ruleset.add_rule(NetPort::new(*port, access))?;
        }
    }
    Ok((ruleset.restrict_self()?.ruleset, absent))
}

fn add(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
    absent: &mut Vec<PathBuf>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else {
        absent.push(path.to_owned());
        return Ok(ruleset);
    };
    // A right that only a folder can have is refused for a file.
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
    ruleset.add_rule(PathBeneath::new(opened, access))
}

/// The version that the kernel has; `None` where it has none, or has it switched off.
fn version() -> Option<u32> {
    const ASK_VERSION: libc::c_uint = 1;
    #[expect(unsafe_code, reason = "the library tells no version")]
    // SAFETY: asked for its version, the call takes no address and no length.
    let answer = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, ASK_VERSION)
    };
    u32::try_from(answer).ok().filter(|version| *version > 0)
}

fn without() -> String {
    String::from("the kernel has it not, or switched off (CONFIG_SECURITY_LANDLOCK, lsm=landlock,…)")
}

/// Whether the kernel has it, and how much of it.
pub(crate) fn possible() -> Measure {
    let fence = match version() {
        None => Fence::None(without()),
        Some(version @ 1..4) => {
            Fence::Partly(format!("version {version} knows files and no ports (Linux 6.7 has both)"))
        }
        Some(_) => Fence::Whole,
    };
    Measure { name: NAME, keeps_from: "files and ports that a thread does not need".into(), fence }
}
