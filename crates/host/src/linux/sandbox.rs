//! For tests: a thread in a network namespace of its own, which goes when the thread ends.

use rustix::thread::{CapabilitySet, UnshareFlags, capabilities, set_capabilities, unshare_unsafe};

/// Runs `test` in an empty network namespace; says why it skips where that is not allowed.
pub(crate) fn run(name: &str, test: impl FnOnce() + Send) {
    let ran = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter()?;
            test();
            Ok::<(), rustix::io::Errno>(())
        });
        thread.join()
    });
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(errno)) => eprintln!("SKIPPED: {name}: no network namespace of our own: {errno}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Takes a capability from the calling thread.
pub(crate) fn without(capability: CapabilitySet) {
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(capability);
    sets.permitted.remove(capability);
    set_capabilities(None, sets).unwrap();
}

fn enter() -> rustix::io::Result<()> {
    #[expect(unsafe_code, reason = "rustix marks every unshare unsafe because of CLONE_FILES")]
    // SAFETY: only the network namespace of this thread changes; descriptors stay shared.
    unsafe {
        unshare_unsafe(UnshareFlags::NEWNET)
    }
}
