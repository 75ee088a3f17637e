//! Sessions that were agreed, and streams that were measured.

use std::net::{IpAddr, SocketAddr};

use engine::showcase::Heard;
use engine::store::leg_id;
use model::media::{self, Essence, Media};
use serde::Serialize;

use super::moment;

/// One way on which the packets of a session come.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Leg {
    /// Where the packets go.
    pub(crate) address: IpAddr,
    /// The port there.
    pub(crate) port: u16,
}

impl Leg {
    fn to(end: SocketAddr) -> Leg {
        Leg { address: end.ip(), port: end.port() }
    }
}

/// A use of ports that was agreed beforehand.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Session {
    /// Its name: a stranger chose it.
    pub(crate) name: String,
    /// How we know of it: `sdp`, `sap`, `rtsp`, `nmos` or `policy`.
    pub(crate) source: &'static str,
    /// From where, in words.
    pub(crate) source_words: String,
    /// What it carries, the preferred format first.
    pub(crate) formats: Vec<String>,
    /// Where it goes.
    pub(crate) legs: Vec<Leg>,
    /// When it was first heard of.
    first: Option<String>,
    /// When it was last heard of.
    pub(crate) last: Option<String>,
    /// When it was withdrawn.
    pub(crate) ended: Option<String>,
}

impl Session {
    pub(crate) fn of(session: &media::Session) -> Session {
        Session {
            name: session.name.clone(),
            source: session.source.word(),
            source_words: session.source.to_string(),
            formats: session.formats.iter().map(|format| format.essence.to_string()).collect(),
            legs: session.legs.iter().map(|leg| Leg::to(leg.destination)).collect(),
            first: session.first.map(moment),
            last: session.last.map(moment),
            ended: session.ended.map(moment),
        }
    }
}

/// One leg of a stream, as it came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct StreamLeg {
    /// What tells it from others: the same for as long as the same sender sends the same there.
    pub(crate) id: String,
    /// Who sent.
    pub(crate) source: IpAddr,
    /// From which port.
    source_port: u16,
    /// Where to.
    pub(crate) destination: IpAddr,
    /// To which port.
    pub(crate) port: u16,
    /// Packets that came.
    pub(crate) packets: u64,
    /// Packets that the sequence numbers say were sent.
    pub(crate) expected: u64,
    /// Packets that never came.
    pub(crate) lost: u64,
    /// Packets that came again.
    duplicates: u64,
    /// Packets that came after one with a higher number.
    pub(crate) reordered: u64,
    /// Interarrival jitter at the end, in nanoseconds.
    pub(crate) jitter_ns: u64,
    /// Bits a second.
    pub(crate) rate_bps: u64,
    /// The first packet.
    first: Option<String>,
    /// The last packet.
    last: Option<String>,
    /// The strictest type of ST 2110-21 that was kept; null where it was not measured, or none was.
    pub(crate) pacing: Option<&'static str>,
    /// Arrival less RTP time, in nanoseconds, the least and the greatest; null where no clock tells.
    pub(crate) latency_ns: Option<(i64, i64)>,
    /// RTP clock against the capture's, in parts per billion; null before it is known.
    pub(crate) drift_ppb: Option<i64>,
    /// The plots that there are of it: /api/v1/streams/ID/legs/ID/PLOT.svg.
    pub(crate) plots: Vec<&'static str>,
}

/// A rule that a stream broke.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Fault {
    /// Its stable name.
    pub(crate) rule: &'static str,
    /// The clause.
    pub(crate) clause: &'static str,
    /// What was seen.
    pub(crate) text: &'static str,
    /// How often.
    pub(crate) count: u64,
    /// Particulars of the first.
    pub(crate) detail: String,
}

/// An RTP stream, measured.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Stream {
    /// What tells it from others: the id of its first leg. Those of its other legs find it, too.
    pub(crate) id: String,
    /// The synchronisation source.
    pub(crate) ssrc: u32,
    /// The payload type.
    payload_type: u8,
    /// What it carries: `video`, `audio`, …; null where that is not known.
    pub(crate) carries: Option<&'static str>,
    /// The format in words.
    pub(crate) format: Option<String>,
    /// The name of its session: a stranger chose it.
    pub(crate) session: Option<String>,
    /// Its legs.
    pub(crate) legs: Vec<StreamLeg>,
    /// Packets that no leg had (ST 2022-7); null where there is one leg.
    pub(crate) missing_on_all: Option<u64>,
    /// How it does: `ok`, `breaks_rules`, `loses_packets`.
    pub(crate) state: &'static str,
    /// Whether it is video of which a picture can be had: /api/v1/streams/ID/picture.png.
    pub(crate) pictures: bool,
    /// Whether it is sound whose levels can be had: /api/v1/streams/ID/levels.
    pub(crate) sound: bool,
    /// How much sound is in a packet, in nanoseconds; null where it is none.
    pub(crate) packet_time_ns: Option<u64>,
    /// Ancillary data; null where it carries none.
    pub(crate) ancillary: Option<Ancillary>,
    /// The last timed text, without its marks; null where there is none.
    pub(crate) text: Option<String>,
    /// What it broke.
    pub(crate) faults: Vec<Fault>,
}

