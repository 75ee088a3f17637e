//! AES3 subframes in RTP: AM824 (ST 2110-31).
