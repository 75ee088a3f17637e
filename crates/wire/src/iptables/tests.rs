//! Tables as bytes.
