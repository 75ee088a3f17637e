//! BTF, the kernel's type information (Linux `Documentation/bpf/btf.rst`; `include/uapi/linux/btf.h`), and the
//! relocation records that let one program run on kernels whose structures differ (CO-RE).

use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{c_string, le16, le32};

/// What a type is (`BTF_KIND_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    /// An integer.
    pub const INT: Kind = Kind(1);
    /// A pointer.
    pub const PTR: Kind = Kind(2);
    /// An array.
    pub const ARRAY: Kind = Kind(3);
    /// A structure.
    pub const STRUCT: Kind = Kind(4);
    /// A union.
    pub const UNION: Kind = Kind(5);
    /// An enumeration.
    pub const ENUM: Kind = Kind(6);
    /// Another name of a type.
    pub const TYPEDEF: Kind = Kind(8);
    /// A function.
    pub const FUNC: Kind = Kind(12);
    /// A variable.
    pub const VAR: Kind = Kind(14);
    /// A section of variables.
    pub const DATASEC: Kind = Kind(15);

    /// Bytes that follow the 12-byte head of a type of this kind with `count` entries.
    fn tail_bytes(self, count: usize) -> Option<usize> {
        // Looked up, not branched on: kinds follow one another without order, and a kernel has 150,000 of them.
        let (once, each) = *TAIL_BYTES.get(usize::from(self.0))?;
        (once != UNKNOWN).then(|| usize::from(once) + usize::from(each) * count)
    }

    /// Whether it only passes another type on: typedef, volatile, const, restrict, type tag.
    fn is_modifier(self) -> bool {
        matches!(self.0, 8..=11 | 18)
    }
}

/// In [`TAIL_BYTES`]: no such kind.
const UNKNOWN: u8 = u8::MAX;

/// By kind: bytes that follow the head once, and for each entry (`include/uapi/linux/btf.h`).
const TAIL_BYTES: [(u8, u8); 20] = [
    (UNKNOWN, 0), // void has no place of its own
    (4, 0),       // int
    (0, 0),       // pointer
    (12, 0),      // array
    (0, 12),      // struct
    (0, 12),      // union
    (0, 8),       // enum
    (0, 0),       // forward
    (0, 0),       // typedef
    (0, 0),       // volatile
    (0, 0),       // const
    (0, 0),       // restrict
    (0, 0),       // function
    (0, 8),       // prototype
    (4, 0),       // variable
    (0, 12),      // section
    (0, 0),       // float
    (4, 0),       // declaration tag
    (0, 0),       // type tag
    (0, 12),      // enum of 64 bits
];

/// One type.
#[derive(Debug, Clone, Copy)]
pub struct Type<'a> {
    /// Its name; empty if it has none.
    pub name: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes, or the type it refers to.
    pub size_or_type: u32,
    /// Whether member offsets carry a bit-field size.
    bit_fields: bool,
    tail: &'a [u8],
}

/// One member of a structure or union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name; empty for an anonymous structure or union.
    pub name: &'a [u8],
    /// Its type.
    pub type_id: u32,
    /// Its offset in bits.
    pub offset_bits: u32,
}

/// A parsed block of type information.
#[derive(Debug, Clone)]
pub struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each [`STRIDE`]th type begins, from type 1 on: type 0 is `void` and has no place. A kernel has so many types
    /// that noting each takes longer than walking to the few that are asked for.
    landmarks: Vec<u32>,
    count: usize,
}

/// How many types lie between two landmarks.
const STRIDE: usize = 32;

/// How deep types may nest before they are called damaged.
const MAX_DEPTH: usize = 32;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "btf", at, what }
}

