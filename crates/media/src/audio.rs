//! Linear audio in RTP (RFC 3551, RFC 3190, ST 2110-30, AES67): packet times, levels of conformance, timestamps against arrival.
