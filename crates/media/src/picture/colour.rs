//! From the numbers of a format to colours that a screen shows, and back (ITU-R BT.601, BT.709, BT.2020, BT.2100, ST 428-1).

use model::media::{Colorimetry, Sampling, Scan, Transfer, VideoFormat};

use super::levels::Levels;

type Matrix = [[f32; 3]; 3];

fn times(matrix: &Matrix, [a, b, c]: [f32; 3]) -> [f32; 3] {
    matrix.map(|[x, y, z]| x * a + y * b + z * c)
}

/// ITU-R BT.2087-0: BT.2020 to BT.709, both linear.
const BT2020_TO_709: Matrix = [
    [1.660_491, -0.587_641, -0.072_850],
    [-0.124_550, 1.132_9, -0.008_349],
    [-0.018_151, -0.100_579, 1.118_73],
];

/// CIE XYZ to BT.709, both linear, with the white of D65.
const XYZ_TO_709: Matrix = [
    [3.240_97, -1.537_383, -0.498_611],
    [-0.969_244, 1.875_968, 0.041_555],
    [0.055_630, -0.203_977, 1.056_972],
];

/// ACES2065-1 to BT.709, both linear, adapted from D60 to D65.
const ACES_TO_709: Matrix = [
    [2.521_686, -1.134_131, -0.387_555],
    [-0.276_480, 1.372_719, -0.096_239],
    [-0.015_378, -0.152_975, 1.168_354],
];

/// ITU-R BT.2100-2 table 7: I Ct Cp to L'M'S' for PQ.
const ICTCP_PQ: Matrix = [
    [1.0, 0.008_609_04, 0.111_029_63],
    [1.0, -0.008_609_04, -0.111_029_63],
    [1.0, 0.560_031_34, -0.320_627_17],
];

/// ITU-R BT.2100-2 table 7: I Ct Cp to L'M'S' for HLG.
const ICTCP_HLG: Matrix = [
    [1.0, 0.015_718_58, 0.209_581_06],
    [1.0, -0.015_718_58, -0.209_581_06],
    [1.0, 1.021_271_1, -0.605_274_5],
];

/// ITU-R BT.2100-2 table 7: L M S to BT.2020, both linear.
const LMS_TO_2020: Matrix = [
    [3.436_606_7, -2.506_452, 0.069_845_42],
    [-0.791_329_56, 1.983_600_5, -0.192_270_9],
    [-0.025_949_9, -0.098_913_71, 1.124_863_6],
];

/// Diffuse white of high dynamic range, in cd/m² (ITU-R BT.2408-7 §2.2).
const DIFFUSE_WHITE: f32 = 203.0;

/// The brightest that the tone map expects, in parts of diffuse white: 1000 cd/m².
const PEAK: f32 = 1000.0 / DIFFUSE_WHITE;

/// What red and blue weigh in brightness.
fn weights(colorimetry: Colorimetry) -> (f32, f32) {
    match colorimetry {
        Colorimetry::Bt601 => (0.299, 0.114),
        Colorimetry::Bt2020 | Colorimetry::Bt2100 => (0.2627, 0.0593),
        _ => (0.2126, 0.0722),
    }
}

/// The numbers of a colour, given as non-linear red, green and blue of the format's own primaries.
///
/// `None` for constant luminance, ICtCp and X'Y'Z', which test signals do not use.
pub fn encode(format: &VideoFormat, [red, green, blue]: [f32; 3]) -> Option<[u16; 3]> {
    let levels = Levels::of(format);
    let (of_red, of_blue) = weights(format.colorimetry);
    let tone = of_red * red + (1.0 - of_red - of_blue) * green + of_blue * blue;
    match format.sampling {
        Sampling::YCbCr444 | Sampling::YCbCr422 | Sampling::YCbCr420 => Some([
            levels.tone(tone),
            levels.difference((blue - tone) / (2.0 * (1.0 - of_blue))),
            levels.difference((red - tone) / (2.0 * (1.0 - of_red))),
        ]),
        Sampling::Rgb => Some([red, green, blue].map(|it| levels.tone(it))),
        Sampling::Key => Some([levels.tone(tone); 3]),
        _ => None,
    }
}

/// How numbers of a format become colours of a screen.
#[derive(Debug, Clone)]
pub struct Screen {
    levels: Levels,
    sampling: Sampling,
    colorimetry: Colorimetry,
    transfer: Transfer,
    weights: (f32, f32),
}

