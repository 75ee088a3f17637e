//! ONC RPC: a header is read the same whatever follows it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| wire::onc_rpc::check(bytes));
