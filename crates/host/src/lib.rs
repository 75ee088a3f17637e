//! The only crate that asks the operating system, and the only one with `unsafe`.
//!
//! [`Looker::snapshot`] gives every socket of the machine with its holders, and says where it could not look.

use core::ops::RangeInclusive;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Timestamp, Utc};

pub mod capture;
pub mod client;
pub mod confine;
pub mod decoy;
pub mod deliver;
#[cfg(any(target_os = "macos", target_os = "windows"))]
mod elsewhere;
pub mod events;
mod interfaces;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod local;
#[cfg(target_os = "macos")]
mod macos;
pub mod means;
#[cfg(not(target_os = "linux"))]
mod plain;
pub mod privilege;
pub mod receive;
pub mod supervise;
pub mod tls;
pub mod transmit;
#[cfg(target_os = "windows")]
mod windows;

pub use interfaces::{Interface, interfaces};
#[cfg(target_os = "linux")]
pub use linux::Looker;
#[cfg(target_os = "macos")]
pub use macos::Looker;
#[cfg(target_os = "windows")]
pub use windows::Looker;

/// What to look at. The default is what a list of listeners needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Connected stream sockets and datagram sockets with a peer, too.
    pub connected: bool,
    /// Every network namespace of the machine, not only our own.
    pub all_namespaces: bool,
    /// Ports that address translation publishes without a socket.
    pub forwards: bool,
    /// Which package owns each executable, and whether its digest is the recorded one.
    pub integrity: bool,
    /// SHA-256 of each executable.
    pub sha256: bool,
    /// Try to bind every port in this range that nobody lists, to find what hides.
    pub probe: Option<RangeInclusive<u16>>,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            connected: false,
            all_namespaces: true,
            forwards: true,
            integrity: true,
            sha256: false,
            probe: None,
        }
    }
}

/// Which multicast groups this machine has joined, by socket as far as the system tells.
pub fn memberships() -> model::media::Memberships {
    #[cfg(target_os = "linux")]
    return linux::memberships::read();
    #[cfg(not(target_os = "linux"))]
    {
        let what = "which multicast groups are joined".to_owned();
        let gap =
            model::Gap { area: model::Area::Sockets, reason: model::Reason::NotSupported, what, count: None };
        model::media::Memberships { joined: Vec::new(), gaps: vec![gap] }
    }
}

/// The name of this machine, as it calls itself.
pub fn machine_name() -> String {
    #[cfg(target_os = "linux")]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(target_os = "linux"))]
    ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default()
}

/// Does it until nothing interrupts it, and begins it anew only within this time: a machine that was frozen for a moment
/// interrupts who waits at a socket with a limit, whatever is done about signals (signal(7)).
pub(crate) fn uninterrupted<T>(within: Duration, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let begun = Instant::now();
    loop {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted && begun.elapsed() < within => {}
            done => return done,
        }
    }
}

/// What our own process needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The time that processors worked for it since it began.
    pub cpu: Duration,
    /// The memory that it has now, in bytes.
    pub resident_bytes: u64,
}

/// What our own process needs; `None` where the system does not tell.
pub fn need() -> Option<Need> {
    #[cfg(target_os = "linux")]
    return linux::need::read();
    #[cfg(not(target_os = "linux"))]
    None
}

/// The system clock.
pub fn now() -> Timestamp<Utc> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ns(i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX))
}

/// The user on the other side of a TCP connection of this machine: `here` is our end, `there` the other one.
///
/// `None` where the other end is not of our network namespace, is not open any more, or the system does not tell.
pub fn peer_user(here: SocketAddr, there: SocketAddr) -> Option<u32> {
    #[cfg(target_os = "linux")]
    return linux::peer::user(here, there);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (here, there);
        None
    }
}

/// The numbers of those among the processes that are our own program, by the file that runs and never by its name.
pub fn ourselves(processes: &[Arc<model::Process>]) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    return linux::ourselves::among(processes);
    #[cfg(not(target_os = "linux"))]
    {
        let own = std::process::id();
        processes.iter().map(|process| process.pid).filter(|pid| *pid == own).collect()
    }
}

/// The effective user that we run as; `None` where the system has no numbers for users.
pub fn own_user() -> Option<u32> {
    #[cfg(target_os = "linux")]
    return Some(rustix::process::geteuid().as_raw());
    #[cfg(not(target_os = "linux"))]
    None
}
