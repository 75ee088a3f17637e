//! Filter programs: they pass the frames that a slow reading of the same expression passes, and the kernel takes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::filter::check_run(bytes));
