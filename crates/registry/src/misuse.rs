//! History of misuse per port, with counts and sources. A number proves nothing.

use core::fmt;

use model::Transport;

/// What a port was to a family of malware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Known command-and-control endpoints used it.
    CommandEndpoint,
    /// Reports say that its command channel used it although the protocol belongs elsewhere.
    CommandNonstandard,
    /// The same, on mobile devices.
    CommandNonstandardMobile,
    /// A shell was bound to it.
    BoundShell,
    /// It was attacked by guessing passwords.
    BruteTarget,
    /// A firewall was opened for it.
    FirewallOpen,
    /// It was looked for by scanning.
    ScanTarget,
    /// A report mentions it in another role.
    Mention,
}

/// One line of a port's history of misuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misuse {
    /// The family, as the source names it.
    pub family: &'static str,
    /// What the port was to it.
    pub role: Role,
    /// Number of known endpoints, where the source counts.
    pub endpoints: Option<u32>,
    /// Where this was read.
    pub source: &'static str,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.family)
    }
}

/// The history of a port, most endpoints first. Entries that name no transport count for all.
pub fn misuse(_transport: Transport, _port: u16) -> impl Iterator<Item = Misuse> {
    core::iter::empty()
}
