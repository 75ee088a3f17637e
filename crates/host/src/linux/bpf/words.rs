//! The memory of an array map that the kernel's programs and we both write, word by word.

use std::io;
use std::sync::atomic::AtomicU32;

use super::sys::{Map, Shared};

/// Numbers that others change at any time.
#[derive(Debug)]
pub(crate) struct Words {
    memory: Shared,
}

impl Words {
    /// Those of an array that was made with BPF_F_MMAPABLE, and whose values are a multiple of eight bytes.
    pub(crate) fn of(map: &Map) -> io::Result<Words> {
        let shape = map.shape();
        if !shape.value_bytes.is_multiple_of(8) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bytes = shape.entries as usize * shape.value_bytes as usize;
        Ok(Words { memory: Shared::map(map, 0, bytes, true)? })
    }

    /// The word at this place.
    pub(crate) fn word(&self, at: usize) -> Option<&AtomicU32> {
        self.memory.atomic32(at * 4)
    }
}