/// Ancillary data, as text.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Ancillary {
    /// Time codes: origin and last label.
    pub(crate) time_codes: Vec<Labelled>,
    /// Captions: service and last text.
    pub(crate) captions: Vec<Labelled>,
    /// What came: kind, and how often.
    pub(crate) kinds: Vec<Counted>,
    /// Packets with wrong parity or a wrong checksum.
    pub(crate) errors: u64,
}

/// A text with a name.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Labelled {
    pub(crate) name: String,
    pub(crate) last: String,
}

/// A kind, and how often it came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Counted {
    pub(crate) name: String,
    pub(crate) packets: u64,
}

impl Ancillary {
    fn of(facts: &media::ancillary::AncillaryFacts) -> Ancillary {
        let labelled = |name: &String, last: &String| Labelled { name: name.clone(), last: last.clone() };
        let kind = |it: &media::ancillary::AncillaryKind| {
            let name = it.name.map_or("unknown", |(name, _)| name);
            Counted { name: format!("{name} ({:02x}/{:02x})", it.did, it.sdid), packets: it.packets }
        };
        Ancillary {
            time_codes: facts.time_codes.iter().map(|it| labelled(&it.origin, &it.last)).collect(),
            captions: facts.captions.iter().map(|it| labelled(&it.service, &it.last)).collect(),
            kinds: facts.kinds.iter().map(kind).collect(),
            errors: facts.parity_errors.saturating_add(facts.checksum_errors),
        }
    }
}

/// Clocks on the wire (IEEE 1588).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Clock {
    /// The number of the PTP domain.
    pub(crate) domain: u8,
    /// The profile that it looks like.
    pub(crate) profile: &'static str,
    /// Who sent the last Sync; null where nobody does.
    pub(crate) master: Option<String>,
    /// The grandmaster that it follows.
    pub(crate) grandmaster: Option<String>,
    /// What the grandmaster's class means.
    pub(crate) class: Option<&'static str>,
    /// The most that the grandmaster may be wrong, in nanoseconds; null where it does not say.
    pub(crate) accuracy_ns: Option<u64>,
    /// Clocks between.
    pub(crate) steps_removed: Option<u16>,
    /// How often another port took over.
    pub(crate) changes_of_master: u64,
    /// By how many nanoseconds the capture's clock is ahead of the master's, the least and the greatest.
    pub(crate) capture_ahead_ns: Option<(i64, i64)>,
    /// Whether the best clock by what was announced is also the master.
    pub(crate) best_is_master: bool,
}

impl Clock {
    pub(crate) fn of(domain: &media::ptp::PtpDomain) -> Clock {
        let master = domain.ports.iter().find(|port| Some(port.identity) == domain.master);
        let announce = master.and_then(|port| port.announce.as_ref());
        let ahead = domain.capture_ahead_ns;
        Clock {
            domain: domain.number,
            profile: domain.profile.name(),
            master: domain.master.map(|it| it.to_string()),
            grandmaster: announce.map(|it| it.grandmaster.to_string()),
            class: announce.map(media::ptp::PtpAnnounce::class_meaning),
            accuracy_ns: announce.and_then(media::ptp::PtpAnnounce::accuracy_ns),
            steps_removed: announce.map(|it| it.steps_removed),
            changes_of_master: domain.changes_of_master,
            capture_ahead_ns: (ahead.count > 0).then_some((ahead.least, ahead.greatest)),
            best_is_master: domain.best == domain.master,
        }
    }
}

/// How loud a stream is. Levels are in hundredths of a decibel; null is silence.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Loud {
    /// Whether something was heard; ask again where not.
    pub(crate) heard: bool,
    /// Each channel, in the last 400 ms.
    pub(crate) channels: Vec<Channel>,
    /// Each programme, since somebody began to listen.
    pub(crate) programmes: Vec<Programme>,
    /// Samples of each channel since then that stand for lost ones.
    pub(crate) filled: u64,
}

/// How loud one channel is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Channel {
    /// What it is called.
    pub(crate) name: String,
    /// Root of the mean square, in hundredths of dBFS.
    pub(crate) rms_cdb: Option<i32>,
    /// The highest sample, in hundredths of dBFS.
    pub(crate) peak_cdb: Option<i32>,
    /// The highest true peak, in hundredths of dBTP.
    pub(crate) true_peak_cdb: Option<i32>,
}

/// How loud channels are that belong together (EBU R 128).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Programme {
    /// Its group, and its channels from 1 on.
    pub(crate) name: String,
    /// Loudness of the last 400 ms, in hundredths of LUFS.
    pub(crate) momentary_clu: Option<i32>,
    /// Integrated loudness, in hundredths of LUFS.
    pub(crate) integrated_clu: Option<i32>,
    /// Loudness range, in hundredths of LU.
    pub(crate) range_clu: Option<i32>,
}

