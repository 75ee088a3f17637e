//! The records that our kernel program `bpf/events.bpf.c` writes: what happened to a socket, and what a process is.

use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Fault;
use crate::cursor::{array, ne16, ne32, ne64};

/// Bytes of a socket's record (`struct socket_record`).
pub const SOCKET_BYTES: usize = 104;

/// Bytes of a process's record (`struct process_record`).
pub const PROCESS_BYTES: usize = 7904;

/// Bytes of the control block (`control`).
pub const CONTROL_BYTES: usize = 16;

/// Most parents that a record names.
const PARENTS: usize = 8;
const PARENT_BYTES: usize = 20;
const EXE_AT: usize = 64 + PARENTS * PARENT_BYTES;
const GROUP_AT: usize = EXE_AT + 2048 + 256;
const ARGUMENTS_AT: usize = GROUP_AT + 1024 + 256;
const NO_FILE: u8 = 1;
const NO_FOLDER: u8 = 2;
const KERNEL: u8 = 4;
const EXE_CUT: u8 = 8;
const GROUP_CUT: u8 = 16;
const ARGUMENTS_CUT: u8 = 32;
const NO_ARGUMENTS: u8 = 64;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const TCP_LISTEN: u8 = 10;

/// The control block: in which PID namespace the reader is; 0 for the first. The first 8 bytes count the records that
/// there was no room for.
pub fn control(reader_pidns: u32) -> [u8; CONTROL_BYTES] {
    let mut block = [0; CONTROL_BYTES];
    for (place, byte) in block.iter_mut().skip(8).zip(reader_pidns.to_ne_bytes()) {
        *place = byte;
    }
    block
}

/// What happened (`enum happened`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// bind(2).
    Bound,
    /// The kernel chose a port, or is about to where the record has none.
    AutoBound,
    /// listen(2).
    Listening,
    /// The end of listening, or of the socket.
    Closed,
}

/// What ran: a process between two execve(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// Its number in the reader's PID namespace; 0 where it has none there.
    pub pid: u32,
    /// When it started, in nanoseconds since boot.
    pub started_since_boot_ns: u64,
    /// How often it and its parents called execve(2), as the kernel counts.
    pub exec: u32,
}

/// Something happened to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketRecord {
    /// What.
    pub what: What,
    /// When, in nanoseconds since boot.
    pub since_boot_ns: u64,
    /// Whether it was listening when this happened.
    pub listened: bool,
    /// The kernel's cookie.
    pub cookie: u64,
    /// What ran there.
    pub run: Run,
    /// The thread.
    pub tid: u32,
    /// The user of that thread.
    pub uid: u32,
    /// Its control group's number.
    pub cgroup: u64,
    /// The socket's network namespace.
    pub netns: u32,
    /// The interface that it is bound to; 0 for none.
    pub interface: u32,
    /// IP protocol number.
    pub protocol: u16,
    /// Whether it is an IPv6 socket.
    pub v6: bool,
    /// Whether it takes no IPv4.
    pub only_v6: bool,
    /// Its address.
    pub address: IpAddr,
    /// Its port; 0 where the kernel has not chosen one yet.
    pub port: u16,
    /// The thread's short name, filled up with zeros.
    pub comm: [u8; 16],
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessRecord<'a> {
    /// What ran.
    pub run: Run,
    /// Its effective user.
    pub euid: u32,
    /// Its control group's number.
    pub cgroup: u64,
    /// The inode number of the file that it runs.
    pub inode: u64,
    /// The file has no name any more.
    pub no_file: bool,
    /// The file never had a place in a folder: it is memory.
    pub no_folder: bool,
    /// It is a thread of the kernel.
    pub kernel: bool,
    exe: &'a [u8],
    group: &'a [u8],
    arguments: &'a [u8],
    parents: &'a [u8],
    flags: u8,
    /// Its short name, filled up with zeros.
    pub comm: [u8; 16],
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// Something happened to a socket.
    Socket(SocketRecord),
    /// What a process is, before the first thing that it did.
    Process(ProcessRecord<'a>),
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "event record", at, what }
}

/// Reads one record.
pub fn parse(bytes: &[u8]) -> Result<Record<'_>, Fault> {
    let cut = || fault(bytes.len(), "the record is cut short");
    match bytes.first() {
        Some(1) if bytes.len() >= SOCKET_BYTES => socket(bytes).map(Record::Socket),
        Some(2) if bytes.len() >= PROCESS_BYTES => process(bytes).ok_or_else(cut).map(Record::Process),
        None | Some(1 | 2) => Err(cut()),
        Some(_) => Err(fault(0, "a record of unknown kind")),
    }
}