impl Screen {
    /// For a format.
    pub fn of(format: &VideoFormat) -> Screen {
        // X'Y'Z' is gamma 2.6 of ST 428-1 unless said otherwise.
        let transfer = match (format.sampling, format.transfer) {
            (Sampling::Xyz, Transfer::Sdr | Transfer::Unspecified) => Transfer::St428_1,
            (_, transfer) => transfer,
        };
        Screen {
            levels: Levels::of(format),
            sampling: format.sampling,
            colorimetry: format.colorimetry,
            transfer,
            weights: weights(format.colorimetry),
        }
    }

    /// Red, green and blue of BT.709 for a screen, from 0 to 1, of the numbers of a pixel.
    pub fn show(&self, numbers: [u16; 3]) -> [f32; 3] {
        let [first, second, third] = numbers;
        let tone = self.levels.to_tone(first);
        let colour = match self.sampling {
            Sampling::Key => return [tone.clamp(0.0, 1.0); 3],
            Sampling::Rgb | Sampling::Xyz => numbers.map(|it| self.levels.to_tone(it)),
            _ => {
                let (cb, cr) = (self.levels.to_difference(second), self.levels.to_difference(third));
                match self.sampling {
                    Sampling::ClYCbCr444 | Sampling::ClYCbCr422 | Sampling::ClYCbCr420 => {
                        self.constant_luminance(tone, cb, cr)
                    }
                    Sampling::ICtCp444 | Sampling::ICtCp422 | Sampling::ICtCp420 => {
                        return self.finish(self.ictcp([tone, cb, cr]));
                    }
                    _ => {
                        let (of_red, of_blue) = self.weights;
                        let red = tone + 2.0 * (1.0 - of_red) * cr;
                        let blue = tone + 2.0 * (1.0 - of_blue) * cb;
                        let green = (tone - of_red * red - of_blue * blue) / (1.0 - of_red - of_blue);
                        [red, green, blue]
                    }
                }
            }
        };
        if self.is_shown_as_it_is() {
            return colour.map(|it| it.clamp(0.0, 1.0));
        }
        let linear = match self.transfer {
            Transfer::Hlg => hlg(colour.map(hlg_inverse)),
            _ => colour.map(|it| self.linear(it)),
        };
        self.finish(linear)
    }

    /// Whether red, green and blue are near enough to what a screen expects.
    fn is_shown_as_it_is(&self) -> bool {
        let near =
            matches!(self.colorimetry, Colorimetry::Bt601 | Colorimetry::Bt709 | Colorimetry::Unspecified);
        let known = matches!(
            self.transfer,
            Transfer::Pq
                | Transfer::Hlg
                | Transfer::Linear
                | Transfer::Bt2100LinPq
                | Transfer::Bt2100LinHlg
                | Transfer::St2065_1
                | Transfer::St428_1
        );
        !known && (near || self.sampling == Sampling::Key)
    }

    /// Linear light in parts of diffuse white.
    fn linear(&self, value: f32) -> f32 {
        match self.transfer {
            Transfer::Pq => pq(value) / DIFFUSE_WHITE,
            Transfer::Linear | Transfer::St2065_1 => value,
            Transfer::Bt2100LinPq => value * 10_000.0 / DIFFUSE_WHITE,
            Transfer::Bt2100LinHlg => value * PEAK,
            Transfer::St428_1 => value.max(0.0).powf(2.6) * 52.37 / 48.0,
            _ => bt709_inverse(value),
        }
    }

    /// ITU-R BT.2020-2 table 4, constant luminance.
    fn constant_luminance(&self, tone: f32, cb: f32, cr: f32) -> [f32; 3] {
        let blue = tone + cb * if cb <= 0.0 { 1.9404 } else { 1.5816 };
        let red = tone + cr * if cr <= 0.0 { 1.7184 } else { 0.9936 };
        let (of_red, of_blue) = self.weights;
        let light = bt709_inverse(tone) - of_red * bt709_inverse(red) - of_blue * bt709_inverse(blue);
        [red, bt709(light / (1.0 - of_red - of_blue)), blue]
    }

    fn ictcp(&self, ictcp: [f32; 3]) -> [f32; 3] {
        if self.transfer == Transfer::Hlg {
            let scene = times(&LMS_TO_2020, times(&ICTCP_HLG, ictcp).map(hlg_inverse));
            return hlg(scene);
        }
        times(&LMS_TO_2020, times(&ICTCP_PQ, ictcp).map(pq)).map(|it| it / DIFFUSE_WHITE)
    }