impl Loud {
    pub(crate) fn of(heard: Option<&Heard>) -> Loud {
        let Some(heard) = heard else {
            return Loud { heard: false, channels: Vec::new(), programmes: Vec::new(), filled: 0 };
        };
        let channels = heard.now.channels.iter().map(|it| Channel {
            name: it.name.clone(),
            rms_cdb: it.rms_cdb,
            peak_cdb: it.peak_cdb,
            true_peak_cdb: it.true_peak_cdb,
        });
        let programmes = heard.since.programmes.iter().zip(&heard.now.programmes).map(|(since, now)| {
            let (first, last) = (since.first_channel + 1, since.first_channel + since.channels);
            Programme {
                name: format!("{} {first}–{last}", since.group).trim().to_owned(),
                momentary_clu: now.most_momentary_clu,
                integrated_clu: since.integrated_clu,
                range_clu: since.range_clu,
            }
        });
        Loud {
            heard: true,
            channels: channels.collect(),
            programmes: programmes.collect(),
            filled: heard.since.filled,
        }
    }
}

impl Stream {
    /// The stream with this id.
    pub(crate) fn find<'m>(media: &'m Media, id: &str) -> Option<&'m media::Stream> {
        media.streams.iter().find(|stream| Stream::leg_of(stream, id).is_some())
    }

    /// The leg of a stream with this id.
    pub(crate) fn leg_of<'m>(stream: &'m media::Stream, id: &str) -> Option<&'m media::StreamLeg> {
        stream.legs.iter().find(|leg| leg_id(leg, stream.ssrc) == id)
    }

    pub(crate) fn of(media: &Media, stream: &media::Stream) -> Stream {
        let faults = stream.faults.iter();
        let essence = stream.format.as_ref().map(|(format, _)| &format.essence);
        let mut told = Stream {
            id: stream_id(stream),
            state: "ok",
            pictures: matches!(essence, Some(Essence::Video(_))),
            sound: matches!(essence, Some(Essence::Audio(_))),
            packet_time_ns: stream.audio.as_ref().and_then(|it| it.packet_time_ns),
            ancillary: stream.ancillary.as_ref().map(Ancillary::of),
            text: stream.text.as_ref().map(|it| it.last.clone()).filter(|text| !text.is_empty()),
            ssrc: stream.ssrc,
            payload_type: stream.payload_type,
            carries: stream.format.as_ref().map(|(format, _)| format.essence.word()),
            format: stream.format.as_ref().map(|(format, _)| format.essence.to_string()),
            session: stream.session.and_then(|at| media.sessions.get(at)).map(|session| session.name.clone()),
            legs: stream.legs.iter().map(|it| leg(it, stream.ssrc)).collect(),
            missing_on_all: stream.hitless.as_ref().map(|hitless| hitless.missing),
            faults: faults
                .map(|it| Fault {
                    rule: it.rule.name,
                    clause: it.rule.clause,
                    text: it.rule.text,
                    count: it.count,
                    detail: it.detail.clone(),
                })
                .collect(),
        };
        told.state = match (told.loss().0, told.faults.len()) {
            (0, 0) => "ok",
            (0, _) => "breaks_rules",
            _ => "loses_packets",
        };
        told
    }

    /// Packets that were lost, of those that were sent.
    pub(crate) fn loss(&self) -> (u64, u64) {
        let lost: u64 = self.legs.iter().map(|leg| leg.lost).sum();
        let expected = self.legs.iter().map(|leg| leg.expected).sum();
        (self.missing_on_all.unwrap_or(lost), expected)
    }
}

/// What tells a stream from others.
pub(crate) fn stream_id(stream: &media::Stream) -> String {
    stream.legs.first().map(|leg| leg_id(leg, stream.ssrc)).unwrap_or_default()
}

fn leg(leg: &media::StreamLeg, ssrc: u32) -> StreamLeg {
    let reception = &leg.reception;
    StreamLeg {
        id: leg_id(leg, ssrc),
        source: leg.source.ip(),
        source_port: leg.source.port(),
        destination: leg.destination.ip(),
        port: leg.destination.port(),
        packets: reception.packets,
        expected: reception.expected,
        lost: reception.lost,
        duplicates: reception.duplicates,
        reordered: reception.reordered,
        jitter_ns: reception.jitter_ns,
        rate_bps: reception.rate_bps,
        first: reception.first.map(moment),
        last: reception.last.map(moment),
        pacing: leg.shaping.as_ref().and_then(|shaping| shaping.satisfied).map(media::SenderType::token),
        latency_ns: leg.timing.as_ref().map(|it| (it.latency_ns.least, it.latency_ns.greatest)),
        drift_ppb: leg.timing.as_ref().and_then(|it| it.drift_ppb),
        plots: engine::plots::names(leg),
    }
}
