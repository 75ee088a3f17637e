//! Pictures whose description lacks what ST 2110-20 demands: as others than ST 2110 describe them (RFC 4175 §6).

use model::media::{
    Colorimetry, Depth, Essence, Packing, Range, Ratio, Sampling, Scan, Transfer, VideoFormat,
};

/// The format of pictures, as far as an essence says what must be known to put them together.
pub fn format_of(essence: &Essence) -> Option<VideoFormat> {
    let said = match essence {
        Essence::Video(format) => return Some(format.clone()),
        Essence::RawVideo(said) => said,
        _ => return None,
    };
    let word = |name: &str| {
        let parameters = said.split(';').filter_map(|parameter| parameter.trim().split_once('='));
        parameters.filter(|(key, _)| *key == name).map(|(_, value)| value.trim()).next()
    };
    let flag = |name: &str| said.split(';').any(|parameter| parameter.trim() == name);
    let scan = match (flag("interlace") || word("interlace").is_some(), flag("segmented")) {
        (_, true) => Scan::Segmented,
        (true, false) => Scan::Interlaced,
        (false, false) => Scan::Progressive,
    };
    // The order of red, green and blue is what counts: others than ST 2110 have more names for it.
    let sampling = word("sampling")?;
    Some(VideoFormat {
        sampling: Sampling::from_token(sampling)?,
        depth: Depth::from_token(word("depth")?)?,
        width: word("width")?.parse().ok()?,
        height: word("height")?.parse().ok()?,
        // Where it is not said it is not needed either, but for the fields of a frame.
        frame_rate: word("exactframerate").and_then(rate).or(Ratio::new(25, 1))?,
        scan,
        colorimetry: Colorimetry::Unspecified,
        transfer: Transfer::Unspecified,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: None,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1)?,
    })
}

fn rate(text: &str) -> Option<Ratio> {
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    Ratio::new(above.parse().ok()?, below.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_enough() {
        let said = "sampling=YCbCr-4:2:2; width=640; height=480; depth=10";
        let format = format_of(&Essence::RawVideo(said.to_owned())).unwrap();
        assert_eq!((format.sampling, format.depth), (Sampling::YCbCr422, Depth::Ten));
        assert_eq!((format.width, format.height, format.scan), (640, 480, Scan::Progressive));
        let more = format!("{said};interlace;exactframerate=30000/1001");
        let format = format_of(&Essence::RawVideo(more)).unwrap();
        assert_eq!((format.scan, format.frame_rate.to_string()), (Scan::Interlaced, "30000/1001".to_owned()));
        for lacking in ["", "sampling=YCbCr-4:2:2", "sampling=BGRA; width=1; height=1; depth=8"] {
            assert_eq!(format_of(&Essence::RawVideo(lacking.to_owned())), None);
        }
    }
}