fn socket(bytes: &[u8]) -> Result<SocketRecord, Fault> {
    let what = match bytes.get(1) {
        Some(1) => What::Bound,
        Some(2) => What::AutoBound,
        Some(3) => What::Listening,
        Some(4) => What::Closed,
        _ => return Err(fault(1, "what happened is unknown")),
    };
    let address: [u8; 16] = array(bytes, 72).unwrap_or_default();
    let [a, b, c, d, ..] = address;
    let v6 = match ne16(bytes, 60) {
        Some(AF_INET) => false,
        Some(AF_INET6) => true,
        _ => return Err(fault(60, "an address family without ports")),
    };
    let fields = || {
        Some(SocketRecord {
            what,
            since_boot_ns: ne64(bytes, 8)?,
            listened: *bytes.get(2)? == TCP_LISTEN,
            cookie: ne64(bytes, 16)?,
            run: Run {
                pid: ne32(bytes, 40)?,
                started_since_boot_ns: ne64(bytes, 24)?,
                exec: ne32(bytes, 44)?,
            },
            tid: ne32(bytes, 48)?,
            uid: ne32(bytes, 52)?,
            cgroup: ne64(bytes, 32)?,
            netns: ne32(bytes, 4)?,
            interface: ne32(bytes, 56)?,
            protocol: ne16(bytes, 62)?,
            v6,
            only_v6: *bytes.get(3)? != 0,
            address: if v6 { Ipv6Addr::from(address).into() } else { Ipv4Addr::new(a, b, c, d).into() },
            port: ne16(bytes, 64)?,
            comm: array(bytes, 88)?,
        })
    };
    fields().ok_or_else(|| fault(bytes.len(), "the record is cut short"))
}

fn process(bytes: &[u8]) -> Option<ProcessRecord<'_>> {
    let flags = *bytes.get(1)?;
    let part = |at: usize, length: usize, most: usize| bytes.get(at..)?.get(..length.min(most));
    let length = |at| ne16(bytes, at).map(usize::from);
    Some(ProcessRecord {
        run: Run { pid: ne32(bytes, 36)?, started_since_boot_ns: ne64(bytes, 8)?, exec: ne32(bytes, 40)? },
        euid: ne32(bytes, 44)?,
        cgroup: ne64(bytes, 16)?,
        inode: ne64(bytes, 24)?,
        no_file: flags & NO_FILE != 0,
        no_folder: flags & NO_FOLDER != 0,
        kernel: flags & KERNEL != 0,
        exe: part(EXE_AT, length(2)?, GROUP_AT - EXE_AT)?,
        group: part(GROUP_AT, length(4)?, ARGUMENTS_AT - GROUP_AT)?,
        arguments: part(ARGUMENTS_AT, length(6)?, PROCESS_BYTES - ARGUMENTS_AT)?,
        parents: part(64, PARENTS * PARENT_BYTES, PARENTS * PARENT_BYTES)?,
        flags,
        comm: array(bytes, 48)?,
    })
}

impl<'a> ProcessRecord<'a> {
    /// The path of the file that it runs, as far up as its own root; `None` where there is none, or it was too long.
    pub fn exe(&self) -> Option<String> {
        (self.flags & EXE_CUT == 0 && !self.exe.is_empty()).then(|| path(self.exe))
    }

    /// Its control group, from the root of the hierarchy on; `None` where that was too long.
    pub fn group(&self) -> Option<String> {
        (self.flags & GROUP_CUT == 0).then(|| path(self.group))
    }

    /// Its arguments as they lie in memory, each with a NUL; `None` where they could not be read.
    pub fn arguments(&self) -> Option<&'a [u8]> {
        (self.flags & NO_ARGUMENTS == 0).then_some(self.arguments)
    }

    /// Whether there were more arguments than were kept.
    pub fn arguments_cut(&self) -> bool {
        self.flags & ARGUMENTS_CUT != 0
    }

    /// Its parents, nearest first: number and short name.
    pub fn parents(&self) -> impl Iterator<Item = (u32, String)> + use<'a> {
        let entries = self.parents.chunks_exact(PARENT_BYTES);
        entries
            .map_while(|entry| {
                let pid = ne32(entry, 0).filter(|pid| *pid != 0)?;
                Some((pid, text(entry.get(4..).unwrap_or_default())))
            })
            .scan(0, |last, parent| {
                // The first process is its own parent as far as we see.
                let news = *last != parent.0;
                *last = parent.0;
                news.then_some(parent)
            })
    }
}

/// Names that come innermost first, as a path.
fn path(names: &[u8]) -> String {
    let parts: Vec<&[u8]> = names.split(|b| *b == 0).filter(|part| !part.is_empty()).collect();
    let mut out = String::new();
    for part in parts.iter().rev() {
        out.push('/');
        out.push_str(&String::from_utf8_lossy(part));
    }
    if out.is_empty() { String::from("/") } else { out }
}

