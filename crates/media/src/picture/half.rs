//! Floating point numbers of 16 bits (IEEE 754 binary16), as depth `16f` carries them.

/// What such a number is.
pub fn to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
    match exponent {
        // A subnormal: the fraction counts units of 2^-24.
        0 => f32::from_bits(sign | f32::to_bits(f32::from(half & 0x3ff) / 16_777_216.0)),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// The nearest such number.
pub fn from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let size = value.abs();
    if size.is_nan() {
        return sign | 0x7e00;
    }
    if size >= 65520.0 {
        return sign | 0x7c00;
    }
    if size < 6.103_515_6e-5 {
        // Between two subnormals, of which there are 1024.
        return sign | to_u16((size * 16_777_216.0).round_ties_even());
    }
    let rounded = (bits & 0x7fff_ffff) + 0xfff + (bits >> 13 & 1);
    let [.., high, low] = ((rounded >> 13) - (112 << 10)).to_be_bytes();
    sign | u16::from_be_bytes([high, low])
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller's number is between 0 and 1024"
)]
fn to_u16(value: f32) -> u16 {
    value as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for half in 0..=u16::MAX {
            let value = to_f32(half);
            if !value.is_nan() {
                assert_eq!(from_f32(value), half, "{value}");
            }
        }
        assert_eq!(
            (to_f32(0x3c00), to_f32(0xc000), from_f32(65504.0), from_f32(1e9)),
            (1.0, -2.0, 0x7bff, 0x7c00)
        );
        assert_eq!((from_f32(1.0 / 3.0), from_f32(f32::NAN)), (0x3555, 0x7e00));
    }
}
