//! Decoys on systems without kernel programs: plain sockets.

use std::io;
use std::time::Duration;

use super::plain::Plain;
use super::{Coverage, DecoyError, DecoyRequest, Knock, KnockCounts, Visitor, Ways};

/// Ports that tell who comes.
#[derive(Debug)]
pub struct Decoy {
    plain: Plain,
}

impl Decoy {
    /// Opens it.
    pub fn open(request: &DecoyRequest) -> Result<Decoy, DecoyError> {
        const WHY: &str = "this system has none";
        if request.ways == Ways::Kernel || request.netns.is_some() {
            return Err(DecoyError::NotSupported(String::from(
                "kernel programs and namespaces: Linux has them",
            )));
        }
        Ok(Decoy { plain: Plain::open(request, Some(WHY))? })
    }

    /// Hands out who came, and waits for somebody where nobody is there, or for one of those who are here to speak.
    pub fn wait(
        &mut self,
        timeout: Duration,
        here: &mut dyn Iterator<Item = &Visitor>,
        each: &mut dyn FnMut(Knock<'_>),
    ) -> io::Result<usize> {
        // Nobody tells us when one of them speaks.
        let timeout = if here.next().is_some() { timeout.min(Duration::from_millis(20)) } else { timeout };
        self.plain.wait(timeout, each)
    }

    /// What is covered.
    pub fn coverage(&self) -> Coverage {
        self.plain.coverage()
    }

    /// What became of packets so far.
    pub fn counts(&self) -> KnockCounts {
        self.plain.counts()
    }
}
