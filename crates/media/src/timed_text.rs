//! Timed text in RTP (RFC 8759, ST 2110-43).
