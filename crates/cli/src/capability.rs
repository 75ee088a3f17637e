//! Names of Linux capabilities (capabilities(7)), and digests in hexadecimal.

const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The names of a set, in order; bits that we know no name for by their number.
pub(crate) fn names(set: u64) -> impl Iterator<Item = std::borrow::Cow<'static, str>> {
    (0..64_usize).filter(move |bit| set >> bit & 1 == 1).map(|bit| match NAMES.get(bit) {
        Some(name) => (*name).into(),
        None => format!("bit_{bit}").into(),
    })
}

/// Whether the set has every capability that we know a name for.
pub(crate) fn is_all(set: u64) -> bool {
    let known = (1_u64 << NAMES.len()) - 1;
    set & known == known
}

/// A set in words for people: what it has, or what little it lacks.
pub(crate) fn words(set: u64) -> String {
    let known = (1_u64 << NAMES.len()) - 1;
    let missing: Vec<_> = names(known & !set).collect();
    if set == 0 {
        String::from("none")
    } else if is_all(set) {
        String::from("all")
    } else if missing.len() <= 8 {
        format!("all but {}", missing.join(", "))
    } else {
        names(set).collect::<Vec<_>>().join(", ")
    }
}

/// A digest in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_of_the_kernel() {
        assert_eq!(names(model::Capabilities::NET_BIND_SERVICE).collect::<Vec<_>>(), ["net_bind_service"]);
        assert_eq!(names(model::Capabilities::NET_RAW).collect::<Vec<_>>(), ["net_raw"]);
        assert_eq!(names(model::Capabilities::SYS_ADMIN).collect::<Vec<_>>(), ["sys_admin"]);
        assert_eq!(names(1 << 40 | 1 << 60).collect::<Vec<_>>(), ["checkpoint_restore", "bit_60"]);
        assert_eq!((words(0), words(0x1ff_ffff_ffff)), (String::from("none"), String::from("all")));
        assert_eq!(words(0x1ff_ffff_ffff & !(1 << 21)), "all but sys_admin");
    }
}
