//! The records that our kernel programs in `bpf/owners.bpf.c` write: one per socket that waits for peers.

use crate::cursor::{ne32, ne64};

/// Bytes of one record (`struct record`).
pub const BYTES: usize = 16;

/// Bytes of the block that says which ports are asked about (`wanted_ports`).
pub const PORT_BYTES: usize = 1 << 16 >> 3;

/// The block that asks about these ports.
pub fn wanted(ports: impl IntoIterator<Item = u16>) -> [u8; PORT_BYTES] {
    let mut block = [0; PORT_BYTES];
    for port in ports {
        if let Some(byte) = block.get_mut(usize::from(port >> 3)) {
            *byte |= 1 << (port & 7);
        }
    }
    block
}

/// Whose a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The kernel's cookie; never 0.
    pub cookie: u64,
    /// Whether the kernel itself uses the socket; otherwise a file of it exists, which somebody has.
    pub by_kernel: bool,
}

/// Reads one record; `None` for one that is short or says what our programs never say.
pub fn parse(bytes: &[u8]) -> Option<Owner> {
    let (cookie, by_kernel, pad) = (ne64(bytes, 0)?, ne32(bytes, 8)?, ne32(bytes, 12)?);
    (cookie != 0 && by_kernel <= 1 && pad == 0).then_some(Owner { cookie, by_kernel: by_kernel == 1 })
}

/// Every whole record of an answer.
pub fn all(bytes: &[u8]) -> impl Iterator<Item = Owner> {
    bytes.chunks_exact(BYTES).filter_map(parse)
}

/// What holds for any input; the fuzzer's target, and a test's.
pub fn check(bytes: &[u8]) {
    assert!(all(bytes).count() <= bytes.len() / BYTES);
    for (owner, record) in all(bytes).zip(bytes.chunks_exact(BYTES).filter(|record| parse(record).is_some()))
    {
        let mut again = [0; BYTES];
        for (place, byte) in again.iter_mut().zip(owner.cookie.to_ne_bytes()) {
            *place = byte;
        }
        for (place, byte) in again.iter_mut().skip(8).zip(u32::from(owner.by_kernel).to_ne_bytes()) {
            *place = byte;
        }
        assert_eq!(again, record, "a record says nothing that was not read");
    }
    assert_eq!(parse(bytes.get(..BYTES - 1).unwrap_or(bytes)), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn record(cookie: u64, by_kernel: u32, pad: u32) -> Vec<u8> {
        [&cookie.to_ne_bytes()[..], &by_kernel.to_ne_bytes(), &pad.to_ne_bytes()].concat()
    }

    #[test]
    fn reads_what_the_programs_write() {
        let two = [record(7, 1, 0), record(8, 0, 0)].concat();
        let owners: Vec<(u64, bool)> = all(&two).map(|owner| (owner.cookie, owner.by_kernel)).collect();
        assert_eq!(owners, [(7, true), (8, false)]);
        for end in 0..=two.len() {
            assert_eq!(all(&two[..end]).count(), end / BYTES);
            check(&two[..end]);
        }
    }

    #[test]
    fn each_port_has_its_bit() {
        let block = wanted([0, 9, 65535]);
        assert_eq!((block[0], block[1], block[PORT_BYTES - 1]), (1, 2, 128));
        assert_eq!(block.iter().map(|byte| byte.count_ones()).sum::<u32>(), 3);
    }

    #[test]
    fn refuses_what_the_programs_never_write() {
        for bad in [record(0, 1, 0), record(7, 2, 0), record(7, 1, 1)] {
            assert_eq!(parse(&bad), None);
        }
    }

    #[test]
    fn random_bytes_break_nothing() {
        let mut state = 1_u64;
        let mut bytes = Vec::new();
        for _ in 0..4096 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Mostly zeros, so that some are records.
            bytes.push(u8::from(state >> 59 == 0));
        }
        check(&bytes);
        assert!(all(&bytes).count() > 0);
    }
}
