//! PTP on the wire (IEEE 1588), and what a listener learns from it.
