//! The calls to macOS, each behind a safe function.

#![expect(unsafe_code, reason = "libproc and sysctl are C")]

use std::ffi::CStr;
use std::io::{Error, ErrorKind, Result};
use std::mem::{MaybeUninit, size_of};
use std::ptr::null_mut;

use libc::{c_int, c_void};
use model::Reason;
use wire::darwin_socket;

/// What `proc_pidfdinfo` is asked for: `struct socket_fdinfo` (sys/proc_info.h).
const PROC_PIDFDSOCKETINFO: c_int = 3;
/// The most descriptors of one process, and the most processes, that are listed.
const MOST: usize = 1 << 20;
/// The most bytes of arguments and environment that a process may have (ARG_MAX).
const ARGUMENT_BYTES: usize = 1 << 20;

/// Why we could not look.
pub fn reason(error: &Error) -> Reason {
    match error.kind() {
        ErrorKind::PermissionDenied => Reason::NoPermission,
        _ if error.raw_os_error() == Some(libc::ESRCH) => Reason::Exited,
        _ => Reason::Unknown,
    }
}

/// Every process.
pub fn processes() -> Result<Vec<u32>> {
    let mut room = 4096;
    loop {
        let mut pids: Vec<c_int> = vec![0; room];
        let bytes = c_int::try_from(room * size_of::<c_int>()).unwrap_or(c_int::MAX);
        // SAFETY: the buffer has `bytes` bytes and outlives the call.
        let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
        let count = usize::try_from(count).map_err(|_| Error::last_os_error())?;
        if count < room || room >= MOST {
            pids.truncate(count);
            return Ok(pids
                .into_iter()
                .filter_map(|pid| u32::try_from(pid).ok())
                .filter(|pid| *pid != 0)
                .collect());
        }
        room *= 2;
    }
}

/// Asks about a process; gives how many bytes were filled.
fn ask(pid: u32, flavour: c_int, buffer: *mut c_void, bytes: usize) -> Result<usize> {
    let pid = c_int::try_from(pid).map_err(|_| ErrorKind::InvalidInput)?;
    let bytes = c_int::try_from(bytes).map_err(|_| ErrorKind::InvalidInput)?;
    // SAFETY: every caller passes a buffer of `bytes` bytes that outlives the call.
    let filled = unsafe { libc::proc_pidinfo(pid, flavour, 0, buffer, bytes) };
    match usize::try_from(filled) {
        Ok(filled) if filled > 0 => Ok(filled),
        _ => Err(Error::last_os_error()),
    }
}

/// Asks about a process for one structure, which must be filled whole.
fn ask_whole<T>(pid: u32, flavour: c_int) -> Result<T> {
    let mut place = MaybeUninit::<T>::zeroed();
    let filled = ask(pid, flavour, place.as_mut_ptr().cast(), size_of::<T>())?;
    if filled != size_of::<T>() {
        return Err(ErrorKind::InvalidData.into());
    }
    // SAFETY: the kernel filled every byte, and both structures that are asked for are numbers only.
    Ok(unsafe { place.assume_init() })
}

/// The descriptors of a process that are sockets.
pub fn socket_descriptors(pid: u32) -> Result<Vec<u32>> {
    let each = size_of::<libc::proc_fdinfo>();
    let mut room = 256;
    loop {
        let mut found = vec![libc::proc_fdinfo { proc_fd: 0, proc_fdtype: 0 }; room];
        let filled = match ask(pid, libc::PROC_PIDLISTFDS, found.as_mut_ptr().cast(), room * each) {
            Ok(filled) => filled,
            // A process without a single descriptor fills nothing, and that is no error.
            Err(error) if error.raw_os_error() == Some(0) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let count = filled / each;
        if count < room || room >= MOST {
            found.truncate(count);
            let sockets = found
                .into_iter()
                .filter(|fd| i64::from(fd.proc_fdtype) == i64::from(libc::PROX_FDTYPE_SOCKET));
            return Ok(sockets.filter_map(|fd| u32::try_from(fd.proc_fd).ok()).collect());
        }
        room *= 2;
    }
}

/// What the kernel says of one socket descriptor.
pub fn socket(pid: u32, fd: u32) -> Result<Vec<u8>> {
    // Words, so that the structure is aligned.
    let mut words = [0_u64; darwin_socket::BYTES / 8];
    let pid = c_int::try_from(pid).map_err(|_| ErrorKind::InvalidInput)?;
    let fd = c_int::try_from(fd).map_err(|_| ErrorKind::InvalidInput)?;
    let room = c_int::try_from(darwin_socket::BYTES).map_err(|_| ErrorKind::InvalidInput)?;
    // SAFETY: the buffer has `room` bytes and outlives the call.
    let filled =
        unsafe { libc::proc_pidfdinfo(pid, fd, PROC_PIDFDSOCKETINFO, words.as_mut_ptr().cast(), room) };
    if filled <= 0 {
        return Err(Error::last_os_error());
    }
    // A shorter answer is kept short, so that the parser refuses it.
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.truncate(usize::try_from(filled).unwrap_or(0));
    Ok(bytes)
}

/// What every process shows of itself.
#[derive(Debug, Clone)]
pub struct Basics {
    /// Its short name.
    pub comm: String,
    /// Its parent.
    pub parent: u32,
    /// Its effective user.
    pub uid: u32,
    /// When it started, in nanoseconds since 1970.
    pub started_ns: i64,
}

/// What every process shows of itself.
pub fn basics(pid: u32) -> Result<Basics> {
    let info: libc::proc_bsdinfo = ask_whole(pid, libc::PROC_PIDTBSDINFO)?;
    let seconds = i64::try_from(info.pbi_start_tvsec).unwrap_or(i64::MAX);
    let micros = i64::try_from(info.pbi_start_tvusec).unwrap_or(0);
    Ok(Basics {
        comm: characters(&info.pbi_comm),
        parent: info.pbi_ppid,
        uid: info.pbi_uid,
        started_ns: seconds.saturating_mul(1_000_000_000).saturating_add(micros.saturating_mul(1000)),
    })
}

/// The path of the file that a process runs.
pub fn executable(pid: u32) -> Result<String> {
    let pid = c_int::try_from(pid).map_err(|_| ErrorKind::InvalidInput)?;
    let mut buffer = [0_u8; 4096];
    // SAFETY: the buffer has 4096 bytes, as PROC_PIDPATHINFO_MAXSIZE asks, and outlives the call.
    let filled = unsafe { libc::proc_pidpath(pid, buffer.as_mut_ptr().cast(), 4096) };
    match usize::try_from(filled) {
        Ok(count) if count > 0 => {
            Ok(String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()).into_owned())
        }
        _ => Err(Error::last_os_error()),
    }
}

