//! Every rule can ring, and rings where it should.

use std::collections::BTreeSet;

use super::*;

const VIDEO: &str = "v=0\r
o=- 1 1 IN IP4 192.0.2.1\r
s=Camera 1\r
t=0 0\r
m=video 5004 RTP/AVP 96\r
c=IN IP4 239.1.1.1/64\r
a=source-filter: incl IN IP4 239.1.1.1 192.0.2.1\r
a=rtpmap:96 raw/90000\r
a=fmtp:96 sampling=YCbCr-4:2:2; width=1920; height=1080; exactframerate=30000/1001; depth=10; interlace; TCS=SDR; colorimetry=BT709; PM=2110GPM; SSN=ST2110-20:2017; TP=2110TPN;\r
a=ts-refclk:ptp=IEEE1588-2008:00-1B-19-FF-FE-00-00-01:127\r
a=mediaclk:direct=0\r
";
const AUDIO: &str = "v=0\r
o=- 1 1 IN IP4 192.0.2.1\r
s=Desk\r
t=0 0\r
m=audio 5004 RTP/AVP 97\r
c=IN IP4 239.1.1.2/64\r
a=source-filter: incl IN IP4 239.1.1.2 192.0.2.1\r
a=rtpmap:97 L24/48000/8\r
a=fmtp:97 channel-order=SMPTE2110.(51,ST)\r
a=ptime:0.125\r
a=framecount:6\r
a=ts-refclk:localmac=00-1B-19-00-00-01\r
a=mediaclk:direct=0\r
";
const DATA: &str = "v=0\r
o=- 1 1 IN IP4 192.0.2.1\r
s=Captions\r
t=0 0\r
m=video 5006 RTP/AVP 100\r
c=IN IP4 239.1.1.3/64\r
a=source-filter: incl IN IP4 239.1.1.3 192.0.2.1\r
a=rtpmap:100 smpte291/90000\r
a=fmtp:100 exactframerate=25; DID_SDID={0x61,0x02}; DID_SDID={0x60,0x60}; VPID_Code=133; SSN=ST2110-40:2018\r
a=ts-refclk:ptp=IEEE1588-2008:traceable\r
a=mediaclk:direct=0\r
";
const JPEG_XS: &str = "v=0\r
o=- 1 1 IN IP4 192.0.2.1\r
s=Link\r
t=0 0\r
m=video 5008 RTP/AVP 112\r
c=IN IP4 239.1.1.4/64\r
b=AS:116000\r
a=source-filter: incl IN IP4 239.1.1.4 192.0.2.1\r
a=rtpmap:112 jxsv/90000\r
a=fmtp:112 packetmode=0; profile=High444.12; level=1k-1; sublevel=Sublev3bpp; sampling=YCbCr-4:2:2; width=1280; height=720; exactframerate=60000/1001; depth=10; colorimetry=BT709; TCS=SDR; RANGE=FULL; SSN=ST2110-22:2022; TP=2110TPN\r
a=ts-refclk:ptp=IEEE1588-2008:00-1B-19-FF-FE-00-00-01:127\r
a=mediaclk:direct=0\r
";
const METADATA: &str = "v=0\r
o=- 1 1 IN IP4 192.0.2.1\r
s=Metadata\r
t=0 0\r
m=application 5010 RTP/AVP 99\r
c=IN IP6 ff3e::8000:1\r
a=source-filter: incl IN IP6 ff3e::8000:1 2001:db8::1\r
a=rtpmap:99 ST2110-41/90000\r
a=fmtp:99 SSN=ST2110-41:2024; DIT=100,100100\r
a=ts-refclk:ptp=IEEE1588-2008:00-1B-19-FF-FE-00-00-01:127\r
a=mediaclk:direct=0\r
";

/// A pair of copies of the video, each with its own group and source.
fn pair() -> String {
    let (head, medium) = VIDEO.split_at(VIDEO.find("m=").unwrap());
    let second = medium.replace("239.1.1.1", "239.2.1.1").replace("192.0.2.1", "198.51.100.1");
    format!("{head}a=group:DUP one two\r\n{medium}a=mid:one\r\n{second}a=mid:two\r\n")
}

