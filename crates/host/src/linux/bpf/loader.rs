//! From a committed object to programs in the kernel: CO-RE relocation, maps, subprograms.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use wire::btf::{Ask, Btf, CoreRecord, Kind, core_records};
use wire::cursor::le32;
use wire::elf::{self, Object, Relocation, Symbol};

use super::LoadError;
use super::hook::{Hook, Tie};
use super::kernel_types::KernelTypes;
use super::maps::{self, Maps};
use super::sys::{self, ProgramShape};

const LOAD_IMMEDIATE_64: u8 = 0x18;
const CALL: u8 = 0x85;
const PSEUDO_MAP: u8 = 1;
const PSEUDO_MAP_VALUE: u8 = 2;
const PSEUDO_FUNCTION: u8 = 4;
/// In a call's source register: a function of the kernel, by its type number.
const PSEUDO_KERNEL_CALL: u8 = 2;
/// No function of the kernel has this number: the verifier refuses a program that comes to a call of it.
const NO_FUNCTION: i32 = 0x0bad_0bad;
const INSTRUCTION_BYTES: usize = 8;

/// A program in the kernel, tied to its iterator, with its maps by name.
#[derive(Debug)]
pub struct Loaded {
    /// Reading an iteration over this runs the program.
    pub link: OwnedFd,
    /// The maps, by the name of their variable; `.bss` is the program's own variables.
    pub maps: Maps,
}

/// Loads the iterator program whose function is `program`; `entries` says how large the maps are that leave it open.
pub fn load_iterator(object: &[u8], program: &str, entries: &[(&str, u32)]) -> Result<Loaded, LoadError> {
    let types = KernelTypes::open()?;
    let opened = Opened::of(object, &types, entries)?;
    let link = opened.load(program)?.tie_here()?;
    Ok(Loaded { link, maps: opened.maps })
}

/// What a program may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// The kernel's own functions, where there are such, besides its stable helpers.
    Functions,
    /// Only the stable helpers, as on a kernel that is too old for more.
    HelpersOnly,
}

/// The step at which the kernel judges a program.
const LOAD: &str = "load a program";

/// An object of ours whose maps are in the kernel. Its programs are loaded one by one, and share the maps.
#[derive(Debug)]
pub struct Opened<'o> {
    object: Object<'o>,
    own: Btf<'o>,
    kernel: Btf<'o>,
    records: Vec<CoreRecord<'o>>,
    /// The kernel's number of each type that a record begins at.
    roots: HashMap<u32, Option<u32>>,
    /// The kernel's functions that programs call where there are such: symbol index and type number.
    functions: HashMap<u32, u32>,
    /// The kernel's number of the type that a section's programs are tied to.
    hooks: HashMap<&'o [u8], Option<u32>>,
    maps: Maps,
}

