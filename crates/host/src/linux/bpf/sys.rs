//! The bpf(2) system call and the memory it shares, behind safe functions.

#![expect(unsafe_code, reason = "bpf(2) and mmap(2) have no safe interface")]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

const MAP_CREATE: i32 = 0;
const MAP_LOOKUP: i32 = 1;
const MAP_UPDATE: i32 = 2;
const MAP_DELETE: i32 = 3;
const MAP_NEXT_KEY: i32 = 4;
const PROG_LOAD: i32 = 5;
const RAW_TRACEPOINT_OPEN: i32 = 17;
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

/// A map in the kernel, and its sizes.
#[derive(Debug)]
pub struct Map {
    fd: OwnedFd,
    shape: MapShape,
}

/// The kinds of map that have a value for each processor: theirs are not read or set here.
const PER_PROCESSOR: [u32; 4] = [5, 6, 10, 21];

impl Map {
    /// Makes a map. `types` is a block in which type 1 is its key and type 2 its value, for the kinds that want one.
    pub fn create(shape: MapShape, types: Option<&OwnedFd>) -> io::Result<Map> {
        let attr = Attr::new()
            .u32(shape.kind)
            .u32(shape.key_bytes)
            .u32(shape.value_bytes)
            .u32(shape.entries)
            .u32(shape.flags);
        let attr = match types {
            // inner_map_fd, numa_node, map_name and map_ifindex stay 0.
            Some(types) => attr.zeros(28).fd(types).u32(1).u32(2),
            None => attr,
        };
        // SAFETY: the block holds no address.
        let fd = unsafe { attr.call_for_fd(MAP_CREATE) }?;
        Ok(Map { fd, shape })
    }

    /// Its sizes.
    pub fn shape(&self) -> MapShape {
        self.shape
    }

    /// Sets the value of a key. For maps of sockets the value is a socket's descriptor.
    pub fn update(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.check(key, value.len())?;
        let attr = Attr::new().fd(&self.fd).u32(0).pointer(key).pointer(value).u64(0);
        // SAFETY: key and value outlive the call, and are as long as those of the map.
        unsafe { attr.call(MAP_UPDATE) }.map(drop)
    }

