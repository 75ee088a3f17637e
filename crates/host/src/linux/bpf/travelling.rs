//! Which sockets travel in messages between processes, as `bpf/travelling.bpf.c` sees it.

use std::fs::File;
use std::io::{self, Read};

use rustc_hash::FxHashSet;
use wire::travelling;

use super::LoadError;
use super::loader::{self, Loaded};
use super::sys;

/// Compiled from `bpf/travelling.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/travelling.bpf.o");

/// The program, loaded.
#[derive(Debug)]
pub struct Travelling {
    program: Loaded,
}

impl Travelling {
    /// Loads the program.
    pub fn load() -> Result<Travelling, LoadError> {
        Ok(Travelling { program: loader::load_iterator(OBJECT, "in_messages", &[])? })
    }

    /// The cookies of sockets in messages that wait in the namespace which the calling thread is in.
    pub fn cookies(&self) -> Result<FxHashSet<u64>, LoadError> {
        self.run().map_err(|error| LoadError::Refused("run a program", error))
    }

    fn run(&self) -> io::Result<FxHashSet<u64>> {
        let variables = self.program.maps.get(".bss").ok_or_else(|| io::Error::other("no variables"))?;
        let mut answer = [0; travelling::BYTES];
        variables.set_only_entry(&answer)?;
        let mut iteration = File::from(sys::iterate(&self.program.link)?);
        // The program writes nothing here; reading to the end is what makes it run.
        let mut nothing = [0; 4096];
        while iteration.read(&mut nothing)? > 0 {}
        variables.read_only_entry(&mut answer)?;
        Ok(travelling::cookies(&answer).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::mem::MaybeUninit;
    use std::net::TcpListener;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

    use super::*;
    use crate::linux::{sandbox, sockets};

    #[test]
    fn a_socket_is_seen_while_it_waits_in_a_message() {
        sandbox::run("a_socket_is_seen_while_it_waits_in_a_message", || {
            let program = match Travelling::load() {
                Ok(program) => program,
                Err(error) => return eprintln!("SKIPPED: {error}"),
            };
            let (sender, receiver) = UnixStream::pair().unwrap();
            let listeners = [(); 3].map(|()| TcpListener::bind("0.0.0.0:0").unwrap());
            let found = sockets::dump(1, sockets::Wanted { connected: false, bound: false });
            let cookies: FxHashSet<u64> = found.sockets.iter().map(|socket| socket.cookie).collect();
            assert!(program.cookies().unwrap().is_empty());
            for listener in &listeners {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                // Something else that travels with it, and is no socket.
                let null = std::fs::File::open("/dev/null").unwrap();
                let descriptors = [null.as_fd(), listener.as_fd()];
                assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
                sendmsg(&sender, &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
            }
            assert_eq!((cookies.len(), program.cookies().unwrap()), (3, cookies));
            drop(receiver);
            assert!(program.cookies().unwrap().is_empty());
        });
    }
}
