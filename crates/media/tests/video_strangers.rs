//! Pictures and packets that FFmpeg and GStreamer make and read: they and we must agree. Nothing is sent; all goes through pipes.

#![expect(clippy::unwrap_used, reason = "in a test a panic is how it fails")]
#![expect(clippy::print_stdout, reason = "what is skipped is said loudly")]

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use model::media::{
    Colorimetry, Depth, Essence, Packing, Range, Ratio, Sampling, Scan, Transfer, VideoFormat,
};
use portreeve_media::Packet;
use portreeve_media::make::Batch;
use portreeve_media::make::video::{Head, Signal, VideoMaker};
use portreeve_media::picture::{self, Picture, PngDepth};
use portreeve_media::video::pack::pack;
use portreeve_media::video::unpack::unpack;
use portreeve_media::video::{Assembler, Detector, Measure, Pgroup, rules};

const WIDTH: u16 = 320;
const HEIGHT: u16 = 180;

fn format(sampling: Sampling, depth: Depth) -> VideoFormat {
    VideoFormat {
        sampling,
        depth,
        width: WIDTH,
        height: HEIGHT,
        frame_rate: Ratio::new(25, 1).unwrap(),
        scan: Scan::Progressive,
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: None,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1).unwrap(),
    }
}

/// Whether a program is there; said loudly where it is not.
fn is_there(program: &str) -> bool {
    let there =
        Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("SKIPPED: {program} is not installed");
    }
    there
}

/// What a program writes when it is given bytes.
fn through(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    // Who reads less than all is no error; what comes out is compared.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    writer.join().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{program} {arguments:?}: {said}");
    output
}

fn ffmpeg(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    through("ffmpeg", &[&["-v", "error", "-nostdin"], arguments].concat(), input)
}

fn painted(format: &VideoFormat, signal: Signal) -> Picture {
    let head = Head { payload_type: 96, ssrc: 1, sequence: 0 };
    let mut maker = VideoMaker::new(format, signal, true, head).unwrap();
    maker.frame(7, [0; 2], &mut Batch::default());
    maker.picture().clone()
}

