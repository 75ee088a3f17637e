//! Where a program runs, as its section's name says.

use wire::btf::Kind;

const CGROUP_SOCKET: u32 = 9;
const CGROUP_ADDRESS: u32 = 18;
const TRACING: u32 = 26;
const SOCKET_LOOKUP: u32 = 30;
const TRACE_RAW_TRACEPOINT: u32 = 23;
const TRACE_ITERATOR: u32 = 28;
const LOOKUP: u32 = 36;

/// Sections of programs that are tied to a control group: name, kind of program, kind of tie (`enum bpf_attach_type`).
const CGROUP: [(&[u8], u32, u32); 7] = [
    (b"cgroup/connect4", CGROUP_ADDRESS, 10),
    (b"cgroup/connect6", CGROUP_ADDRESS, 11),
    (b"cgroup/post_bind4", CGROUP_SOCKET, 12),
    (b"cgroup/post_bind6", CGROUP_SOCKET, 13),
    (b"cgroup/sendmsg4", CGROUP_ADDRESS, 14),
    (b"cgroup/sendmsg6", CGROUP_ADDRESS, 15),
    (b"cgroup/sock_release", CGROUP_SOCKET, 34),
];

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook<'a> {
    /// `iter/TARGET`: once for each thing of a kind, when it is read.
    Iterator(&'a [u8]),
    /// `tp_btf/NAME`: whenever the kernel passes there.
    Tracepoint(&'a [u8]),
    /// `cgroup/NAME`: for the sockets of a control group; kind of program, kind of tie.
    Cgroup(u32, u32),
    /// `sk_lookup`: whenever a packet looks for its socket in a network namespace.
    Lookup,
}

/// How a program is tied to where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    /// To what it was loaded for.
    Nowhere(u32),
    /// To its tracepoint.
    Tracepoint,
    /// To an open control group or network namespace.
    To(u32),
}

impl<'a> Hook<'a> {
    /// What a section's name says; `None` for a section that is no program's.
    pub(super) fn of(section: &'a [u8]) -> Option<Hook<'a>> {
        if let Some(target) = section.strip_prefix(b"iter/") {
            return Some(Hook::Iterator(target));
        }
        if let Some(name) = section.strip_prefix(b"tp_btf/") {
            return Some(Hook::Tracepoint(name));
        }
        if section == b"sk_lookup" {
            return Some(Hook::Lookup);
        }
        let known = CGROUP.iter().find(|(name, _, _)| *name == section);
        known.map(|(_, program, tie)| Hook::Cgroup(*program, *tie))
    }

    /// The kernel's type by which it knows the place: kind and name.
    pub(super) fn kernel_type(&self) -> Option<(Kind, Vec<u8>)> {
        match self {
            Hook::Iterator(target) => Some((Kind::FUNC, [b"bpf_iter_", *target].concat())),
            Hook::Tracepoint(name) => Some((Kind::TYPEDEF, [b"btf_trace_", *name].concat())),
            Hook::Cgroup(..) | Hook::Lookup => None,
        }
    }

    /// The kind of program (`enum bpf_prog_type`).
    pub(super) fn program_kind(&self) -> u32 {
        match self {
            Hook::Iterator(_) | Hook::Tracepoint(_) => TRACING,
            Hook::Cgroup(program, _) => *program,
            Hook::Lookup => SOCKET_LOOKUP,
        }
    }

    /// What it expects to be tied to (`enum bpf_attach_type`).
    pub(super) fn attach_kind(&self) -> u32 {
        match self {
            Hook::Iterator(_) => TRACE_ITERATOR,
            Hook::Tracepoint(_) => TRACE_RAW_TRACEPOINT,
            Hook::Cgroup(_, tie) => *tie,
            Hook::Lookup => LOOKUP,
        }
    }

    /// How it is tied.
    pub(super) fn tie(&self) -> Tie {
        match self {
            Hook::Iterator(_) => Tie::Nowhere(TRACE_ITERATOR),
            Hook::Tracepoint(_) => Tie::Tracepoint,
            Hook::Cgroup(..) | Hook::Lookup => Tie::To(self.attach_kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_say_where_programs_run() {
        assert_eq!(Hook::of(b"iter/task_file"), Some(Hook::Iterator(b"task_file")));
        let tracepoint = Hook::of(b"tp_btf/inet_sock_set_state").unwrap();
        assert_eq!(
            tracepoint.kernel_type(),
            Some((Kind::TYPEDEF, b"btf_trace_inet_sock_set_state".to_vec()))
        );
        assert_eq!(Hook::of(b"cgroup/post_bind6").unwrap().attach_kind(), 13);
        assert_eq!(Hook::of(b"sk_lookup").unwrap().tie(), Tie::To(36));
        for other in [&b".text"[..], b"cgroup/", b"cgroup/bind4", b"sk_lookup/x", b"license", b""] {
            assert_eq!(Hook::of(other), None);
        }
    }
}
