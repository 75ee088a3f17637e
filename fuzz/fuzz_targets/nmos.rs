//! NMOS: whatever a registry answers, resources, sessions and requests are as many and as large as their bounds say.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| media::nmos::check(bytes));
