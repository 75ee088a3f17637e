//! The one socket option that no library offers: the tables of the old iptables.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// `IPT_SO_GET_INFO` and `IP6T_SO_GET_INFO`.
    Info = 64,
    /// `IPT_SO_GET_ENTRIES` and `IP6T_SO_GET_ENTRIES`.
    Entries = 65,
}

/// Asks with the request that `buffer` holds; the answer takes its place.
pub(super) fn read(socket: &OwnedFd, v6: bool, ask: Ask, buffer: &mut [u8]) -> Result<(), Errno> {
    let level = if v6 { libc::SOL_IPV6 } else { libc::SOL_IP };
    let Ok(mut length) = libc::socklen_t::try_from(buffer.len()) else { return Err(Errno::INVAL) };
    #[expect(unsafe_code, reason = "rustix has no getsockopt for a block of bytes")]
    // SAFETY: the kernel writes at most `length` bytes, which is the length of `buffer`; `socket` is open.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            ask as libc::c_int,
            buffer.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if answer == 0 {
        return Ok(());
    }
    let code = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
    Err(Errno::from_raw_os_error(code))
}
