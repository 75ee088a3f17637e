//! Channel status: what AES3 says of a channel in 192 bits (AES3-2-2009; IEC 60958-3 for consumers).

use model::media::audio::{ChannelMode, ChannelStatus, Emphasis, Side};

/// The check over the first 23 octets: x⁸+x⁴+x³+x²+1, begun with ones, the lowest bit first (AES3-2-2009).
pub fn check_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0xff, |check, octet| {
        (0..8).fold(check ^ octet, |check, _| check >> 1 ^ if check & 1 != 0 { 0xb8 } else { 0 })
    })
}

/// Whether two say the same: time codes and checks, which change by themselves, left out.
pub fn is_same(one: &[u8; 24], other: &[u8; 24]) -> bool {
    one.first_chunk::<14>() == other.first_chunk::<14>()
}

/// Reads channel status; each octet has the first bit that came as its lowest.
pub fn parse(bytes: &[u8; 24]) -> ChannelStatus {
    if bytes[0] & 1 != 0 { professional(bytes) } else { consumer(bytes) }
}

/// Four letters, without what is not shown.
fn letters(bytes: &[u8]) -> String {
    let shown = bytes.iter().map(|octet| octet & 0x7f).filter(|octet| (0x20..0x7f).contains(octet));
    shown.map(char::from).collect::<String>().trim().to_owned()
}

/// Bits of a sample by the four bits that say so, which both uses share: whether up to 24, and how many below.
fn word_bits(is_24: bool, code: u8) -> Option<u8> {
    let most = if is_24 { 24 } else { 20 };
    Some(match code {
        0b100 => most - 1,
        0b010 => most - 2,
        0b110 => most - 3,
        0b001 => most - 4,
        0b101 => most,
        _ => return None,
    })
}

fn professional(bytes: &[u8; 24]) -> ChannelStatus {
    let [zero, one, two, three, four, ..] = *bytes;
    let emphasis = match zero >> 2 & 7 {
        0 => Emphasis::NotIndicated,
        1 => Emphasis::Off,
        3 => Emphasis::Us50And15,
        7 => Emphasis::J17,
        other => Emphasis::Reserved(other),
    };
    let sample_rate = match (zero >> 6, four >> 3 & 15) {
        (1, _) => Some(44_100),
        (2, _) => Some(48_000),
        (3, _) => Some(32_000),
        (_, 1) => Some(24_000),
        (_, 2) => Some(96_000),
        (_, 3) => Some(192_000),
        (_, 9) => Some(22_050),
        (_, 10) => Some(88_200),
        (_, 11) => Some(176_400),
        _ => None,
    };
    // The four bits as they came, the first on top.
    let mode = match (one & 15).reverse_bits() >> 4 {
        0 => ChannelMode::NotIndicated,
        1 => ChannelMode::TwoChannels,
        2 => ChannelMode::OneChannel,
        3 => ChannelMode::PrimarySecondary,
        4 => ChannelMode::Stereo,
        7 => ChannelMode::DoubleRate(None),
        8 => ChannelMode::DoubleRate(Some(Side::Left)),
        9 => ChannelMode::DoubleRate(Some(Side::Right)),
        15 => ChannelMode::Many(three),
        other => ChannelMode::Reserved(other),
    };
    // The least implementation leaves octets 2 to 23 zero, and has no check.
    let check = bytes.iter().skip(2).any(|octet| *octet != 0);
    let check = check.then(|| check_of(bytes.first_chunk::<23>().map_or(&[], |head| head)) == bytes[23]);
    ChannelStatus {
        bytes: *bytes,
        professional: true,
        other_than_sound: zero & 2 != 0,
        sample_rate,
        unlocked: zero & 0x20 != 0,
        emphasis,
        mode,
        word_bits: word_bits(two & 7 == 4, two >> 3 & 7),
        origin: letters(bytes.get(6..10).unwrap_or_default()),
        destination: letters(bytes.get(10..14).unwrap_or_default()),
        check,
        copy_permitted: None,
        category: None,
    }
}

