//! The socket tables of Windows: as many rows as counted, each of the table's own family; a fault lies within the bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::State;
use wire::windows_table::{Table, parse};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let table = Table::ALL[usize::from(*choice) % Table::ALL.len()];
    match parse(table, bytes) {
        Ok(rows) => {
            let count = u32::from_le_bytes(bytes[..4].try_into().unwrap());
            assert_eq!(rows.len(), usize::try_from(count).unwrap());
            for row in rows {
                assert_eq!(row.local.is_ipv6(), matches!(table, Table::Tcp6 | Table::Udp6));
                assert!(row.peer.is_none() || row.state != State::Listening);
                assert!(table.is_tcp() || row.state == State::Listening);
            }
        }
        Err(fault) => assert!(fault.at <= bytes.len()),
    }
});