impl<'o> Opened<'o> {
    /// Reads an object and makes its maps; `entries` says how large those are that leave it open.
    pub fn of(
        object: &'o [u8],
        types: &'o KernelTypes,
        entries: &[(&str, u32)],
    ) -> Result<Opened<'o>, LoadError> {
        if cfg!(target_endian = "big") {
            return Err(LoadError::NotSupported(
                "little-endian byte order, which our programs are built for".into(),
            ));
        }
        let object = elf::parse(object).map_err(LoadError::Damaged)?;
        let sections: [(Kind, &[u8]); 1] = [(Kind::DATASEC, b".maps")];
        let (own, found) =
            Btf::parse_finding(section(&object, b".BTF")?, &sections).map_err(LoadError::Damaged)?;
        let records = core_records(section(&object, b".BTF.ext")?, &own).map_err(LoadError::Damaged)?;
        // Everything that any of its programs needs of the kernel is found in one pass.
        let mut roots: Vec<u32> = records.iter().map(|record| record.type_id).collect();
        roots.sort_unstable();
        roots.dedup();
        let mut wanted: Vec<(Kind, &[u8])> = Vec::new();
        for root in &roots {
            let (_, ty) = own.resolve(*root).ok_or_else(|| damaged("a record names no type"))?;
            wanted.push((ty.kind, ty.name));
        }
        let functions: Vec<(u32, &[u8])> = (0..).zip(&object.symbols).filter_map(external).collect();
        wanted.extend(functions.iter().map(|(_, name)| (Kind::FUNC, *name)));
        let hooks: Vec<(&[u8], Kind, Vec<u8>)> = object
            .sections
            .iter()
            .filter_map(|section| {
                let (kind, name) = Hook::of(section.name)?.kernel_type()?;
                Some((section.name, kind, name))
            })
            .collect();
        wanted.extend(hooks.iter().map(|(_, kind, name)| (*kind, name.as_slice())));
        let (kernel, in_kernel) = Btf::parse_finding(types.bytes(), &wanted).map_err(LoadError::Damaged)?;
        let mut ids = in_kernel.into_iter();
        let roots = roots.into_iter().zip(ids.by_ref()).collect();
        let functions =
            functions.iter().zip(ids.by_ref()).filter_map(|((symbol, _), id)| Some((*symbol, id?))).collect();
        let hooks = hooks.iter().map(|(section, _, _)| *section).zip(ids).collect();
        let maps = maps::create(&object, &own, found.first().copied().flatten(), entries)?;
        Ok(Opened { object, own, kernel, records, roots, functions, hooks, maps })
    }

    /// The maps, by the name of their variable; `.bss` is the programs' own variables.
    pub fn maps(&self) -> &Maps {
        &self.maps
    }

    /// The maps, for keeping: the programs that were tied go on using them.
    pub fn into_maps(self) -> Maps {
        self.maps
    }

    /// Loads the program whose function is `program`.
    pub fn load(&self, program: &str) -> Result<Program, LoadError> {
        match self.load_with(program, Calls::Functions) {
            // A kernel may have the functions, and not let such a program call them.
            Err(LoadError::Refused(LOAD, _)) => self.load_with(program, Calls::HelpersOnly),
            other => other,
        }
    }

    /// Loads as [`Opened::load`] does, once.
    pub fn load_with(&self, program: &str, calls: Calls) -> Result<Program, LoadError> {
        let mut code = Code::of(&self.object, program)?;
        let section = self.object.sections.get(code.main).map_or(&[][..], |section| section.name);
        let hook = Hook::of(section).ok_or_else(|| damaged("a program in a section of unknown kind"))?;
        let attach_type_id = match (hook.kernel_type(), self.hooks.get(section)) {
            (None, _) => 0,
            (Some(_), Some(Some(id))) => *id,
            (Some((_, name)), _) => {
                return Err(LoadError::NotSupported(String::from_utf8_lossy(&name).into_owned()));
            }
        };
        let missing = code.relocate_members(self)?;
        code.relocate_symbols(self, calls)?;
        let types =
            sys::load_types(&function_types(program)).map_err(|e| LoadError::Refused("take types", e))?;
        let functions = code.functions();
        let shape = ProgramShape {
            kind: hook.program_kind(),
            attach_kind: hook.attach_kind(),
            attach_type_id,
            types: &types,
            functions: &functions,
        };
        match (sys::load_program(&code.bytes, &shape), missing) {
            (Ok(program), _) => Ok(Program { program, tie: hook.tie() }),
            // It could not do without what this kernel lacks.
            (Err(_), Some(missing)) => Err(missing),
            (Err(error), None) => Err(LoadError::Refused(LOAD, error)),
        }
    }
}

/// A program that the kernel took. It runs where it is tied, as long as the descriptor of that tie is open.
#[derive(Debug)]
pub struct Program {
    program: OwnedFd,
    tie: Tie,
}

impl Program {
    /// Ties a program whose section says where it runs: an iterator, a tracepoint.
    pub fn tie_here(&self) -> Result<OwnedFd, LoadError> {
        let refused = |error| LoadError::Refused("start a program", error);
        match self.tie {
            Tie::Nowhere(kind) => sys::link(&self.program, None, kind).map_err(refused),
            Tie::Tracepoint => sys::open_tracepoint(&self.program).map_err(refused),
            Tie::To(_) => Err(damaged("a program that has to be told where it runs")),
        }
    }

    /// Ties a program to a control group (`cgroup/…`) or a network namespace (`sk_lookup`), by an open descriptor of it.
    pub fn tie_to(&self, place: BorrowedFd<'_>) -> Result<OwnedFd, LoadError> {
        match self.tie {
            Tie::To(kind) => sys::link(&self.program, Some(place), kind)
                .map_err(|error| LoadError::Refused("start a program", error)),
            Tie::Nowhere(_) | Tie::Tracepoint => Err(damaged("a program that runs where its section says")),
        }
    }
}

pub(super) fn damaged(what: &'static str) -> LoadError {
    LoadError::Damaged(wire::Fault { layer: "kernel object", at: 0, what })
}

fn section<'a>(object: &Object<'a>, name: &[u8]) -> Result<&'a [u8], LoadError> {
    object.section(name).map(|(_, section)| section.bytes).ok_or_else(|| damaged("a section is missing"))
}