    /// Into the colours and the brightness of a screen.
    fn finish(&self, linear: [f32; 3]) -> [f32; 3] {
        let linear = match (self.sampling, self.colorimetry) {
            (Sampling::Xyz, _) | (_, Colorimetry::Xyz) => times(&XYZ_TO_709, linear),
            (_, Colorimetry::Bt2020 | Colorimetry::Bt2100) => times(&BT2020_TO_709, linear),
            (_, Colorimetry::St2065_1) => times(&ACES_TO_709, linear),
            _ => linear,
        };
        let is_bright = matches!(
            self.transfer,
            Transfer::Pq | Transfer::Hlg | Transfer::Bt2100LinPq | Transfer::Bt2100LinHlg
        );
        let linear = if is_bright { tone_map(linear) } else { linear };
        linear.map(|it| bt709(it).clamp(0.0, 1.0))
    }
}

/// Reinhard's curve with a white point, on the brightest component, so that hues stay.
fn tone_map(linear: [f32; 3]) -> [f32; 3] {
    let brightest = linear.into_iter().fold(0.0, f32::max);
    if brightest <= 0.0 {
        return linear;
    }
    let mapped = brightest * (1.0 + brightest / (PEAK * PEAK)) / (1.0 + brightest);
    linear.map(|it| it * mapped / brightest)
}

/// ITU-R BT.709-6 §1.2, and what undoes it.
fn bt709(light: f32) -> f32 {
    if light < 0.018 { 4.5 * light } else { 1.099 * light.powf(0.45) - 0.099 }
}

fn bt709_inverse(value: f32) -> f32 {
    if value < 0.081 { value / 4.5 } else { ((value + 0.099) / 1.099).powf(1.0 / 0.45) }
}

/// ST 2084: cd/m².
fn pq(value: f32) -> f32 {
    const M1: f32 = 0.159_301_76;
    const M2: f32 = 78.843_75;
    const C1: f32 = 0.835_937_5;
    const C2: f32 = 18.851_563;
    const C3: f32 = 18.6875;
    let root = value.clamp(0.0, 1.0).powf(1.0 / M2);
    10_000.0 * ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1)
}

/// ITU-R BT.2100-2 table 5: light of the scene, 1 at the brightest.
fn hlg_inverse(value: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    let value = value.max(0.0);
    if value <= 0.5 { value * value / 3.0 } else { (((value - C) / A).exp() + B) / 12.0 }
}

/// ITU-R BT.2100-2 table 5: light of a screen of 1000 cd/m², in parts of diffuse white.
fn hlg(scene: [f32; 3]) -> [f32; 3] {
    let [red, green, blue] = scene;
    let brightness = (0.2627 * red + 0.678 * green + 0.0593 * blue).max(0.0);
    scene.map(|it| it * brightness.powf(0.2) * PEAK)
}

/// What was done to the colours of a format so that a screen can show them, for the people who look.
pub fn remarks(format: &VideoFormat) -> Vec<&'static str> {
    let screen = Screen::of(format);
    let mut remarks = Vec::new();
    if format.sampling == Sampling::Key {
        remarks.push("a key signal is shown as grey");
    }
    match format.scan {
        Scan::Progressive => {}
        Scan::Interlaced => remarks.push("two fields of different moments are woven together"),
        Scan::Segmented => remarks.push("two segments are woven together"),
    }
    match screen.transfer {
        Transfer::Pq | Transfer::Bt2100LinPq => {
            remarks.push(
                "high dynamic range (PQ) is tone-mapped: diffuse white at 203 cd/m², peak at 1000 cd/m²",
            );
        }
        Transfer::Hlg | Transfer::Bt2100LinHlg => {
            remarks.push("high dynamic range (HLG) is tone-mapped from a screen of 1000 cd/m²");
        }
        Transfer::Density | Transfer::St2115LogS3 => {
            remarks.push("logarithmic numbers are shown as if they were BT.709");
        }
        Transfer::Unspecified => remarks.push("the transfer characteristic is not said; BT.709 is assumed"),
        _ => {}
    }
    match format.colorimetry {
        Colorimetry::Bt2020 | Colorimetry::Bt2100 => remarks.push("colours outside BT.709 are clipped"),
        Colorimetry::Bt601 => remarks.push("BT.601 primaries are shown as if they were BT.709"),
        Colorimetry::Unspecified => remarks.push("the colorimetry is not said; BT.709 is assumed"),
        Colorimetry::St2065_3 => remarks.push("density colours are shown as if they were BT.709"),
        _ => {}
    }
    remarks
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "numbers of a test fit")]
mod tests {
    use super::*;
    use crate::make::video::tests::format;
    use model::media::{Depth, Range};

    fn shown(format: &VideoFormat, numbers: [u16; 3]) -> [i32; 3] {
        Screen::of(format).show(numbers).map(|it| (it * 255.0).round() as i32)
    }

