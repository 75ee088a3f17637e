//! Records of kernel events: lengths and flags that lie must not lead out of the record.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| wire::event_record::check(bytes));
