//! Who listens to which multicast group, as far as the wire says.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::spread::Spread;
use super::stream::StreamFault;
use crate::{Timestamp, Utc};

/// What was seen of IGMP and MLD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MembershipFacts {
    /// Messages.
    pub messages: u64,
    /// What could not be read.
    pub malformed: u64,
    /// Messages of IGMP whose checksum is wrong, which were passed over.
    pub checksum_errors: u64,
    /// Messages for which there was no room.
    pub left_out: u64,
    /// Routers that ask.
    pub queriers: Vec<Querier>,
    /// Who listens to what, in the order of first word.
    pub memberships: Vec<Membership>,
    /// Rules that were broken, in the order of first occurrence.
    pub faults: Vec<StreamFault>,
}

/// A router that asks who listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Querier {
    /// Who.
    pub address: IpAddr,
    /// Which version of IGMP or MLD its last query was of.
    pub version: u8,
    /// Queries about all groups.
    pub general_queries: u64,
    /// Queries about one group.
    pub group_queries: u64,
    /// Nanoseconds between queries about all groups.
    pub interval_ns: Spread,
    /// The interval it states, in seconds; 0 where it states none.
    pub stated_interval_s: u32,
    /// How often messages are said for safety; 0 where it is not said.
    pub robustness: u8,
    /// Within which time hosts are to answer, in milliseconds.
    pub max_response_ms: u32,
}

/// One host that listens to one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: IpAddr,
    /// The host.
    pub member: IpAddr,
    /// The version of IGMP or MLD of its last word.
    pub version: u8,
    /// Whether it listens to all sources but those listed; else to those listed.
    pub excludes: bool,
    /// The sources, the first ones.
    pub sources: Vec<IpAddr>,
    /// Whether there are more sources than are listed.
    pub more_sources: bool,
    /// Whether it has left.
    pub left: bool,
    /// How often it joined: from not listening to listening.
    pub joins: u64,
    /// How often it left.
    pub leaves: u64,
    /// How often it spoke of the group.
    pub reports: u64,
    /// When first; `None` without times.
    pub first: Option<Timestamp<Utc>>,
    /// When last.
    pub last: Option<Timestamp<Utc>>,
}

impl Membership {
    /// Whether it listens to this source; `None` where the list of sources is not whole.
    pub fn accepts(&self, source: IpAddr) -> Option<bool> {
        if self.left {
            return Some(false);
        }
        if self.sources.contains(&source) {
            return Some(!self.excludes);
        }
        (!self.more_sources).then_some(self.excludes)
    }
}
