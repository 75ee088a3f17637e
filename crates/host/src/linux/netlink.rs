//! A blocking netlink socket: one `recv` per kernel buffer, parsed in place, one call per message.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use wire::Fault;
use wire::netlink::{self, Message, Request};

/// The kernel never sends more than 32 KiB at a time in a dump; pages that stay unused cost nothing.
const BUFFER_BYTES: usize = 256 * 1024;
/// How often a dump is begun anew because the table changed meanwhile.
const ATTEMPTS: u32 = 4;

/// Why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The kernel answers with this error.
    Refused(Errno),
    /// The kernel dropped messages, or one is larger than our buffer.
    Lost,
    /// What came is not netlink.
    Damaged(Fault),
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        Error::Refused(errno)
    }
}

/// Whether a dump is one state of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// The table did not change meanwhile.
    Consistent,
    /// The table changed each time we tried: entries may be missing or be there twice.
    Changing,
}

/// A socket to one netlink protocol, in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Socket {
    /// Opens one; `None` is routing (`NETLINK_ROUTE`).
    pub fn open(protocol: Option<Protocol>) -> Result<Socket, Errno> {
        let fd = net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        // Connected to the kernel: nobody else can send us anything (`netlink_getsockbyportid`).
        net::connect(&fd, &net::netlink::SocketAddrNetlink::new(0, 0))?;
        Ok(Socket { fd, buffer: vec![0; BUFFER_BYTES], sequence: 0 })
    }

    /// Sends one request and reads its answer to the end, with one call of `each` per message of data.
    ///
    /// Where the table changed during a dump it is begun anew, after `restart` threw away what was collected.
    pub fn dump<T>(
        &mut self,
        request: &mut Request,
        collected: &mut T,
        mut restart: impl FnMut(&mut T),
        mut each: impl FnMut(&mut T, &Message<'_>),
    ) -> Result<Dump, Error> {
        for attempt in 1..=ATTEMPTS {
            self.sequence = self.sequence.wrapping_add(1);
            request.number(self.sequence);
            send(&self.fd, request.as_bytes())?;
            if self.receive(&mut |message| each(collected, message))? == Dump::Consistent {
                return Ok(Dump::Consistent);
            }
            if attempt < ATTEMPTS {
                restart(collected);
            }
        }
        Ok(Dump::Changing)
    }

    /// Reads to the end of the answer to the request that was sent last.
    fn receive(&mut self, each: &mut dyn FnMut(&Message<'_>)) -> Result<Dump, Error> {
        let mut dump = Dump::Consistent;
        loop {
            let bytes = match net::recv(&self.fd, self.buffer.as_mut_slice(), RecvFlags::TRUNC) {
                // With TRUNC the second number is the message's real length, even if the buffer is shorter.
                Ok((read, whole)) if whole > read => return Err(Error::Lost),
                Ok((read, _)) => self.buffer.get(..read).unwrap_or_default(),
                Err(Errno::INTR) => continue,
                Err(Errno::NOBUFS) => return Err(Error::Lost),
                Err(errno) => return Err(errno.into()),
            };
            if bytes.is_empty() {
                return Err(Error::Lost);
            }
            for message in netlink::messages(bytes) {
                let message = message.map_err(Error::Damaged)?;
                if message.sequence != self.sequence {
                    // The end of an answer that an earlier error made us leave.
                    continue;
                }
                if message.flags & netlink::DUMP_INTERRUPTED != 0 {
                    dump = Dump::Changing;
                }
                match message.kind {
                    netlink::NOOP => {}
                    netlink::OVERRUN => return Err(Error::Lost),
                    netlink::ERROR | netlink::DONE => {
                        return match netlink::error_code(message.payload) {
                            Some(0) => Ok(dump),
                            Some(code) => Err(Errno::from_raw_os_error(code.saturating_abs()).into()),
                            None if message.kind == netlink::DONE => Ok(dump),
                            None => Err(Error::Lost),
                        };
                    }
                    _ => {
                        each(&message);
                        if message.flags & netlink::MULTI == 0 {
                            return Ok(dump);
                        }
                    }
                }
            }
        }
    }
}

fn send(fd: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    loop {
        match net::send(fd, bytes, SendFlags::empty()) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `RTM_NEWLINK` and `RTM_GETLINK`.
    const NEW_LINK: u16 = 16;
    const ASK_LINK: u16 = 18;

    #[test]
    fn a_dump_of_links_has_loopback_and_can_be_asked_again() {
        let mut socket = Socket::open(None).unwrap();
        for _ in 0..2 {
            let mut request = Request::new(ASK_LINK, netlink::DUMP).body(&[0; 16]);
            let mut names: Vec<Vec<u8>> = Vec::new();
            socket
                .dump(&mut request, &mut names, Vec::clear, |names, message| {
                    assert_eq!(message.kind, NEW_LINK);
                    let attributes = netlink::attributes(message.payload.get(16..).unwrap());
                    // IFLA_IFNAME
                    names.extend(attributes.flatten().filter(|a| a.kind == 3).map(|a| a.payload.to_vec()));
                })
                .unwrap();
            assert!(names.contains(&b"lo\0".to_vec()), "{names:?}");
        }
    }

    #[test]
    fn a_refusal_is_an_error_and_the_socket_stays_usable() {
        let mut socket = Socket::open(None).unwrap();
        let mut wrong = Request::new(0x7ff0, netlink::DUMP).body(&[0; 16]);
        let answer = socket.dump(&mut wrong, &mut (), |()| {}, |(), _| {});
        assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
        let mut request = Request::new(ASK_LINK, netlink::DUMP).body(&[0; 16]);
        let mut count = 0;
        socket.dump(&mut request, &mut count, |count| *count = 0, |count, _| *count += 1).unwrap();
        assert!(count > 0);
    }
}
