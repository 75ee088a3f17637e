//! Records and hellos of TLS and DTLS: what is put together was there, and lists lie inside their hello.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::tls::check(bytes));
