//! Which sockets joined which groups, as `bpf/joined.bpf.c` sees it.

use std::fs::File;
use std::io::{self, Read};

use wire::joined_record::{self, BYTES, CONTROL_BYTES, Record};

use super::LoadError;
use super::loader::{self, Loaded};
use super::sys::{self, Mapped};

/// Compiled from `bpf/joined.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/joined.bpf.o");

/// Room for this many records at first: 256 KiB; it doubles until everything fits.
const FIRST_ENTRIES: u32 = 1 << 12;

/// More than this many records are not kept: 64 MiB.
const MOST_ENTRIES: u32 = 1 << 20;

/// Every membership of every socket that a process has open, and each of its sources; in order, each once. With it,
/// how many there was no room for.
pub fn joined() -> Result<(Vec<Record>, u64), LoadError> {
    let mut entries = FIRST_ENTRIES;
    loop {
        let program = loader::load_iterator(OBJECT, "joined", &[("records", entries)])?;
        let (records, found) = run(&program, entries).map_err(|e| LoadError::Refused("run a program", e))?;
        if found <= u64::from(entries) || entries >= MOST_ENTRIES {
            return Ok((records, found.saturating_sub(u64::from(entries))));
        }
        entries = u32::try_from(found + found / 4).unwrap_or(MOST_ENTRIES).min(MOST_ENTRIES);
    }
}

fn run(program: &Loaded, entries: u32) -> io::Result<(Vec<Record>, u64)> {
    let map = |name: &str| program.maps.get(name).ok_or_else(|| io::Error::other("a map is missing"));
    let memory = Mapped::map(map("records")?, entries as usize * BYTES)?;
    let mut iteration = File::from(sys::iterate(&program.link)?);
    // The program writes nothing here; reading to the end is what makes it run.
    let mut nothing = [0; 4096];
    while iteration.read(&mut nothing)? > 0 {}
    let mut control = [0; CONTROL_BYTES];
    map(".bss")?.read_only_entry(&mut control)?;
    let found = joined_record::found(&control);
    let kept = usize::try_from(found).unwrap_or(usize::MAX).min(entries as usize);
    #[expect(unsafe_code, reason = "the memory is shared with the kernel")]
    // SAFETY: the program has ended, and nobody else can start it.
    let bytes = unsafe { memory.bytes(kept * BYTES) };
    let mut records: Vec<Record> = bytes.chunks_exact(BYTES).filter_map(joined_record::parse).collect();
    // A socket that several have open is met several times.
    records.sort_unstable();
    records.dedup();
    Ok((records, found))
}
