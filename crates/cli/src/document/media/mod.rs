//! Media in JSON: sessions and streams, in the documents of `read`, `watch` and `media`.

mod facts;
mod received;
mod sent;
mod series;
mod session;
mod stream;

use serde::Serialize;

use engine::TrafficView;

use facts::Show as _;
use facts::membership::MembershipFacts;
use facts::ptp::PtpFacts;
pub(crate) use received::ReceivingDocument;
pub(crate) use sent::SendingDocument;
pub(crate) use session::{Session, media_clock, reference};
pub(crate) use stream::Stream;

use series::Series;

use super::tables::{Accepted, Finding, Gap, Generator};
use super::traffic::moment;

/// Media, judged: the document of `media ls` and `media probe`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve media", deny_unknown_fields))]
pub(crate) struct MediaDocument<'a> {
    /// Version of this form.
    pub(crate) schema_version: u32,
    /// What made it.
    pub(crate) generator: Generator,
    /// What was read: files or interfaces.
    pub(crate) sources: &'a [String],
    /// Frames read.
    pub(crate) frames: u64,
    /// Time of the first frame (RFC 3339, UTC); null where the capture has no times.
    pub(crate) first: Option<String>,
    /// Time of the last frame.
    pub(crate) last: Option<String>,
    /// What was agreed.
    pub(crate) sessions: Vec<Session<'a>>,
    /// What came.
    pub(crate) streams: Vec<Stream<'a>>,
    /// The same frame by frame and second by second, where it is measured so.
    pub(crate) series: Vec<Series>,
    /// Clocks on the wire.
    pub(crate) ptp: PtpFacts,
    /// Who listens to which multicast group, as it was said on the wire.
    pub(crate) memberships: MembershipFacts,
    /// What was found, gravest first.
    pub(crate) findings: Vec<Finding<'a>>,
    /// What was found and is accepted by policy.
    pub(crate) accepted: Vec<Accepted<'a>>,
    /// Where we could not look, and what bounds left out.
    pub(crate) gaps: Vec<Gap<'a>>,
    /// 0 all accounted for, 1 findings at or above --fail-on, 2 not everything could be read.
    pub(crate) exit_status: u8,
}

impl<'a> MediaDocument<'a> {
    pub(crate) fn of(view: &'a TrafficView, exit_status: u8) -> MediaDocument<'a> {
        let traffic = &view.traffic;
        MediaDocument {
            schema_version: super::SCHEMA_VERSION,
            generator: Generator::this(),
            sources: &traffic.sources,
            frames: traffic.volume.frames,
            first: moment(traffic.first),
            last: moment(traffic.last),
            sessions: traffic.media.sessions.iter().map(Session::of).collect(),
            streams: traffic.media.streams.iter().map(Stream::of).collect(),
            series: traffic
                .media
                .streams
                .iter()
                .enumerate()
                .flat_map(|(at, stream)| Series::of(at, stream))
                .collect(),
            ptp: traffic.media.ptp.show(),
            memberships: traffic.media.memberships.show(),
            findings: view.findings.iter().map(Finding::of_traffic).collect(),
            accepted: view.accepted.iter().map(Accepted::of_traffic).collect(),
            gaps: traffic.gaps.iter().map(Gap::of).collect(),
            exit_status,
        }
    }
}
