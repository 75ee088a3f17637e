//! Documents as IANA writes them, whole, cut and broken.
