//! The rules that linear audio is held to.

use model::media::StreamRule;

/// Of a frame of samples, all channels are in one packet.
pub static WHOLE: StreamRule = StreamRule {
    name: "audio-whole-samples",
    clause: "RFC 3551 §4.1",
    text: "A payload is not a whole number of samples of every channel.",
};

/// There are samples.
pub static EMPTY: StreamRule =
    StreamRule { name: "audio-empty", clause: "RFC 3551 §4.1", text: "A packet carries no samples." };

/// Timestamps count samples.
pub static STEP: StreamRule = StreamRule {
    name: "audio-timestamp-step",
    clause: "ST 2110-10:2022 §7.7",
    text: "The RTP timestamp does not advance by the number of samples that were sent.",
};

/// Packets are of one length.
pub static LENGTH: StreamRule = StreamRule {
    name: "audio-length",
    clause: "ST 2110-30:2017",
    text: "The number of samples in a packet changes.",
};

/// Packets last as long as was said.
pub static TIME: StreamRule = StreamRule {
    name: "audio-packet-time",
    clause: "RFC 8866 §6.4",
    text: "Packets do not last as long as the session says (ptime).",
};

/// A level has such packets.
pub static LEVEL: StreamRule = StreamRule {
    name: "audio-level",
    clause: "ST 2110-30:2017",
    text: "No level of conformance has so many channels at this sample rate and packet time: AES67 may have it, but no receiver of ST 2110-30 has to take it.",
};

/// The marker is not used where nothing is left out in silence.
pub static MARKER: StreamRule = StreamRule {
    name: "audio-marker",
    clause: "RFC 3551 §4.1",
    text: "The marker is set although no packets were left out before.",
};

/// Samples come at their rate.
pub static RATE: StreamRule = StreamRule {
    name: "audio-rate",
    clause: "ST 2110-10:2022 §7.7",
    text: "Samples come at a rate that is more than a hundredth away from the one agreed.",
};

/// Every rule of linear audio.
pub static RULES: &[&StreamRule] = &[&WHOLE, &EMPTY, &STEP, &LENGTH, &TIME, &LEVEL, &MARKER, &RATE];