/// The video with copies told by their sources.
fn sources() -> String {
    let text = VIDEO.replace("239.1.1.1 192.0.2.1", "239.1.1.1 192.0.2.1 198.51.100.1");
    format!("{text}a=ssrc-group:DUP 1009 1010\r\na=ssrc:1009 cname:a\r\na=ssrc:1010 cname:a\r\n")
}

fn codes(text: &str, edition: Edition) -> BTreeSet<Lint> {
    lint(text.as_bytes(), edition).into_iter().map(|complaint| complaint.code).collect()
}

#[test]
fn what_is_right_is_quiet() {
    for text in [VIDEO, AUDIO, DATA, JPEG_XS, METADATA, &pair(), &sources()] {
        for edition in [Edition::Named, Edition::Rfc] {
            assert_eq!(lint(text.as_bytes(), edition), [], "{edition:?}\n{text}");
        }
    }
}

#[test]
fn what_one_text_allows_is_no_fault_by_another() {
    let codec = |from: &str, to: &str| broken(JPEG_XS, from, to);
    for text in [
        codec("BT709", "BT709-2"),
        codec("BT709", "SMPTE240M"),
        codec("YCbCr-4:2:2", "UNSPECIFIED"),
        codec("YCbCr-4:2:2", "YCbCr-4:2:0; interlace"),
        codec("depth=10", "depth=14"),
        codec("; exactframerate=60000/1001", "").replace("a=mediaclk", "a=framerate:59.94\r\na=mediaclk"),
        broken(VIDEO, "interlace;", "interlace; IPMX; measuredpixclk=74175824; htotal=2200; vtotal=1125;"),
        broken(VIDEO, "incl IN IP4 239.1.1.1 192.0.2.1", "incl IN * * camera.example.com"),
        broken(AUDIO, "(51,ST)", "(51,ST); IPMX; measuredsamplerate=48000"),
    ] {
        assert_eq!(lint(text.as_bytes(), Edition::Named), [], "{text}");
    }
}

