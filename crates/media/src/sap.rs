//! Session announcements (RFC 2974).
