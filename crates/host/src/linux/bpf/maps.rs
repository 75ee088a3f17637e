//! The maps that an object asks for, made in the kernel.

use std::collections::HashMap;

use wire::btf::Btf;
use wire::elf::Object;

use super::LoadError;
use super::loader::damaged;
use super::sys::{self, Map, MapShape};

const ARRAY: u32 = 2;
/// Its memory can be shared with us (`BPF_F_MMAPABLE`).
const MAPPABLE: u32 = 1 << 10;
/// Storage that each socket has itself: the kernel wants to know its types.
const SOCKET_STORAGE: u32 = 24;

/// An object's maps, by the name of their variable; `.bss` is the programs' own variables.
pub type Maps = HashMap<String, Map>;

/// Makes the maps that the object asks for: each variable of `list`, its section `.maps`, and one for its own variables.
pub(super) fn create(
    object: &Object<'_>,
    own: &Btf<'_>,
    list: Option<u32>,
    entries: &[(&str, u32)],
) -> Result<Maps, LoadError> {
    let refused = |error| LoadError::Refused("make a map", error);
    let mut maps = Maps::new();
    for (variable, _) in list.and_then(|id| own.type_at(id)).iter().flat_map(|ty| ty.variables()) {
        let ty = own.type_at(variable).ok_or_else(|| damaged("a map without a type"))?;
        let name = String::from_utf8_lossy(ty.name).into_owned();
        let mut shape = map_shape(own, ty.size_or_type).ok_or_else(|| damaged("a map of unknown shape"))?;
        if let Some((_, count)) = entries.iter().find(|(map, _)| *map == name) {
            shape.entries = *count;
        }
        // Only this kind has to say what it keeps.
        let types = match shape.kind {
            SOCKET_STORAGE => Some(sys::load_types(&value_types(shape.value_bytes)).map_err(refused)?),
            _ => None,
        };
        maps.insert(name, Map::create(shape, types.as_ref()).map_err(refused)?);
    }
    if let Some((_, bss)) = object.section(b".bss") {
        let value_bytes = u32::try_from(bss.size).map_err(|_| damaged("too many variables"))?;
        let shape = MapShape { kind: ARRAY, key_bytes: 4, value_bytes, entries: 1, flags: MAPPABLE };
        maps.insert(".bss".into(), Map::create(shape, None).map_err(refused)?);
    }
    Ok(maps)
}

/// The shape of a map from the type of its variable, in which a number N is written `int (*name)[N]`. A ring has neither
/// keys nor values.
fn map_shape(own: &Btf<'_>, variable: u32) -> Option<MapShape> {
    let (id, _) = own.resolve(variable)?;
    let pointed =
        |name: &[u8]| own.resolve(own.member(id, name)?.type_id).map(|(_, pointer)| pointer.size_or_type);
    let number = |name: &[u8]| own.resolve(pointed(name)?)?.1.array().map(|(_, count)| count);
    let bytes = |name: &[u8]| match own.member(id, name) {
        Some(_) => own.size(pointed(name)?),
        None => Some(0),
    };
    Some(MapShape {
        kind: number(b"type")?,
        key_bytes: bytes(b"key")?,
        value_bytes: bytes(b"value")?,
        entries: number(b"max_entries").unwrap_or(0),
        flags: number(b"map_flags").unwrap_or(0),
    })
}

/// A block of types for storage of `bytes`: type 1 is its key, type 2 an array of that size.
fn value_types(bytes: u32) -> Vec<u8> {
    let types: [u32; 10] = [1, 1 << 24, 4, 1 << 24 | 32, 0, 3 << 24, 0, 1, 1, bytes / 4];
    super::loader::type_block(&types, "\0int\0")
}
