//! The code of HPACK for strings: short codes for frequent bytes (RFC 7541 §5.2).
//!
//! It is canonical: codes of one length follow each other in the order of their symbols. So how many codes each length
//! has, and the symbols in order, are all of the table of RFC 7541 (Appendix B).

use alloc::vec::Vec;

/// How many codes are of each length in bits, from 0 on.
const COUNTS: [u16; 31] =
    [0, 0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 4];

/// The symbols by the length of their code, then by value; 256 is the end of the string.
const SYMBOLS: [u16; 257] = [
    48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 61, 65, 95,
    98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77,
    78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118, 119, 120, 121, 122, 38, 42, 44, 59, 88,
    90, 33, 34, 40, 41, 63, 39, 43, 124, 35, 62, 0, 36, 64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208,
    128, 130, 131, 162, 184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230,
    129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190,
    196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158,
    165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159, 171, 206,
    215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242,
    243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254,
    2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127,
    220, 249, 10, 13, 22, 256,
];

/// Decodes a string; `None` where it is no code, or decodes to more than `most` bytes.
pub(super) fn decode(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let (mut code, mut first, mut before, mut length) = (0_u32, 0_u32, 0_u32, 0_usize);
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| u32::from(byte >> place & 1)));
    let mut only_ones = true;
    for bit in bits {
        code = code << 1 | bit;
        length += 1;
        only_ones = (length == 1 || only_ones) && bit == 1;
        first <<= 1;
        let count = u32::from(*COUNTS.get(length)?);
        match code.checked_sub(first).filter(|place| *place < count) {
            Some(place) => {
                let symbol = SYMBOLS.get(usize::try_from(before + place).ok()?)?;
                // The end of the string never stands in it (RFC 7541 §5.2).
                let byte = u8::try_from(*symbol).ok()?;
                if text.len() == most {
                    return None;
                }
                text.push(byte);
                (code, first, before, length) = (0, 0, 0, 0);
            }
            None => {
                first += count;
                before += count;
            }
        }
    }
    // The last byte is filled up with ones, fewer than eight.
    (length < 8 && (length == 0 || only_ones)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of a symbol, by counting up to it.
    fn code(symbol: u16) -> (u32, usize) {
        let (mut code, mut at) = (0, 0);
        for (length, count) in COUNTS.iter().enumerate() {
            code <<= 1;
            for _ in 0..*count {
                if SYMBOLS[at] == symbol {
                    return (code, length);
                }
                code += 1;
                at += 1;
            }
        }
        unreachable!()
    }

    #[test]
    fn every_byte_has_a_code_and_is_decoded_from_it() {
        // As the table of the RFC has them.
        assert_eq!((code(u16::from(b'0')), code(u16::from(b'w'))), ((0, 5), (0x78, 7)));
        assert_eq!((code(0), code(10), code(256)), ((0x1ff8, 13), (0x3fff_fffc, 30), (0x3fff_ffff, 30)));
        for symbol in 0..256 {
            let (code, length) = code(symbol);
            // Filled up with ones to whole bytes.
            let padding = (8 - length % 8) % 8;
            let bits = (u64::from(code) << padding) | ((1 << padding) - 1);
            let bytes = (length + padding) / 8;
            let coded = &bits.to_be_bytes()[8 - bytes..];
            assert_eq!(decode(coded, 9).unwrap(), [u8::try_from(symbol).unwrap()]);
        }
    }

    #[test]
    fn strings_of_the_rfc_and_what_is_forbidden() {
        let coded = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&coded, 64).unwrap(), b"www.example.com");
        assert_eq!(decode(&coded, 14), None);
        // Filled up with zeros, with a whole byte, and with the end of the string.
        assert_eq!((decode(&[0x00], 9), decode(&[0x1f, 0xff], 9), decode(&[0xff; 4], 9)), (None, None, None));
        assert_eq!(decode(&[], 9), Some(Vec::new()));
    }
}
