//! What was seen of PTP: clocks, intervals, offsets.

use alloc::{string::String, vec::Vec};
use core::fmt;
use core::net::IpAddr;

use super::spread::Spread;
use super::stream::StreamFault;
use crate::{Timestamp, Utc};

/// A clock's identity: an EUI-64 (IEEE 1588-2008 §7.5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ClockIdentity(pub [u8; 8]);

impl fmt::Display for ClockIdentity {
    /// As session descriptions write it: `39-A7-94-FF-FE-07-CB-D0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            write!(f, "{}{octet:02X}", if index == 0 { "" } else { "-" })?;
        }
        Ok(())
    }
}

/// A port of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PortIdentity {
    /// The clock.
    pub clock: ClockIdentity,
    /// The number of the port.
    pub port: u16,
}

impl fmt::Display for PortIdentity {
    /// `39-A7-94-FF-FE-07-CB-D0/1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.clock, self.port)
    }
}

/// Who sent a message, below PTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PtpSender {
    /// Over UDP.
    Ip(IpAddr),
    /// Over Ethernet.
    Mac([u8; 6]),
}

impl fmt::Display for PtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PtpSender::Ip(address) => address.fmt(f),
            PtpSender::Mac([a, b, c, d, e, g]) => {
                write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
            }
        }
    }
}

/// What was seen of PTP (IEEE 1588).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PtpFacts {
    /// Messages of version 2.
    pub messages: u64,
    /// Messages of version 1.
    pub version1_messages: u64,
    /// What could not be read.
    pub malformed: u64,
    /// Messages for whose domain or port there was no room.
    pub left_out: u64,
    /// Domains, by number.
    pub domains: Vec<PtpDomain>,
    /// Masters of version 1.
    pub version1: Vec<PtpOldMaster>,
    /// Time of the capture against TAI, where a master says it.
    pub tai: Option<TaiOffset>,
    /// Rules that were broken, in the order of first occurrence.
    pub faults: Vec<StreamFault>,
}

/// One domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtpDomain {
    /// Its number.
    pub number: u8,
    /// Whose use of PTP this is (`sdoId`): 0 for IEEE 1588, 0x100 for IEEE 802.1AS.
    pub sdo: u16,
    /// The highest version and minor version of its messages.
    pub version: (u8, u8),
    /// Which profile it looks like.
    pub profile: PtpProfile,
    /// Why it looks so.
    pub profile_reasons: Vec<&'static str>,
    /// Messages by type.
    pub counts: Vec<(&'static str, u64)>,
    /// The ports that spoke: masters first.
    pub ports: Vec<PtpPort>,
    /// Who should be master, by the data sets that were announced (IEEE 1588-2008 §9.3.4).
    pub best: Option<PortIdentity>,
    /// Who sent the last Sync.
    pub master: Option<PortIdentity>,
    /// How often another port took over.
    pub changes_of_master: u64,
    /// Whether path delay is asked of the master (E2E), of the neighbour (P2P), or of both.
    pub delay: DelayMechanism,
    /// Nanoseconds between master and here, from requests and responses that were seen.
    pub path_delay_ns: Spread,
    /// By how many nanoseconds the capture's clock is ahead of the master's, path delay left out.
    pub capture_ahead_ns: Spread,
    /// What was managed, by item.
    pub management: Vec<PtpManagement>,
    /// What was negotiated, and other extensions, by kind.
    pub extensions: Vec<(String, u64)>,
    /// The last synchronisation metadata (ST 2059-2).
    pub metadata: Option<SynchronizationMetadata>,
}

/// A profile of PTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PtpProfile {
    /// The default profiles of IEEE 1588.
    #[default]
    Default,
    /// ST 2059-2, for professional media.
    St2059,
    /// The media profile of AES67.
    Aes67,
    /// IEEE C37.238, for power systems.
    Power,
    /// IEEE 802.1AS.
    Ieee8021As,
    /// ITU-T G.8275.
    Telecom,
}

impl PtpProfile {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            PtpProfile::Default => "IEEE 1588 default",
            PtpProfile::St2059 => "ST 2059-2",
            PtpProfile::Aes67 => "AES67 media",
            PtpProfile::Power => "IEEE C37.238 power",
            PtpProfile::Ieee8021As => "IEEE 802.1AS",
            PtpProfile::Telecom => "ITU-T G.8275 telecom",
        }
    }
}

