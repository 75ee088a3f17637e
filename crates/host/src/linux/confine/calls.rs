//! System calls that we never make, refused by the kernel (seccomp(2)).
//!
//! It is a list of what is refused and not of what is allowed: what a database, a TLS library or a later C library call
//! must not break a service that runs, and the unit file has the list of what is allowed.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::confine::{Fence, Measure};

const NAME: &str = "seccomp";

/// Refused whatever the arguments are.
const NEVER: &[c_long] = &[
    // Other processes: to look at them we read /proc.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    // Another kernel, or more of this one.
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    // Another view of files.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_mknodat,
    // With CAP_DAC_READ_SEARCH it opens any file of the disk, past every mount.
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // The clocks and names of the machine.
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // Keys.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Ways into the kernel that we do not need and that had more holes than others; io_uring passes by this filter.
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_personality,
    libc::SYS_vhangup,
];

/// The same, of one kind of machine only.
#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_mknod,
    libc::SYS_uselib,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[c_long] = &[];

/// Refused where no programs are to be started.
const PROGRAMS: &[c_long] = &[libc::SYS_execve, libc::SYS_execveat];

/// New namespaces, by flag of clone(2).
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWCGROUP,
];

/// The families of sockets that we make: control and logs, the network, the kernel's tables, packets.
const FAMILIES: [i32; 5] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];

/// The same call made in the way of x32, which some kernels for this machine have: it would pass by the list.
#[cfg(target_arch = "x86_64")]
const OTHER_WAY: c_long = 0x4000_0000;
#[cfg(not(target_arch = "x86_64"))]
const OTHER_WAY: c_long = 0;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Outcome<T> = Result<T, seccompiler::BackendError>;

/// Whether an argument is, or is not, this.
fn when(argument: u8, is: SeccompCmpOp, value: i32) -> Outcome<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, u64::from(value.cast_unsigned()))
}

fn flag(value: i32) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(u64::from(value.cast_unsigned()))
}

fn refused(programs: bool) -> Outcome<Rules> {
    let mut rules: Rules = BTreeMap::new();
    let more = if programs { &[][..] } else { PROGRAMS };
    for call in NEVER.iter().chain(NEVER_HERE).chain(more) {
        rules.insert(*call, Vec::new());
    }
    // Into other networks we go to look; into no other kind of namespace.
    rules.insert(
        libc::SYS_setns,
        vec![SeccompRule::new(vec![when(1, SeccompCmpOp::Ne, libc::CLONE_NEWNET)?])?],
    );
    let into_new = |kind| SeccompRule::new(vec![when(0, flag(kind), kind)?]);
    rules.insert(libc::SYS_clone, NAMESPACES.into_iter().map(into_new).collect::<Outcome<_>>()?);
    let none_of = FAMILIES.into_iter().map(|family| when(0, SeccompCmpOp::Ne, family));
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(none_of.collect::<Outcome<_>>()?)?]);
    let other: Vec<_> = rules.keys().filter(|_| OTHER_WAY != 0).map(|call| call | OTHER_WAY).collect();
    rules.extend(other.into_iter().map(|call| (call, Vec::new())));
    Ok(rules)
}

fn filter(rules: Rules, error: i32) -> Outcome<BpfProgram> {
    let refuse = SeccompAction::Errno(error.cast_unsigned());
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture)?.try_into()
}

/// Puts the filter around the calling thread and what it starts.
pub(super) fn put_up(programs: bool) -> Measure {
    let keeps_from = format!(
        "{} system calls that we never make, new namespaces, other families of sockets{}",
        NEVER.len() + NEVER_HERE.len(),
        if programs { "" } else { ", starting programs" },
    );
    // Its flags stand in memory where no filter sees them. Where it is said not to exist, C libraries take clone(2).
    let unseen = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let both =
        filter(unseen, libc::ENOSYS).and_then(|first| Ok((first, filter(refused(programs)?, libc::EPERM)?)));
    let fence = match both {
        Err(error) => Fence::None(error.to_string()),
        Ok((first, second)) => {
            match seccompiler::apply_filter(&first).and_then(|()| seccompiler::apply_filter(&second)) {
                Ok(()) => Fence::Whole,
                Err(error) => Fence::None(error.to_string()),
            }
        }
    };
    Measure { name: NAME, keeps_from, fence }
}

/// Whether the kernel has such filters, and we know how to write them for this machine.
pub(crate) fn possible() -> Measure {
    let actions = std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
    let fence = match (actions, filter(BTreeMap::from([(libc::SYS_reboot, Vec::new())]), libc::EPERM)) {
        (Ok(actions), Ok(_)) if actions.split_whitespace().any(|it| it == "errno") => Fence::Whole,
        (_, Err(error)) => Fence::None(error.to_string()),
        _ => Fence::None("the kernel has no filters for system calls (CONFIG_SECCOMP_FILTER)".into()),
    };
    Measure { name: NAME, keeps_from: "system calls that we never make".into(), fence }
}
