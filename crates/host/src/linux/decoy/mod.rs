//! Decoys on Linux: a kernel program for all ports (`bpf/decoy.bpf.c`), else plain sockets.

mod answering;
mod datagrams;
mod hooks;
mod kernel;
mod looks;
mod range;
mod table;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use self::kernel::KernelDecoy;
use super::bpf::LoadError;
use crate::decoy::plain::Plain;
use crate::decoy::{Coverage, DecoyError, DecoyRequest, Knock, KnockCounts, Visitor, Ways};
use crate::linux::namespaces;

/// Ports that tell who comes.
#[derive(Debug)]
pub struct Decoy {
    how: How,
}

#[derive(Debug)]
enum How {
    Kernel(Box<KernelDecoy>),
    Plain(Box<Plain>),
}

impl Decoy {
    /// Opens it. From here on no privilege is needed any more.
    pub fn open(request: &DecoyRequest) -> Result<Decoy, DecoyError> {
        match &request.netns {
            None => open(request),
            Some(name) => namespaces::entrance(name)
                .and_then(|entrance| namespaces::inside(&entrance, || open(request)))
                .map_err(|reason| match reason {
                    model::Reason::Exited => DecoyError::NoNamespace(name.clone()),
                    reason => DecoyError::NoPermission(format!(
                        "cannot enter the namespace {name:?}: {}; {}",
                        reason.words(),
                        reason.help()
                    )),
                })?,
        }
    }

    /// Hands out who came, and waits for somebody where nobody is there, or for one of those who are here to speak.
    pub fn wait(
        &mut self,
        timeout: Duration,
        here: &mut dyn Iterator<Item = &Visitor>,
        each: &mut dyn FnMut(Knock<'_>),
    ) -> io::Result<usize> {
        match &mut self.how {
            How::Kernel(kernel) => kernel.wait(timeout, here, each),
            How::Plain(plain) => {
                // It asks its sockets in turn, and so are those who are here.
                let timeout = if here.next().is_some() { timeout.min(NAP) } else { timeout };
                plain.wait(timeout, each)
            }
        }
    }

    /// What is covered.
    pub fn coverage(&self) -> Coverage {
        match &self.how {
            How::Kernel(kernel) => kernel.coverage(),
            How::Plain(plain) => plain.coverage(),
        }
    }

    /// What became of packets so far.
    pub fn counts(&self) -> KnockCounts {
        match &self.how {
            How::Kernel(kernel) => kernel.counts(),
            How::Plain(plain) => plain.counts(),
        }
    }
}

const NAP: Duration = Duration::from_millis(20);

/// Opens it in the network namespace of the calling thread.
fn open(request: &DecoyRequest) -> Result<Decoy, DecoyError> {
    let plain = |why| Plain::open(request, why).map(|plain| Decoy { how: How::Plain(Box::new(plain)) });
    if request.ways == Ways::Plain {
        return plain(None);
    }
    match KernelDecoy::open(request) {
        Ok(kernel) => Ok(Decoy { how: How::Kernel(Box::new(kernel)) }),
        Err(kernel::Unopened::Never(error)) => Err(error),
        Err(kernel::Unopened::Kernel(error)) => {
            let why = match &error {
                LoadError::Refused(_, cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                    format!("{error}: kernel programs need root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN")
                }
                error => error.to_string(),
            };
            if request.ways == Ways::Kernel {
                return Err(DecoyError::NotSupported(why));
            }
            plain(Some(&why))
        }
    }
}
