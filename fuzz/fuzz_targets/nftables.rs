//! Dumped nftables rules: forwards are ordered, bounded and well formed, and do not depend on where sets stand.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::nftables::check(bytes));