fn decoded(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

#[test]
fn ffmpeg_reads_our_planes_and_sees_our_colours() {
    if !is_there("ffmpeg") {
        return;
    }
    for sampling in [Sampling::YCbCr422, Sampling::YCbCr444, Sampling::YCbCr420, Sampling::Rgb, Sampling::Key]
    {
        for depth in [Depth::Eight, Depth::Ten, Depth::Twelve, Depth::Sixteen] {
            for (range, colorimetry, their_range, their_matrix) in [
                (Range::Narrow, Colorimetry::Bt709, "tv", "bt709"),
                (Range::Full, Colorimetry::Bt601, "pc", "bt601"),
            ] {
                let format = VideoFormat { range, colorimetry, ..format(sampling, depth) };
                // FFmpeg knows no narrow range of RGB and of grey.
                let of_full_range = matches!(sampling, Sampling::Rgb | Sampling::Key);
                if of_full_range && range == Range::Narrow || Pgroup::of_format(&format).is_none() {
                    continue;
                }
                let picture = painted(&format, Signal::Bars);
                let (name, bytes) = picture::raw(&picture).unwrap();
                let size = format!("{WIDTH}x{HEIGHT}");
                let scale = format!(
                    "scale=flags=neighbor+accurate_rnd+full_chroma_int+full_chroma_inp:in_range={their_range}:in_color_matrix={their_matrix}:out_range=pc"
                );
                let arguments = [
                    "-f", "rawvideo", "-pix_fmt", name, "-s", &size, "-i", "-", "-vf", &scale, "-pix_fmt",
                    "rgb24", "-f", "rawvideo", "-",
                ];
                let theirs = ffmpeg(&arguments, &bytes);
                let ours = decoded(&picture::png(&picture, PngDepth::Eight));
                assert_eq!(ours.len(), theirs.len(), "{name}");
                let off = |most: u8| ours.iter().zip(&theirs).filter(|(a, b)| a.abs_diff(**b) > most).count();
                // Within rounding, but for the edges of colours, where FFmpeg places chroma between two pixels.
                let edges = ours.len() / 50;
                assert!(off(2) <= edges, "{name} {their_range}: {} of {} differ", off(2), ours.len());
            }
        }
    }
}

#[test]
fn ffmpeg_reads_our_png() {
    if !is_there("ffmpeg") {
        return;
    }
    for (depth, name) in [(PngDepth::Eight, "rgb24"), (PngDepth::Sixteen, "rgb48be")] {
        let png = picture::png(&painted(&format(Sampling::YCbCr422, Depth::Ten), Signal::ZonePlate), depth);
        let theirs = ffmpeg(&["-f", "png_pipe", "-i", "-", "-f", "rawvideo", "-pix_fmt", name, "-"], &png);
        assert!(theirs == decoded(&png), "{name}");
    }
}

#[test]
fn bars_are_those_of_ffmpeg() {
    if !is_there("ffmpeg") {
        return;
    }
    for (width, height) in [(1920_u16, 1080_u16), (1280, 720), (720, 576)] {
        let source = format!("smptehdbars=s={width}x{height}");
        let theirs = ffmpeg(
            &["-f", "lavfi", "-i", &source, "-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"],
            &[],
        );
        let format = VideoFormat { width, height, ..format(Sampling::YCbCr420, Depth::Eight) };
        let head = Head { payload_type: 96, ssrc: 1, sequence: 0 };
        let maker = VideoMaker::new(&format, Signal::Bars, false, head).unwrap();
        let (_, ours) = picture::raw(maker.picture()).unwrap();
        assert_eq!(ours.len(), theirs.len());
        // Their ramp goes over every number, ours from black to white (RP 219-1): it is left out.
        let luma = usize::from(width) * usize::from(height);
        let ramp_rows = |at: usize| {
            // Two rows of chroma, one after the other, are as long as one of luma.
            let row = if at < luma { at } else { (at - luma) % (luma / 4) * 4 } / usize::from(width);
            (usize::from(height) * 8 / 12 - 4..usize::from(height) * 9 / 12 + 4).contains(&row)
        };
        let differ: Vec<_> =
            (0..ours.len()).filter(|at| ours[*at].abs_diff(theirs[*at]) > 1 && !ramp_rows(*at)).collect();
        assert!(
            differ.is_empty(),
            "{width}x{height}: {} differ, first at {:?}",
            differ.len(),
            differ.first()
        );
    }
}

#[test]
fn ffmpeg_packs_ten_bits_as_we_do() {
    if !is_there("ffmpeg") {
        return;
    }
    let source =
        ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-frames:v", "1", "-vf", "format=yuv422p10le"];
    let planes = ffmpeg(&[&source[..], &["-f", "rawvideo", "-"]].concat(), &[]);
    let packed = ffmpeg(&[&source[..], &["-c:v", "bitpacked", "-f", "rawvideo", "-"]].concat(), &[]);
    let format = format(Sampling::YCbCr422, Depth::Ten);
    let pgroup = Pgroup::of_format(&format).unwrap();
    let mut picture = Picture::black(&format).unwrap();
    for (row, bytes) in packed.chunks(pgroup.row_bytes(WIDTH)).enumerate() {
        unpack(pgroup, bytes, picture.rows(row, 0));
    }
    let (name, ours) = picture::raw(&picture).unwrap();
    assert!(name == "yuv422p10le" && ours == planes);
    let mut again = Vec::new();
    (0..usize::from(HEIGHT)).for_each(|row| pack(pgroup, picture.samples(row, 0), &mut again));
    assert!(again == packed);
}

/// Formats that GStreamer packs as it has them in memory.
const FROM_GSTREAMER: [(&str, Sampling, Depth); 4] = [
    ("UYVP", Sampling::YCbCr422, Depth::Ten),
    ("UYVY", Sampling::YCbCr422, Depth::Eight),
    ("I420", Sampling::YCbCr420, Depth::Eight),
    ("RGB", Sampling::Rgb, Depth::Eight),
];

/// A picture as GStreamer has it in memory: planes for 4:2:0, else pixel groups.
fn in_memory(picture: &Picture) -> Vec<u8> {
    let pgroup = Pgroup::of_format(&picture.format).unwrap();
    if pgroup.down == 2 {
        return picture::raw(picture).unwrap().1;
    }
    let mut bytes = Vec::new();
    (0..usize::from(HEIGHT)).for_each(|row| pack(pgroup, picture.samples(row, 0), &mut bytes));
    bytes
}

#[test]
fn gstreamer_sends_what_we_put_together() {
    if !is_there("gst-launch-1.0") {
        return;
    }
    for (packed, sampling, depth) in FROM_GSTREAMER {
        let caps = format!("video/x-raw,format={packed},width={WIDTH},height={HEIGHT},framerate=25/1");
        let source = ["-q", "videotestsrc", "num-buffers=6", "pattern=smpte", "!", &caps, "!"];
        let memory = through("gst-launch-1.0", &[&source[..], &["fdsink"]].concat(), &[]);
        let stream = through(
            "gst-launch-1.0",
            &[&source[..], &["rtpvrawpay", "mtu=1400", "!", "rtpstreampay", "!", "fdsink"]].concat(),
            &[],
        );
        let format = VideoFormat {
            range: if sampling == Sampling::Rgb { Range::Full } else { Range::Narrow },
            ..format(sampling, depth)
        };
        let (mut measure, mut assembler, mut detector) =
            (Measure::new(&format), Assembler::new(&format).unwrap(), Detector::default());
        let mut pictures = Vec::new();
        let mut rest = stream.as_slice();
        let mut frame = 0;
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (bytes, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            rest = after;
            frame += 1;
            let rtp = wire::rtp::parse(bytes).unwrap();
            let udp_bytes = u16::try_from(bytes.len() + 8).unwrap();
            let packet = Packet { time: None, frame, udp_bytes, rtp };
            measure.handle(&packet);
            detector.handle(&packet);
            pictures.extend(assembler.handle(&packet));
        }
        let facts = measure.facts();
        assert_eq!((facts.complete, facts.incomplete, facts.cut), (6, 0, 0), "{packed}: {facts:?}");
        let known = [rules::COUNT.name, rules::SMALL_DATAGRAM.name];
        let others: Vec<_> =
            measure.tally().faults().iter().filter(|it| !known.contains(&it.rule.name)).collect();
        assert!(others.is_empty(), "{packed}: {others:?}");
        let ours: Vec<u8> = pictures.iter().flat_map(in_memory).collect();
        assert_eq!(ours.len(), memory.len(), "{packed}");
        assert!(ours == memory, "{packed}");
        let found = detector.found().unwrap_or_else(|| panic!("{packed}: not found"));
        let Essence::Video(video) = &found.essence else { panic!("{found:?}") };
        assert_eq!(
            (video.width, video.height, video.frame_rate),
            (WIDTH, HEIGHT, Ratio::new(25, 1).unwrap())
        );
        assert!(found.fits.contains(&(sampling, depth)), "{packed}: {found:?}");
    }
}

#[test]
fn gstreamer_receives_what_we_send() {
    if !is_there("gst-launch-1.0") {
        return;
    }
    for (packed, sampling, depth) in FROM_GSTREAMER {
        let format = VideoFormat {
            range: if sampling == Sampling::Rgb { Range::Full } else { Range::Narrow },
            ..format(sampling, depth)
        };
        let head = Head { payload_type: 96, ssrc: 1, sequence: 0 };
        let mut maker = VideoMaker::new(&format, Signal::ZonePlate, true, head).unwrap();
        let (mut stream, mut ours) = (Vec::new(), Vec::new());
        for frame in 0..4_u32 {
            let mut batch = Batch::default();
            maker.frame(u64::from(frame), [frame * 3600; 2], &mut batch);
            for packet in batch.iter() {
                stream.extend(u16::try_from(packet.len()).unwrap().to_be_bytes());
                stream.extend(packet);
            }
            ours.extend(in_memory(maker.picture()));
        }
        let (their_sampling, bits) = (sampling.token(), depth.token());
        let caps = format!(
            "application/x-rtp-stream,media=video,clock-rate=90000,encoding-name=RAW,sampling={their_sampling},depth=(string){bits},width=(string){WIDTH},height=(string){HEIGHT},colorimetry=BT709-2"
        );
        let theirs = through(
            "gst-launch-1.0",
            &[
                "-q",
                "fdsrc",
                "!",
                &caps,
                "!",
                "rtpstreamdepay",
                "!",
                "rtpvrawdepay",
                "!",
                "fdsink",
                "sync=false",
            ],
            &stream,
        );
        assert_eq!(theirs.len(), ours.len(), "{packed}");
        assert!(theirs == ours, "{packed}");
    }
}

/// What FFmpeg sends to a socket of ours, datagram after datagram.
fn sent_by_ffmpeg(arguments: &[&str], options: &str) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let url = format!("rtp://127.0.0.1:{}?{options}", socket.local_addr().unwrap().port());
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(arguments)
        .args(["-f", "rtp", "-rtpflags", "skip_rtcp", "-seq", "65500", &url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut datagrams = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => datagrams.extend(buffer.get(..length).map(<[u8]>::to_vec)),
            // Nothing for a while: it is over when the program is.
            Err(_) if child.try_wait().unwrap().is_some() => return datagrams,
            Err(_) => {}
        }
    }
}

