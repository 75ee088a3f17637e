//! What happens to sockets, as it happens: from the kernel where it tells, else from looks that are compared.
//!
//! Nothing is missed at the beginning: open first, take a snapshot, then give it to [`Events::reconcile`].

mod looks;
pub(crate) mod table;

use std::io;
use std::time::{Duration, Instant};

use model::{EventCounts, Snapshot, SocketEvent, Witness};

#[cfg(target_os = "linux")]
use crate::linux::events::Kernel;
use looks::Looks;
use table::Table;

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
    /// What it shows, in a few words; and what it can miss.
    pub shows: &'static str,
    /// Why it does not work here, if it does not.
    pub fault: Option<String>,
}

/// Tells what happens to sockets.
#[derive(Debug)]
pub struct Events {
    sources: Vec<EventSource>,
    table: Table,
    #[cfg(target_os = "linux")]
    kernel: Option<Kernel>,
    /// What the kernel does not tell here, looks have to show.
    looks: Option<Looks>,
}

impl Events {
    /// Begins to listen, in the best way that works here. Call it before privileges are given up: afterwards it goes
    /// on without them.
    pub fn open(request: &EventRequest) -> Events {
        #[cfg(target_os = "linux")]
        let (mut sources, kernel, complete) = Kernel::open(request);
        #[cfg(not(target_os = "linux"))]
        let (mut sources, complete) = (Vec::new(), false);
        let looks = (!complete).then(|| Looks::new(request.look_every));
        sources.extend(looks.as_ref().map(|_| EventSource {
            name: "looks",
            shows: "sockets that are there when we look; it misses what comes and goes between two looks",
            fault: None,
        }));
        Events {
            sources,
            table: Table::default(),
            #[cfg(target_os = "linux")]
            kernel,
            looks,
        }
    }

    /// The ways to learn of events that were tried: what each shows, and why one does not work here.
    pub fn sources(&self) -> &[EventSource] {
        &self.sources
    }

    /// How most events are known here.
    pub fn witness(&self) -> Witness {
        if self.looks.is_some() { Witness::Looks } else { Witness::Kernel }
    }

    /// Takes in what a snapshot shows that was taken after [`Events::open`]: the end of those sockets will be told
    /// with port and holder, and their beginning is not told again. May be called again with a later snapshot.
    pub fn reconcile(&mut self, snapshot: &Snapshot) {
        self.table.reconcile(snapshot);
        if let Some(looks) = &mut self.looks {
            looks.reconcile();
        }
    }

    /// Tells what happened, in order; where nothing did, waits for something until `timeout` has passed.
    pub fn wait(&mut self, timeout: Duration, take: &mut dyn FnMut(SocketEvent)) -> io::Result<()> {
        let deadline = Instant::now() + timeout;
        loop {
            #[cfg(target_os = "linux")]
            let mut told = match &mut self.kernel {
                Some(kernel) => kernel.read(&mut self.table, take)?,
                None => 0,
            };
            #[cfg(not(target_os = "linux"))]
            let mut told = 0;
            let now = Instant::now();
            if let Some(looks) = self.looks.as_mut().filter(|looks| looks.due() <= now) {
                told += looks.look(&mut self.table, take);
            }
            if told > 0 || now >= deadline {
                return Ok(());
            }
            let until = self.looks.as_ref().map_or(deadline, |looks| looks.due().min(deadline));
            let pause = until.saturating_duration_since(Instant::now());
            #[cfg(target_os = "linux")]
            if let Some(kernel) = &mut self.kernel {
                kernel.pause(pause)?;
                continue;
            }
            rest(pause);
        }
    }

    /// How much was told, and how much could not be.
    pub fn counts(&self) -> EventCounts {
        #[cfg(target_os = "linux")]
        let lost = self.kernel.as_ref().map_or(0, Kernel::lost);
        #[cfg(not(target_os = "linux"))]
        let lost = 0;
        EventCounts { seen: self.table.told, lost, forgotten: self.table.forgotten }
    }
}

/// Lets time pass, in which events gather or the next look comes due.
pub(crate) fn rest(pause: Duration) {
    std::thread::sleep(pause);
}