impl<'a> Btf<'a> {
    /// Parses a block; finds where each type begins.
    pub fn parse(bytes: &'a [u8]) -> Result<Btf<'a>, Fault> {
        Btf::parse_finding(bytes, &[]).map(|(btf, _)| btf)
    }

    /// Parses a block, and finds on the way the number of the first type of each wanted kind and name. A kernel has
    /// some 150,000 types: one pass is what a command that starts each time can afford.
    pub fn parse_finding(
        bytes: &'a [u8],
        wanted: &[(Kind, &[u8])],
    ) -> Result<(Btf<'a>, Vec<Option<u32>>), Fault> {
        let head = || fault(0, "the header is cut short");
        if le16(bytes, 0).ok_or_else(head)? != 0xeb9f {
            return Err(fault(0, "not BTF in this machine's byte order"));
        }
        let word = |at| le32(bytes, at).map(|value| value as usize).ok_or_else(head);
        let header_bytes = word(4)?;
        let part = |offset: usize, length: usize| {
            let start = header_bytes.checked_add(offset)?;
            bytes.get(start..start.checked_add(length)?)
        };
        let types = part(word(8)?, word(12)?).ok_or_else(|| fault(8, "types lie outside the block"))?;
        let strings = part(word(16)?, word(20)?).ok_or_else(|| fault(16, "strings lie outside the block"))?;
        let mut search = Search::new(wanted);
        let mut landmarks = Vec::new();
        let mut count = 0;
        let mut rest = types;
        while let Some((name, kind, tail_bytes)) = rest.first_chunk::<12>().and_then(head_of) {
            if count % STRIDE == 0 {
                let at = u32::try_from(types.len() - rest.len()).map_err(|_| fault(8, "too many types"))?;
                landmarks.push(at);
            }
            count += 1;
            if search.kinds >> kind.0 & 1 == 1 {
                search.meet(strings, name, kind, count);
            }
            let Some(next) = rest.get(12..).and_then(|tail| tail.get(tail_bytes..)) else { break };
            rest = next;
        }
        if !rest.is_empty() {
            return Err(fault(types.len() - rest.len(), "a type of unknown kind or cut short"));
        }
        Ok((Btf { types, strings, landmarks, count }, search.found))
    }

    /// How many types there are, `void` left out.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A string by its offset.
    pub fn string(&self, offset: u32) -> &'a [u8] {
        c_string(self.strings, offset as usize).unwrap_or_default()
    }

    /// The type with this number.
    pub fn type_at(&self, id: u32) -> Option<Type<'a>> {
        let index = (id as usize).checked_sub(1).filter(|index| *index < self.count)?;
        let mut at = *self.landmarks.get(index / STRIDE)? as usize;
        for _ in 0..index % STRIDE {
            let (_, _, tail_bytes) = head_of(self.types.get(at..)?.first_chunk()?)?;
            at = (at + 12).checked_add(tail_bytes)?;
        }
        let info = le32(self.types, at + 4)?;
        let kind = Kind((info >> 24 & 31) as u8);
        let tail_bytes = kind.tail_bytes((info & 0xffff) as usize)?;
        Some(Type {
            name: self.string(le32(self.types, at)?),
            kind,
            size_or_type: le32(self.types, at + 8)?,
            bit_fields: info >> 31 == 1,
            tail: self.types.get(at + 12..(at + 12).checked_add(tail_bytes)?)?,
        })
    }

    /// The type behind typedefs and qualifiers.
    pub fn resolve(&self, mut id: u32) -> Option<(u32, Type<'a>)> {
        for _ in 0..MAX_DEPTH {
            let ty = self.type_at(id)?;
            if !ty.kind.is_modifier() {
                return Some((id, ty));
            }
            id = ty.size_or_type;
        }
        None
    }

    /// The size of a type in bytes.
    pub fn size(&self, id: u32) -> Option<u32> {
        let (_, ty) = self.resolve(id)?;
        match ty.kind {
            Kind::PTR => Some(8),
            Kind::ARRAY => {
                let (element, count) = ty.array()?;
                self.size_of_element(element, count)
            }
            Kind::INT | Kind::STRUCT | Kind::UNION | Kind::ENUM | Kind(16 | 19) => Some(ty.size_or_type),
            _ => None,
        }
    }

    fn size_of_element(&self, element: u32, count: u32) -> Option<u32> {
        let (_, ty) = self.resolve(element)?;
        // One level only: our programs read no arrays of arrays, and damaged types may loop.
        if ty.kind == Kind::ARRAY { None } else { self.size(element)?.checked_mul(count) }
    }

    /// A member by name, looking into anonymous structures and unions; its offset counts from the outermost.
    pub fn member(&self, id: u32, name: &[u8]) -> Option<Member<'a>> {
        let mut budget = 4096;
        self.member_within(id, name, MAX_DEPTH, &mut budget)
    }

    fn member_within(&self, id: u32, name: &[u8], depth: usize, budget: &mut usize) -> Option<Member<'a>> {
        let (_, ty) = self.resolve(id)?;
        for member in ty.members(self) {
            *budget = budget.checked_sub(1)?;
            if member.name == name {
                return Some(member);
            }
            if member.name.is_empty()
                && depth > 0
                && let Some(inner) = self.member_within(member.type_id, name, depth - 1, budget)
            {
                return Some(Member {
                    offset_bits: inner.offset_bits.checked_add(member.offset_bits)?,
                    ..inner
                });
            }
        }
        None
    }
}