/// The working directory of a process.
pub fn working_directory(pid: u32) -> Result<String> {
    let info: libc::proc_vnodepathinfo = ask_whole(pid, libc::PROC_PIDVNODEPATHINFO)?;
    let flat: Vec<libc::c_char> = info.pvi_cdir.vip_path.iter().flatten().copied().collect();
    Ok(characters(&flat))
}

/// The arguments of a process, as KERN_PROCARGS2 gives them.
pub fn arguments(pid: u32) -> Result<Vec<u8>> {
    let pid = c_int::try_from(pid).map_err(|_| ErrorKind::InvalidInput)?;
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut buffer = vec![0_u8; ARGUMENT_BYTES];
    let mut bytes = buffer.len();
    // SAFETY: the name has three numbers, the buffer `bytes` bytes, and all outlive the call.
    let failed =
        unsafe { libc::sysctl(name.as_mut_ptr(), 3, buffer.as_mut_ptr().cast(), &mut bytes, null_mut(), 0) };
    if failed != 0 {
        return Err(Error::last_os_error());
    }
    buffer.truncate(bytes);
    Ok(buffer)
}

/// A text that the system states of itself; empty where it states none.
pub fn text(name: &CStr) -> String {
    let mut buffer = [0_u8; 256];
    let mut bytes = buffer.len();
    // SAFETY: the buffer has `bytes` bytes, and all outlive the call.
    let failed =
        unsafe { libc::sysctlbyname(name.as_ptr(), buffer.as_mut_ptr().cast(), &mut bytes, null_mut(), 0) };
    if failed != 0 {
        return String::new();
    }
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).into_owned()
}

/// A number that the system states of itself.
pub fn number(name: &CStr) -> Option<c_int> {
    let mut value: c_int = 0;
    let mut bytes = size_of::<c_int>();
    // SAFETY: the place has `bytes` bytes, and all outlive the call.
    let failed =
        unsafe { libc::sysctlbyname(name.as_ptr(), (&raw mut value).cast(), &mut bytes, null_mut(), 0) };
    (failed == 0 && bytes == size_of::<c_int>()).then_some(value)
}

/// Whether we run as root.
pub fn is_root() -> bool {
    // SAFETY: it reads a number of ours and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// The account name of a user.
pub fn user_name(uid: u32) -> Option<String> {
    let mut entry = MaybeUninit::<libc::passwd>::zeroed();
    let mut buffer = [0; 4096];
    let mut found = null_mut();
    // SAFETY: the buffer has its length, and all three places outlive the call.
    let failed =
        unsafe { libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &mut found) };
    if failed != 0 || found.is_null() {
        return None;
    }
    // SAFETY: the call succeeded and found an entry, so that it is filled and its texts lie in the buffer.
    let name = unsafe { (*found).pw_name };
    // SAFETY: as above; the text ends with a NUL.
    let name = unsafe { CStr::from_ptr(name) };
    Some(name.to_string_lossy().into_owned())
}

/// Text up to its NUL.
fn characters(text: &[libc::c_char]) -> String {
    let bytes: Vec<u8> =
        text.iter().map(|character| character.to_ne_bytes()[0]).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
