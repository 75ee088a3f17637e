//! Numbers in groups of seven bits.
//!
//! A table holds numbers and text. With seven bits to the byte the whole of it is valid UTF-8, so the compiler
//! checks the built-in table's text once, and no start-up has to.

/// Appends `value` in `width` bytes, high group first. What does not fit is lost: callers check with [`fits`].
pub fn put(out: &mut String, value: u32, width: u32) {
    for group in (0..width).rev() {
        out.push(char::from(u8::try_from((value >> (7 * group)) & 0x7f).unwrap_or(0)));
    }
}

/// Whether `value` can be written in `width` bytes.
pub fn fits(value: usize, width: u32) -> bool {
    value < 1 << (7 * width)
}

/// The number in the `N` bytes from `at`; `None` past the end.
#[inline]
pub(crate) fn read<const N: usize>(bytes: &[u8], at: usize) -> Option<u32> {
    let groups = bytes.get(at..)?.first_chunk::<N>()?;
    Some(groups.iter().fold(0, |value, group| value << 7 | u32::from(group & 0x7f)))
}

/// A port in three bytes.
#[inline]
pub(crate) fn port(bytes: &[u8], at: usize) -> Option<u16> {
    u16::try_from(read::<3>(bytes, at)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for (value, width) in [(0, 1), (127, 1), (65_535, 3), (0x1f_ffff, 3), (0x0fff_ffff, 4)] {
            let mut text = String::new();
            put(&mut text, value, width);
            assert_eq!(text.len(), width as usize);
            assert!(fits(value as usize, width));
            let got = match width {
                1 => read::<1>(text.as_bytes(), 0),
                3 => read::<3>(text.as_bytes(), 0),
                _ => read::<4>(text.as_bytes(), 0),
            };
            assert_eq!(got, Some(value));
            assert_eq!(read::<1>(text.as_bytes(), width as usize), None);
        }
        assert!(!fits(1 << 21, 3));
        assert_eq!(port("\x04\x00\x00".as_bytes(), 0), None, "65536 is no port");
    }
}
