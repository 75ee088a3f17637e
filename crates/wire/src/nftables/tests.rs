//! Rules as bytes.
