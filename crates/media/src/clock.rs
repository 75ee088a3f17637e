//! The RTP clock against TAI, in exact numbers (ST 2110-10:2022 §7).
