//! The bpf(2) system call and the memory it shares, behind safe functions.

#![expect(unsafe_code, reason = "bpf(2) and mmap(2) have no safe interface")]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

const MAP_CREATE: i32 = 0;
const MAP_LOOKUP: i32 = 1;
const MAP_UPDATE: i32 = 2;
const PROG_LOAD: i32 = 5;
const BTF_LOAD: i32 = 18;
const LINK_CREATE: i32 = 28;
const ITER_CREATE: i32 = 33;

/// A map type and its sizes (`enum bpf_map_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapShape {
    pub kind: u32,
    pub key_bytes: u32,
    pub value_bytes: u32,
    pub entries: u32,
    pub flags: u32,
}

/// What a program is, besides its instructions.
#[derive(Debug)]
pub struct ProgramShape<'a> {
    pub kind: u32,
    pub attach_kind: u32,
    pub attach_type_id: u32,
    pub types: &'a OwnedFd,
    /// Pairs of instruction index and function type.
    pub functions: &'a [[u32; 2]],
}

/// The argument block of bpf(2), built field by field; the kernel takes a shorter one as filled up with zeros.
struct Attr {
    bytes: [u8; 160],
    used: usize,
}

impl Attr {
    fn new() -> Attr {
        Attr { bytes: [0; 160], used: 0 }
    }

    fn put(mut self, value: &[u8]) -> Attr {
        if let Some(place) = self.bytes.get_mut(self.used..self.used + value.len()) {
            place.copy_from_slice(value);
        }
        self.used += value.len();
        self
    }

    fn u32(self, value: u32) -> Attr {
        self.put(&value.to_ne_bytes())
    }

    fn fd(self, fd: impl AsFd) -> Attr {
        self.put(&fd.as_fd().as_raw_fd().to_ne_bytes())
    }

    fn u64(self, value: u64) -> Attr {
        self.put(&value.to_ne_bytes())
    }

    /// The address of memory that the caller keeps alive until the call returns.
    fn pointer(self, bytes: &[u8]) -> Attr {
        let address = bytes.as_ptr().addr();
        self.u64(address as u64)
    }

    fn zeros(self, count: usize) -> Attr {
        const NOTHING: [u8; 64] = [0; 64];
        self.put(NOTHING.get(..count).unwrap_or_default())
    }