/// Name, kind and length of what follows, of a type that begins with these bytes.
fn head_of(head: &[u8; 12]) -> Option<(u32, Kind, usize)> {
    let [n0, n1, n2, n3, c0, c1, _, flags, ..] = *head;
    let kind = Kind(flags & 31);
    let count = usize::from(u16::from_le_bytes([c0, c1]));
    Some((u32::from_le_bytes([n0, n1, n2, n3]), kind, kind.tail_bytes(count)?))
}

/// What is looked for while types pass by.
struct Search<'w> {
    wanted: &'w [(Kind, &'w [u8])],
    /// The wanted kinds, as a set of bits, and the first letters of the wanted names: they tell most types apart.
    kinds: u32,
    letters: [bool; 256],
    found: Vec<Option<u32>>,
}

impl<'w> Search<'w> {
    fn new(wanted: &'w [(Kind, &'w [u8])]) -> Search<'w> {
        let kinds = wanted.iter().fold(0_u32, |kinds, (kind, _)| kinds | 1 << (kind.0 & 31));
        let mut letters = [false; 256];
        for letter in wanted.iter().filter_map(|(_, name)| name.first()) {
            if let Some(slot) = letters.get_mut(usize::from(*letter)) {
                *slot = true;
            }
        }
        let mut found = Vec::new();
        found.resize(wanted.len(), None);
        Search { wanted, kinds, letters, found }
    }

    fn meet(&mut self, strings: &[u8], name: u32, kind: Kind, id: usize) {
        let Some(name) = strings.get(name as usize..) else { return };
        let letter = name.first().copied().unwrap_or(0);
        if !self.letters.get(usize::from(letter)).copied().unwrap_or(false) {
            return;
        }
        let mut met = false;
        for ((wanted_kind, wanted_name), slot) in self.wanted.iter().zip(&mut self.found) {
            let same = *wanted_kind == kind
                && slot.is_none()
                && wanted_name.first() == Some(&letter)
                && name.strip_prefix(*wanted_name).is_some_and(|rest| rest.first() == Some(&0));
            if same {
                *slot = u32::try_from(id).ok();
                met = true;
            }
        }
        if met {
            // A kind of which everything is found need not be looked at any more.
            let left = self.wanted.iter().zip(&self.found).filter(|(_, found)| found.is_none());
            self.kinds = left.fold(0, |kinds, ((kind, _), _)| kinds | 1 << (kind.0 & 31));
        }
    }
}

impl<'a> Type<'a> {
    /// The members of a structure or union, or the variables of a section.
    pub fn members<'b>(&self, btf: &'b Btf<'a>) -> impl Iterator<Item = Member<'a>> + use<'a, 'b> {
        let bit_fields = self.bit_fields;
        let entries = if matches!(self.kind, Kind::STRUCT | Kind::UNION) { self.tail } else { &[] };
        entries.chunks_exact(12).filter_map(move |entry| {
            let offset = le32(entry, 8)?;
            Some(Member {
                name: btf.string(le32(entry, 0)?),
                type_id: le32(entry, 4)?,
                offset_bits: if bit_fields { offset & 0x00ff_ffff } else { offset },
            })
        })
    }

    /// The variables of a section: type and offset in bytes.
    pub fn variables(&self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let entries = if self.kind == Kind::DATASEC { self.tail } else { &[] };
        entries.chunks_exact(12).filter_map(|entry| Some((le32(entry, 0)?, le32(entry, 4)?)))
    }

    /// Element type and length of an array.
    pub fn array(&self) -> Option<(u32, u32)> {
        (self.kind == Kind::ARRAY).then(|| Some((le32(self.tail, 0)?, le32(self.tail, 8)?)))?
    }
}

/// What a CO-RE record asks for (`enum bpf_core_relo_kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask(pub u32);

impl Ask {
    /// The offset of a member in bytes.
    pub const OFFSET: Ask = Ask(0);
    /// The size of a member in bytes.
    pub const SIZE: Ask = Ask(1);
    /// Whether the member exists.
    pub const EXISTS: Ask = Ask(2);
    /// The number of the structure itself in the kernel's types.
    pub const TYPE: Ask = Ask(7);
}

