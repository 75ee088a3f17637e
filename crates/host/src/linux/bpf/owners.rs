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

/// The two programs, one for each transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// TCP listeners.
    Tcp,
    /// UDP sockets without a peer.
    Udp,
}

/// One asking program, loaded.
#[derive(Debug)]
pub struct Owners {
    program: Loaded,
}

impl Owners {
    /// Loads the program for one transport.
    pub fn load(asked: Asked) -> Result<Owners, LoadError> {
        let program = match asked {
            Asked::Tcp => "tcp_owners",
            Asked::Udp => "udp_owners",
        };
        Ok(Owners { program: loader::load_iterator(OBJECT, program, &[])? })
    }

    /// For each socket with one of these ports in the namespace that the calling thread is in, by cookie: whether the
    /// kernel itself uses it. Only sockets that were dumped before have a cookie.
    pub fn by_cookie(&self, ports: impl IntoIterator<Item = u16>) -> Result<FxHashMap<u64, bool>, LoadError> {
        let refused = |error| LoadError::Refused("run a program", error);
        let missing = || LoadError::NotSupported("program variables".into());
        let variables = self.program.maps.get(".bss").ok_or_else(missing)?;
        variables.set_only_entry(&owner_record::wanted(ports)).map_err(refused)?;
        // The iteration is tied to the namespace of the thread that starts it.
        let iteration = File::from(sys::iterate(&self.program.link).map_err(refused)?);
        let mut answer = Vec::new();
        match iteration.take(MOST_BYTES).read_to_end(&mut answer) {
            Ok(_) => {}
            // So the program ends its reading where connections begin.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(refused(error)),
        }
        Ok(owner_record::all(&answer).map(|owner| (owner.cookie, owner.by_kernel)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};

    use super::*;
    use crate::linux::{sandbox, sockets};
    use model::Kind;

    #[test]
    fn what_processes_have_is_not_the_kernels() {
        sandbox::run("what_processes_have_is_not_the_kernels", || {
            let (tcp, udp) = match (Owners::load(Asked::Tcp), Owners::load(Asked::Udp)) {
                (Ok(tcp), Ok(udp)) => (tcp, udp),
                (Err(error), _) | (_, Err(error)) => return eprintln!("SKIPPED: {error}"),
            };
            // As many as do not fit in one page of answers, and connections behind them.
            let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            let listeners: Vec<TcpListener> =
                (0..300).map(|_| TcpListener::bind((any, 0)).unwrap()).collect();
            let bound: Vec<UdpSocket> = (0..300).map(|_| UdpSocket::bind((any, 0)).unwrap()).collect();
            let found = sockets::dump(1, sockets::Wanted { connected: false, bound: false });
            for (kind, owners, count) in [(Kind::Tcp, &tcp, listeners.len()), (Kind::Udp, &udp, bound.len())]
            {
                let answer = owners.by_cookie(0..=65535).unwrap();
                assert_eq!(answer.len(), count);
                let dumped: Vec<_> = found.sockets.iter().filter(|socket| socket.kind == kind).collect();
                assert_eq!(dumped.len(), count);
                assert!(dumped.iter().all(|socket| answer.get(&socket.cookie) == Some(&false)));
                let one = owners.by_cookie([dumped[7].local.port()]).unwrap();
                assert_eq!(one.into_iter().collect::<Vec<_>>(), [(dumped[7].cookie, false)]);
            }
        });
    }

    #[test]
    fn connections_end_the_reading() {
        // Loopback is up where we are; in a new namespace it is not.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let Ok(owners) = Owners::load(Asked::Tcp) else { return eprintln!("SKIPPED: no BPF here") };
        let found = sockets::dump(1, sockets::Wanted { connected: true, bound: false });
        let with_port =
            |port| found.sockets.iter().find(move |s| s.kind == Kind::Tcp && s.local.port() == port);
        let of = |port| owners.by_cookie([port]).unwrap();
        let ours = with_port(listener.local_addr().unwrap().port()).unwrap();
        assert_eq!(of(ours.local.port()).get(&ours.cookie), Some(&false));
        assert_eq!(of(client.local_addr().unwrap().port()).len(), 0);
    }
}