    /// Makes the call.
    ///
    /// # Safety
    /// Every address in the block must point to memory that is alive and as long as the command says.
    unsafe fn call(&self, command: i32) -> io::Result<i32> {
        // SAFETY: the block is alive for the call, its length is given, and the caller answers for the addresses in it.
        let answer = unsafe { libc::syscall(libc::SYS_bpf, command, self.bytes.as_ptr(), self.used) };
        i32::try_from(answer)
            .map_err(io::Error::other)
            .and_then(|answer| if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) })
    }

    /// Makes a call that answers with a descriptor.
    ///
    /// # Safety
    /// As for [`Attr::call`]; and `command` must be one that returns a new descriptor.
    unsafe fn call_for_fd(&self, command: i32) -> io::Result<OwnedFd> {
        // SAFETY: passed on to the caller.
        let fd = unsafe { self.call(command)? };
        // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// Makes a map.
pub fn create_map(shape: MapShape) -> io::Result<OwnedFd> {
    let attr = Attr::new()
        .u32(shape.kind)
        .u32(shape.key_bytes)
        .u32(shape.value_bytes)
        .u32(shape.entries)
        .u32(shape.flags);
    // SAFETY: the block holds no address.
    unsafe { attr.call_for_fd(MAP_CREATE) }
}

/// Sets the only entry of a one-entry array; `value` must be as long as the map's values.
pub fn set_only_entry(map: &OwnedFd, value: &[u8]) -> io::Result<()> {
    let key = [0_u8; 4];
    let attr = Attr::new().fd(map).u32(0).pointer(&key).pointer(value).u64(0);
    // SAFETY: key and value outlive the call; the callers give a value of the map's size.
    unsafe { attr.call(MAP_UPDATE) }.map(drop)
}

/// Reads the only entry of a one-entry array into `value`, which must be as long as the map's values.
pub fn read_only_entry(map: &OwnedFd, value: &mut [u8]) -> io::Result<()> {
    let key = [0_u8; 4];
    let address = value.as_mut_ptr().addr() as u64;
    let attr = Attr::new().fd(map).u32(0).pointer(&key).u64(address).u64(0);
    // SAFETY: key and value outlive the call; the callers give a buffer of the map's size, borrowed mutably.
    unsafe { attr.call(MAP_LOOKUP) }.map(drop)
}

/// Loads type information for a program.
pub fn load_types(block: &[u8]) -> io::Result<OwnedFd> {
    let length = u32::try_from(block.len()).map_err(io::Error::other)?;
    let attr = Attr::new().pointer(block).u64(0).u32(length).u32(0).u32(0);
    // SAFETY: the block outlives the call and its length is given.
    unsafe { attr.call_for_fd(BTF_LOAD) }
}

/// Loads a program. Whoever changes one finds the verifier's words by `bpftool --debug prog load`.
pub fn load_program(instructions: &[u8], shape: &ProgramShape<'_>) -> io::Result<OwnedFd> {
    let count = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let functions: Vec<u8> = shape.functions.iter().flatten().flat_map(|word| word.to_ne_bytes()).collect();
    let attr = Attr::new()
        .u32(shape.kind)
        .u32(count(instructions.len() / 8)?)
        .pointer(instructions)
        .pointer(b"Dual MIT/GPL\0")
        .zeros(16) // log: none
        .u32(0) // kern_version
        .u32(0) // prog_flags
        .put(b"portreeve\0\0\0\0\0\0\0")
        .u32(0) // prog_ifindex
        .u32(shape.attach_kind)
        .fd(shape.types)
        .u32(8) // func_info_rec_size
        .pointer(&functions)
        .u32(count(shape.functions.len())?)
        .zeros(16) // line information: none
        .u32(shape.attach_type_id);
    // SAFETY: instructions, licence and functions outlive the call, and their lengths are given.
    unsafe { attr.call_for_fd(PROG_LOAD) }
}

/// Ties a program to what it iterates over.
pub fn link(program: &OwnedFd, attach_kind: u32) -> io::Result<OwnedFd> {
    let attr = Attr::new().fd(program).u32(0).u32(attach_kind).u32(0);
    // SAFETY: the block holds no address.
    unsafe { attr.call_for_fd(LINK_CREATE) }
}

/// Starts one iteration; reading the descriptor runs it.
pub fn iterate(link: &OwnedFd) -> io::Result<OwnedFd> {
    let attr = Attr::new().fd(link).u32(0);
    // SAFETY: the block holds no address.
    unsafe { attr.call_for_fd(ITER_CREATE) }
}

/// The memory of an array map, mapped for reading.
#[derive(Debug)]
pub struct Mapped {
    start: NonNull<c_void>,
    bytes: usize,
}

// SAFETY: the mapping is only read, and belongs to this value alone.
unsafe impl Send for Mapped {}

impl Mapped {
    /// Maps the first `bytes` of a map that was made with BPF_F_MMAPABLE: what programs write shows here.
    pub fn map(map: &OwnedFd, bytes: usize) -> io::Result<Mapped> {
        Mapped::new(map.as_fd(), bytes, libc::MAP_SHARED)
    }

    /// Maps the first `bytes` of a file that nobody changes. The kernel's types refuse to be shared.
    pub fn file(file: &std::fs::File, bytes: usize) -> io::Result<Mapped> {
        Mapped::new(file.as_fd(), bytes, libc::MAP_PRIVATE)
    }

    fn new(fd: BorrowedFd<'_>, bytes: usize, flags: i32) -> io::Result<Mapped> {
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, flags, fd.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(start).map(|start| Mapped { start, bytes }).ok_or_else(io::Error::last_os_error)
    }

    /// The first `bytes` of it.
    ///
    /// # Safety
    /// No program that writes to the map may run while the slice is in use.
    pub unsafe fn bytes(&self, bytes: usize) -> &[u8] {
        // SAFETY: the mapping is at least this long and lives as long as `self`; the caller keeps writers away.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), bytes.min(self.bytes)) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `new` made, and nothing borrows it.
        unsafe { libc::munmap(self.start.as_ptr(), self.bytes) };
    }
}
