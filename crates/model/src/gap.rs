//! Where we could not look, and why.

use alloc::string::String;

/// Why a fact could not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The operating system refused: another user's process, or a missing capability.
    NoPermission,
    /// The holder lives in a PID namespace that is not visible from ours.
    OtherPidNamespace,
    /// The socket lives in a network namespace that we could not enter.
    OtherNetworkNamespace,
    /// The kernel itself owns the socket (an in-kernel server, a tunnel, a control socket).
    KernelOwned,
    /// The process ended while we looked.
    Exited,
    /// No descriptor table has the socket: it travels in a message, io_uring keeps it, or a mapping of it is left.
    InFlight,
    /// Packets to the port are redirected; there is no socket here.
    PublishedWithoutSocket,
    /// This operating system, kernel or build has no means to look.
    NotSupported,
    /// A bound of ours was reached; the rest was not read.
    LimitReached,
    /// What we read is not what its format says.
    Damaged,
    /// Looked everywhere we can, found nothing, and cannot say why.
    Unknown,
}

impl Reason {
    /// Every reason, in order.
    pub const ALL: [Reason; 11] = [
        Reason::NoPermission,
        Reason::OtherPidNamespace,
        Reason::OtherNetworkNamespace,
        Reason::KernelOwned,
        Reason::Exited,
        Reason::InFlight,
        Reason::PublishedWithoutSocket,
        Reason::NotSupported,
        Reason::LimitReached,
        Reason::Damaged,
        Reason::Unknown,
    ];

    /// The stable code, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Reason::NoPermission => "no_permission",
            Reason::OtherPidNamespace => "other_pid_namespace",
            Reason::OtherNetworkNamespace => "other_network_namespace",
            Reason::KernelOwned => "kernel_owned",
            Reason::Exited => "exited",
            Reason::InFlight => "in_flight",
            Reason::PublishedWithoutSocket => "published_without_socket",
            Reason::NotSupported => "not_supported",
            Reason::LimitReached => "limit_reached",
            Reason::Damaged => "damaged",
            Reason::Unknown => "unknown",
        }
    }

    /// The reason in words, for a sentence that begins "holder not known:".
    pub fn words(self) -> &'static str {
        match self {
            Reason::NoPermission => "not allowed to look",
            Reason::OtherPidNamespace => "it runs in another PID namespace",
            Reason::OtherNetworkNamespace => "it is in a network namespace that could not be entered",
            Reason::KernelOwned => "the kernel itself owns it",
            Reason::Exited => "the process ended while we looked",
            Reason::InFlight => {
                "no process has a descriptor of it; it may travel in a message or be kept by io_uring"
            }
            Reason::PublishedWithoutSocket => "packets are redirected; there is no socket",
            Reason::NotSupported => "this system offers no means to look",
            Reason::LimitReached => "a limit was reached",
            Reason::Damaged => "what was read is damaged",
            Reason::Unknown => "no reason was found",
        }
    }

    /// What would help to see more.
    pub fn help(self) -> &'static str {
        match self {
            Reason::NoPermission => {
                "run as root, or give the binary CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_ADMIN"
            }
            Reason::OtherPidNamespace => "run in the host's PID namespace (for a container: --pid=host)",
            Reason::OtherNetworkNamespace => {
                "run as root on the host (entering a namespace needs CAP_SYS_ADMIN)"
            }
            Reason::KernelOwned => {
                "see which kernel feature listens: nfsd, a tunnel, WireGuard (lsmod, wg show, rpcinfo -p)"
            }
            Reason::Exited => "run again",
            Reason::InFlight => {
                "run again; if it stays, look for a process that passes descriptors (SCM_RIGHTS) or keeps them in io_uring"
            }
            Reason::PublishedWithoutSocket => "see the rule: nft list ruleset",
            Reason::NotSupported => "run on Linux 5.17 or newer with BTF (/sys/kernel/btf/vmlinux)",
            Reason::LimitReached => "ask for one port, or raise the limit",
            Reason::Damaged => "verify the file that is named",
            Reason::Unknown => "run as root with BPF available, and compare: portreeve --probe",
        }
    }
}

/// What kind of thing could not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// Sockets of one kind or in one namespace.
    Sockets,
    /// Which processes hold sockets.
    Holders,
    /// Facts of a process: executable, command line, directory, capabilities.
    Processes,
    /// Network namespaces.
    Namespaces,
    /// Address-translation rules.
    Forwards,
    /// Package databases and digests.
    Packages,
    /// Containers and units.
    Containers,
    /// The machine's own port rules.
    PortRules,
    /// What was on the wire.
    Traffic,
    /// Policy, baseline or registry files of ours.
    Configuration,
    /// Packets: of a capture file or of an interface.
    Capture,
}

impl Area {
    /// The stable code, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Area::Sockets => "sockets",
            Area::Holders => "holders",
            Area::Processes => "processes",
            Area::Namespaces => "namespaces",
            Area::Forwards => "forwards",
            Area::Packages => "packages",
            Area::Containers => "containers",
            Area::PortRules => "port_rules",
            Area::Traffic => "traffic",
            Area::Configuration => "configuration",
            Area::Capture => "capture",
        }
    }
}

/// One place where we could not look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The kind of thing.
    pub area: Area,
    /// Why we could not look.
    pub reason: Reason,
    /// What exactly, in words ("14 processes of other users").
    pub what: String,
    /// How many things this hides, where it can be counted.
    pub count: Option<u64>,
}

impl Gap {
    /// What would help to see more.
    pub fn help(&self) -> &'static str {
        match (self.area, self.reason) {
            (Area::Traffic, Reason::LimitReached) => "raise --memory, or narrow it down with --filter",
            (Area::Traffic, Reason::Damaged) => "capture whole packets (tcpdump -s 0)",
            (Area::Capture, Reason::LimitReached) => {
                "give the capture a larger ring (--ring), or less to do (--filter)"
            }
            (Area::Capture, Reason::Damaged) => "capture again; what came before the fault counts",
            (Area::Capture, Reason::NotSupported) => "capture with another link type, or leave --filter out",
            (Area::Capture, Reason::NoPermission) => "run with CAP_NET_RAW (sudo portreeve watch)",
            (_, reason) => reason.help(),
        }
    }
}
