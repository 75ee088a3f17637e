//! Which rights each thing needs, which are held, and what takes the view away whatever the rights are.

use super::{Facts, Row, State};
use crate::capability;

const fn bit(number: u32) -> u64 {
    1 << number
}

const NET_ADMIN: u64 = bit(12);
const NET_RAW: u64 = bit(13);
const PERFMON: u64 = bit(38);
const BPF: u64 = bit(39);
/// In older kernels CAP_SYS_ADMIN stands for these two, and in newer ones it still has them in it.
const SYS_ADMIN: u64 = bit(21);

/// What needs which capabilities.
const NEEDS: [(&str, &str, u64); 4] = [
    ("rights-list", "every holder of every socket, in every namespace", host::privilege::LOOKING),
    ("rights-watch", "packets", NET_RAW),
    ("rights-events", "what happens to sockets, from the kernel", BPF | PERFMON | NET_ADMIN),
    ("rights-decoy", "decoys on any number of ports", BPF | NET_ADMIN),
];

pub(super) fn rows(facts: &Facts, rows: &mut Vec<Row>) {
    let means = &facts.means;
    if means.system != "linux" {
        return;
    }
    for (name, purpose, needed) in NEEDS {
        let Some(held) = means.capabilities else {
            rows.push(Row::new(name, purpose, State::Unknown, "our capabilities are not told"));
            continue;
        };
        let held = if held & SYS_ADMIN == 0 { held } else { held | BPF | PERFMON };
        let list = |set: u64| {
            let names: Vec<String> =
                capability::names(set).map(|name| format!("CAP_{}", name.to_uppercase())).collect();
            names.join(", ")
        };
        let missing = needed & !held;
        rows.push(if missing == 0 {
            Row::new(name, purpose, State::Ok, format!("held: {}", list(needed)))
        } else {
            let state = if missing == needed { State::No } else { State::Limited };
            let set: Vec<String> = capability::names(needed).map(|name| format!("cap_{name}")).collect();
            Row::new(name, purpose, state, format!("missing: {}", list(missing))).advise(format!(
                "run as root, ask a running service, or setcap {}+ep $(command -v portreeve)",
                set.join(",")
            ))
        });
    }
    if let Some(hidepid) = &means.hidepid {
        let why = format!("/proc is mounted with hidepid={hidepid}");
        let purpose = "facts of other users' processes";
        let may = means.capabilities.is_some_and(|held| held & bit(19) != 0);
        rows.push(if may {
            Row::new("hidepid", purpose, State::Ok, format!("{why}, and CAP_SYS_PTRACE sees all"))
        } else {
            Row::new("hidepid", purpose, State::Limited, why)
                .advise("run with CAP_SYS_PTRACE, or be of the group that the mount option gid= names")
        });
    }
    if means.user_namespace == Some(true) {
        let why = "we are in a user namespace: what is root here is not root of the machine";
        rows.push(
            Row::new("user-namespace", "rights that count", State::Limited, why)
                .advise("run outside of it (for a container: --userns=host, --privileged)"),
        );
    }
    if means.pid_namespace == Some(true) {
        let container = means.container.as_deref().unwrap_or("a container");
        let why = format!("only processes of our own namespace are seen ({container})");
        rows.push(
            Row::new("pid-namespace", "processes of the whole machine", State::Limited, why)
                .advise("run on the host, or with --pid=host"),
        );
    }
}