    /// Sets the value of a key that is not there yet; whether that was so.
    pub fn insert(&self, key: &[u8], value: &[u8]) -> io::Result<bool> {
        const ONLY_NEW: u64 = 1;
        self.check(key, value.len())?;
        let attr = Attr::new().fd(&self.fd).u32(0).pointer(key).pointer(value).u64(ONLY_NEW);
        // SAFETY: key and value outlive the call, and are as long as those of the map.
        match unsafe { attr.call(MAP_UPDATE) } {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts the key that follows `before`, or the first one, into `next`; whether there is one.
    pub fn next_key(&self, before: Option<&[u8]>, next: &mut [u8]) -> io::Result<bool> {
        self.check(before.unwrap_or(next), self.value_bytes())?;
        self.check(next, self.value_bytes())?;
        let address = next.as_mut_ptr().addr() as u64;
        let attr = Attr::new().fd(&self.fd).u32(0);
        let attr = match before {
            Some(before) => attr.pointer(before),
            None => attr.u64(0),
        };
        // SAFETY: the keys outlive the call, and are as long as those of the map; `next` is borrowed mutably.
        absent(unsafe { attr.u64(address).u64(0).call(MAP_NEXT_KEY) })
    }

    /// Reads the value of a key; whether there is one.
    pub fn lookup(&self, key: &[u8], value: &mut [u8]) -> io::Result<bool> {
        self.check(key, value.len())?;
        let address = value.as_mut_ptr().addr() as u64;
        let attr = Attr::new().fd(&self.fd).u32(0).pointer(key).u64(address).u64(0);
        // SAFETY: key and value outlive the call and are as long as those of the map; value is borrowed mutably.
        absent(unsafe { attr.call(MAP_LOOKUP) })
    }

    /// Takes a key out; whether it was there.
    pub fn delete(&self, key: &[u8]) -> io::Result<bool> {
        self.check(key, self.value_bytes())?;
        let attr = Attr::new().fd(&self.fd).u32(0).pointer(key);
        // SAFETY: the key outlives the call, and is as long as those of the map.
        absent(unsafe { attr.call(MAP_DELETE) })
    }

    /// Sets the only entry of a one-entry array.
    pub fn set_only_entry(&self, value: &[u8]) -> io::Result<()> {
        self.update(&[0; 4], value)
    }

    /// Reads the only entry of a one-entry array.
    pub fn read_only_entry(&self, value: &mut [u8]) -> io::Result<()> {
        self.lookup(&[0; 4], value).map(drop)
    }

    fn value_bytes(&self) -> usize {
        self.shape.value_bytes as usize
    }

    fn check(&self, key: &[u8], value_bytes: usize) -> io::Result<()> {
        let fits = key.len() == self.shape.key_bytes as usize && value_bytes == self.value_bytes();
        if fits && !PER_PROCESSOR.contains(&self.shape.kind) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a key or value of this map"))
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether there was such a key.
fn absent(answer: io::Result<i32>) -> io::Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
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

/// Ties a program to what it was loaded for, or to a control group or network namespace.
pub fn link(program: &OwnedFd, place: Option<BorrowedFd<'_>>, attach_kind: u32) -> io::Result<OwnedFd> {
    let attr = Attr::new().fd(program);
    let attr = match place {
        Some(place) => attr.fd(place),
        None => attr.u32(0),
    };
    // SAFETY: the block holds no address.
    unsafe { attr.u32(attach_kind).u32(0).call_for_fd(LINK_CREATE) }
}

/// Ties a program to the tracepoint that it was loaded for.
pub fn open_tracepoint(program: &OwnedFd) -> io::Result<OwnedFd> {
    let attr = Attr::new().u64(0).fd(program).u32(0);
    // SAFETY: no name is given, so the block holds no address.
    unsafe { attr.call_for_fd(RAW_TRACEPOINT_OPEN) }
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
    pub fn map(map: &Map, bytes: usize) -> io::Result<Mapped> {
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

/// Memory that programs and we both use while it is mapped.
#[derive(Debug)]
pub struct Shared {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to this value alone, and whoever reads it answers for how.
unsafe impl Send for Shared {}

impl Shared {
    /// Maps `bytes` of a map from `offset` on, for reading or for both.
    pub fn map(map: &Map, offset: usize, bytes: usize, writable: bool) -> io::Result<Shared> {
        let rights = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        let fd = map.as_fd().as_raw_fd();
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, rights, libc::MAP_SHARED, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Shared { start, bytes })
    }

    /// Where `bytes` from `offset` on lie, if they lie inside.
    fn place(&self, offset: usize, bytes: usize) -> Option<NonNull<u8>> {
        let inside = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        // SAFETY: inside the mapping, as just checked.
        inside.then(|| unsafe { self.start.byte_add(offset) })
    }

    /// A number that the kernel changes as a whole, at a multiple of its size.
    pub fn atomic64(&self, offset: usize) -> Option<&AtomicU64> {
        let place = self.place(offset, 8).filter(|_| offset.is_multiple_of(8))?;
        // SAFETY: aligned, inside the mapping, alive as long as `self`, and never changed but as an atomic.
        Some(unsafe { place.cast().as_ref() })
    }

    /// The same, half as long.
    pub fn atomic32(&self, offset: usize) -> Option<&AtomicU32> {
        let place = self.place(offset, 4).filter(|_| offset.is_multiple_of(4))?;
        // SAFETY: aligned, inside the mapping, alive as long as `self`, and never changed but as an atomic.
        Some(unsafe { place.cast().as_ref() })
    }

    /// Bytes of it; `None` where they would lie outside.
    ///
    /// # Safety
    /// Nobody may write there while the slice is in use.
    pub unsafe fn bytes(&self, offset: usize, bytes: usize) -> Option<&[u8]> {
        let place = self.place(offset, bytes)?;
        // SAFETY: inside the mapping, which lives as long as `self`; the caller keeps writers away.
        Some(unsafe { std::slice::from_raw_parts(place.as_ptr(), bytes) })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `map` made, and nothing borrows it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
