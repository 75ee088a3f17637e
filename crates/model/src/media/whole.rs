//! All that is known of media at one time: what was agreed, and what came.

use alloc::string::{String, ToString};
use alloc::{format, vec::Vec};

use super::joined::Joined;
use super::membership::MembershipFacts;
use super::ptp::PtpFacts;
use super::session::Session;
use super::stream::Stream;
use crate::finding::Subject;
use crate::gap::Gap;

/// What was agreed, and what came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Media {
    /// Sessions, by source, then by name.
    pub sessions: Vec<Session>,
    /// Streams, in the order in which they began.
    pub streams: Vec<Stream>,
    /// Clocks on the wire.
    pub ptp: PtpFacts,
    /// Who listens to which group, as it was said on the wire.
    pub memberships: MembershipFacts,
    /// Groups that this machine has joined, where it was looked at.
    pub joined: Vec<Joined>,
    /// What was left out, and why.
    pub gaps: Vec<Gap>,
}

impl Media {
    /// What a finding is about, in a few words: `239.1.1.1:5004`; `None` where it is nothing of media.
    pub fn subject_name(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Stream(index) => {
                let leg = self.streams.get(*index)?.legs.first()?;
                Some(format!("{} from {}", leg.destination, leg.source.ip()))
            }
            Subject::Session(index) => {
                let session = self.sessions.get(*index)?;
                let leg = session.legs.first().map(|leg| format!(" to {}", leg.destination));
                Some(format!("'{}'{}", session.name, leg.unwrap_or_default()))
            }
            Subject::Group(group) => Some(group.to_string()),
            Subject::Clock(domain) => Some(format!("PTP domain {domain}")),
            _ => None,
        }
    }
}
