//! What was seen of PTP, in JSON.

use super::Spread;
use super::StreamFault;
use super::shown;

shown! {
    /// What was seen of PTP (IEEE 1588).
    PtpFacts from model::media::ptp::PtpFacts {
        /// Messages of version 2.
        messages: u64,
        /// Messages of version 1.
        version1_messages: u64,
        /// What could not be read.
        malformed: u64,
        /// Messages for whose domain or port there was no room.
        left_out: u64,
        /// Domains, by number.
        domains: Vec<PtpDomain>,
        /// Masters of version 1.
        version1: Vec<PtpOldMaster>,
        /// Time of the capture against TAI, where a master says it.
        tai: Option<TaiOffset>,
        /// Rules that were broken, in the order of first occurrence.
        faults: Vec<StreamFault>,
    }
}

shown! {
    /// One domain.
    PtpDomain from model::media::ptp::PtpDomain {
        /// Its number.
        number: u8,
        /// Whose use of PTP this is (`sdoId`): 0 for IEEE 1588, 0x100 for IEEE 802.1AS.
        sdo: u16,
        /// The highest version and minor version of its messages.
        version: (u8, u8),
        /// Which profile it looks like.
        profile: &'static str,
        /// Why it looks so.
        profile_reasons: Vec<&'static str>,
        /// Messages by type.
        counts: Vec<(&'static str, u64)>,
        /// The ports that spoke: masters first.
        ports: Vec<PtpPort>,
        /// Who should be master, by the data sets that were announced (IEEE 1588-2008 §9.3.4).
        best: Option<String>,
        /// Who sent the last Sync.
        master: Option<String>,
        /// How often another port took over.
        changes_of_master: u64,
        /// Whether path delay is asked of the master (E2E), of the neighbour (P2P), or of both.
        delay: &'static str,
        /// Nanoseconds between master and here, from requests and responses that were seen.
        path_delay_ns: Spread,
        /// By how many nanoseconds the capture's clock is ahead of the master's, path delay left out.
        capture_ahead_ns: Spread,
        /// What was managed, by item.
        management: Vec<PtpManagement>,
        /// What was negotiated, and other extensions, by kind.
        extensions: Vec<(String, u64)>,
        /// The last synchronisation metadata (ST 2059-2).
        metadata: Option<SynchronizationMetadata>,
    }
}

shown! {
    /// One port that spoke.
    PtpPort from model::media::ptp::PtpPort {
        /// Who.
        identity: String,
        /// From where, the first address seen.
        sender: String,
        /// Whether it spoke from several addresses.
        several_senders: bool,
        /// The last Announce.
        announce: Option<PtpAnnounce>,
        /// How often what it announces changed.
        announce_changes: u64,
        /// Announce messages.
        announces: PtpCadence,
        /// Sync messages.
        syncs: PtpCadence,
        /// Delay_Req or Pdelay_Req messages.
        requests: PtpCadence,
        /// Delay_Resp or Pdelay_Resp messages.
        responses: u64,
        /// The interval of requests that a Delay_Resp grants, as a power of two of seconds.
        request_log_interval: Option<i8>,
        /// Sync messages that a Follow_Up completes.
        two_step: u64,
        /// Sync messages that are complete.
        one_step: u64,
        /// Follow_Up messages.
        follow_ups: u64,
        /// Sync messages whose Follow_Up did not come.
        follow_ups_missing: u64,
        /// Sequence numbers that were left out.
        sequence_gaps: u64,
        /// Nanoseconds of the capture's time less the master's, with corrections, path delay included.
        sync_delay_ns: Spread,
        /// The largest correction of a Sync with its Follow_Up.
        most_correction_ns: i64,
    }
}

shown! {
    /// How often a message came.
    PtpCadence from model::media::ptp::PtpCadence {
        /// How many.
        count: u64,
        /// The interval that it states, as a power of two of seconds.
        log_interval: Option<i8>,
        /// The intervals that were measured, in nanoseconds.
        interval_ns: Spread,
    }
}

shown! {
    /// What a master announces.
    PtpAnnounce from model::media::ptp::PtpAnnounce {
        /// The grandmaster.
        grandmaster: String,
        /// Its first priority.
        priority1: u8,
        /// Its class.
        class: u8,
        /// Its accuracy, as coded.
        accuracy: u8,
        /// Its variance, as coded.
        variance: u16,
        /// Its second priority.
        priority2: u8,
        /// How many clocks lie between.
        steps_removed: u16,
        /// Where its time comes from, as coded.
        time_source: u8,
        /// TAI − UTC in seconds.
        utc_offset_s: i16,
        /// Whether that offset is known to be right.
        utc_offset_valid: bool,
        /// Whether the time is that of PTP (TAI), else arbitrary.
        ptp_timescale: bool,
        /// Whether the time can be traced to a primary reference.
        time_traceable: bool,
        /// Whether the frequency can be.
        frequency_traceable: bool,
        /// Whether the last minute of the day has 61 seconds.
        leap61: bool,
        /// Whether it has 59.
        leap59: bool,
    }
}

shown! {
    /// One item of management.
    PtpManagement from model::media::ptp::PtpManagement {
        /// Which item: `default data set`.
        item: String,
        /// What was done: `read`, `set`, `answer`, `command`, `acknowledgement`, `error`.
        action: &'static str,
        /// How often.
        count: u64,
        /// The last content, in words, where we can read it.
        last: String,
    }
}

shown! {
    /// Synchronisation metadata: how time addresses and local time hang on PTP (ST 2059-2:2015 §9).
    SynchronizationMetadata from model::media::ptp::SynchronizationMetadata {
        /// Frames a second: above and below the line.
        frame_rate: (u32, u32),
        /// 0 not used, 1 free running, 2 cold locking, 3 warm locking, 4 locked.
        locking: u8,
        /// Whether time addresses drop frames.
        drop_frame: bool,
        /// Whether they follow colour frames.
        colour_frame: bool,
        /// Local time − PTP time, in seconds.
        local_offset_s: i32,
        /// By how much the local offset jumps next.
        jump_s: i32,
        /// When it jumps, in seconds of PTP.
        next_jump_s: u64,
        /// When the time address is next jammed.
        next_jam_s: u64,
        /// When it was last jammed.
        previous_jam_s: u64,
        /// The local offset then.
        previous_jam_offset_s: i32,
        /// Flags of daylight saving.
        daylight: u8,
        /// Whether the next jump is a leap second.
        leap: u8,
    }
}

shown! {
    /// One master of version 1.
    PtpOldMaster from model::media::ptp::PtpOldMaster {
        /// Its subdomain.
        subdomain: String,
        /// Its address: technology, UUID and port.
        uuid: String,
        /// Its port.
        port: u16,
        /// Messages by type.
        counts: [u64; 5],
        /// The grandmaster that its Sync names.
        grandmaster: Option<String>,
        /// The grandmaster's stratum.
        stratum: Option<u8>,
        /// The interval of Sync, as a power of two of seconds.
        log_sync_interval: Option<i8>,
        /// TAI − UTC in seconds.
        utc_offset_s: Option<i16>,
    }
}

shown! {
    /// The capture's clock against TAI.
    TaiOffset from model::media::ptp::TaiOffset {
        /// What is to be added to the capture's time for TAI.
        add_ns: i64,
        /// Most − least of what it rests on.
        spread_ns: u64,
        /// On how many messages it rests.
        samples: u64,
        /// Whether path delay was measured and left out.
        path_delay_known: bool,
        /// The grandmaster whose time this is.
        grandmaster: String,
        /// Whether that grandmaster's time can be traced to a primary reference.
        traceable: bool,
        /// When the last message of these came.
        last: String,
    }
}