fn consumer(bytes: &[u8; 24]) -> ChannelStatus {
    let [zero, one, _, three, four, ..] = *bytes;
    let other_than_sound = zero & 2 != 0;
    let emphasis = match zero >> 3 & 7 {
        0 => Emphasis::Off,
        1 if !other_than_sound => Emphasis::Us50And15,
        other => Emphasis::Reserved(other),
    };
    let sample_rate = match three & 15 {
        0 => Some(44_100),
        2 => Some(48_000),
        3 => Some(32_000),
        4 => Some(22_050),
        6 => Some(24_000),
        8 => Some(88_200),
        10 => Some(96_000),
        12 => Some(176_400),
        14 => Some(192_000),
        _ => None,
    };
    ChannelStatus {
        bytes: *bytes,
        professional: false,
        other_than_sound,
        sample_rate,
        unlocked: false,
        emphasis,
        mode: ChannelMode::NotIndicated,
        word_bits: word_bits(four & 1 != 0, four >> 1 & 7),
        origin: String::new(),
        destination: String::new(),
        check: None,
        copy_permitted: Some(zero & 4 != 0),
        category: Some(one & 0x7f),
    }
}

/// Professional channel status as our senders make it: 48, 44.1 or 96 kHz, 24 bits, no emphasis, with its check.
pub fn made(sample_rate: u32, stereo: bool) -> [u8; 24] {
    let mut bytes = [0; 24];
    let rate = match sample_rate {
        44_100 => 1,
        48_000 => 2,
        32_000 => 3,
        _ => 0,
    };
    bytes[0] = 1 | 1 << 2 | rate << 6;
    bytes[1] = if stereo { 2 } else { 8 };
    bytes[2] = 4 | 5 << 3;
    bytes[4] = match sample_rate {
        88_200 => 10 << 3,
        96_000 => 2 << 3,
        192_000 => 3 << 3,
        _ => 0,
    };
    for (place, letter) in bytes.iter_mut().skip(6).zip(*b"PORT") {
        *place = letter;
    }
    bytes[23] = check_of(bytes.first_chunk::<23>().map_or(&[], |head| head));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_professional_status_has_a_known_check() {
        let mut bytes = [0; 24];
        bytes[0] = 1;
        assert_eq!(check_of(&bytes[..23]), 0x32);
        let status = parse(&bytes);
        assert_eq!((status.professional, status.check, status.sample_rate), (true, None, None));
        assert_eq!((status.emphasis, status.mode), (Emphasis::NotIndicated, ChannelMode::NotIndicated));
    }

    #[test]
    fn what_we_make_is_read() {
        for rate in [44_100, 48_000, 96_000] {
            let mut bytes = made(rate, true);
            let status = parse(&bytes);
            assert_eq!(
                (status.sample_rate, status.word_bits, status.check),
                (Some(rate), Some(24), Some(true))
            );
            assert_eq!((status.mode, status.origin.as_str()), (ChannelMode::Stereo, "PORT"));
            assert!(!status.other_than_sound && !status.unlocked && status.destination.is_empty());
            bytes[15] ^= 4;
            assert_eq!(parse(&bytes).check, Some(false));
            assert!(is_same(&bytes, &made(rate, true)) && !is_same(&bytes, &made(rate, false)));
        }
    }

    #[test]
    fn consumers_are_read() {
        let mut bytes = [0; 24];
        (bytes[0], bytes[1], bytes[3], bytes[4]) = (0b0000_1100, 0x82, 2, 0b1011);
        let status = parse(&bytes);
        assert_eq!(
            (status.professional, status.copy_permitted, status.category),
            (false, Some(true), Some(2))
        );
        assert_eq!((status.sample_rate, status.emphasis), (Some(48_000), Emphasis::Us50And15));
        assert_eq!((status.word_bits, status.check), (Some(24), None));
        assert_eq!(parse(&[0; 24]).sample_rate, Some(44_100));
    }

    #[test]
    fn every_octet_is_taken() {
        for place in 0..24 {
            for octet in 0..=255 {
                for professional in [0, 1] {
                    let mut bytes = [0; 24];
                    bytes[place] = octet;
                    bytes[0] = bytes[0] & !1 | professional;
                    let status = parse(&bytes);
                    assert_eq!(status.professional, professional == 1);
                    assert!(
                        status.origin.len() <= 4
                            && status.word_bits.is_none_or(|bits| (16..=24).contains(&bits))
                    );
                }
            }
        }
    }
}
