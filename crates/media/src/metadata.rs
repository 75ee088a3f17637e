//! Fast metadata in RTP (ST 2110-41).
