//! What this machine offers to whoever wants to see everything on it: kernel, rights, limits, devices.
//!
//! Plain facts, each as the system tells it; `None` where it does not. What they mean is said elsewhere.

use crate::confine::Measure;

/// A kernel program of ours, and whether it loads here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramMeans {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// Why it does not load, if it does not.
    pub fault: Option<String>,
}

/// A limit: what holds now, and to what it can be raised without privilege. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What holds.
    pub soft: Option<u64>,
    /// The most it can be raised to.
    pub hard: Option<u64>,
}

/// How the clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockMeans {
    /// Whether something keeps it in time.
    pub synchronised: bool,
    /// The most that it is thought to be off, in microseconds.
    pub most_off_us: i64,
}

/// What this machine offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Means {
    /// `linux`, `macos`, `windows`.
    pub system: &'static str,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// Our effective user.
    pub uid: Option<u32>,
    /// Capabilities that we have in effect, as bits (capabilities(7)).
    pub capabilities: Option<u64>,
    /// Whether the kernel tells its types: programs of ours find their way by them.
    pub types: Option<bool>,
    /// Our kernel programs.
    pub programs: Vec<ProgramMeans>,
    /// Which lockdown is on: `none`, `integrity`, `confidentiality`.
    pub lockdown: Option<String>,
    /// Yama's `ptrace_scope`.
    pub ptrace_scope: Option<u32>,
    /// The `hidepid` of /proc, where it hides something.
    pub hidepid: Option<String>,
    /// Whether we are in a user namespace of somebody's making, where root is not root.
    pub user_namespace: Option<bool>,
    /// Whether we are in a namespace of processes of somebody's making, and see only those in it.
    pub pid_namespace: Option<bool>,
    /// The kind of container that we are in, as far as it shows.
    pub container: Option<String>,
    /// Where the second version of control groups is mounted.
    pub control_groups: Option<String>,
    /// How many descriptors we may have.
    pub descriptors: Option<Limit>,
    /// How much memory we may lock, in bytes.
    pub locked_bytes: Option<Limit>,
    /// Memory that is free for use, in bytes.
    pub memory_bytes: Option<u64>,
    /// The clock.
    pub clock: Option<ClockMeans>,
    /// Clocks of network cards.
    pub ptp_devices: Vec<String>,
    /// Why packets cannot be read, if they cannot.
    pub packets_fault: Option<String>,
    /// Which fences we could put around ourselves.
    pub fences: Vec<Measure>,
    /// Whether systemd runs the machine.
    pub systemd: Option<bool>,
}

impl Means {
    /// Looks.
    pub fn look() -> Means {
        let mut means = Means { system: std::env::consts::OS, ..Means::default() };
        means.fences = crate::confine::possible();
        let request = crate::capture::CaptureRequest {
            ring_bytes: 1 << 20,
            promiscuous: false,
            ..crate::capture::CaptureRequest::default()
        };
        means.packets_fault = crate::capture::Capture::open(&request).err().map(|error| error.to_string());
        #[cfg(target_os = "linux")]
        crate::linux::means::look(&mut means);
        means
    }
}

/// How many bytes are free for us on the disk of this folder, or of the nearest folder above it that is there.
pub fn free_bytes(folder: &std::path::Path) -> std::io::Result<u64> {
    #[cfg(unix)]
    {
        let mut folder = folder;
        loop {
            match rustix::fs::statvfs(folder) {
                Ok(about) => return Ok(about.f_bavail.saturating_mul(about.f_frsize)),
                Err(rustix::io::Errno::NOENT) => match folder.parent() {
                    Some(above) => folder = above,
                    None => return Err(rustix::io::Errno::NOENT.into()),
                },
                Err(error) => return Err(error.into()),
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
