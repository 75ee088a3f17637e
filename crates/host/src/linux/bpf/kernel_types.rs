//! The running kernel's own type information, against which programs are relocated.

use std::io::Read;

use super::LoadError;
use super::sys::Mapped;

/// The kernel's type information, which any user may read: mapped where the kernel can (Linux 6.16), else read.
#[derive(Debug)]
pub enum KernelTypes {
    /// Memory that the kernel shares, and how much of it.
    Mapped(Mapped, usize),
    /// A copy of ours.
    Read(Vec<u8>),
}

impl KernelTypes {
    /// Opens it.
    pub fn open() -> Result<KernelTypes, LoadError> {
        let missing = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::NotSupported("type information (BTF)".into()),
            _ => LoadError::Refused("let us read its type information", error),
        };
        let mut file = std::fs::File::open("/sys/kernel/btf/vmlinux").map_err(missing)?;
        let size = file.metadata().map_err(missing)?.len();
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(64 << 20);
        if let Ok(mapped) = Mapped::file(&file, size) {
            return Ok(KernelTypes::Mapped(mapped, size));
        }
        let mut block = Vec::with_capacity(size + 1);
        file.read_to_end(&mut block).map_err(missing)?;
        Ok(KernelTypes::Read(block))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            #[expect(unsafe_code, reason = "the memory is shared with the kernel")]
            // SAFETY: the kernel's types never change while it runs.
            KernelTypes::Mapped(mapped, size) => unsafe { mapped.bytes(*size) },
            KernelTypes::Read(block) => block,
        }
    }
}
