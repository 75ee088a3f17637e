//! What was measured of audio, in JSON.

use super::Spread;
use super::shown;

shown! {
    /// A limit and what was measured.
    AudioLimit from model::media::audio::AudioLimit {
        /// Whose limit.
        profile: &'static str,
        /// Of what.
        quantity: &'static str,
        /// What was measured.
        measured_ns: i64,
        /// It must not be less.
        least_ns: Option<i64>,
        /// It must not be more.
        most_ns: Option<i64>,
        /// How it stands.
        grade: &'static str,
    }
}

shown! {
    /// The time-stamped delay factor of one second (EBU Tech 3337).
    DelayWindow from model::media::audio::DelayWindow {
        /// Its first packet, in nanoseconds of the capture's clock.
        at_ns: i64,
        /// How far arrival minus RTP time moved.
        delay_factor_ns: i64,
    }
}

shown! {
    /// What was measured of audio (ST 2110-30, -31, AES67).
    AudioFacts from model::media::audio::AudioFacts {
        /// Packets.
        packets: u64,
        /// Packets that came before one with a lower number, or again; they are in no other figure but `packets`.
        out_of_order: u64,
        /// Packets of sequence numbers that were passed over.
        missing: u64,
        /// Octets of payload.
        payload_bytes: u64,
        /// Sampling instants that were received.
        samples: u64,
        /// Samples of one channel in a packet, where most packets agree.
        samples_per_packet: Option<u32>,
        /// Packets with another number of samples than that.
        other_lengths: u64,
        /// The fewest and the most samples in a packet.
        samples_range: Option<(u32, u32)>,
        /// How long those samples last.
        packet_time_ns: Option<u64>,
        /// Which packet time of the texts that is.
        packet_time: Option<&'static str>,
        /// The level that a sender of this keeps.
        level: Option<&'static str>,
        /// The levels whose receivers must take it.
        receivers: Vec<&'static str>,
        /// Steps of the RTP timestamp other than the number of samples sent.
        step_faults: u64,
        /// Times the RTP timestamp jumped by more than a second: what counts from a first packet began anew.
        jumps: u64,
        /// Packets with the marker set.
        markers: u64,
        /// Packets with a header extension.
        extensions: u64,
        /// Packets with padding.
        padded: u64,
        /// The longest datagram in octets, with its UDP header.
        largest_udp_bytes: u16,
        /// Time between packets that follow each other.
        inter_packet: Option<Spread>,
        /// Time-stamped delay factor over windows of a second (EBU Tech 3337).
        delay_factor_1s: Option<Spread>,
        /// The same over windows of 200 ms, as EBU LIST has it.
        delay_factor_200ms: Option<Spread>,
        /// Arrival minus RTP time.
        latency: Option<Spread>,
        /// What that is worth.
        latency_basis: Option<&'static str>,
        /// By how many parts in a thousand million the samples come faster than agreed, by the capture's clock; over a
        /// second at least.
        rate_deviation_ppb: Option<i64>,
        /// How it stands to limits of a profile.
        limits: Vec<AudioLimit>,
        /// AES3 subframes, where it carries them.
        aes3: Option<Aes3Facts>,
        /// What was taken for granted, in sentences.
        assumed: Vec<String>,
    }
}

shown! {
    /// What was measured of AES3 subframes (ST 2110-31).
    Aes3Facts from model::media::audio::Aes3Facts {
        /// Subframes that were looked at.
        subframes: u64,
        /// Subframes whose parity is odd.
        parity_faults: u64,
        /// Subframes whose two highest bits are not zero.
        reserved_faults: u64,
        /// Subframes that do not say rightly whether they are the first of a frame.
        frame_faults: u64,
        /// Block starts that did not come after 192 frames.
        block_faults: u64,
        /// Signals, each of two channels; the first ones only where there are very many.
        signals: Vec<Aes3Signal>,
        /// Channels that were not looked at.
        unmeasured_channels: u16,
    }
}

shown! {
    /// One AES3 signal: two channels.
    Aes3Signal from model::media::audio::Aes3Signal {
        /// Whole blocks of 192 frames.
        blocks: u64,
        /// Subframes that say they are not fit to be heard (V).
        invalid: u64,
        /// Subframes with a user bit that is set.
        user_bits: u64,
        /// Blocks of professional channel status whose check failed, of both subframes.
        check_faults: u64,
        /// The last whole channel status of each subframe.
        status: [Option<ChannelStatus>; 2],
        /// Times that channel status changed, of both subframes; time codes and checks within it left out.
        status_changes: u64,
        /// What is carried in place of sound (SMPTE ST 337), the newest kind.
        data: Option<DataBurst>,
        /// Bursts of such data.
        bursts: u64,
    }
}

shown! {
    /// Data in place of sound (SMPTE ST 337).
    DataBurst from model::media::audio::DataBurst {
        /// Bits of a word: 16, 20 or 24.
        word_bits: u8,
        /// The kind, 0 to 31 (SMPTE ST 338).
        kind: u8,
        /// Which stream of several.
        stream: u8,
        /// Whether the sender says that it is damaged.
        error: bool,
        /// Its length in bits.
        length_bits: u32,
        /// Whether it lies in one subframe of each frame, and not in both.
        one_subframe: bool,
    }
}

shown! {
    /// What AES3 says of a channel, decoded from a block of 192 bits.
    ChannelStatus from model::media::audio::ChannelStatus {
        /// The 24 octets themselves.
        bytes: String,
        /// Professional use, and not consumer use (IEC 60958-3).
        professional: bool,
        /// Whether it is something else than linear samples.
        other_than_sound: bool,
        /// Samples a second, where said.
        sample_rate: Option<u32>,
        /// Whether the rate is said to be not locked; professional only.
        unlocked: bool,
        /// Emphasis.
        emphasis: &'static str,
        /// What the two channels are to each other.
        mode: &'static str,
        /// Bits of a sample, where said.
        word_bits: Option<u8>,
        /// Where it came from, as four letters; empty where not said.
        origin: String,
        /// Where it goes, as four letters; empty where not said.
        destination: String,
        /// Whether the check is right; `None` where there is none to be expected.
        check: Option<bool>,
        /// Whether copying is allowed; consumer only.
        copy_permitted: Option<bool>,
        /// The category of the device; consumer only.
        category: Option<u8>,
    }
}
