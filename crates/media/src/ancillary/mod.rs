//! Ancillary data in RTP (RFC 8331, ST 2110-40).
