//! Whether a socket that no process has open belongs to the kernel itself, as `bpf/owners.bpf.c` sees it.

use std::fs::File;
use std::io::{ErrorKind, Read};

use rustc_hash::FxHashMap;
use wire::owner_record;

use super::LoadError;
use super::loader::{self, Loaded};
use super::sys;

/// Compiled from `bpf/owners.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/owners.bpf.o");

/// More than this is not read: records of a million sockets.
const MOST_BYTES: u64 = 16 << 20;

/// The asking programs, loaded.
#[derive(Debug)]
pub struct Owners {
    programs: [Loaded; 2],
}

impl Owners {
    /// Loads the programs.
    pub fn load() -> Result<Owners, LoadError> {
        let load = |program, target| loader::load_iterator(OBJECT, program, target, &[]);
        Ok(Owners { programs: [load("tcp_owners", "tcp")?, load("udp_owners", "udp")?] })
    }

    /// For each TCP listener and each unconnected UDP socket of the namespace that the calling thread is in, by cookie:
    /// whether the kernel itself uses it. Only sockets that were dumped before have a cookie.
    pub fn by_cookie(&self) -> Result<FxHashMap<u64, bool>, LoadError> {
        let refused = |error| LoadError::Refused("run a program", error);
        let mut owners = FxHashMap::default();
        for program in &self.programs {
            // The iteration is tied to the namespace of the thread that starts it.
            let iteration = File::from(sys::iterate(&program.link).map_err(refused)?);
            let mut answer = Vec::new();
            match iteration.take(MOST_BYTES).read_to_end(&mut answer) {
                Ok(_) => {}
                // So the program ends its reading where connections begin.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(refused(error)),
            }
            owners.extend(owner_record::all(&answer).map(|owner| (owner.cookie, owner.by_kernel)));
        }
        Ok(owners)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};

    use super::*;
    use crate::linux::{sandbox, sockets};

    #[test]
    fn a_process_has_its_sockets_and_the_kernel_its_own() {
        sandbox::run("a_process_has_its_sockets_and_the_kernel_its_own", || {
            let owners = match Owners::load() {
                Ok(owners) => owners,
                Err(error) => return eprintln!("SKIPPED: {error}"),
            };
            // As many as do not fit in one page of answers.
            let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            let tcp: Vec<TcpListener> = (0..300).map(|_| TcpListener::bind((any, 0)).unwrap()).collect();
            let udp: Vec<UdpSocket> = (0..300).map(|_| UdpSocket::bind((any, 0)).unwrap()).collect();
            assert_eq!(owners.by_cookie().unwrap().len(), 0, "nobody has asked for cookies yet");
            let found = sockets::dump(1, sockets::Wanted { connected: false, bound: false });
            let by_cookie = owners.by_cookie().unwrap();
            let mut ours = 0;
            for socket in &found.sockets {
                assert_eq!(by_cookie.get(&socket.cookie), Some(&false), "{socket:?}");
                ours += 1;
            }
            assert_eq!(ours, tcp.len() + udp.len());
        });
    }
}