/// One CO-RE record: an instruction that depends on where a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreRecord<'a> {
    /// The name of the section whose instruction changes.
    pub section: &'a [u8],
    /// The instruction's offset in that section, in bytes.
    pub offset: u32,
    /// The structure, in the object's own types.
    pub type_id: u32,
    /// The path to the member, as indices: `0:2:1`.
    pub path: &'a [u8],
    /// What is asked.
    pub ask: Ask,
}

/// Parses the CO-RE records of a `.BTF.ext` section.
pub fn core_records<'a>(ext: &'a [u8], btf: &Btf<'a>) -> Result<Vec<CoreRecord<'a>>, Fault> {
    let fault = |at, what| Fault { layer: "btf.ext", at, what };
    let word = |at| le32(ext, at).ok_or_else(|| fault(at, "cut short"));
    if le16(ext, 0) != Some(0xeb9f) {
        return Err(fault(0, "not BTF.ext in this machine's byte order"));
    }
    let header_bytes = word(4)?;
    if header_bytes < 32 {
        return Ok(Vec::new());
    }
    let start = header_bytes.checked_add(word(24)?).ok_or_else(|| fault(24, "offset too large"))? as usize;
    let records = ext
        .get(start..)
        .and_then(|rest| rest.get(..word(28).ok()? as usize))
        .ok_or_else(|| fault(24, "records lie outside the section"))?;
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let record_bytes = le32(records, 0).ok_or_else(|| fault(start, "cut short"))? as usize;
    if record_bytes < 16 {
        return Err(fault(start, "records are shorter than the format says"));
    }
    let mut all = Vec::new();
    let mut at = 4;
    while at < records.len() {
        let cut = || fault(start + at, "a list of records is cut short");
        let section = btf.string(le32(records, at).ok_or_else(cut)?);
        let count = le32(records, at + 4).ok_or_else(cut)? as usize;
        let list = records
            .get(at + 8..)
            .and_then(|rest| rest.get(..count.checked_mul(record_bytes)?))
            .ok_or_else(cut)?;
        for record in list.chunks_exact(record_bytes) {
            let field = |at| le32(record, at).unwrap_or_default();
            let path = btf.string(field(8));
            all.push(CoreRecord { section, offset: field(0), type_id: field(4), path, ask: Ask(field(12)) });
        }
        at += 8 + list.len();
    }
    Ok(all)
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let Ok(btf) = Btf::parse(bytes) else { return };
    let types = u32::try_from(btf.len()).unwrap_or(u32::MAX);
    assert!(btf.type_at(0).is_none() && btf.type_at(types.saturating_add(1)).is_none());
    for id in 1..=types.min(2000) {
        let Some(ty) = btf.type_at(id) else { continue };
        assert!(ty.tail.len() <= bytes.len());
        let _ = btf.size(id);
        // An anonymous member in front may lead in circles until the search gives up; a named one is found at once.
        if let Some(first) = ty.members(&btf).next().filter(|member| !member.name.is_empty()) {
            assert!(btf.member(id, first.name).is_some());
        }
    }
    let _ = core_records(bytes, &btf);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf;

    const OBJECT: &[u8] = include_bytes!("../../../bpf/holders.bpf.o");

    #[test]
    fn our_own_object_names_what_it_reads() {
        let object = elf::parse(OBJECT).unwrap();
        let wanted: [(Kind, &[u8]); 2] = [(Kind::STRUCT, b"task_struct"), (Kind::STRUCT, b"nothing")];
        let (btf, found) = Btf::parse_finding(object.section(b".BTF").unwrap().1.bytes, &wanted).unwrap();
        let [task, none] = found[..] else { panic!("one answer for each question") };
        assert!(none.is_none());
        let member = btf.member(task.unwrap(), b"tgid").unwrap();
        assert_eq!(member.offset_bits, 32);
        let records = core_records(object.section(b".BTF.ext").unwrap().1.bytes, &btf).unwrap();
        assert!(records.iter().any(|record| record.section == b".text" && record.ask == Ask::OFFSET));
        assert!(records.iter().any(|record| record.ask == Ask::SIZE));
        assert!(records.iter().all(|record| record.path.starts_with(b"0")));
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let object = elf::parse(OBJECT).unwrap();
        let block = object.section(b".BTF").unwrap().1.bytes;
        for end in 0..block.len() {
            check(&block[..end]);
        }
        let mut seed = 11_u64;
        let mut copy = block.to_vec();
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