/// Breaks a document in one place; the place must be there.
fn broken(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in\n{text}");
    text.replacen(from, to, 1)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one line for each rule")]
fn every_rule_rings() {
    let pair = pair();
    let sources = sources();
    let together = pair.replace("239.2.1.1", "239.1.1.1");
    let (pair, together, sources) = (pair.as_str(), together.as_str(), sources.as_str());
    let cases: &[(Lint, &str, &str, &str)] = &[
        (Lint::LineEnding, VIDEO, "s=Camera 1\r\n", "s=Camera 1\n"),
        (Lint::LineEmpty, VIDEO, "t=0 0\r\n", "t=0 0\r\n\r\n"),
        (Lint::LineForm, VIDEO, "t=0 0\r\n", "t=0 0\r\nhello\r\n"),
        (Lint::LineForm, VIDEO, "s=Camera 1", "s= Camera 1"),
        (Lint::LineForm, VIDEO, "s=Camera 1\r\n", "s=Camera 1\r\ni=\r\n"),
        (Lint::LineUnknown, VIDEO, "t=0 0\r\n", "x=1\r\nt=0 0\r\n"),
        (Lint::LineSpace, VIDEO, "o=- 1", "o=-  1"),
        (Lint::LineSpace, VIDEO, "video 5004", "video  5004"),
        (Lint::LineSpace, VIDEO, "t=0 0", "t=0 0 "),
        (Lint::LineOrder, VIDEO, "s=Camera 1\r\nt=0 0\r\n", "t=0 0\r\ns=Camera 1\r\n"),
        (Lint::LineOrder, VIDEO, "a=mediaclk:direct=0\r\n", "a=mediaclk:direct=0\r\nb=AS:1\r\n"),
        (Lint::LineOrder, VIDEO, "a=mediaclk:direct=0\r\n", "a=mediaclk:direct=0\r\nt=0 0\r\n"),
        (Lint::LineOrder, VIDEO, "t=0 0\r\n", "t=0 0\r\na=recvonly\r\nr=1 1 0\r\n"),
        (Lint::LineRepeated, VIDEO, "s=Camera 1\r\n", "s=Camera 1\r\ns=Camera 2\r\n"),
        (Lint::LineMissing, VIDEO, "t=0 0\r\n", ""),
        (Lint::LineMissing, VIDEO, "o=- 1 1 IN IP4 192.0.2.1\r\n", ""),
        (Lint::BadByte, VIDEO, "Camera 1", "Camera\0 1"),
        (Lint::Version, VIDEO, "v=0", "v=1"),
        (Lint::Version, VIDEO, "v=0\r\n", ""),
        (Lint::OriginForm, VIDEO, "o=- 1 1", "o=- 1 x"),
        (Lint::OriginForm, VIDEO, "IP4 192.0.2.1\r\ns", "IP6 192.0.2.1\r\ns"),
        (Lint::OriginMulticast, VIDEO, "IP4 192.0.2.1\r\ns", "IP4 239.0.2.1\r\ns"),
        (Lint::SessionName, VIDEO, "s=Camera 1", "s="),
        (Lint::TimeForm, VIDEO, "t=0 0", "t=0"),
        (Lint::TimeForm, VIDEO, "t=0 0", "t=3000000001 3000000000"),
        (Lint::TimeForm, VIDEO, "t=0 0", "t=12 0"),
        (Lint::KeyLine, VIDEO, "t=0 0\r\n", "t=0 0\r\nk=prompt\r\n"),
        (Lint::AttributeForm, VIDEO, "a=mediaclk", "a=: \r\na=mediaclk"),
        (Lint::AttributeMisspelt, VIDEO, "a=mediaclk", "a=mediaclkk"),
        (Lint::AttributeMisspelt, VIDEO, "a=ts-refclk", "a=ts-reflk"),
        (Lint::AttributeMisspelt, VIDEO, "a=fmtp", "a=FMTP"),
        (Lint::AttributeLevel, VIDEO, "t=0 0\r\n", "t=0 0\r\na=mid:x\r\n"),
        (Lint::MediaMissing, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", "s=-", "s=nothing"),
        (Lint::MediaForm, VIDEO, "m=video 5004", "m=video 70000"),
        (Lint::MediaForm, VIDEO, "m=video", "m=movie"),
        (Lint::ConnectionMissing, VIDEO, "c=IN IP4 239.1.1.1/64\r\n", ""),
        (Lint::ConnectionForm, VIDEO, "c=IN IP4 239.1.1.1/64", "c=IN IP4 239.1.1/64"),
        (Lint::ConnectionForm, VIDEO, "c=IN IP4 239.1.1.1/64", "c=IN IP4 239.1.1.1/64/0"),
        (Lint::TtlMissing, VIDEO, "239.1.1.1/64", "239.1.1.1"),
        (Lint::TtlRange, VIDEO, "239.1.1.1/64", "239.1.1.1/256"),
        (Lint::TtlRange, VIDEO, "239.1.1.1/64", "239.1.1.1/064"),
        (Lint::TtlForbidden, VIDEO, "c=IN IP4 239.1.1.1/64", "c=IN IP4 192.0.2.9/64"),
        (Lint::TtlForbidden, METADATA, "c=IN IP6 ff3e::8000:1", "c=IN IP6 ff3e::8000:1/64/2"),
        (Lint::AddressUnspecified, VIDEO, "c=IN IP4 239.1.1.1/64", "c=IN IP4 0.0.0.0"),
        (Lint::AddressReserved, VIDEO, "c=IN IP4 239.1.1.1/64", "c=IN IP4 224.0.1.77/64"),
        (Lint::AddressReserved, VIDEO, "c=IN IP4 239.1.1.1/64", "c=IN IP4 224.0.0.77/64"),
        (Lint::BandwidthForm, JPEG_XS, "b=AS:116000", "b=AS 116000"),
        (Lint::BandwidthMissing, JPEG_XS, "b=AS:116000\r\n", ""),
        (Lint::PortOdd, VIDEO, "video 5004", "video 5005"),
        (Lint::PortRange, VIDEO, "video 5004", "video 65534/4"),
        (Lint::DestinationShared, together, "a=group:DUP one two\r\n", "a=group:LS one two\r\n"),
        (Lint::RtcpForm, VIDEO, "a=mediaclk", "a=rtcp:5005 IN IP4 ::1\r\na=mediaclk"),
        (Lint::Transport, VIDEO, "RTP/AVP", "RTP/SAVP"),
        (Lint::SeveralStreams, pair, "a=group:DUP one two\r\n", ""),
        (Lint::PayloadType, AUDIO, "RTP/AVP 97", "RTP/AVP 97 10"),
        (Lint::PayloadTypeRepeated, VIDEO, "a=mediaclk", "a=rtpmap:96 raw/90000\r\na=mediaclk"),
        (Lint::PayloadTypeRepeated, VIDEO, "AVP 96", "AVP 96 96"),
        (Lint::PayloadTypeUnlisted, VIDEO, "AVP 96", "AVP 98"),
        (Lint::MapMissing, VIDEO, "a=rtpmap:96 raw/90000\r\n", ""),
        (Lint::MapForm, VIDEO, "raw/90000", "raw"),
        (Lint::MapForm, VIDEO, "raw/90000", "raw/090000"),
        (Lint::MapForm, VIDEO, "96 raw", "96  raw"),
        (Lint::EncodingUnknown, VIDEO, "raw/90000", "H264/90000"),
        (Lint::EncodingUnknown, AUDIO, "L24/48000", "L20/48000"),
        (Lint::EncodingCase, VIDEO, "raw/90000", "RAW/90000"),
        (Lint::ClockRate, VIDEO, "raw/90000", "raw/48000"),
        (Lint::MediaKind, VIDEO, "m=video", "m=application"),
        (Lint::FmtpForm, VIDEO, "a=fmtp:96 sampling", "a=fmtp:x sampling"),
        (Lint::FmtpMissing, VIDEO, "a=fmtp:96", "a=fmtq:96"),
        (Lint::FmtpEnd, VIDEO, "TP=2110TPN;", "TP=2110TPN"),
        (Lint::FmtpEnd, JPEG_XS, "TP=2110TPN", "TP=2110TPN;"),
        (Lint::FmtpSpace, VIDEO, "width=1920; height", "width=1920;height"),
        (Lint::ParameterRepeated, VIDEO, "width=1920", "width=1920; width=1920"),
        (Lint::ParameterMissing, VIDEO, "width=1920; ", ""),
        (Lint::ParameterValue, VIDEO, "width=1920", "width=32768"),
        (Lint::ParameterValue, VIDEO, "width=1920", "width=1920.0"),
        (Lint::ParameterValue, VIDEO, "width=1920", "width=01920"),
        (Lint::ParameterValue, VIDEO, "depth=10", "depth=14"),
        (Lint::ParameterValue, VIDEO, "YCbCr-4:2:2", "UNSPECIFIED"),
        (Lint::ParameterValue, VIDEO, "TCS=SDR", "TCS=sdr"),
        (Lint::ParameterValue, VIDEO, "TCS=SDR", "TCS=SDR; MAXUDP=9000"),
        (Lint::ParameterValue, VIDEO, "TCS=SDR", "TCS=SDR; TROFF=-1"),
        (Lint::ParameterValue, VIDEO, "TCS=SDR", "TCS=SDR; CMAX=0"),
        (Lint::ParameterValue, VIDEO, "TCS=SDR", "TCS=SDR; TSDELAY=0"),
        (Lint::ParameterValue, VIDEO, "BT709", "BT709-2"),
        (Lint::ParameterValue, VIDEO, "YCbCr-4:2:2", "YCbCr-4:1:1"),
        (Lint::ParameterValue, JPEG_XS, "packetmode=0", "packetmode=0; transmode=0"),
        (Lint::ParameterValue, JPEG_XS, "packetmode=0", "packetmode=2"),
        (Lint::ParameterValue, JPEG_XS, "level=1k-1", "level=1k 1"),
        (Lint::ParameterValue, JPEG_XS, "TP=2110TPN", "TP=2110TPN; MAXUDP=9000"),
        (Lint::ParameterValue, DATA, "{0x61,0x02}", "{61,02}"),
        (Lint::ParameterValue, DATA, "{0x61,0x02}", "{0x61, 0x02}"),
        (Lint::ParameterValue, METADATA, "DIT=100", "DIT=0x100"),
        (Lint::ParameterFlag, VIDEO, "interlace;", "interlace=1;"),
        (Lint::ParameterCase, VIDEO, "width=1920", "Width=1920"),
        (Lint::ParameterUnknown, VIDEO, "width=1920", "width=1920; colour=yes"),
        (Lint::EditionName, VIDEO, "ST2110-20:2017", "ST2110-20:2022"),
        (Lint::EditionName, VIDEO, "colorimetry=BT709", "colorimetry=ALPHA"),
        (Lint::EditionName, DATA, "SSN=ST2110-40:2018", "SSN=ST2110-40:2018; TM=LLTM"),
        (Lint::EditionMisprint, DATA, "SSN=ST2110-40:2018", "SSN=ST2110-40:2021"),
        (Lint::FrameRateForm, VIDEO, "30000/1001", "60000/2002"),
        (Lint::FrameRateForm, VIDEO, "30000/1001", "25/1"),
        (Lint::FrameRateForm, VIDEO, "30000/1001", "1001/30000"),
        (Lint::FrameRateForm, VIDEO, "30000/1001", "29.97"),
        (Lint::FrameRateForm, JPEG_XS, "a=mediaclk", "a=framerate:fast\r\na=mediaclk"),
        (Lint::FrameRateTwice, JPEG_XS, "a=mediaclk", "a=framerate:59.94\r\na=mediaclk"),
        (Lint::FrameRateTwice, VIDEO, "a=mediaclk", "a=framerate:25\r\na=mediaclk"),
        (Lint::SegmentedAlone, VIDEO, "interlace;", "segmented;"),
        (Lint::RangeColorimetry, VIDEO, "colorimetry=BT709", "colorimetry=BT2100; RANGE=FULLPROTECT"),
        (Lint::RangeMissing, VIDEO, "colorimetry=BT709", "colorimetry=BT2100"),
        (Lint::TransferKey, VIDEO, "sampling=YCbCr-4:2:2", "sampling=KEY"),
        (Lint::TransferColorimetry, VIDEO, "TCS=SDR", "TCS=HLG"),
        (
            Lint::SamplingDepth,
            VIDEO,
            "4:2:2; width=1920; height=1080; exactframerate=30000/1001; depth=10",
            "4:2:0; width=1920; height=1080; exactframerate=30000/1001; depth=16",
        ),
        (Lint::SamplingScan, VIDEO, "4:2:2", "4:2:0"),
        (Lint::PackingSize, VIDEO, "PM=2110GPM", "PM=2110BPM; MAXUDP=8960"),
        (Lint::AspectForm, VIDEO, "TCS=SDR", "TCS=SDR; PAR=24:22"),
        (Lint::SenderTypeMissing, VIDEO, " TP=2110TPN;", ""),
        (Lint::PacketTimeMissing, AUDIO, "a=ptime:0.125\r\n", ""),
        (Lint::PacketTimeForm, AUDIO, "a=ptime:0.125\r\n", "a=ptime:0.125\r\na=ptime:1\r\n"),
        (Lint::PacketTimeForm, AUDIO, "a=ptime:0.125", "a=ptime:fast"),
        (Lint::PacketTimeForm, AUDIO, "a=ptime:0.125", "a=ptime:.125"),
        (Lint::PacketTimeForm, AUDIO, "a=ptime:0.125\r\n", "a=ptime:0.125\r\na=maxptime:0.1\r\n"),
        (Lint::PacketTimeLevel, AUDIO, "a=ptime:0.125", "a=ptime:4"),
        (Lint::PacketTooLong, AUDIO, "a=ptime:0.125", "a=ptime:4"),
        (Lint::SampleRate, AUDIO, "L24/48000", "L24/44100"),
        (Lint::SampleRate, AUDIO, "L24/48000", "L16/96000"),
        (Lint::Channels, AUDIO, "L24/48000/8", "L24/48000"),
        (Lint::Channels, AUDIO, "L24/48000/8", "AM824/48000/7"),
        (Lint::ChannelOrder, AUDIO, "(51,ST)", "(5.1,ST)"),
        (Lint::ChannelOrder, AUDIO, "(51,ST)", "(U00)"),
        (Lint::ChannelOrderSum, AUDIO, "(51,ST)", "(51)"),
        (Lint::FrameCount, AUDIO, "framecount:6", "framecount:48"),
        (Lint::GroupForm, pair, "DUP one two", "DUP one"),
        (Lint::GroupForm, pair, "DUP one two", "DOUBLE one two"),
        (Lint::GroupMark, pair, "DUP one two", "DUP one three"),
        (Lint::MarkRepeated, pair, "a=mid:two", "a=mid:one"),
        (Lint::SourceGroup, sources, "DUP 1009 1010", "DUP 1009 1011"),
        (
            Lint::CopiesTogether,
            pair,
            "c=IN IP4 239.2.1.1/64\r\na=source-filter: incl IN IP4 239.2.1.1 198.51.100.1",
            "c=IN IP4 239.1.1.1/64\r\na=source-filter: incl IN IP4 239.1.1.1 192.0.2.1",
        ),
        (Lint::CopiesDiffer, pair, "depth=10", "depth=12"),
        (Lint::CopiesType, pair, "AVP 96", "AVP 96 97"),
        (Lint::FilterForm, VIDEO, "incl IN", "include IN"),
        (Lint::FilterSpace, VIDEO, "source-filter: incl", "source-filter:incl"),
        (Lint::FilterMissing, VIDEO, "a=source-filter: incl IN IP4 239.1.1.1 192.0.2.1\r\n", ""),
        (Lint::FilterDestination, VIDEO, "incl IN IP4 239.1.1.1", "incl IN IP4 239.1.1.9"),
        (
            Lint::FilterDestination,
            VIDEO,
            "t=0 0\r\n",
            "t=0 0\r\na=source-filter: incl IN IP4 239.1.1.9 192.0.2.1\r\n",
        ),
        (Lint::FilterForm, VIDEO, "incl IN IP4", "incl IN *"),
        (
            Lint::FilterRepeated,
            VIDEO,
            "a=rtpmap",
            "a=source-filter: incl IN IP4 239.1.1.1 192.0.2.2\r\na=rtpmap",
        ),
        (Lint::ReferenceMissing, AUDIO, "a=ts-refclk:localmac=00-1B-19-00-00-01\r\n", ""),
        (
            Lint::ReferenceLevel,
            AUDIO,
            "t=0 0\r\nm=audio 5004 RTP/AVP 97\r\nc=IN IP4 239.1.1.2/64\r\na=source-filter: incl IN IP4 239.1.1.2 192.0.2.1\r\na=rtpmap:97 L24/48000/8\r\na=fmtp:97 channel-order=SMPTE2110.(51,ST)\r\na=ptime:0.125\r\na=framecount:6\r\na=ts-refclk:localmac=00-1B-19-00-00-01\r\n",
            "t=0 0\r\na=ts-refclk:localmac=00-1B-19-00-00-01\r\nm=audio 5004 RTP/AVP 97\r\nc=IN IP4 239.1.1.2/64\r\na=source-filter: incl IN IP4 239.1.1.2 192.0.2.1\r\na=rtpmap:97 L24/48000/8\r\na=fmtp:97 channel-order=SMPTE2110.(51,ST)\r\na=ptime:0.125\r\na=framecount:6\r\n",
        ),
        (Lint::ReferenceForm, AUDIO, "localmac=00-1B-19", "localmac=00-1B"),
        (Lint::ReferenceForm, VIDEO, "FE-00-00-01:127", "FE-00-00-01:"),
        (Lint::ReferenceForm, AUDIO, "localmac=00-1B-19-00", "localmac=00-1B-19:00"),
        (Lint::ReferenceForm, VIDEO, "00-1B-19", "00:1B:19"),
        (Lint::ReferenceKind, VIDEO, "ptp=IEEE1588-2008:00-1B-19-FF-FE-00-00-01:127", "ntp=/traceable/"),
        (Lint::ReferenceKind, VIDEO, "ptp=IEEE1588-2008:00-1B-19-FF-FE-00-00-01:127", "local"),
        (Lint::ReferenceVersion, DATA, "ptp=IEEE1588-2008:traceable", "ptp=traceable"),
        (Lint::ReferenceVersion, DATA, "ptp=IEEE1588-2008:traceable", "ptp=IEEE1588-2002:traceable"),
        (Lint::ReferenceDomain, VIDEO, ":127", ":128"),
        (Lint::ReferenceDomain, VIDEO, ":127", ""),
        (Lint::ReferenceCase, VIDEO, "00-1B-19", "00-1b-19"),
        (Lint::ReferenceCase, VIDEO, ":127", ":domain-nmbr=127"),
        (Lint::ReferenceExample, VIDEO, "00-1B-19-FF-FE-00-00-01", "39-A7-94-FF-FE-07-CB-D0"),
        (Lint::MediaClockMissing, VIDEO, "a=mediaclk:direct=0\r\n", ""),
        (Lint::MediaClockForm, VIDEO, "direct=0", "direct=zero"),
        (Lint::MediaClockOffset, VIDEO, "direct=0", "direct=5"),
        (Lint::MediaClockKind, VIDEO, "direct=0", "sender"),
        (Lint::MediaClockRate, VIDEO, "direct=0", "direct=0 rate=90000"),
    ];
    for (lint, text, from, to) in cases {
        let found = codes(&broken(text, from, to), Edition::Named);
        assert!(found.contains(lint), "{} for {to}: {found:?}", lint.name());
    }
    let rung: BTreeSet<Lint> = cases.iter().map(|(lint, ..)| *lint).collect();
    let silent: Vec<_> =
        Lint::ALL.iter().filter(|lint| !rung.contains(lint)).map(|lint| lint.name()).collect();
    assert!(silent.is_empty(), "no case rings {silent:?}");
}

#[test]
fn editions_differ_where_the_texts_do() {
    let bare = DATA.replace("exactframerate=25; ", "");
    assert!(!codes(&bare, Edition::Named).contains(&Lint::ParameterMissing));
    assert!(codes(&bare, Edition::Third).contains(&Lint::ParameterMissing));
    let later = VIDEO.replace("BT709", "ALPHA").replace("-20:2017", "-20:2022").replace("TPN;", "TPN");
    assert_eq!(codes(&later, Edition::Named), BTreeSet::new());
    assert!(codes(&later, Edition::First).contains(&Lint::ParameterValue));
    assert!(codes(VIDEO, Edition::Second).contains(&Lint::FmtpEnd));
    // A document that has nothing to do with ST 2110 is held to the RFCs alone.
    let telephone = "v=0\r\no=a 1 1 IN IP4 host.example.com\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
                     m=audio 49170 RTP/AVP 0\r\n";
    assert_eq!(codes(telephone, Edition::Rfc), BTreeSet::new());
    assert!(codes(telephone, Edition::Named).contains(&Lint::PayloadType));
    // Where only sources can be joined, somebody has to name one.
    let source_specific = VIDEO.replace("239.1.1.1", "232.1.1.1");
    let filter = "a=source-filter: incl IN IP4 232.1.1.1 192.0.2.1\r\n";
    assert_eq!(codes(&source_specific, Edition::Rfc), BTreeSet::new());
    assert!(codes(&source_specific.replace(filter, ""), Edition::Rfc).contains(&Lint::FilterMissing));
    for edition in Edition::ALL {
        assert_eq!(Edition::from_word(edition.word()), Some(*edition));
    }
}

#[test]
fn complaints_name_their_line_and_are_few() {
    let text = broken(VIDEO, "width=1920", "width=0");
    let complaints = lint(text.as_bytes(), Edition::Named);
    let [one] = complaints.as_slice() else { panic!("{complaints:?}") };
    assert_eq!((one.line, one.severity, one.clause), (9, Severity::Error, "ST 2110-20:2022 §7.2"));
    assert_eq!(one.text, "a parameter has a value that is not allowed: width=0");
    let many = "m=video x\r\n".repeat(5_000);
    assert_eq!(lint(many.as_bytes(), Edition::Named).len(), MAX_COMPLAINTS);
    let long = broken(VIDEO, "width=1920", &format!("width={}", "é".repeat(3_000)));
    assert!(lint(long.as_bytes(), Edition::Named).iter().all(|complaint| complaint.text.len() < 500));
}

#[test]
fn names_are_stable_and_distinct() {
    let names: BTreeSet<&str> = Lint::ALL.iter().map(|lint| lint.name()).collect();
    assert_eq!(names.len(), Lint::ALL.len());
    for lint in Lint::ALL {
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(lint.name().bytes().all(kebab), "{}", lint.name());
        assert!(lint.next().ends_with('.') || lint.next().ends_with('…'), "{}", lint.name());
        assert!(
            !lint.text().ends_with('.')
                && ["RFC ", "ST ", "IS-"].iter().any(|text| lint.clause().starts_with(text)),
            "{}",
            lint.name()
        );
    }
}
