//! The rules by name. Every one is documented in docs/sdp.md, and a test compares.

use super::Severity;

macro_rules! lints {
    ($($variant:ident, $name:literal, $severity:ident, $clause:literal, $text:literal, $next:literal;)+) => {
        /// A rule that session descriptions are held to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Lint { $(#[doc = $text] $variant,)+ }

        impl Lint {
            /// Every one.
            pub const ALL: &'static [Lint] = &[$(Lint::$variant,)+];

            /// Its stable name, in kebab case.
            pub const fn name(self) -> &'static str {
                match self { $(Lint::$variant => $name,)+ }
            }

            /// How much it usually matters; editions differ.
            pub const fn severity(self) -> Severity {
                match self { $(Lint::$variant => Severity::$severity,)+ }
            }

            /// The clause that has the rule; where several have it, the first.
            pub const fn clause(self) -> &'static str {
                match self { $(Lint::$variant => $clause,)+ }
            }

            /// What is wrong, without particulars.
            pub const fn text(self) -> &'static str {
                match self { $(Lint::$variant => $text,)+ }
            }

            /// What to do about it.
            pub const fn next(self) -> &'static str {
                match self { $(Lint::$variant => $next,)+ }
            }
        }
    };
}

lints! {
    LineEnding, "line-ending", Note, "RFC 8866 §5", "lines do not end with CR LF", "End every line with CR LF.";
    LineEmpty, "line-empty", Warning, "RFC 8866 §5", "an empty line", "Take the line out.";
    LineForm, "line-form", Error, "RFC 8866 §5", "not of the form <type>=<value>, without space at the equals sign", "Write one letter, =, and the value, with nothing between.";
    LineUnknown, "line-unknown", Error, "RFC 8866 §5", "a type of line that no reader knows; they may refuse the whole document", "Take the line out, or make it an attribute (a=).";
    LineSpace, "line-space", Warning, "RFC 8866 §9", "fields that are not parted by one space, or a space at the end", "Write one space between fields, and none behind them.";
    LineOrder, "line-order", Error, "RFC 8866 §5", "a line out of order", "Keep the order v o s i u e p c b t r z k a for the session, m i c b k a for each medium.";
    LineRepeated, "line-repeated", Error, "RFC 8866 §9", "a line that may stand once stands again", "Keep one of them.";
    LineMissing, "line-missing", Error, "RFC 8866 §5", "a line that must be there is missing", "Add it: v=, o=, s= and t= are never left out.";
    BadByte, "bad-byte", Error, "RFC 8866 §5", "a byte that may not stand there", "Write UTF-8 without NUL, or say a=charset.";
    Version, "version", Error, "RFC 8866 §5.1", "the first line is not v=0", "Begin with v=0.";
    OriginForm, "origin-form", Error, "RFC 8866 §5.2", "o= is not <user> <id> <version> IN IP4|IP6 <address>", "Write a user or -, two numbers in digits, and the sender's own address.";
    OriginMulticast, "origin-multicast", Error, "RFC 8866 §5.2", "o= has a multicast address", "Write the address of the machine that made the session.";
    SessionName, "session-name", Error, "RFC 8866 §5.3", "the session has no name", "Write a name, or s=-.";
    TimeForm, "time-form", Error, "RFC 8866 §5.9", "t= is not two times", "Write t=0 0 for a session that is always there.";
    KeyLine, "key-line", Warning, "RFC 8866 §5.12", "k= is obsolete and must not be used", "Take the line out.";
    AttributeForm, "attribute-form", Error, "RFC 8866 §5.13", "an attribute without a proper name", "Write a=<name> or a=<name>:<value>.";
    AttributeMisspelt, "attribute-misspelt", Warning, "RFC 8866 §5.13", "an attribute that nobody knows, one letter from one that many know", "Correct it: readers pass over what they do not know.";
    AttributeLevel, "attribute-level", Error, "RFC 5888 §4", "an attribute stands where it has no meaning", "Put group at the session, mid, rtpmap and fmtp at the medium.";
    MediaMissing, "media-missing", Error, "ST 2110-10:2022 §8", "there is no medium", "Add an m= section for the stream.";
    MediaForm, "media-form", Error, "RFC 8866 §5.14", "m= is not <media> <port> <proto> <fmt>, with a kind of medium that is known", "Write for instance m=video 5004 RTP/AVP 96.";
    ConnectionMissing, "connection-missing", Error, "RFC 8866 §5.7", "a medium has no c=, and neither has the session", "Say with c= where the packets go.";
    ConnectionForm, "connection-form", Error, "RFC 8866 §5.7", "c= is not IN IP4|IP6 <address>", "Write for instance c=IN IP4 239.1.1.1/64.";
    TtlMissing, "ttl-missing", Error, "RFC 8866 §5.7", "an IPv4 multicast address without time to live", "Add it: c=IN IP4 239.1.1.1/64.";
    TtlRange, "ttl-range", Error, "RFC 8866 §5.7", "the time to live is not a number from 0 to 255", "Write a number from 0 to 255, without zeros before it.";
    TtlForbidden, "ttl-forbidden", Error, "RFC 8866 §5.7", "an address that takes no time to live has one", "Take out what follows the slash.";
    AddressUnspecified, "address-unspecified", Warning, "RFC 8866 §5.7", "the address is no address", "Write where the packets go; if that is not known, the medium is not in use: port 0.";
    AddressReserved, "address-reserved", Error, "ST 2110-10:2022 §6", "media in a range that is kept for the network itself", "Use another group: not 224.0.0.0/24, not 224.0.1.0/24.";
    BandwidthForm, "bandwidth-form", Error, "RFC 8866 §5.8", "b= is not <type>:<number>", "Write for instance b=AS:116000.";
    BandwidthMissing, "bandwidth-missing", Error, "ST 2110-22:2022", "compressed video without b=AS", "Add b=AS:<kbit/s> to the medium.";
    PortOdd, "port-odd", Warning, "RFC 3550 §11", "the port of RTP is odd, and nothing says where RTCP goes", "Use an even port, or say a=rtcp:<port>.";
    PortRange, "port-range", Error, "RFC 8866 §5.14", "the ports go beyond the last one", "Use lower ports, or fewer.";
    DestinationShared, "destination-shared", Warning, "ST 2110-10:2022 §6", "two media go to the same address and port", "Give each stream a destination of its own.";
    RtcpForm, "rtcp-form", Error, "RFC 3605 §2.1", "a=rtcp is not <port> [IN IP4|IP6 <address>]", "Write for instance a=rtcp:5005.";
    Transport, "transport", Error, "ST 2110-10:2022 §6.2", "the transport is not RTP/AVP", "Write RTP/AVP: ST 2110 knows no other.";
    SeveralStreams, "several-streams", Note, "ST 2110-10:2022 §8", "one description for several streams", "Write a description for each stream, or for each pair of copies.";
    PayloadType, "payload-type", Error, "ST 2110-10:2022 §6.2", "the payload type is not one of 96 to 127", "Take a dynamic one: 96 to 127.";
    PayloadTypeRepeated, "payload-type-repeated", Error, "RFC 8866 §5.14", "a payload type is explained or named twice", "Keep one of them.";
    PayloadTypeUnlisted, "payload-type-unlisted", Error, "RFC 8866 §6.6", "an attribute explains a payload type that m= does not name", "Name it in m=, or take the attribute out.";
    MapMissing, "map-missing", Error, "RFC 8866 §6.6", "a dynamic payload type without rtpmap", "Add a=rtpmap:<type> <encoding>/<rate>.";
    MapForm, "map-form", Error, "RFC 8866 §6.6", "rtpmap is not <type> <encoding>/<rate>, with one space and no zeros before numbers", "Write for instance a=rtpmap:96 raw/90000.";
    EncodingUnknown, "encoding-unknown", Error, "ST 2110-10:2022 §6.2", "an encoding that no part of ST 2110 has", "If this is not ST 2110, lint it with the edition rfc.";
    EncodingCase, "encoding-case", Note, "RFC 8866 §6.6", "the encoding's name in unusual letters: some readers compare exactly", "Write it as it is registered.";
    ClockRate, "clock-rate", Error, "ST 2110-20:2022 §7.1", "the clock rate is not that of the encoding", "Write 90000 for video and data, 27000000 for ST 2022-6.";
    MediaKind, "media-kind", Error, "RFC 8866 §8.2.3", "the encoding does not belong to this kind of medium", "Write m=video for video and ancillary data, m=audio for audio, m=application for metadata.";
    FmtpForm, "fmtp-form", Error, "RFC 8866 §6.15", "fmtp is not <type> <key>=<value>; …", "Write a=fmtp:<type> key=value; key=value.";
    FmtpMissing, "fmtp-missing", Error, "ST 2110-20:2022 §7.1", "a format without the parameters it needs", "Add a=fmtp with the required parameters.";
    FmtpEnd, "fmtp-end", Warning, "ST 2110-20:2022 §7.1", "the semicolon at the end", "The editions of 2017 wanted one; those of 2022 forbid it. Follow the edition that SSN names.";
    FmtpSpace, "fmtp-space", Note, "ST 2110-20:2022 §7.1", "no space after a semicolon: some readers need one", "Separate parameters by a semicolon and a space.";
    ParameterRepeated, "parameter-repeated", Error, "ST 2110-20:2022 §7.1", "a parameter stands twice", "Keep one of them.";
    ParameterMissing, "parameter-missing", Error, "ST 2110-20:2022 §7.2", "a required parameter is missing", "Add it.";
    ParameterValue, "parameter-value", Error, "ST 2110-20:2022 §7.2", "a parameter has a value that is not allowed", "Use one of the values of the text; letters count, capitals too.";
    ParameterFlag, "parameter-flag", Error, "ST 2110-20:2022 §7.3", "a parameter that has a name only has a value", "Write the name alone; leave it out where it does not hold.";
    ParameterCase, "parameter-case", Warning, "ST 2110-20:2022 §7.1", "a parameter in other letters than the text has: readers will not know it", "Write it as the text does.";
    ParameterUnknown, "parameter-unknown", Note, "ST 2110-20:2022 §7.1", "a parameter that the text does not have", "Readers ignore it. Check the spelling.";
    EditionName, "edition-name", Error, "ST 2110-20:2022 §7.2", "SSN names an edition that does not fit", "Write the edition that has every value used, and no later one.";
    EditionMisprint, "edition-misprint", Note, "ST 2110-40:2023", "SSN names an edition that was never published", "Write ST2110-40:2023.";
    FrameRateForm, "frame-rate-form", Error, "ST 2110-20:2022 §7.2", "exactframerate is no integer, and no ratio in smallest terms, or framerate no decimal number", "Write exactframerate=25 or 30000/1001, or a=framerate:25 or 29.97.";
    FrameRateTwice, "frame-rate-twice", Warning, "ST 2110-22:2022 §7.4", "the frame rate is said in two ways", "Write exactframerate, and leave a=framerate out.";
    SegmentedAlone, "segmented-alone", Error, "ST 2110-20:2022 §7.3", "segmented without interlace", "Write both, or none.";
    RangeColorimetry, "range-colorimetry", Error, "ST 2110-20:2022 §7.3", "this range does not go with this colorimetry", "BT2100 is NARROW or FULL.";
    RangeMissing, "range-missing", Warning, "ST 2110-20:2022 §7.5", "BT2100 should say its range", "Add RANGE=NARROW or RANGE=FULL.";
    TransferKey, "transfer-key", Error, "ST 2110-20:2022 §7.6", "a key signal has a transfer characteristic", "Leave TCS out.";
    TransferColorimetry, "transfer-colorimetry", Warning, "ST 2110-20:2022 §7.6", "this transfer characteristic is not one of this colorimetry", "PQ and HLG belong to BT2100 (or, by habit, BT2020).";
    SamplingDepth, "sampling-depth", Error, "ST 2110-20:2022 §6.2", "this sampling is not defined with this depth", "4:2:0 has 8, 10 or 12 bits.";
    SamplingScan, "sampling-scan", Error, "ST 2110-20:2022 §6.2", "4:2:0 is for progressive pictures only", "Use 4:2:2, or progressive.";
    PackingSize, "packing-size", Error, "ST 2110-20:2022 §6.3", "block packing has packets of the standard size only", "Take MAXUDP out, or use 2110GPM.";
    AspectForm, "aspect-form", Error, "ST 2110-20:2022 §7.3", "PAR is no ratio in smallest terms", "Write for instance PAR=12:11.";
    SenderTypeMissing, "sender-type-missing", Warning, "ST 2110-21:2022 §8.1", "nothing says how evenly the sender sends", "Add TP=2110TPN, 2110TPNL or 2110TPW.";
    PacketTimeMissing, "packet-time-missing", Error, "ST 2110-30:2017 §6.2.1", "audio without ptime", "Add a=ptime:1 or a=ptime:0.125.";
    PacketTimeForm, "packet-time-form", Error, "RFC 8866 §6.4", "ptime or maxptime is no number of milliseconds, stands twice, or the longest is shorter than the usual", "Write for instance a=ptime:0.125.";
    PacketTimeLevel, "packet-time-level", Warning, "ST 2110-30:2017", "no conformance level has this packet time", "1 and 0.125 are in the levels.";
    PacketTooLong, "packet-too-long", Error, "ST 2110-10:2022 §6.3", "the samples of one packet are larger than a packet may be", "Use a shorter packet time, or fewer channels.";
    SampleRate, "sample-rate", Error, "ST 2110-30:2017 §6.1", "the sample rate or its combination with the depth is not one of AES67", "Use L16 or L24 at 48000, L24 at 96000, or L16 at 44100.";
    Channels, "channels", Error, "ST 2110-30:2017 §6.2.1", "the number of channels", "Write it: L24/48000/2. AM824 has channels in pairs.";
    ChannelOrder, "channel-order", Error, "ST 2110-30:2017 §6.2.2", "channel-order is not understood", "Write for instance channel-order=SMPTE2110.(51,ST).";
    ChannelOrderSum, "channel-order-sum", Warning, "ST 2110-30:2017 §6.2.2", "channel-order names another number of channels than rtpmap", "Name every channel once; U01 to U64 are undefined ones.";
    FrameCount, "frame-count", Warning, "RFC 8866 §6.4", "framecount is not the samples of a packet time", "Write ptime and framecount that agree, or ptime alone.";
    GroupForm, "group-form", Error, "RFC 5888 §5", "a group of a kind that nobody knows, or of nothing, or of one medium only", "Name the marks of both media: a=group:DUP primary secondary.";
    GroupMark, "group-mark", Error, "RFC 5888 §5", "a group names a mark that no medium has", "Write a=mid:<mark> in each medium.";
    MarkRepeated, "mark-repeated", Error, "RFC 5888 §4", "two media have the same mark, or one has two", "Give each medium a mark of its own.";
    SourceGroup, "source-group", Error, "RFC 7104 §4.1", "ssrc-group is not understood, or names a source that has no a=ssrc", "Write a=ssrc-group:DUP <a> <b>, and a=ssrc:<number> cname:<name> for each.";
    CopiesTogether, "copies-together", Error, "ST 2110-10:2017 §8.3", "copies share source and destination: what loses one loses both", "Send them to other groups, or from other interfaces.";
    CopiesDiffer, "copies-differ", Error, "ST 2022-7:2019", "copies are not the same stream", "Give both the same encoding, rate and parameters.";
    CopiesType, "copies-type", Warning, "ST 2022-7:2019", "copies have different payload types: their packets cannot be identical", "Give both the same payload type.";
    FilterForm, "filter-form", Error, "RFC 4570 §3.1", "source-filter is not incl|excl IN IP4|IP6 <destination> <source>", "Write for instance a=source-filter: incl IN IP4 239.1.1.1 192.0.2.1.";
    FilterSpace, "filter-space", Note, "RFC 4570 §3.1", "no space after source-filter: and its colon", "Write a=source-filter: incl …";
    FilterMissing, "filter-missing", Error, "IS-05 v1.1", "multicast, and nothing says who sends", "Add a=source-filter: incl IN IP4 <group> <source>.";
    FilterDestination, "filter-destination", Error, "RFC 4570 §3.1", "source-filter is about an address that c= does not have", "Write the address of c=.";
    FilterRepeated, "filter-repeated", Error, "RFC 4570 §3", "two filters of one level are about the same address", "Write all sources into one.";
    ReferenceMissing, "reference-missing", Error, "ST 2110-10:2017 §8.2", "nothing says what the clock follows", "Add a=ts-refclk:ptp=IEEE1588-2008:<grandmaster>:<domain> to the medium.";
    ReferenceLevel, "reference-level", Warning, "ST 2110-10:2017 §8.2", "ts-refclk stands at the session only", "Write it in each medium.";
    ReferenceForm, "reference-form", Error, "RFC 7273 §4.8", "ts-refclk is not understood", "Write ptp=IEEE1588-2008:<EUI-64>:<domain>, ptp=IEEE1588-2008:traceable, or localmac=<address>.";
    ReferenceKind, "reference-kind", Error, "ST 2110-10:2017 §8.2", "the clock follows neither PTP nor the sender's own", "Use ptp= or localmac=.";
    ReferenceVersion, "reference-version", Error, "RFC 7273 §4.8", "ts-refclk names no version of PTP, or not IEEE1588-2008", "Write ptp=IEEE1588-2008:…, also before traceable.";
    ReferenceDomain, "reference-domain", Error, "RFC 7273 §4.8", "the PTP domain is not said, or no number from 0 to 127", "Write the domain's number: 127 is the default of ST 2059-2.";
    ReferenceCase, "reference-case", Note, "RFC 7273 §4.8", "the grandmaster or domain in a form that some readers do not know", "Write upper-case pairs with hyphens, and the bare number of the domain.";
    ReferenceExample, "reference-example", Note, "ST 2110-10:2017 §8.2", "the grandmaster is the one of the example in the text", "Write the grandmaster that your network has.";
    MediaClockMissing, "media-clock-missing", Error, "ST 2110-10:2017 §8.1", "nothing in the medium says how its clock hangs on the reference", "Add a=mediaclk:direct=0 to the medium.";
    MediaClockForm, "media-clock-form", Error, "RFC 7273 §5.1", "mediaclk is not understood", "Write mediaclk:direct=0 or mediaclk:sender.";
    MediaClockOffset, "media-clock-offset", Error, "ST 2110-10:2022 §7.3", "the RTP clock is offset from PTP", "Write mediaclk:direct=0, and send timestamps that are so.";
    MediaClockKind, "media-clock-kind", Warning, "ST 2110-10:2017 §8.1", "the medium's clock does not follow the reference directly", "Lock the sender to PTP and write mediaclk:direct=0.";
    MediaClockRate, "media-clock-rate", Note, "RFC 7273 §5.1", "rate= is no ratio, and ST 2110 needs none", "Write mediaclk:direct=0.";
}
