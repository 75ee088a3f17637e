//! What happens to sockets, as it happens: from the kernel where it tells, else from looks that are compared.
//!
//! Nothing is missed at the beginning: open first, take a snapshot, then give it to [`Events::reconcile`].

use std::time::Duration;

/// What to ask for. The default asks the kernel, and compares looks where it does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRequest {
    /// Ask the kernel; without it, looks are compared.
    pub kernel: bool,
    /// Memory that holds events until they are read, in bytes.
    pub ring_bytes: usize,
    /// How often to look, where looks are compared.
    pub look_every: Duration,
}

impl Default for EventRequest {
    fn default() -> Self {
        EventRequest { kernel: true, ring_bytes: 8 << 20, look_every: Duration::from_millis(100) }
    }
}

/// A way to learn of events, and whether it works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// Its name: `tp_btf/inet_sock_set_state`, `cgroup/post_bind4`, `looks`.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub shows: &'static str,
    /// Why it does not work here, if it does not.
    pub fault: Option<String>,
}