/// The instructions of one program: its own section, then `.text` with the functions it calls.
struct Code {
    bytes: Vec<u8>,
    /// Index of the program's section, and of `.text` with the offset in bytes where it now begins.
    main: usize,
    text: Option<(usize, usize)>,
    /// Where functions begin, in bytes.
    starts: Vec<usize>,
}

impl Code {
    fn of(object: &Object<'_>, program: &str) -> Result<Code, LoadError> {
        const FUNCTION: u8 = 2;
        let named = |name: &[u8]| object.symbols.iter().find(|s| s.kind == FUNCTION && s.name == name);
        let main = usize::from(named(program.as_bytes()).ok_or_else(|| damaged("no such program"))?.section);
        let mut bytes = object.sections.get(main).ok_or_else(|| damaged("no such section"))?.bytes.to_vec();
        let mut starts = vec![0];
        let mut text = None;
        // The verifier wants no function that is never called; ours call each other, or are not called at all.
        let calls_text = |text: usize| {
            object.relocations.iter().any(|relocation| {
                let symbol = object.symbols.get(relocation.symbol as usize);
                relocation.section as usize == main
                    && symbol.is_some_and(|symbol| usize::from(symbol.section) == text)
            })
        };
        if let Some((index, section)) = object.section(b".text").filter(|(index, _)| calls_text(*index)) {
            let base = bytes.len();
            bytes.extend_from_slice(section.bytes);
            let functions =
                object.symbols.iter().filter(|s| s.kind == FUNCTION && usize::from(s.section) == index);
            let mut offsets: Vec<usize> = functions.filter_map(|s| usize::try_from(s.value).ok()).collect();
            offsets.sort_unstable();
            starts.extend(offsets.iter().map(|offset| base + offset));
            text = Some((index, base));
        }
        Ok(Code { bytes, main, text, starts })
    }

    /// Where a section's offset is now; `None` for sections that are not part of this program.
    fn place(&self, section: usize, offset: usize) -> Option<usize> {
        match self.text {
            _ if section == self.main => Some(offset),
            Some((index, base)) if section == index => Some(base + offset),
            _ => None,
        }
    }