/// Text that ends at its first NUL.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    match parse(bytes) {
        Ok(Record::Socket(socket)) => {
            assert!(bytes.len() >= SOCKET_BYTES);
            assert_eq!(socket.v6, socket.address.is_ipv6());
        }
        Ok(Record::Process(process)) => {
            assert!(bytes.len() >= PROCESS_BYTES);
            assert!(process.exe().is_none_or(|path| path.starts_with('/') && !path.contains('\0')));
            assert!(process.group().is_none_or(|path| path.starts_with('/') && !path.contains('\0')));
            assert!(process.arguments().is_none_or(|arguments| arguments.len() <= 4096));
            assert!(process.parents().count() <= PARENTS);
            assert!(process.parents().all(|(pid, name)| pid != 0 && !name.contains('\0')));
        }
        Err(fault) => assert!(fault.layer == "event record" && fault.at <= bytes.len().max(SOCKET_BYTES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn socket_bytes() -> Vec<u8> {
        let mut bytes = vec![0; SOCKET_BYTES];
        put(&mut bytes, 0, &[1, 3, 10, 1]);
        put(&mut bytes, 4, &7_u32.to_ne_bytes());
        put(&mut bytes, 16, &99_u64.to_ne_bytes());
        put(&mut bytes, 40, &1234_u32.to_ne_bytes());
        put(&mut bytes, 60, &AF_INET6.to_ne_bytes());
        put(&mut bytes, 62, &6_u16.to_ne_bytes());
        put(&mut bytes, 64, &420_u16.to_ne_bytes());
        bytes[87] = 1;
        put(&mut bytes, 88, b"nc\0");
        bytes
    }

    fn process_bytes() -> Vec<u8> {
        let mut bytes = vec![0; PROCESS_BYTES];
        bytes[0] = 2;
        put(&mut bytes, 2, &12_u16.to_ne_bytes());
        put(&mut bytes, 4, &8_u16.to_ne_bytes());
        put(&mut bytes, 6, &6_u16.to_ne_bytes());
        put(&mut bytes, 36, &1234_u32.to_ne_bytes());
        put(&mut bytes, 64, &1200_u32.to_ne_bytes());
        put(&mut bytes, 68, b"sh\0");
        put(&mut bytes, 84, &1_u32.to_ne_bytes());
        put(&mut bytes, 88, b"init\0");
        put(&mut bytes, 104, &1_u32.to_ne_bytes());
        put(&mut bytes, EXE_AT, b"nc\0bin\0usr\0\0");
        put(&mut bytes, GROUP_AT, b"b.scope\0a\0");
        put(&mut bytes, 4, &10_u16.to_ne_bytes());
        put(&mut bytes, ARGUMENTS_AT, b"nc\0-l\0");
        bytes
    }

    #[test]
    fn a_socket_is_read() {
        let bytes = socket_bytes();
        let Ok(Record::Socket(socket)) = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
        assert_eq!((socket.what, socket.port, socket.cookie), (What::Listening, 420, 99));
        assert_eq!((socket.run.pid, socket.netns, socket.protocol), (1234, 7, 6));
        assert_eq!(socket.address, "::1".parse::<IpAddr>().unwrap());
        assert!(socket.only_v6 && text(&socket.comm) == "nc");
    }

    #[test]
    fn a_process_is_read_with_its_paths_turned_round() {
        let bytes = process_bytes();
        let Ok(Record::Process(process)) = parse(&bytes) else { panic!("{:?}", parse(&bytes)) };
        assert_eq!(process.exe().unwrap(), "/usr/bin/nc");
        assert_eq!(process.group().unwrap(), "/a/b.scope");
        assert_eq!(process.arguments().unwrap(), b"nc\0-l\0");
        let parents: Vec<(u32, String)> = process.parents().collect();
        assert_eq!(parents, [(1200, "sh".into()), (1, "init".into())]);
        let mut cut = bytes.clone();
        cut[1] = EXE_CUT | GROUP_CUT | NO_ARGUMENTS;
        let Ok(Record::Process(process)) = parse(&cut) else { panic!() };
        assert_eq!((process.exe(), process.group(), process.arguments()), (None, None, None));
    }

    #[test]
    fn every_prefix_and_each_forbidden_value_is_a_fault() {
        for whole in [socket_bytes(), process_bytes()] {
            for end in 0..whole.len() {
                assert!(parse(&whole[..end]).is_err(), "{end}");
                check(&whole[..end]);
            }
            assert!(parse(&whole).is_ok());
        }
        for (at, value) in [(0, 0), (0, 3), (0, 255), (1, 0), (1, 5), (60, 1), (60, 17)] {
            let mut bytes = socket_bytes();
            bytes[at] = value;
            assert!(parse(&bytes).is_err(), "{at} {value}");
        }
    }

    #[test]
    fn random_records_are_survived() {
        let mut seed = 11_u64;
        for whole in [socket_bytes(), process_bytes()] {
            for _ in 0..3000 {
                let mut bytes = whole.clone();
                for _ in 0..8 {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Lengths and flags are at the beginning.
                    let within = if seed & 1 == 0 { 64 } else { bytes.len() };
                    bytes[(seed >> 33) as usize % within] = seed.to_le_bytes()[2];
                }
                check(&bytes);
            }
        }
    }

    #[test]
    fn the_control_block_carries_its_settings() {
        let block = control(7);
        assert_eq!((ne64(&block, 0), ne32(&block, 8), ne32(&block, 12)), (Some(0), Some(7), Some(0)));
    }
}
