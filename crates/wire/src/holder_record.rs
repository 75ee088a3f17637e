//! The records that our kernel program `bpf/holders.bpf.c` writes: one per process, one per open socket.

use crate::cursor::{array, ne16, ne32, ne64};

/// Bytes of one record (`struct record`).
pub const BYTES: usize = 64;

/// Bytes of the control block (`control`).
pub const CONTROL_BYTES: usize = 16;

/// What a walk should bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Connected sockets, too.
    pub connected: bool,
    /// Cookie, interface, protocol and address of each socket, and a packet socket's EtherType.
    pub details: bool,
}

/// The control block that starts a walk.
pub fn control(own_socket_fd: u32, wanted: Wanted) -> [u8; CONTROL_BYTES] {
    let mut block = [0; CONTROL_BYTES];
    let fd = own_socket_fd.to_ne_bytes();
    let [connected, details] = [wanted.connected, wanted.details].map(|flag| u16::from(flag).to_ne_bytes());
    let settings = fd.iter().chain(&connected).chain(&details);
    for (place, byte) in block.iter_mut().skip(8).zip(settings) {
        *place = *byte;
    }
    block
}

/// How many records a walk found, whether or not they fitted.
pub fn found(control: &[u8; CONTROL_BYTES]) -> u64 {
    ne64(control, 0).unwrap_or_default()
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A process.
    Task(Task),
    /// A socket that a process has open.
    Open(Open),
}

/// A process, as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Its number in the reader's PID namespace.
    pub pid: u32,
    /// When it started, in nanoseconds since boot.
    pub started_since_boot_ns: u64,
    /// Its network namespace; 0 for one that is ending.
    pub netns: u32,
    /// Its short name, filled up with zeros.
    pub comm: [u8; 16],
}

/// A socket that a process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// The socket's inode number.
    pub inode: u64,
    /// The kernel's cookie; 0 until somebody asked for it. A detail.
    pub cookie: u64,
    /// The process.
    pub pid: u32,
    /// The thread whose descriptor table it is: the process's first, unless a thread has a table of its own.
    pub tid: u32,
    /// The descriptor.
    pub fd: u32,
    /// The socket's network namespace.
    pub netns: u32,
    /// The interface it is bound to; 0 for none. A detail.
    pub interface: u32,
    /// Address family (`AF_*`).
    pub family: u16,
    /// IP protocol number. A detail.
    pub protocol: u16,
    /// Local port in host order; for packet sockets the EtherType, a detail.
    pub port: u16,
    /// Peer's port in host order; 0 without a peer.
    pub peer_port: u16,
    /// TCP state (`include/net/tcp_states.h`), used by the kernel for every protocol.
    pub state: u8,
    /// Socket type (`SOCK_*`).
    pub kind: u8,
    /// Local address; IPv4 uses the first four bytes. A detail.
    pub address: [u8; 16],
}

/// Reads one record; `None` for one that was never written.
pub fn parse(bytes: &[u8]) -> Option<Record> {
    let (pid, tid, netns) = (ne32(bytes, 16)?, ne32(bytes, 20)?, ne32(bytes, 28)?);
    match *bytes.get(45)? {
        1 => Some(Record::Task(Task {
            pid,
            started_since_boot_ns: ne64(bytes, 0)?,
            netns,
            comm: array(bytes, 48)?,
        })),
        2 => Some(Record::Open(Open {
            inode: ne64(bytes, 0)?,
            cookie: ne64(bytes, 8)?,
            pid,
            tid,
            fd: ne32(bytes, 24)?,
            netns,
            interface: ne32(bytes, 32)?,
            family: ne16(bytes, 36)?,
            protocol: ne16(bytes, 38)?,
            port: ne16(bytes, 40)?,
            peer_port: ne16(bytes, 42)?,
            state: *bytes.get(44)?,
            kind: *bytes.get(46)?,
            address: array(bytes, 48)?,
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_unwritten_records_are_none() {
        assert_eq!(parse(&[0; BYTES]), None);
        let mut bytes = [2_u8; BYTES];
        for end in 0..64 {
            assert_eq!(parse(&bytes[..end]), None, "{end}");
        }
        assert!(matches!(parse(&bytes), Some(Record::Open(open)) if open.port == 0x0202 && open.state == 2));
        bytes[45] = 1;
        assert!(matches!(parse(&bytes), Some(Record::Task(task)) if task.pid == 0x0202_0202));
    }

    #[test]
    fn the_control_block_carries_its_settings() {
        let block = control(9, Wanted { connected: false, details: true });
        assert_eq!((found(&block), block[8], block[12], block[14]), (0, 9, 0, 1));
    }
}
