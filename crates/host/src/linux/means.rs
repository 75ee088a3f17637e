//! What a Linux machine offers, from /proc, /sys and by trying.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};
use rustix::system::uname;
use rustix::thread::capabilities;

use super::bpf::{Asked, LoadError, Owners, Travelling, Walker, joined};
use crate::means::{ClockMeans, Limit, Means, ProgramMeans};

/// The inode numbers of the first namespaces (`include/linux/proc_ns.h`).
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

pub(crate) fn look(means: &mut Means) {
    means.kernel = Some(uname().release().to_string_lossy().into_owned());
    means.uid = Some(rustix::process::geteuid().as_raw());
    means.capabilities = capabilities(None).ok().map(|sets| sets.effective.bits());
    means.types = Some(Path::new("/sys/kernel/btf/vmlinux").exists());
    means.programs = programs();
    means.lockdown = line("/sys/kernel/security/lockdown").as_deref().and_then(chosen).map(str::to_owned);
    means.ptrace_scope = line("/proc/sys/kernel/yama/ptrace_scope").and_then(|text| text.parse().ok());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    means.hidepid = hidepid(&mounts);
    means.control_groups = mount_of(&mounts, "cgroup2").map(str::to_owned);
    means.user_namespace = line("/proc/self/uid_map").as_deref().map(|map| !is_everyone(map));
    means.pid_namespace = inode("/proc/self/ns/pid").map(|inode| inode != FIRST_PID_NAMESPACE);
    means.container = container();
    means.descriptors = Some(limit(Resource::Nofile));
    means.locked_bytes = Some(limit(Resource::Memlock));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    means.memory_bytes = available(&memory);
    means.clock = clock();
    means.ptp_devices = devices("/dev", "ptp");
    means.systemd = Some(Path::new("/run/systemd/system").is_dir());
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}

fn inode(path: &str) -> Option<u64> {
    fs::metadata(path).ok().map(|about| std::os::unix::fs::MetadataExt::ino(&about))
}

fn programs() -> Vec<ProgramMeans> {
    let program = |name, shows, fault: Option<LoadError>| ProgramMeans {
        name,
        shows,
        fault: fault.map(|error| error.to_string()),
    };
    vec![
        program("holders", "every holder of every socket, in all namespaces at once", Walker::load().err()),
        program("owners", "sockets that the kernel itself uses", Owners::load(Asked::Tcp).err()),
        program("travelling", "sockets that only travel in a message", Travelling::load().err()),
        program("joined", "which socket joined which multicast group", joined().err()),
    ]
}

/// The word in brackets, of those that could be: `none [integrity] confidentiality`.
fn chosen(text: &str) -> Option<&str> {
    text.split_once('[')?.1.split_once(']').map(|(word, _)| word)
}

/// The option `hidepid` of /proc where it hides anything.
fn hidepid(mounts: &str) -> Option<String> {
    let options = fields(mounts).find(|(_, place, kind, _)| *place == "/proc" && *kind == "proc")?.3;
    let value = options.split(',').find_map(|option| option.strip_prefix("hidepid="))?;
    (!["0", "off"].contains(&value)).then(|| value.to_owned())
}

fn mount_of<'a>(mounts: &'a str, wanted: &str) -> Option<&'a str> {
    fields(mounts).find(|(_, _, kind, _)| *kind == wanted).map(|(_, place, _, _)| place)
}

/// What is mounted, where, of which kind, with which options (proc_mounts(5)).
fn fields(mounts: &str) -> impl Iterator<Item = (&str, &str, &str, &str)> {
    mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?, words.next()?))
    })
}

/// Whether a map of users is that of the first namespace: everybody is who he is.
fn is_everyone(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

fn container() -> Option<String> {
    // systemd-nspawn, Podman and LXC say so there.
    let said = line("/run/systemd/container").filter(|word| !word.is_empty());
    let files = [("/run/.containerenv", "podman"), ("/.dockerenv", "docker")];
    said.or_else(|| {
        files.into_iter().find(|(path, _)| Path::new(path).exists()).map(|(_, kind)| kind.to_owned())
    })
}

fn limit(resource: Resource) -> Limit {
    let limits = getrlimit(resource);
    Limit { soft: limits.current, hard: limits.maximum }
}

fn available(memory: &str) -> Option<u64> {
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn devices(folder: &str, begin: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
    let numbered = |name: &String| {
        name.strip_prefix(begin)
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut found: Vec<String> = entries.filter_map(name).filter(numbered).collect();
    found.sort();
    found
}

/// Asks the kernel how it keeps its clock; nothing is changed (adjtimex(2)).
fn clock() -> Option<ClockMeans> {
    const NOT_SYNCHRONISED: libc::c_int = 5;
    #[expect(unsafe_code, reason = "adjtimex(2) has no safe interface")]
    let (state, answer) = {
        // SAFETY: every field is a number, for which zeros are one; `modes` of 0 asks and sets nothing.
        let mut answer: libc::timex = unsafe { std::mem::zeroed() };
        // SAFETY: the block is ours for the call and of the size that the call expects.
        let state = unsafe { libc::adjtimex(&raw mut answer) };
        (state, answer)
    };
    (state >= 0).then_some(ClockMeans {
        synchronised: state != NOT_SYNCHRONISED && answer.status & libc::STA_UNSYNC == 0,
        most_off_us: answer.maxerror,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
sysfs /sys sysfs rw,nosuid 0 0
proc /proc proc rw,relatime,hidepid=invisible,gid=4 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
broken
";

    #[test]
    fn files_of_the_kernel_are_read_as_it_writes_them() {
        assert_eq!(chosen("none [integrity] confidentiality"), Some("integrity"));
        assert_eq!((chosen(""), chosen("[none"), chosen("none]")), (None, None, None));
        assert_eq!(hidepid(MOUNTS).as_deref(), Some("invisible"));
        assert_eq!(hidepid(&MOUNTS.replace("invisible", "0")), None);
        assert_eq!(hidepid("proc /proc proc rw 0 0"), None);
        assert_eq!(mount_of(MOUNTS, "cgroup2"), Some("/sys/fs/cgroup/unified"));
        assert!(is_everyone("         0          0 4294967295") && !is_everyone("0 1000 1"));
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:    2 kB\n"), Some(2048));
        assert_eq!(available("MemAvailable: 99999999999999999999 kB"), None);
    }

    #[test]
    fn a_look_says_who_we_are_and_what_the_kernel_is() {
        let means = Means::look();
        assert_eq!((means.system, means.uid), ("linux", Some(rustix::process::geteuid().as_raw())));
        assert!(means.kernel.unwrap().starts_with(|letter: char| letter.is_ascii_digit()));
        assert!(means.memory_bytes.unwrap() > 0 && means.descriptors.unwrap().soft != Some(0));
        assert_eq!((means.programs.len(), means.fences.len()), (4, 2));
        assert!(means.clock.is_some() && means.capabilities.is_some());
        // The programs need capabilities; without them each says why it is missing.
        let may = means.capabilities.unwrap() >> 21 & 1 == 1;
        assert!(may || means.programs.iter().all(|program| program.fault.is_some()));
    }

    #[test]
    fn free_room_is_that_of_the_nearest_folder() {
        let there = crate::means::free_bytes(Path::new("/proc/self/../..")).is_ok();
        let absent = std::env::temp_dir().join("portreeve-no/such/folder");
        assert!(there && crate::means::free_bytes(&absent).unwrap() > 0);
    }
}
