//! ELF relocatable objects, as far as kernel programs need them (System V ABI, chapter 4; little-endian, 64 bit).

use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{c_string, le16, le32, le64};

/// A section of an object.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its kind (`SHT_*`).
    pub kind: u32,
    /// Its contents; empty for a section that only reserves space (`SHT_NOBITS`).
    pub bytes: &'a [u8],
    /// Its size; larger than `bytes` for a section that only reserves space.
    pub size: u64,
    /// For relocations: the section that they change.
    pub info: u32,
}

/// A symbol of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name; empty for section symbols.
    pub name: &'a [u8],
    /// Its kind (`STT_*`): 2 is a function.
    pub kind: u8,
    /// The section it lies in.
    pub section: u16,
    /// Its offset in that section, in bytes.
    pub value: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// A place that a symbol's address goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocation {
    /// The section to change.
    pub section: u32,
    /// The offset in it, in bytes.
    pub offset: u64,
    /// The kind (`R_BPF_*`).
    pub kind: u32,
    /// The symbol's index.
    pub symbol: u32,
}

/// A parsed object.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    /// Its sections, by index.
    pub sections: Vec<Section<'a>>,
    /// Its symbols, by index.
    pub symbols: Vec<Symbol<'a>>,
    /// Its relocations.
    pub relocations: Vec<Relocation>,
}

const SYMBOL_TABLE: u32 = 2;
const NO_BITS: u32 = 8;
const RELOCATIONS: u32 = 9;
const HEADER_BYTES: usize = 64;
const RELOCATION_BYTES: usize = 16;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "elf", at, what }
}

impl<'a> Object<'a> {
    /// The section with this name.
    pub fn section(&self, name: &[u8]) -> Option<(usize, &Section<'a>)> {
        self.sections.iter().enumerate().find(|(_, section)| section.name == name)
    }
}

/// Parses a relocatable object.
pub fn parse(bytes: &[u8]) -> Result<Object<'_>, Fault> {
    let cut = |at| move || fault(at, "the file ends here");
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return Err(fault(0, "not a little-endian 64-bit ELF file"));
    }
    let table =
        usize::try_from(le64(bytes, 40).ok_or_else(cut(40))?).map_err(|_| fault(40, "offset too large"))?;
    let entry_bytes = usize::from(le16(bytes, 58).ok_or_else(cut(58))?);
    let count = usize::from(le16(bytes, 60).ok_or_else(cut(60))?);
    let names_index = usize::from(le16(bytes, 62).ok_or_else(cut(62))?);
    if entry_bytes < HEADER_BYTES {
        return Err(fault(58, "section headers are shorter than the format says"));
    }
    let mut raw = Vec::with_capacity(count.min(bytes.len() / HEADER_BYTES));
    for index in 0..count {
        let at = table.saturating_add(index.saturating_mul(entry_bytes));
        let header = bytes.get(at..).and_then(|rest| rest.get(..HEADER_BYTES)).ok_or_else(cut(at))?;
        raw.push(header_of(header, bytes).ok_or_else(|| fault(at, "a section lies outside the file"))?);
    }
    let names = raw.get(names_index).map_or(&[][..], |(_, section, _)| section.bytes);
    let sections: Vec<Section<'_>> = raw
        .iter()
        .map(|(name, section, _)| Section { name: c_string(names, *name).unwrap_or_default(), ..*section })
        .collect();
    let mut symbols = Vec::new();
    let mut relocations = Vec::new();
    for ((_, section, link), index) in raw.iter().zip(0..) {
        match section.kind {
            SYMBOL_TABLE => {
                let strings = raw.get(*link as usize).map_or(&[][..], |(_, strings, _)| strings.bytes);
                symbols = read_symbols(section.bytes, strings)
                    .ok_or_else(|| fault(index, "the symbol table is damaged (section index given)"))?;
            }
            RELOCATIONS => {
                // Sections that lie over each other would make more entries than the file has room for.
                let total = relocations.len().saturating_add(section.bytes.len() / RELOCATION_BYTES);
                if total > bytes.len() / RELOCATION_BYTES {
                    return Err(fault(index, "relocations share their bytes (section index given)"));
                }
                for entry in section.bytes.chunks_exact(RELOCATION_BYTES) {
                    let (Some(offset), Some(info)) = (le64(entry, 0), le64(entry, 8)) else { continue };
                    let kind = (info & 0xffff_ffff) as u32;
                    let symbol = (info >> 32) as u32;
                    relocations.push(Relocation { section: section.info, offset, kind, symbol });
                }
            }
            _ => {}
        }
    }
    Ok(Object { sections, symbols, relocations })
}

/// Name offset, section and link of one section header.
fn header_of<'a>(header: &[u8], file: &'a [u8]) -> Option<(usize, Section<'a>, u32)> {
    let kind = le32(header, 4)?;
    let offset = usize::try_from(le64(header, 24)?).ok()?;
    let size = le64(header, 32)?;
    let contents = if kind == NO_BITS {
        &[][..]
    } else {
        file.get(offset..offset.checked_add(usize::try_from(size).ok()?)?)?
    };
    let section = Section { name: &[], kind, bytes: contents, size, info: le32(header, 44)? };
    Some((le32(header, 0)? as usize, section, le32(header, 40)?))
}

fn read_symbols<'a>(table: &[u8], strings: &'a [u8]) -> Option<Vec<Symbol<'a>>> {
    table
        .chunks_exact(24)
        .map(|entry| {
            Some(Symbol {
                name: c_string(strings, le32(entry, 0)? as usize).unwrap_or_default(),
                kind: *entry.get(4)? & 15,
                section: le16(entry, 6)?,
                value: le64(entry, 8)?,
                size: le64(entry, 16)?,
            })
        })
        .collect()
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let Ok(object) = parse(bytes) else { return };
    for section in &object.sections {
        assert!(section.bytes.len() <= bytes.len());
        assert!(section.kind == NO_BITS || section.size == section.bytes.len() as u64);
    }
    assert!(object.symbols.len() <= bytes.len() / 24 && object.relocations.len() <= bytes.len() * 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &[u8] = include_bytes!("../../../bpf/holders.bpf.o");

    #[test]
    fn relocations_that_share_their_bytes_are_refused() {
        // Two section headers, each of which says that the whole file is its relocations.
        let mut file = b"\x7fELF\x02\x01".to_vec();
        file.resize(192, 0);
        file[40] = 64;
        file[58] = 64;
        file[60] = 2;
        for header in [64, 128] {
            file[header + 4] = u8::try_from(RELOCATIONS).unwrap();
            file[header + 32] = 192;
        }
        assert_eq!(parse(&file).unwrap_err().at, 1);
        file[60] = 1;
        assert_eq!(parse(&file).unwrap().relocations.len(), 12);
    }

    #[test]
    fn our_own_object_has_its_sections_and_symbols() {
        let object = parse(OBJECT).unwrap();
        let (index, section) = object.section(b"iter/task").unwrap();
        assert_eq!(section.bytes.len() % 8, 0);
        let main = object.symbols.iter().find(|symbol| symbol.name == b"holders").unwrap();
        assert_eq!((usize::from(main.section), main.kind), (index, 2));
        assert!(object.relocations.iter().any(|relocation| relocation.section as usize == index));
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        for end in (0..OBJECT.len()).step_by(7) {
            check(&OBJECT[..end]);
        }
        let mut seed = 7_u64;
        let mut copy = OBJECT.to_vec();
        for _ in 0..4000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            let old = copy[at];
            copy[at] = seed.to_le_bytes()[2];
            check(&copy);
            copy[at] = old;
        }
    }
}