/// How path delay is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DelayMechanism {
    /// Nothing of it was seen.
    #[default]
    Unseen,
    /// Of the master.
    EndToEnd,
    /// Of the neighbour.
    PeerToPeer,
    /// Both were seen.
    Both,
}

impl DelayMechanism {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            DelayMechanism::Unseen => "unseen",
            DelayMechanism::EndToEnd => "end_to_end",
            DelayMechanism::PeerToPeer => "peer_to_peer",
            DelayMechanism::Both => "both",
        }
    }
}

/// One port that spoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtpPort {
    /// Who.
    pub identity: PortIdentity,
    /// From where, the first address seen.
    pub sender: PtpSender,
    /// Whether it spoke from several addresses.
    pub several_senders: bool,
    /// The last Announce.
    pub announce: Option<PtpAnnounce>,
    /// How often what it announces changed.
    pub announce_changes: u64,
    /// Announce messages.
    pub announces: PtpCadence,
    /// Sync messages.
    pub syncs: PtpCadence,
    /// Delay_Req or Pdelay_Req messages.
    pub requests: PtpCadence,
    /// Delay_Resp or Pdelay_Resp messages.
    pub responses: u64,
    /// The interval of requests that a Delay_Resp grants, as a power of two of seconds.
    pub request_log_interval: Option<i8>,
    /// Sync messages that a Follow_Up completes.
    pub two_step: u64,
    /// Sync messages that are complete.
    pub one_step: u64,
    /// Follow_Up messages.
    pub follow_ups: u64,
    /// Sync messages whose Follow_Up did not come.
    pub follow_ups_missing: u64,
    /// Sequence numbers that were left out.
    pub sequence_gaps: u64,
    /// Nanoseconds of the capture's time less the master's, with corrections, path delay included.
    pub sync_delay_ns: Spread,
    /// The largest correction of a Sync with its Follow_Up.
    pub most_correction_ns: i64,
}

/// How often a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PtpCadence {
    /// How many.
    pub count: u64,
    /// The interval that it states, as a power of two of seconds.
    pub log_interval: Option<i8>,
    /// The intervals that were measured, in nanoseconds.
    pub interval_ns: Spread,
}

/// What a master announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PtpAnnounce {
    /// The grandmaster.
    pub grandmaster: ClockIdentity,
    /// Its first priority.
    pub priority1: u8,
    /// Its class.
    pub class: u8,
    /// Its accuracy, as coded.
    pub accuracy: u8,
    /// Its variance, as coded.
    pub variance: u16,
    /// Its second priority.
    pub priority2: u8,
    /// How many clocks lie between.
    pub steps_removed: u16,
    /// Where its time comes from, as coded.
    pub time_source: u8,
    /// TAI − UTC in seconds.
    pub utc_offset_s: i16,
    /// Whether that offset is known to be right.
    pub utc_offset_valid: bool,
    /// Whether the time is that of PTP (TAI), else arbitrary.
    pub ptp_timescale: bool,
    /// Whether the time can be traced to a primary reference.
    pub time_traceable: bool,
    /// Whether the frequency can be.
    pub frequency_traceable: bool,
    /// Whether the last minute of the day has 61 seconds.
    pub leap61: bool,
    /// Whether it has 59.
    pub leap59: bool,
}

