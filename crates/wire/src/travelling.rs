//! What our kernel program `bpf/travelling.bpf.c` tells: the cookies of sockets that travel in messages.

use crate::cursor::ne64;

/// Bytes of its answer (`travelling`).
pub const BYTES: usize = 8 + 8 * ROOM;

/// As many cookies have room.
const ROOM: usize = 1024;

/// Every cookie of an answer. Of more than have room, the last are told.
pub fn cookies(answer: &[u8; BYTES]) -> impl Iterator<Item = u64> + '_ {
    let found = usize::try_from(ne64(answer, 0).unwrap_or(0)).unwrap_or(usize::MAX);
    (0..found.min(ROOM)).filter_map(|at| ne64(answer, 8 + 8 * at)).filter(|cookie| *cookie != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_was_found_and_no_more() {
        let mut answer = [1; BYTES];
        answer[..8].copy_from_slice(&2_u64.to_ne_bytes());
        answer[8..16].copy_from_slice(&7_u64.to_ne_bytes());
        assert!(cookies(&answer).eq([7, 0x0101_0101_0101_0101]));
        answer[..8].copy_from_slice(&u64::MAX.to_ne_bytes());
        assert_eq!(cookies(&answer).count(), ROOM);
        assert_eq!(cookies(&[0; BYTES]).count(), 0);
    }
}
