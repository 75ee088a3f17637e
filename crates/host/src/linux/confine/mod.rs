//! Fences around the process (seccomp(2), prctl(2)) and around single threads of it (landlock(7)).

pub(crate) mod calls;
pub(crate) mod landlock;
#[cfg(test)]
mod tests;

use std::io;

use crate::confine::{Bounds, Confined, Fence, Measure};
use crate::privilege::PrivilegeError;

/// `PR_SET_MDWE` of Linux 6.3 and its flags: nothing becomes executable, and what we start is free of it (6.6).
const SET_MDWE: i32 = 65;
const REFUSE_EXEC_GAIN: libc::c_ulong = 1;
const NO_INHERIT: libc::c_ulong = 2;

/// Gives up capabilities and user, and then puts the fences around what is left.
pub(crate) fn process(bounds: &Bounds) -> Result<Confined, PrivilegeError> {
    let given_up = super::privilege::give_up(bounds.keep, bounds.account.as_ref())?;
    Ok(Confined { given_up, measures: fences(bounds) })
}

/// The fences that are around the whole; of the calling thread and what it starts. No new privilege may be ruled out
/// before.
fn fences(bounds: &Bounds) -> Vec<Measure> {
    // The filter comes last: it stands in the way of what puts up the others.
    vec![no_new_code(), calls::put_up(bounds.programs)]
}

fn no_new_code() -> Measure {
    let fence = match set_mdwe(REFUSE_EXEC_GAIN | NO_INHERIT) {
        Ok(()) => Fence::Whole,
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            Fence::None("Linux has it from 6.6 on".into())
        }
        Err(error) => Fence::None(error.to_string()),
    };
    Measure { name: "MDWE", keeps_from: "memory that was written is never executed".into(), fence }
}

fn set_mdwe(flags: libc::c_ulong) -> io::Result<()> {
    let nothing: libc::c_ulong = 0;
    #[expect(unsafe_code, reason = "no library has this option of prctl(2)")]
    // SAFETY: the option takes numbers only, and each is given.
    let answer = unsafe { libc::prctl(SET_MDWE, flags, nothing, nothing, nothing) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