    #[test]
    fn bars_have_the_published_numbers() {
        let bars = format(Sampling::YCbCr422, Depth::Ten);
        let of = |rgb: [f32; 3]| encode(&bars, rgb).unwrap();
        assert_eq!(of([0.75, 0.75, 0.75]), [721, 512, 512]);
        assert_eq!(of([0.75, 0.75, 0.0]), [674, 176, 543]);
        assert_eq!(of([0.0, 0.75, 0.75]), [581, 589, 176]);
        assert_eq!(of([0.0, 0.75, 0.0]), [534, 253, 207]);
        assert_eq!(of([0.75, 0.0, 0.75]), [251, 771, 817]);
        assert_eq!(of([0.75, 0.0, 0.0]), [204, 435, 848]);
        assert_eq!(of([0.0, 0.0, 0.75]), [111, 848, 481]);
        assert_eq!(of([1.0, 0.0, 0.0]), [250, 409, 960]);
        assert_eq!(of([0.0, 0.0, 1.0]), [127, 960, 471]);
    }

    #[test]
    fn what_is_encoded_is_shown() {
        for sampling in [Sampling::YCbCr444, Sampling::Rgb] {
            for colorimetry in [Colorimetry::Bt601, Colorimetry::Bt709] {
                for range in [Range::Narrow, Range::Full, Range::FullProtect] {
                    let format = VideoFormat { colorimetry, range, ..format(sampling, Depth::Twelve) };
                    for rgb in [[1.0, 0.5, 0.25], [0.0, 1.0, 0.0], [0.2, 0.4, 0.9]] {
                        let numbers = encode(&format, rgb).unwrap();
                        let wanted = rgb.map(|it| (it * 255.0_f32).round() as i32);
                        let near =
                            shown(&format, numbers).into_iter().zip(wanted).all(|(a, b)| (a - b).abs() <= 1);
                        assert!(near, "{format:?} {rgb:?}: {:?}", shown(&format, numbers));
                    }
                }
            }
        }
    }

    #[test]
    fn greys_stay_grey_and_in_order_in_every_system() {
        for sampling in Sampling::ALL {
            for transfer in Transfer::ALL {
                for colorimetry in Colorimetry::ALL {
                    if *sampling == Sampling::Xyz || *colorimetry == Colorimetry::Xyz {
                        continue;
                    }
                    let format = VideoFormat {
                        transfer: *transfer,
                        colorimetry: *colorimetry,
                        ..format(*sampling, Depth::Ten)
                    };
                    let second = |tone: u16| if *sampling == Sampling::Rgb { tone } else { 512 };
                    let mut last = -1;
                    for tone in [64, 200, 500, 720, 940] {
                        let [red, green, blue] = shown(&format, [tone, second(tone), second(tone)]);
                        assert!(
                            (red - green).abs() <= 2 && (blue - green).abs() <= 2,
                            "{format:?} {tone}: {red} {green} {blue}"
                        );
                        assert!(green >= last, "{format:?} {tone}");
                        last = green;
                    }
                    assert!(last >= 128, "white of {format:?} is {last}");
                }
            }
        }
    }

    #[test]
    fn matrices_undo_those_of_the_recommendation() {
        // ITU-R BT.2100-2 tables 6 and 7, in 4096ths.
        let to_lms = [[1688.0, 2146.0, 262.0], [683.0, 2951.0, 462.0], [99.0, 309.0, 3688.0]];
        let pq = [[2048.0, 2048.0, 0.0], [6610.0, -13613.0, 7003.0], [17933.0, -17390.0, -543.0]];
        let hlg = [[2048.0, 2048.0, 0.0], [3625.0, -7465.0, 3840.0], [9500.0, -9212.0, -288.0]];
        for (forward, back) in [(to_lms, LMS_TO_2020), (pq, ICTCP_PQ), (hlg, ICTCP_HLG)] {
            for colour in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.3, 0.5, 0.9]] {
                let again = times(&back, times(&forward, colour).map(|it| it / 4096.0));
                let off = again.into_iter().zip(colour).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off < 1e-5, "{colour:?} became {again:?}");
            }
        }
    }

    #[test]
    fn the_curves_meet_their_fixed_points() {
        assert!((pq(0.5081) - 100.0).abs() < 0.5, "{}", pq(0.5081));
        assert!((pq(1.0) - 10_000.0).abs() < 1.0);
        assert!((hlg_inverse(0.5) - 1.0 / 12.0).abs() < 1e-6 && (hlg_inverse(1.0) - 1.0).abs() < 1e-4);
        assert!((bt709_inverse(bt709(0.3)) - 0.3).abs() < 1e-5);
    }
}