    fn instruction(&mut self, at: usize) -> Result<&mut [u8; INSTRUCTION_BYTES], LoadError> {
        self.bytes
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut())
            .ok_or_else(|| damaged("a relocation lies outside the program"))
    }

    /// Writes what the running kernel answers to each CO-RE record. What it does not have becomes a call that the
    /// verifier refuses, unless the program asks first and never comes there; gives the first such thing.
    fn relocate_members(&mut self, opened: &Opened<'_>) -> Result<Option<LoadError>, LoadError> {
        let mut missing = None;
        for record in &opened.records {
            let Some((index, _)) = opened.object.section(record.section) else { continue };
            let Some(at) = self.place(index, record.offset as usize) else { continue };
            let value = match opened.roots.get(&record.type_id).copied().flatten() {
                Some(root) => answer(record, &opened.own, &opened.kernel, root),
                None if record.ask == Ask::EXISTS => Ok(0),
                None => Err(not_found(opened.own.resolve(record.type_id).map_or(&[], |(_, ty)| ty.name))),
            };
            match value {
                Ok(value) => patch(self.instruction(at)?, value)?,
                Err(error @ LoadError::NotSupported(_)) => {
                    self.refuse(at)?;
                    missing = missing.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    /// Puts calls of a function that does not exist in the place of an instruction.
    fn refuse(&mut self, at: usize) -> Result<(), LoadError> {
        let wide = self.instruction(at)?.first() == Some(&LOAD_IMMEDIATE_64);
        for half in 0..=usize::from(wide) {
            let instruction = self.instruction(at + half * INSTRUCTION_BYTES)?;
            *instruction = [CALL, 0, 0, 0, 0, 0, 0, 0];
            set_immediate(instruction, NO_FUNCTION);
        }
        Ok(())
    }

    /// Puts in map descriptors and the distances to functions.
    fn relocate_symbols(&mut self, opened: &Opened<'_>, calls: Calls) -> Result<(), LoadError> {
        for relocation in &opened.object.relocations {
            let offset = usize::try_from(relocation.offset).map_err(|_| damaged("offset too large"))?;
            if let Some(at) = self.place(relocation.section as usize, offset) {
                self.relocate_symbol(opened, calls, relocation, at)?;
            }
        }
        Ok(())
    }

    fn relocate_symbol(
        &mut self,
        opened: &Opened<'_>,
        calls: Calls,
        relocation: &Relocation,
        at: usize,
    ) -> Result<(), LoadError> {
        let object = &opened.object;
        let symbol = object
            .symbols
            .get(relocation.symbol as usize)
            .ok_or_else(|| damaged("a relocation names no symbol"))?;
        let target = usize::from(symbol.section);
        let in_code = self.place(target, usize::try_from(symbol.value).unwrap_or(usize::MAX));
        let section_name = object.sections.get(target).map_or(&[][..], |section| section.name);
        let map = |name: &[u8]| {
            opened
                .maps
                .get(&*String::from_utf8_lossy(name))
                .map(|map| map.as_fd().as_raw_fd())
                .ok_or_else(|| damaged("no such map"))
        };
        let instruction = self.instruction(at)?;
        let immediate = le32(instruction, 4).unwrap_or(0);
        let operation = instruction.first().copied().unwrap_or(0);
        let distance = |to: usize| {
            let instructions = to.cast_signed() - at.cast_signed();
            i32::try_from(instructions / INSTRUCTION_BYTES.cast_signed() - 1).map_err(|_| damaged("too far"))
        };
        if external((relocation.symbol, symbol)).is_some() {
            // Where this kernel has no such function the program sees the address 0, and never comes to the call.
            let id = opened.functions.get(&relocation.symbol).copied();
            let id = id.filter(|_| calls == Calls::Functions);
            let instruction = self.instruction(at)?;
            set_immediate(instruction, id.unwrap_or(0).cast_signed());
            if operation == CALL {
                set_source(instruction, id.map_or(0, |_| PSEUDO_KERNEL_CALL));
            }
            return Ok(());
        }
        let (source, value) = match (operation, in_code) {
            // A function's address: the object has its offset in the immediate (a section symbol) or the symbol.
            (LOAD_IMMEDIATE_64, Some(start)) => (PSEUDO_FUNCTION, distance(start + immediate as usize)?),
            (CALL, Some(start)) => {
                let within = immediate.cast_signed() + 1;
                (1, distance(start)? + within)
            }
            (LOAD_IMMEDIATE_64, None) if section_name == b".maps" => (PSEUDO_MAP, map(symbol.name)?),
            (LOAD_IMMEDIATE_64, None) => {
                let offset = u32::try_from(symbol.value).map_err(|_| damaged("offset too large"))?;
                let fd = map(section_name)?;
                // The second half of the instruction carries the offset in the section.
                let second = self.instruction(at + INSTRUCTION_BYTES)?;
                set_immediate(second, offset.wrapping_add(immediate).cast_signed());
                (PSEUDO_MAP_VALUE, fd)
            }
            _ => return Err(damaged("a relocation of an instruction we do not know")),
        };
        let instruction = self.instruction(at)?;
        set_immediate(instruction, value);
        set_source(instruction, source);
        Ok(())
    }

    /// Instruction index and type number of each function: types 3 (global) and 4 (static) of [`function_types`].
    fn functions(&self) -> Vec<[u32; 2]> {
        let index = |start: &usize| u32::try_from(start / INSTRUCTION_BYTES).unwrap_or(u32::MAX);
        self.starts.iter().map(|start| [index(start), if *start == 0 { 3 } else { 4 }]).collect()
    }
}

/// A symbol that the object does not have itself: a function of the kernel.
fn external<'a>((index, symbol): (u32, &Symbol<'a>)) -> Option<(u32, &'a [u8])> {
    (symbol.section == 0 && !symbol.name.is_empty()).then_some((index, symbol.name))
}

fn set_source(instruction: &mut [u8; INSTRUCTION_BYTES], source: u8) {
    if let Some(registers) = instruction.get_mut(1) {
        *registers = *registers & 0x0f | source << 4;
    }
}

fn set_immediate(instruction: &mut [u8; INSTRUCTION_BYTES], value: i32) {
    let (_, immediate) = instruction.split_at_mut(4);
    immediate.copy_from_slice(&value.to_le_bytes());
}

/// What the running kernel answers to a record.
fn answer(
    record: &CoreRecord<'_>,
    own: &Btf<'_>,
    kernel: &Btf<'_>,
    kernel_root: u32,
) -> Result<u32, LoadError> {
    let mut steps =
        record.path.split(|byte| *byte == b':').map(|step| std::str::from_utf8(step).ok()?.parse().ok());
    let broken = || damaged("a record's path leads nowhere");
    // The first step is an array index of the pointer itself; our programs only use 0.
    if steps.next().flatten() != Some(0_usize) {
        return Err(broken());
    }
    let (mut own_type, mut kernel_type, mut offset_bits) = (record.type_id, kernel_root, 0_u32);
    for step in steps {
        let index = step.ok_or_else(broken)?;
        let (_, ty) = own.resolve(own_type).ok_or_else(broken)?;
        if let Some((element, _)) = ty.array() {
            let (_, array) = kernel.resolve(kernel_type).ok_or_else(broken)?;
            let (kernel_element, _) = array.array().ok_or_else(|| not_found(ty.name))?;
            let size = kernel.size(kernel_element).ok_or_else(broken)?;
            let index = u32::try_from(index).map_err(|_| broken())?;
            offset_bits = index
                .checked_mul(size * 8)
                .and_then(|bits| bits.checked_add(offset_bits))
                .ok_or_else(broken)?;
            (own_type, kernel_type) = (element, kernel_element);
            continue;
        }
        let member = ty.members(own).nth(index).ok_or_else(broken)?;
        match kernel.member(kernel_type, member.name) {
            Some(there) => {
                offset_bits = offset_bits.checked_add(there.offset_bits).ok_or_else(broken)?;
                (own_type, kernel_type) = (member.type_id, there.type_id);
            }
            None if record.ask == Ask::EXISTS => return Ok(0),
            None => return Err(not_found(member.name)),
        }
    }
    match record.ask {
        Ask::OFFSET => Ok(offset_bits / 8),
        Ask::SIZE => kernel.size(kernel_type).ok_or_else(broken),
        Ask::EXISTS => Ok(1),
        Ask::TYPE => Ok(kernel_type),
        _ => Err(damaged("a record asks what we do not know")),
    }
}

fn not_found(name: &[u8]) -> LoadError {
    LoadError::NotSupported(format!("member {}", String::from_utf8_lossy(name)))
}

/// Writes an answer into an instruction: an offset of a load or store, or an immediate.
fn patch(instruction: &mut [u8; INSTRUCTION_BYTES], value: u32) -> Result<(), LoadError> {
    let class = instruction.first().copied().unwrap_or(0) & 7;
    match class {
        // LDX, ST, STX: a signed 16-bit offset.
        1..=3 => {
            let offset =
                i16::try_from(value).map_err(|_| damaged("an offset does not fit its instruction"))?;
            if let Some(place) = instruction.get_mut(2..4) {
                place.copy_from_slice(&offset.to_le_bytes());
            }
        }
        // LD (64-bit immediate), ALU, ALU64.
        0 | 4 | 7 => set_immediate(instruction, value.cast_signed()),
        _ => return Err(damaged("a record for an instruction we do not know")),
    }
    Ok(())
}

/// A small block of types that says only: a function, and that the functions it calls back are static, which the
/// verifier asks for before it lets `bpf_loop` call them.
fn function_types(program: &str) -> Vec<u8> {
    let strings = format!("\0int\0{program}\0callback\0");
    let callback_at = u32::try_from(6 + program.len()).unwrap_or(0);
    let types: [u32; 13] = [
        1,
        1 << 24,
        4,
        1 << 24 | 32, // 1: int, 4 bytes, signed
        0,
        13 << 24,
        1, // 2: prototype that returns int
        5,
        12 << 24 | 1,
        2, // 3: the program, global
        callback_at,
        12 << 24,
        2, // 4: a callback, static
    ];
    type_block(&types, &strings)
}

/// Types and their strings, as one block.
pub(super) fn type_block(types: &[u32], strings: &str) -> Vec<u8> {
    let type_bytes = u32::try_from(types.len() * 4).unwrap_or(0);
    let string_bytes = u32::try_from(strings.len()).unwrap_or(0);
    let mut block = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, type_bytes, type_bytes, string_bytes].iter().chain(types) {
        block.extend_from_slice(&word.to_le_bytes());
    }
    block.extend_from_slice(strings.as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_type_block_is_well_formed() {
        let block = function_types("holders");
        let btf = Btf::parse(&block).unwrap();
        assert_eq!(btf.len(), 4);
        assert_eq!(btf.type_at(3).unwrap().name, b"holders");
        assert_eq!(btf.type_at(4).unwrap().name, b"callback");
        assert_eq!(wire::cursor::le16(&block, 0), Some(0xeb9f));
    }

    #[test]
    fn answers_fit_their_instructions_or_are_refused() {
        let mut load = [0x79, 0, 0, 0, 0, 0, 0, 0];
        patch(&mut load, 0x1234).unwrap();
        assert_eq!(load[2..4], [0x34, 0x12]);
        assert!(patch(&mut load, 40_000).is_err());
        let mut add = [0xb7, 0, 0, 0, 0, 0, 0, 0];
        patch(&mut add, 40_000).unwrap();
        assert_eq!(le32(&add, 4), Some(40_000));
        assert!(patch(&mut [0x85, 0, 0, 0, 0, 0, 0, 0], 1).is_err());
    }
}
