//! Raw planes in the pixel formats that FFmpeg names, to compare with others.

use model::media::Depth;

use super::Picture;
use crate::video::Order;

/// The name of the pixel format and the bytes of the picture in it; `None` where FFmpeg has none for it.
pub fn raw(picture: &Picture) -> Option<(&'static str, Vec<u8>)> {
    let name = match (Order::of(picture.format.sampling), picture.format.depth) {
        (Order::Colour422, Depth::Eight) => "yuv422p",
        (Order::Colour422, Depth::Ten) => "yuv422p10le",
        (Order::Colour422, Depth::Twelve) => "yuv422p12le",
        (Order::Colour422, Depth::Sixteen) => "yuv422p16le",
        (Order::Colour444, Depth::Eight) => "yuv444p",
        (Order::Colour444, Depth::Ten) => "yuv444p10le",
        (Order::Colour444, Depth::Twelve) => "yuv444p12le",
        (Order::Colour444, Depth::Sixteen) => "yuv444p16le",
        (Order::Colour420, Depth::Eight) => "yuv420p",
        (Order::Colour420, Depth::Ten) => "yuv420p10le",
        (Order::Colour420, Depth::Twelve) => "yuv420p12le",
        (Order::Primaries, Depth::Eight) => "gbrp",
        (Order::Primaries, Depth::Ten) => "gbrp10le",
        (Order::Primaries, Depth::Twelve) => "gbrp12le",
        (Order::Primaries, Depth::Sixteen) => "gbrp16le",
        (Order::Primaries, Depth::SixteenFloat) => "gbrpf16le",
        (Order::Key, Depth::Eight) => "gray",
        (Order::Key, Depth::Ten) => "gray10le",
        (Order::Key, Depth::Twelve) => "gray12le",
        (Order::Key, Depth::Sixteen) => "gray16le",
        (Order::Key, Depth::SixteenFloat) => "grayf16le",
        (Order::Colour422 | Order::Colour444 | Order::Colour420, _) => return None,
    };
    let mut planes: Vec<_> = picture.planes.iter().collect();
    if name.starts_with("gbrp") {
        planes.rotate_left(1);
    }
    let mut bytes = Vec::with_capacity(planes.iter().map(|plane| plane.samples.len() * 2).sum());
    for plane in planes {
        if picture.format.depth == Depth::Eight {
            bytes.extend(plane.samples.iter().map(|sample| sample.to_le_bytes()[0]));
        } else {
            bytes.extend(plane.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        }
    }
    Some((name, bytes))
}
