//! What the kernel is and what it lets us use of itself.

use host::confine::Fence;
use host::means::Limit;

use super::{Facts, Row, State};

/// The first release of Linux whose iterators show all sockets of all processes (`task_file`), and the one from which
/// memory of kernel programs is not taken from what a process may lock.
const ITERATORS: (u32, u32) = (5, 17);
const MEMORY_BY_GROUP: (u32, u32) = (5, 11);
/// What the memory of our kernel programs takes together, as long as it counts as locked.
const LOCKED_BYTES: u64 = 64 << 20;
/// With fewer descriptors than this, a busy machine's namespaces and our own connections do not fit together.
const DESCRIPTORS: u64 = 1024;

/// Major and minor number of a release.
fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

pub(super) fn rows(facts: &Facts, rows: &mut Vec<Row>) {
    let means = &facts.means;
    if means.system != "linux" {
        let why =
            format!("{} tells its table of sockets, and no events, packets or namespaces", means.system);
        let row = Row::new("system", "everything", State::Limited, why);
        return rows
            .push(row.advise("for all of it, run on Linux; elsewhere pipe a capture into portreeve read -"));
    }
    let version = means.kernel.as_deref().and_then(release);
    rows.push(match (means.kernel.as_deref(), version) {
        (Some(kernel), Some(version)) if version >= ITERATORS => {
            Row::new("kernel", "everything", State::Ok, format!("Linux {kernel}"))
        }
        (Some(kernel), Some(_)) => {
            let why = format!("Linux {kernel}: kernel programs of ours need 5.17");
            Row::new("kernel", "everything", State::Limited, why).advise("run a newer kernel")
        }
        _ => Row::new("kernel", "everything", State::Unknown, "its release is not told"),
    });
    types(facts, rows);
    for program in &means.programs {
        let name = format!("program-{}", program.name);
        rows.push(match &program.fault {
            None => Row::new(name, program.shows, State::Ok, "it loads"),
            Some(fault) => Row::new(name, program.shows, State::Limited, fault.as_str())
                .advise("run as root; the rows before say what else kernel programs need"),
        });
    }
    for source in &facts.events {
        let name = format!("event-{}", source.name);
        rows.push(match &source.fault {
            None => Row::new(name, source.shows, State::Ok, "it works"),
            Some(fault) => Row::new(name, source.shows, State::Limited, fault.as_str())
                .advise("run as root; what is not told is found by comparing looks, which miss short lives"),
        });
    }
    lockdown(facts, rows);
    limits(facts, version, rows);
    clock(facts, rows);
    for fence in &means.fences {
        let name = fence.name.to_lowercase();
        let purpose = "shutting the service off from what it does not need";
        rows.push(match &fence.fence {
            Fence::Whole => Row::new(name, purpose, State::Ok, "the kernel has it"),
            Fence::Partly(missing) => Row::new(name, purpose, State::Ok, missing.as_str()),
            Fence::None(why) => Row::new(name, purpose, State::Limited, why.as_str())
                .advise("boot a kernel with it; the unit file shuts the service off, too"),
        });
    }
}

fn types(facts: &Facts, rows: &mut Vec<Row>) {
    let purpose = "kernel programs of ours: holders, events, decoys";
    rows.push(match facts.means.types {
        Some(true) => Row::new("kernel-types", purpose, State::Ok, "/sys/kernel/btf/vmlinux is there"),
        Some(false) => {
            Row::new("kernel-types", purpose, State::Limited, "there is no /sys/kernel/btf/vmlinux")
                .advise("run a kernel with CONFIG_DEBUG_INFO_BTF=y, and with /sys mounted")
        }
        None => Row::new("kernel-types", purpose, State::Unknown, "it is not known whether there are any"),
    });
    let purpose = "events of binding and sending, by control group";
    rows.push(match &facts.means.control_groups {
        Some(place) => Row::new("cgroup2", purpose, State::Ok, format!("mounted at {place}")),
        None => Row::new("cgroup2", purpose, State::Limited, "it is not mounted")
            .advise("mount -t cgroup2 none /sys/fs/cgroup/unified (make the folder first)"),
    });
}

