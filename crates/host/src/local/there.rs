//! Sockets with a path (unix(7)): made without a moment in which others may connect, and taken over from the dead.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Access, LocalError, Peer, lock_path};

/// A socket that waits for others; its file goes with it.
#[derive(Debug)]
pub struct LocalListener {
    listener: UnixListener,
    path: PathBuf,
    /// Which file is ours: where another has taken its place, it stays.
    inode: u64,
    /// Locked as long as we live: whoever comes later knows by it, and the kernel lets go when we die.
    _lock: File,
    /// Two ends of a pair: something to read on the second ends the waiting.
    ends: (UnixStream, UnixStream),
}

impl LocalListener {
    /// Makes the socket. What a dead service left in its place is taken over.
    pub fn begin(path: &Path, access: Access) -> Result<LocalListener, LocalError> {
        let refused = |what| move |error| LocalError::Refused(what, path.to_owned(), error);
        prepare_folder(path)?;
        let lock = take_lock(path)?;
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(LocalError::Place(
                    path.to_owned(),
                    "something else than a socket is there".into(),
                ));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refused("look at the socket's place")(error)),
        }
        // Under another name until it is whose it shall be: in its place it is never open to more.
        let mut early = path.file_name().unwrap_or_default().to_owned();
        early.push(".new");
        let early = path.with_file_name(early);
        let _ = fs::remove_file(&early);
        let listener = UnixListener::bind(&early).map_err(refused("make the socket"))?;
        let mode = match access {
            Access::Owner => 0o600,
            Access::Group(_) => 0o660,
            Access::Everyone => 0o666,
        };
        let placed = (|| {
            if let Access::Group(gid) = access {
                std::os::unix::fs::lchown(&early, None, Some(gid))
                    .map_err(refused("give the socket its group"))?;
            }
            fs::set_permissions(&early, Permissions::from_mode(mode))
                .map_err(refused("say who may use the socket"))?;
            listener.set_nonblocking(true).map_err(refused("wait at the socket"))?;
            let inode = fs::symlink_metadata(&early).map_err(refused("make the socket"))?.ino();
            fs::rename(&early, path).map_err(refused("put the socket in its place"))?;
            Ok(inode)
        })();
        let inode = placed.inspect_err(|_| drop(fs::remove_file(&early)))?;
        let ends = UnixStream::pair().map_err(refused("wait at the socket"))?;
        Ok(LocalListener { listener, path: path.to_owned(), inode, _lock: lock, ends })
    }

    /// The next that connects; `None` once the waiting was ended.
    pub fn accept(&self) -> io::Result<Option<LocalStream>> {
        use rustix::event::{PollFd, PollFlags, poll};
        loop {
            let mut waited = [
                PollFd::from_borrowed_fd(self.ends.1.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN),
            ];
            match poll(&mut waited, None) {
                Err(rustix::io::Errno::INTR) => continue,
                answer => answer?,
            };
            let [ended, _] = &waited;
            if !ended.revents().is_empty() {
                return Ok(None);
            }
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(Some(LocalStream(stream)));
                }
                // It went away between the two calls.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the waiting, for good and for whoever waits.
    pub fn end(&self) {
        let _ = (&self.ends.0).write(&[0]);
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        // While the lock is ours nobody else puts a socket there, but somebody may have put another file.
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Sees that the folder is there, and that nobody else can put a socket of his own into it.
fn prepare_folder(path: &Path) -> Result<(), LocalError> {
    let place = |why: String| LocalError::Place(path.to_owned(), why);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (Some(folder), Some(_)) = (folder, path.file_name()) else {
        return Err(place("a socket needs a path with a folder".into()));
    };
    match DirBuilder::new().mode(0o755).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(LocalError::Refused("make the folder", folder.to_owned(), error)),
    }
    let about = fs::metadata(folder)
        .map_err(|error| LocalError::Refused("look at the folder", folder.to_owned(), error))?;
    if !about.is_dir() {
        return Err(place(format!("{} is not a folder", folder.display())));
    }
    if about.uid() != 0 && about.uid() != own_user() {
        return Err(place(format!("{} belongs to uid {}", folder.display(), about.uid())));
    }
    let sticky = about.mode() & 0o1000 != 0;
    if about.mode() & 0o002 != 0 && !sticky {
        return Err(place(format!("everybody can write {} (chmod o-w)", folder.display())));
    }
    Ok(())
}

/// Takes the lock that a living service has, and writes our number into it.
fn take_lock(path: &Path) -> Result<File, LocalError> {
    let place = lock_path(path);
    let refused = |error| LocalError::Refused("lock the socket's place", place.clone(), error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o644);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    let mut file = options.open(&place).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut said = String::new();
            let _ = file.take(32).read_to_string(&mut said);
            return Err(LocalError::Running(path.to_owned(), said.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(refused(error)),
    }
    let written = (|| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    })();
    written.map_err(refused)?;
    Ok(file)
}

/// A connection between two programs of this machine.
#[derive(Debug)]
pub struct LocalStream(UnixStream);

impl LocalStream {
    /// Connects to a service; later readings and writings, too, last at most `patience` each.
    pub fn connect(path: &Path, patience: Duration) -> Result<LocalStream, LocalError> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory => {
                LocalError::NotRunning(path.to_owned())
            }
            ErrorKind::PermissionDenied => LocalError::NotAllowed(path.to_owned()),
            // Its queue of connections stayed full.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => LocalError::NoAnswer(path.to_owned()),
            _ => LocalError::Refused("connect", path.to_owned(), error),
        };
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
        socket.set_write_timeout(Some(patience)).map_err(failed)?;
        socket.set_read_timeout(Some(patience)).map_err(failed)?;
        let address = SockAddr::unix(path).map_err(failed)?;
        crate::uninterrupted(patience, || socket.connect(&address)).map_err(failed)?;
        Ok(LocalStream(UnixStream::from(std::os::fd::OwnedFd::from(socket))))
    }

    /// Who is at the other end.
    pub fn peer(&self) -> io::Result<Peer> {
        peer(&self.0)
    }

    /// How long one reading or writing may last.
    pub fn wait_at_most(&self, patience: Duration) -> io::Result<()> {
        // None at all would mean for ever.
        let patience = patience.max(Duration::from_millis(1));
        self.0.set_read_timeout(Some(patience))?;
        self.0.set_write_timeout(Some(patience))
    }

    /// The same connection once more, for another thread.
    pub fn again(&self) -> io::Result<LocalStream> {
        self.0.try_clone().map(LocalStream)
    }

    /// Ends the connection for whoever has it.
    pub fn shut(&self) {
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}

impl Read for LocalStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for LocalStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Our effective user.
pub(super) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(target_os = "linux")]
fn peer(stream: &UnixStream) -> io::Result<Peer> {
    let mut told = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    crate::linux::datagram::read(stream.as_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, &mut told)?;
    // Of a process outside of our namespace of processes the number is 0.
    let pid = u32::try_from(told.pid).ok().filter(|pid| *pid != 0);
    Ok(Peer { uid: told.uid, gid: told.gid, pid })
}

#[cfg(not(target_os = "linux"))]
fn peer(stream: &UnixStream) -> io::Result<Peer> {
    use std::os::fd::AsRawFd;
    let (mut uid, mut gid) = (u32::MAX, u32::MAX);
    #[expect(unsafe_code, reason = "getpeereid(3) has no safe interface")]
    // SAFETY: the descriptor is open, and both places are ours for the call.
    let answer = unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut uid, &raw mut gid) };
    if answer == 0 { Ok(Peer { uid, gid, pid: None }) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests;
