//! Metrics in OpenMetrics text, of bounded cardinality.
//!
//! Labels are closed sets of words, but for streams, of which the worst few are named by number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use engine::Verdict;

use crate::document::stream_id;
use crate::routes::tagged;
use crate::shared::{MOST_STREAMS, Shared};

/// Streams whose loss is told one by one: those that lose most.
const MOST_NAMED: usize = 20;

/// Text that grows by one family of metrics after the other.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Begins a family.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}\n# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        if !labels.is_empty() {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
            let _ = write!(self.0, "{{{}}}", labels.join(","));
        }
        let _ = writeln!(self.0, " {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(&format!("{name}_total"), &[], value);
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub(crate) async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let text = render(&shared);
    tagged(&headers, text.into_bytes().into(), "application/openmetrics-text; version=1.0.0; charset=utf-8")
}

/// All metrics as they are now.
pub(crate) fn render(shared: &Shared) -> String {
    let mut text = Text::default();
    let atlas = shared.atlas();
    let current = shared.board.current();
    text.family("portreeve_build", "info", "The version that runs.");
    text.sample("portreeve_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    machine(&mut text, &atlas);
    findings(&mut text, shared, &atlas);
    text.counter("portreeve_socket_events", "Socket events that were told.", current.events.seen);
    text.counter(
        "portreeve_socket_events_lost",
        "Socket events that there was no room for.",
        current.events.lost,
    );
    wire(&mut text, current.traffic.as_deref());
    text.counter(
        "portreeve_flows_kept",
        "Flows that ended and are kept.",
        shared.board.flows(50_000).len() as u64,
    );
    let decoys = shared.keeper.decoys();
    text.gauge(
        "portreeve_decoys",
        "Decoys that are there.",
        decoys.iter().filter(|it| it.trouble.is_none()).count(),
    );
    text.counter(
        "portreeve_decoy_touches",
        "How often somebody came to a decoy.",
        decoys.iter().map(|it| it.touches).sum(),
    );
    if let Some(bytes) = shared.keeper.record_bytes() {
        text.gauge("portreeve_store_bytes", "Size of the history.", bytes);
    }
    text.counter(
        "portreeve_api_requests",
        "Requests that were let in.",
        shared.answered.load(Ordering::Relaxed),
    );
    text.counter(
        "portreeve_api_refused",
        "Requests that were not let in.",
        shared.refused.load(Ordering::Relaxed),
    );
    let listening = MOST_STREAMS.saturating_sub(shared.streams.available_permits());
    text.gauge("portreeve_api_event_streams", "Event streams that are open.", listening);
    text.gauge(
        "portreeve_last_look_timestamp_seconds",
        "When the machine was last looked at.",
        atlas.machine.snapshot.taken.as_seconds(),
    );
    process(&mut text);
    text.0.push_str("# EOF\n");
    text.0
}

fn machine(text: &mut Text, atlas: &crate::atlas::Atlas) {
    let words = ["ok", "accepted", "unseen", "note", "warning", "alert"];
    let mut of: BTreeMap<&str, usize> = words.into_iter().map(|word| (word, 0)).collect();
    for row in &atlas.machine.rows {
        if atlas.machine.socket(row).is_some_and(model::Socket::is_listener) {
            *of.entry(Verdict::name(row.verdict)).or_default() += 1;
        }
    }
    text.family("portreeve_listeners", "gauge", "Sockets that wait for peers, by verdict.");
    for (verdict, count) in of {
        text.sample("portreeve_listeners", &[("verdict", verdict)], count);
    }
    let counts = atlas.machine.counts();
    text.gauge("portreeve_sockets", "Sockets.", counts.sockets);
    text.gauge("portreeve_holders", "Processes that hold sockets.", counts.processes);
    text.gauge("portreeve_published_ports", "Ports published without a socket.", counts.forwards);
    text.gauge("portreeve_gaps", "Places that could not be looked at.", counts.gaps);
    text.gauge(
        "portreeve_look_partial",
        "Whether the last look lacks something that a judgement needs.",
        u8::from(atlas.machine.is_partial()),
    );
}

fn findings(text: &mut Text, shared: &Shared, atlas: &crate::atlas::Atlas) {
    let mut of: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for finding in crate::routes::all_findings(shared, atlas) {
        if finding.standing != "over" {
            *of.entry((finding.code, finding.severity, finding.standing)).or_default() += 1;
        }
    }
    text.family("portreeve_findings", "gauge", "Findings that stand, by code, severity and standing.");
    for ((code, severity, standing), count) in of {
        text.sample(
            "portreeve_findings",
            &[("code", code), ("severity", severity), ("standing", standing)],
            count,
        );
    }
}

fn wire(text: &mut Text, view: Option<&engine::TrafficView>) {
    let volume = view.map(|view| view.traffic.volume).unwrap_or_default();
    text.counter("portreeve_frames", "Frames read.", volume.frames);
    text.counter("portreeve_frames_dropped", "Frames that the kernel dropped.", volume.dropped);
    text.counter("portreeve_wire_bytes", "Bytes of frames as they were on the wire.", volume.wire_bytes);
    text.counter("portreeve_flows", "Flows of every kind.", volume.flows);
    text.counter("portreeve_frames_damaged", "Frames that are not what they claim.", volume.damaged);
    let Some(view) = view else { return };
    let traffic = &view.traffic;
    text.gauge(
        "portreeve_services",
        "Server endpoints with the protocol spoken there.",
        traffic.services.len(),
    );
    text.gauge(
        "portreeve_ports_touched",
        "Ports that were knocked at and where nobody spoke.",
        traffic.touches.len(),
    );
    text.gauge("portreeve_scans", "Sources that scan.", traffic.scans.len());
    let streams = &traffic.media.streams;
    text.gauge("portreeve_streams", "RTP streams.", streams.len());
    text.gauge("portreeve_sessions", "Sessions.", traffic.media.sessions.len());
    let losses = |stream: &model::media::Stream| {
        let lost: u64 = stream.legs.iter().map(|leg| leg.reception.lost).sum();
        let expected: u64 = stream.legs.iter().map(|leg| leg.reception.expected).sum();
        (stream.hitless.as_ref().map_or(lost, |hitless| hitless.missing), expected)
    };
    let (lost, expected) = streams.iter().map(losses).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    text.gauge("portreeve_stream_packets_lost", "Packets of all streams that never came.", lost);
    text.gauge("portreeve_stream_packets_expected", "Packets of all streams that were sent.", expected);
    let mut worst: Vec<(u64, usize)> =
        streams.iter().enumerate().map(|(at, stream)| (losses(stream).0, at)).collect();
    worst.retain(|(lost, _)| *lost > 0);
    worst.sort_unstable_by(|one, other| other.cmp(one));
    text.family(
        "portreeve_worst_stream_packets_lost",
        "gauge",
        "Packets lost of the streams that lose most.",
    );
    for (lost, at) in worst.into_iter().take(MOST_NAMED) {
        let id = streams.get(at).map(stream_id).unwrap_or_default();
        text.sample("portreeve_worst_stream_packets_lost", &[("stream", &id)], lost);
    }
}

/// What the process itself needs; nothing where the system does not tell.
fn process(text: &mut Text) {
    let Some(need) = engine::need() else { return };
    text.family("process_cpu_seconds", "counter", "CPU time of the process.");
    let hundredths = need.cpu.subsec_millis() / 10;
    text.sample("process_cpu_seconds_total", &[], format!("{}.{hundredths:02}", need.cpu.as_secs()));
    text.gauge("process_resident_memory_bytes", "Memory of the process.", need.resident_bytes);
}
