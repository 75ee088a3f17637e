//! Session descriptions (RFC 8866): read, checked, written.