impl PtpAnnounce {
    /// What the class means (IEEE 1588-2008 §7.6.2.4, ST 2059-2:2015 §7).
    pub const fn class_meaning(&self) -> &'static str {
        match self.class {
            6 => "locked to a primary reference",
            7 => "holds over within its specification",
            13 => "locked to a source of its own timescale",
            14 => "holds over, of its own timescale",
            52 => "degraded, of a primary reference",
            58 => "degraded, of its own timescale",
            150 => "within 1 ppm, was synchronised",
            158 => "within 10 ppm, was synchronised",
            187 => "degraded, may follow another",
            193 => "degraded, may follow another, of its own timescale",
            220 => "within 1 ppm, never synchronised",
            228 => "within 10 ppm, never synchronised",
            248 => "default",
            255 => "only ever follows",
            _ => "another class",
        }
    }

    /// The most that it may be wrong, in nanoseconds (IEEE 1588-2008 §7.6.2.5); `None` where it does not say.
    pub const fn accuracy_ns(&self) -> Option<u64> {
        Some(match self.accuracy {
            0x20 => 25,
            0x21 => 100,
            0x22 => 250,
            0x23 => 1_000,
            0x24 => 2_500,
            0x25 => 10_000,
            0x26 => 25_000,
            0x27 => 100_000,
            0x28 => 250_000,
            0x29 => 1_000_000,
            0x2a => 2_500_000,
            0x2b => 10_000_000,
            0x2c => 25_000_000,
            0x2d => 100_000_000,
            0x2e => 250_000_000,
            0x2f => 1_000_000_000,
            0x30 => 10_000_000_000,
            _ => return None,
        })
    }

    /// Where its time comes from (IEEE 1588-2008 §7.6.2.6).
    pub const fn source_name(&self) -> &'static str {
        match self.time_source {
            0x10 => "atomic clock",
            0x20 => "GNSS",
            0x30 => "terrestrial radio",
            0x39 => "serial time code",
            0x40 => "PTP",
            0x50 => "NTP",
            0x60 => "set by hand",
            0x90 => "other",
            0xa0 => "own oscillator",
            0xf0..=0xfe => "of the profile",
            _ => "reserved",
        }
    }

    /// Whether a session description must call it traceable (ST 2110-10:2022 §8.2).
    pub fn is_traceable(&self) -> bool {
        self.time_traceable && self.ptp_timescale && self.accuracy_ns().is_some_and(|ns| ns <= 250)
    }
}

/// One item of management.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtpManagement {
    /// Which item: `default data set`.
    pub item: String,
    /// What was done: `read`, `set`, `answer`, `command`, `acknowledgement`, `error`.
    pub action: &'static str,
    /// How often.
    pub count: u64,
    /// The last content, in words, where we can read it.
    pub last: String,
}

/// Synchronisation metadata: how time addresses and local time hang on PTP (ST 2059-2:2015 §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SynchronizationMetadata {
    /// Frames a second: above and below the line.
    pub frame_rate: (u32, u32),
    /// 0 not used, 1 free running, 2 cold locking, 3 warm locking, 4 locked.
    pub locking: u8,
    /// Whether time addresses drop frames.
    pub drop_frame: bool,
    /// Whether they follow colour frames.
    pub colour_frame: bool,
    /// Local time − PTP time, in seconds.
    pub local_offset_s: i32,
    /// By how much the local offset jumps next.
    pub jump_s: i32,
    /// When it jumps, in seconds of PTP.
    pub next_jump_s: u64,
    /// When the time address is next jammed.
    pub next_jam_s: u64,
    /// When it was last jammed.
    pub previous_jam_s: u64,
    /// The local offset then.
    pub previous_jam_offset_s: i32,
    /// Flags of daylight saving.
    pub daylight: u8,
    /// Whether the next jump is a leap second.
    pub leap: u8,
}

/// One master of version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtpOldMaster {
    /// Its subdomain.
    pub subdomain: String,
    /// Its address: technology, UUID and port.
    pub uuid: [u8; 6],
    /// Its port.
    pub port: u16,
    /// Messages by type.
    pub counts: [u64; 5],
    /// The grandmaster that its Sync names.
    pub grandmaster: Option<[u8; 6]>,
    /// The grandmaster's stratum.
    pub stratum: Option<u8>,
    /// The interval of Sync, as a power of two of seconds.
    pub log_sync_interval: Option<i8>,
    /// TAI − UTC in seconds.
    pub utc_offset_s: Option<i16>,
}

/// The capture's clock against TAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaiOffset {
    /// What is to be added to the capture's time for TAI.
    pub add_ns: i64,
    /// Most − least of what it rests on.
    pub spread_ns: u64,
    /// On how many messages it rests.
    pub samples: u64,
    /// Whether path delay was measured and left out.
    pub path_delay_known: bool,
    /// The grandmaster whose time this is.
    pub grandmaster: ClockIdentity,
    /// Whether that grandmaster's time can be traced to a primary reference.
    pub traceable: bool,
    /// When the last message of these came.
    pub last: Timestamp<Utc>,
}