#[test]
fn ffmpeg_sends_what_we_put_together_and_its_habits_are_named() {
    if !is_there("ffmpeg") {
        return;
    }
    let source =
        ["-re", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-frames:v", "8", "-vf", "format=yuv422p10le"];
    let planes = ffmpeg(&[source.get(1..).unwrap(), &["-f", "rawvideo", "-"]].concat(), &[]);
    let format = VideoFormat { width: 160, height: 90, ..format(Sampling::YCbCr422, Depth::Ten) };
    let (mut measure, mut assembler, mut detector) =
        (Measure::new(&format), Assembler::new(&format).unwrap(), Detector::default());
    let mut pictures = Vec::new();
    for (index, bytes) in
        sent_by_ffmpeg(&[&source[..], &["-c:v", "bitpacked"]].concat(), "pkt_size=1460").iter().enumerate()
    {
        let rtp = wire::rtp::parse(bytes).unwrap();
        let udp_bytes = u16::try_from(bytes.len() + 8).unwrap();
        let packet = Packet { time: None, frame: index as u64 + 1, udp_bytes, rtp };
        measure.handle(&packet);
        detector.handle(&packet);
        pictures.extend(assembler.handle(&packet));
    }
    let facts = measure.facts();
    assert_eq!((facts.complete, facts.incomplete, facts.cut), (8, 0, 0), "{facts:?}");
    let rings = |rule| assert!(measure.tally().count(rule) > 0, "{rule:?} in {:?}", measure.tally().faults());
    rings(&rules::EXTENDED_ZERO);
    assert!((1461..=1468).contains(&facts.udp_bytes.max), "{:?}", facts.udp_bytes);
    let ours: Vec<u8> = pictures.iter().flat_map(|picture| picture::raw(picture).unwrap().1).collect();
    assert!(ours == planes);
    let known = [rules::EXTENDED_ZERO.name, rules::COUNT.name, rules::SMALL_DATAGRAM.name];
    let others: Vec<_> =
        measure.tally().faults().iter().filter(|it| !known.contains(&it.rule.name)).collect();
    assert!(others.is_empty(), "{others:?}");
    let found = detector.found().unwrap();
    let Essence::Video(video) = &found.essence else { panic!("{found:?}") };
    assert_eq!((video.width, video.height, video.depth), (160, 90, Depth::Ten));
}

/// Pictures of one colour space turned into another by zimg, which knows constant luminance and ICtCp.
#[test]
fn other_colour_systems_show_what_rgb_shows() {
    if !is_there("ffmpeg") {
        return;
    }
    let filters = ffmpeg(&["-filters"], &[]);
    if !String::from_utf8_lossy(&filters).contains(" zscale ") {
        println!("SKIPPED: this FFmpeg has no zscale");
        return;
    }
    // zimg leaves the curve of a camera with that of a screen; from linear light it goes by the camera's alone.
    for (sampling, matrix, transfer, their_transfer, from, their_from) in [
        (Sampling::YCbCr444, "2020_ncl", Transfer::Sdr, "2020_10", Transfer::Sdr, "2020_10"),
        (Sampling::ClYCbCr444, "2020_cl", Transfer::Sdr, "2020_10", Transfer::Linear, "linear"),
        (Sampling::ICtCp444, "ictcp", Transfer::Pq, "smpte2084", Transfer::Pq, "smpte2084"),
    ] {
        let rgb = VideoFormat {
            colorimetry: if transfer == Transfer::Sdr { Colorimetry::Bt2020 } else { Colorimetry::Bt2100 },
            transfer: from,
            range: Range::Full,
            ..format(Sampling::Rgb, Depth::Twelve)
        };
        let picture = painted(&rgb, Signal::Bars);
        let (name, bytes) = picture::raw(&picture).unwrap();
        let scale = format!(
            "zscale=min=gbr:pin=2020:tin={their_from}:rin=full:m={matrix}:p=2020:t={their_transfer}:r=full,format=yuv444p12le"
        );
        let size = format!("{WIDTH}x{HEIGHT}");
        let arguments = [
            "-f", "rawvideo", "-pix_fmt", name, "-s", &size, "-i", "-", "-vf", &scale, "-f", "rawvideo", "-",
        ];
        let theirs = ffmpeg(&arguments, &bytes);
        let mut converted = Picture::black(&VideoFormat { sampling, transfer, ..rgb }).unwrap();
        let mut numbers = theirs.as_chunks::<2>().0.iter().map(|it| u16::from_le_bytes(*it));
        for plane in &mut converted.planes {
            plane.samples.iter_mut().for_each(|sample| *sample = numbers.next().unwrap());
        }
        let [direct, through] = [&picture, &converted].map(|it| decoded(&picture::png(it, PngDepth::Eight)));
        let off = direct.iter().zip(&through).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(3), "{matrix} {their_transfer}: off by {off:?}");
    }
}
