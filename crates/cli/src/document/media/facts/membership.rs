//! Who listens to which group, in JSON.

use std::net::IpAddr;

use super::Spread;
use super::StreamFault;
use super::shown;

shown! {
    /// What was seen of IGMP and MLD.
    MembershipFacts from model::media::membership::MembershipFacts {
        /// Messages.
        messages: u64,
        /// What could not be read.
        malformed: u64,
        /// Messages of IGMP whose checksum is wrong, which were passed over.
        checksum_errors: u64,
        /// Messages for which there was no room.
        left_out: u64,
        /// Routers that ask.
        queriers: Vec<Querier>,
        /// Who listens to what, in the order of first word.
        memberships: Vec<Membership>,
        /// Rules that were broken, in the order of first occurrence.
        faults: Vec<StreamFault>,
    }
}

shown! {
    /// A router that asks who listens.
    Querier from model::media::membership::Querier {
        /// Who.
        address: IpAddr,
        /// Which version of IGMP or MLD its last query was of.
        version: u8,
        /// Queries about all groups.
        general_queries: u64,
        /// Queries about one group.
        group_queries: u64,
        /// Nanoseconds between queries about all groups.
        interval_ns: Spread,
        /// The interval it states, in seconds; 0 where it states none.
        stated_interval_s: u32,
        /// How often messages are said for safety; 0 where it is not said.
        robustness: u8,
        /// Within which time hosts are to answer, in milliseconds.
        max_response_ms: u32,
    }
}

shown! {
    /// One host that listens to one group.
    Membership from model::media::membership::Membership {
        /// The group.
        group: IpAddr,
        /// The host.
        member: IpAddr,
        /// The version of IGMP or MLD of its last word.
        version: u8,
        /// Whether it listens to all sources but those listed; else to those listed.
        excludes: bool,
        /// The sources, the first ones.
        sources: Vec<IpAddr>,
        /// Whether there are more sources than are listed.
        more_sources: bool,
        /// Whether it has left.
        left: bool,
        /// How often it joined: from not listening to listening.
        joins: u64,
        /// How often it left.
        leaves: u64,
        /// How often it spoke of the group.
        reports: u64,
        /// When first; `None` without times.
        first: Option<String>,
        /// When last.
        last: Option<String>,
    }
}
