//! Uncompressed video in RTP (RFC 4175, ST 2110-20).
