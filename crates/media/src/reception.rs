//! What was received of a leg: loss, order, resets, jitter; and what RTCP says of it (RFC 3550, RFC 3611).
