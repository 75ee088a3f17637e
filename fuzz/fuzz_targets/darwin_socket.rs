//! What macOS says of a socket: an address of the family that is named, a backlog for listeners and nobody else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Family, Kind, State};
use wire::darwin_socket::{BYTES, parse};

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(Some(record)) => {
            assert_eq!(bytes.len(), BYTES);
            assert_eq!(record.local.is_ipv4(), record.family == Family::V4);
            assert!(
                record.peer.is_none_or(|peer| peer.is_ipv4() == record.local.is_ipv4() && peer.port() != 0)
            );
            assert_eq!(
                record.backlog.is_some(),
                record.kind == Kind::Tcp && record.state == State::Listening
            );
            assert!(matches!(record.kind, Kind::Tcp | Kind::Udp | Kind::Raw));
        }
        Ok(None) => assert_eq!(bytes.len(), BYTES),
        Err(fault) => assert!(fault.at <= BYTES.max(bytes.len())),
    }
});
