//! The journal of systemd, by its native protocol: one datagram, or a sealed file in memory where that is too long.

use std::path::{Path, PathBuf};

use super::Failure;

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// A way to the journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    #[cfg(target_os = "linux")]
    socket: Option<std::os::unix::net::UnixDatagram>,
}

impl Journal {
    /// To the journal of this machine, or to another socket that speaks the same.
    pub fn new(path: Option<&Path>) -> Journal {
        Journal {
            path: path.unwrap_or(Path::new(SOCKET)).to_owned(),
            #[cfg(target_os = "linux")]
            socket: None,
        }
    }

    /// Hands over one entry, in the form of the protocol.
    #[cfg(target_os = "linux")]
    pub fn send(&mut self, entry: &[u8]) -> Result<(), Failure> {
        self.try_send(entry).map_err(|error| {
            // The journal may have been started anew.
            self.socket = None;
            let path = self.path.display();
            Failure::later(match error.kind() {
                std::io::ErrorKind::NotFound => format!("{path} is not there: is systemd-journald running?"),
                _ => format!("cannot write to {path}: {error}"),
            })
        })
    }

    /// There is none.
    #[cfg(not(target_os = "linux"))]
    pub fn send(&mut self, _: &[u8]) -> Result<(), Failure> {
        let path = self.path.display();
        Err(Failure::never(format!("{path}: there is a journal on Linux with systemd only")))
    }

    #[cfg(target_os = "linux")]
    fn try_send(&mut self, entry: &[u8]) -> std::io::Result<()> {
        use rustix::io::Errno;
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => {
                let socket = std::os::unix::net::UnixDatagram::unbound()?;
                socket.connect(&self.path)?;
                // A journal that does not read must not hold us.
                socket.set_write_timeout(Some(super::syslog::LOCAL_LIMIT))?;
                none.insert(socket)
            }
        };
        let Err(error) = crate::uninterrupted(super::syslog::LOCAL_LIMIT, || socket.send(entry)) else {
            return Ok(());
        };
        let too_long = [Errno::MSGSIZE, Errno::NOBUFS].map(Errno::raw_os_error);
        if error.raw_os_error().is_some_and(|it| too_long.contains(&it)) {
            return in_memory(socket, entry);
        }
        Err(error)
    }
}

/// Hands the entry over as a file in memory that nobody can change any more.
#[cfg(target_os = "linux")]
fn in_memory(socket: &std::os::unix::net::UnixDatagram, entry: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::fd::AsFd;

    use rustix::fs::{MemfdFlags, SealFlags};
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

    let memory =
        rustix::fs::memfd_create("portreeve-entry", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(memory);
    file.write_all(entry)?;
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
    )?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(std::io::Error::other("no room for a descriptor"));
    }
    rustix::net::sendmsg(socket, &[], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
