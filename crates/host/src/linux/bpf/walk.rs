//! Who has which socket open, read from every descriptor table by `bpf/holders.bpf.c`.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};

use wire::holder_record::{self, BYTES, Record, Wanted};

use super::LoadError;
use super::loader::{self, Loaded};
use super::sys::{self, Mapped};

/// Compiled from `bpf/holders.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/holders.bpf.o");

/// Room for this many records at first: 2 MiB; it doubles until everything fits.
const FIRST_ENTRIES: u32 = 1 << 15;

/// More than this many records are not kept: 1 GiB.
const MOST_ENTRIES: u32 = 1 << 24;

/// The walking program, loaded.
#[derive(Debug)]
pub struct Walker {
    loaded: Loaded,
    memory: Mapped,
    entries: u32,
    /// Any socket: the program learns from it what a socket looks like.
    example: OwnedFd,
}

impl Walker {
    /// Loads the program.
    pub fn load() -> Result<Walker, LoadError> {
        Walker::with_entries(FIRST_ENTRIES)
    }

    fn with_entries(entries: u32) -> Result<Walker, LoadError> {
        Walker::of(loader::load_iterator(OBJECT, "holders", &[("records", entries)])?, entries)
    }

    fn of(loaded: Loaded, entries: u32) -> Result<Walker, LoadError> {
        let refused = |error| LoadError::Refused("share memory", error);
        let map = loaded.maps.get("records").ok_or_else(|| LoadError::NotSupported("record map".into()))?;
        let memory = Mapped::map(map, entries as usize * BYTES).map_err(refused)?;
        let example =
            rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::DGRAM, None)
                .map_err(|error| refused(error.into()))?;
        Ok(Walker { loaded, memory, entries, example })
    }

    /// Walks once, and gives each process that is visible from our PID namespace and each socket it has open.
    pub fn walk(&mut self, wanted: Wanted) -> Result<impl Iterator<Item = Record>, LoadError> {
        loop {
            let found = self.run(wanted).map_err(|e| LoadError::Refused("run a program", e))?;
            if found <= u64::from(self.entries) || self.entries >= MOST_ENTRIES {
                let kept = usize::try_from(found).unwrap_or(usize::MAX).min(self.entries as usize);
                #[expect(unsafe_code, reason = "the memory is shared with the kernel")]
                // SAFETY: only `run` makes the program write, and it needs `self` as we do.
                let records = unsafe { self.memory.bytes(kept * BYTES) };
                return Ok(records.chunks_exact(BYTES).filter_map(holder_record::parse));
            }
            // A quarter more than was found: sockets may be opened meanwhile.
            let entries = u32::try_from(found + found / 4).unwrap_or(MOST_ENTRIES).min(MOST_ENTRIES);
            *self = Walker::with_entries(entries)?;
        }
    }

    fn run(&mut self, wanted: Wanted) -> io::Result<u64> {
        let variables = self.loaded.maps.get(".bss").ok_or_else(|| io::Error::other("no variables"))?;
        let fd = u32::try_from(self.example.as_raw_fd()).map_err(io::Error::other)?;
        let mut control = holder_record::control(fd, wanted);
        variables.set_only_entry(&control)?;
        let mut iteration = File::from(sys::iterate(&self.loaded.link)?);
        // The program writes nothing here; reading to the end is what makes it run.
        let mut nothing = [0; 4096];
        while iteration.read(&mut nothing)? > 0 {}
        variables.read_only_entry(&mut control)?;
        Ok(holder_record::found(&control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::bpf::kernel_types::KernelTypes;
    use std::net::TcpListener;
    use wire::holder_record::{Open, Task};

    fn walk(walker: &mut Walker) -> (Vec<Task>, Vec<Open>) {
        let (mut tasks, mut open) = (Vec::new(), Vec::new());
        let wanted = Wanted { details: true, ..Wanted::default() };
        for record in walker.walk(wanted).unwrap() {
            match record {
                Record::Task(task) => tasks.push(task),
                Record::Open(socket) => open.push(socket),
            }
        }
        (tasks, open)
    }

    #[test]
    fn finds_a_listener_of_our_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut walker = match Walker::load() {
            Ok(walker) => walker,
            Err(error) => return eprintln!("SKIPPED: {error}"),
        };
        let (tasks, open) = walk(&mut walker);
        let pid = std::process::id();
        let fd = u32::try_from(listener.as_raw_fd()).unwrap();
        let task = tasks.iter().find(|task| task.pid == pid).expect("ourselves");
        let comm = std::fs::read("/proc/self/comm").unwrap();
        assert!(task.netns != 0 && task.comm.starts_with(&comm[..comm.len() - 1]));
        let found = open.iter().find(|open| open.pid == pid && open.port == port).expect("our listener");
        assert_eq!((found.fd, found.state, &found.address[..4]), (fd, 10, &[127, 0, 0, 1][..]));
    }

    #[test]
    fn an_older_kernel_is_read_to_the_same_records() {
        let sockets = ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"].map(|addr| TcpListener::bind(addr).unwrap());
        let datagrams = std::net::UdpSocket::bind("[::]:0").unwrap();
        let _connected = std::net::TcpStream::connect(sockets[0].local_addr().unwrap()).unwrap();
        let entries = [("records", FIRST_ENTRIES)];
        let Ok(types) = KernelTypes::open() else { return eprintln!("SKIPPED: no BPF here") };
        let load = |calls| {
            let opened = loader::Opened::of(OBJECT, &types, &entries)?;
            let link = opened.load_with("holders", calls)?.tie_here()?;
            Ok::<Loaded, LoadError>(Loaded { link, maps: opened.into_maps() })
        };
        let own = |loaded: Loaded, wanted: Wanted| -> Vec<Open> {
            let mut walker = Walker::of(loaded, FIRST_ENTRIES).unwrap();
            let all = walker.walk(wanted).unwrap().filter_map(|record| match record {
                Record::Open(open) if open.pid == std::process::id() => Some(open),
                _ => None,
            });
            // Other tests of this process come and go.
            let ports = sockets.iter().map(|socket| socket.local_addr().unwrap().port());
            let ports: Vec<u16> = ports.chain([datagrams.local_addr().unwrap().port()]).collect();
            all.filter(|open| ports.contains(&open.port) || ports.contains(&open.peer_port)).collect()
        };
        for wanted in [(false, false), (true, true)] {
            let wanted = Wanted { connected: wanted.0, details: wanted.1 };
            let (Ok(new), Ok(old)) = (load(loader::Calls::Functions), load(loader::Calls::HelpersOnly))
            else {
                return eprintln!("SKIPPED: no BPF here");
            };
            let (new, old) = (own(new, wanted), own(old, wanted));
            assert_eq!(new, old);
            assert_eq!(new.len(), if wanted.connected { 5 } else { 4 }, "{new:?}");
        }
    }

    #[test]
    fn grows_until_everything_fits() {
        let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let Ok(mut walker) = Walker::with_entries(1) else { return eprintln!("SKIPPED: no BPF here") };
        let (_, open) = walk(&mut walker);
        assert!(walker.entries > 1);
        assert!(open.iter().any(|open| open.pid == std::process::id()));
    }
}