fn lockdown(facts: &Facts, rows: &mut Vec<Row>) {
    let purpose = "kernel programs that read what the kernel knows";
    let row = match facts.means.lockdown.as_deref() {
        Some("none") => Row::new("lockdown", purpose, State::Ok, "off"),
        Some("integrity") => {
            let why = "integrity: what we use works, functions cannot be followed";
            Row::new("lockdown", purpose, State::Ok, why)
        }
        Some(other) => {
            Row::new("lockdown", purpose, State::Limited, format!("{other}: they may read nothing"))
                .advise("boot with lockdown=integrity")
        }
        None => {
            Row::new("lockdown", purpose, State::Unknown, "/sys/kernel/security/lockdown is not to be read")
        }
    };
    // Where it is not told, whether programs load says the same, better.
    rows.push(if row.state == State::Unknown { row.optional() } else { row });
    if let Some(scope) = facts.means.ptrace_scope {
        let why = format!("ptrace_scope is {scope}, which is about changing processes and not about looking");
        rows.push(Row::new("yama", "facts of other users' processes", State::Ok, why));
    }
}

fn limits(facts: &Facts, version: Option<(u32, u32)>, rows: &mut Vec<Row>) {
    let means = &facts.means;
    let at_least = |limit: Option<u64>, least: u64| limit.is_none_or(|limit| limit >= least);
    let shown =
        |limit: Option<u64>| limit.map_or_else(|| String::from("no limit"), |limit| limit.to_string());
    if let Some(Limit { soft, .. }) = means.descriptors {
        let purpose = "namespaces, connections and files open at once";
        let row = |state| Row::new("descriptors", purpose, state, shown(soft));
        rows.push(if at_least(soft, DESCRIPTORS) {
            row(State::Ok)
        } else {
            row(State::Limited)
                .advise(format!("ulimit -n {DESCRIPTORS}, or LimitNOFILE={DESCRIPTORS} in the unit"))
        });
    }
    if let (Some(Limit { soft, .. }), Some(version)) = (means.locked_bytes, version)
        && version < MEMORY_BY_GROUP
    {
        let purpose = "memory of kernel programs";
        let row = |state| Row::new("locked-memory", purpose, state, format!("{} bytes", shown(soft)));
        rows.push(if at_least(soft, LOCKED_BYTES) {
            row(State::Ok)
        } else {
            row(State::Limited).advise("ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit")
        });
    }
    if let Some(free) = means.memory_bytes {
        let (free, wanted) = (free >> 20, facts.wanted_bytes >> 20);
        let purpose = "flows, packets and events that wait to be read";
        let why = format!("{free} MiB free, at most {wanted} MiB used as set");
        rows.push(if free >= wanted {
            Row::new("memory", purpose, State::Ok, why)
        } else {
            Row::new("memory", purpose, State::Limited, why).advise("set a smaller memory or ring in [watch]")
        });
    }
}

fn clock(facts: &Facts, rows: &mut Vec<Row>) {
    let purpose = "times of what was seen, and timing of media";
    rows.push(match facts.means.clock {
        Some(clock) if clock.synchronised => {
            let why = format!("kept in time, at most {} ms off", clock.most_off_us / 1000);
            Row::new("clock", purpose, State::Ok, why)
        }
        Some(_) => Row::new("clock", purpose, State::Limited, "nothing keeps it in time")
            .advise("run chrony or systemd-timesyncd; for media, ptp4l and phc2sys")
            .optional(),
        None => Row::new("clock", purpose, State::Unknown, "it is not known how well it is kept").optional(),
    });
    let purpose = "clocks of network cards, for the timing of media";
    let devices = &facts.means.ptp_devices;
    rows.push(if devices.is_empty() {
        Row::new("ptp", purpose, State::No, "there is no /dev/ptp*").optional()
    } else {
        Row::new("ptp", purpose, State::Ok, devices.join(", ")).optional()
    });
}
