//! The records that our kernel program `bpf/joined.bpf.c` writes: one per membership of a socket, one per source of it.

use core::net::IpAddr;

use crate::cursor::{array, ne16, ne32, ne64};

/// Bytes of one record (`struct record`).
pub const BYTES: usize = 64;

/// Bytes of the control block (`control`).
pub const CONTROL_BYTES: usize = 8;

/// How many records a walk found, whether or not they fitted.
pub fn found(control: &[u8; CONTROL_BYTES]) -> u64 {
    u64::from_ne_bytes(*control)
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The socket's network namespace.
    pub netns: u32,
    /// The socket's inode number.
    pub inode: u64,
    /// The interface that it joined on; 0 where the kernel chose none.
    pub interface: u32,
    /// The group.
    pub group: IpAddr,
    /// A source of the membership; `None` for the membership itself.
    pub source: Option<IpAddr>,
    /// Whether only its sources are wanted (`MCAST_INCLUDE`), or all but them (`MCAST_EXCLUDE`).
    pub only: bool,
    /// The kernel's cookie; 0 until somebody asked for it.
    pub cookie: u64,
    /// Local port in host order; 0 for a socket that is not bound.
    pub port: u16,
}

/// Reads one record; `None` for one that was never written.
pub fn parse(bytes: &[u8]) -> Option<Record> {
    const AF_INET: u16 = 2;
    const AF_INET6: u16 = 10;
    let family = ne16(bytes, 24)?;
    let address = |at| match family {
        AF_INET => Some(IpAddr::from(array::<4>(bytes, at)?)),
        AF_INET6 => Some(IpAddr::from(array::<16>(bytes, at)?)),
        _ => None,
    };
    let (group, source) = (address(32)?, address(48)?);
    let source = match *bytes.get(28)? {
        1 => None,
        2 => Some(source),
        _ => return None,
    };
    Some(Record {
        netns: ne32(bytes, 16)?,
        inode: ne64(bytes, 0)?,
        interface: ne32(bytes, 20)?,
        group: (bytes.len() >= BYTES).then_some(group)?,
        source,
        only: *bytes.get(29)? == 1,
        cookie: ne64(bytes, 8)?,
        port: ne16(bytes, 26)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_whole_or_not_at_all() {
        let mut bytes = [0_u8; BYTES];
        assert_eq!(parse(&bytes), None);
        bytes[..8].copy_from_slice(&77_u64.to_ne_bytes());
        bytes[16..20].copy_from_slice(&5_u32.to_ne_bytes());
        bytes[20..24].copy_from_slice(&3_u32.to_ne_bytes());
        bytes[24..26].copy_from_slice(&2_u16.to_ne_bytes());
        bytes[26..28].copy_from_slice(&5004_u16.to_ne_bytes());
        (bytes[28], bytes[29]) = (2, 1);
        bytes[32..36].copy_from_slice(&[239, 1, 2, 3]);
        bytes[48..52].copy_from_slice(&[192, 0, 2, 1]);
        let record = parse(&bytes).unwrap();
        assert_eq!((record.inode, record.netns, record.interface, record.port), (77, 5, 3, 5004));
        assert_eq!((record.group, record.source), ([239, 1, 2, 3].into(), Some([192, 0, 2, 1].into())));
        assert!(record.only);
        for end in 0..BYTES {
            assert_eq!(parse(&bytes[..end]), None, "{end}");
        }
        for (family, kind) in [(2, 0), (2, 3), (1, 1), (11, 1)] {
            (bytes[24], bytes[28]) = (family, kind);
            assert_eq!(parse(&bytes), None);
        }
    }
}
