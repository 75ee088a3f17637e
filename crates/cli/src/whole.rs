//! What must hold of any capture, from its bytes to every face; used by the fuzz target and the seeded test.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use engine::capture_file::CaptureFile;
use engine::{OwnedFlow, Reading, TrafficGrounds, TrafficView};
use model::{Flow, Transport};
use registry::Paper;
use verdict::Policy;
use wire::capture::{Reader, Step};

use crate::document::TrafficDocument;
use crate::{csv, eve, output, sanitise, text};

/// Frames of a capture and bytes of them on the wire, counted by nothing but the reader of captures.
fn counted(bytes: &[u8]) -> (u64, u64) {
    let (mut reader, mut frames, mut wire_bytes, mut at) = (Reader::new(), 0, 0, 0);
    while let Ok(step) = reader.read(bytes.get(at..).unwrap_or_default(), true) {
        at += match step {
            Step::Frame { frame, consumed } => {
                frames += 1;
                wire_bytes += u64::from(frame.wire_bytes);
                consumed
            }
            Step::Skipped { consumed } | Step::Damaged { consumed, .. } => consumed,
            Step::NeedMore { .. } | Step::End => break,
        };
    }
    (frames, wire_bytes)
}

fn read(bytes: &[u8], workers: usize) -> (model::Traffic, Vec<OwnedFlow>) {
    let stored = bytes.len() as u64;
    let file = CaptureFile {
        name: String::from("a\u{1b}[2Jname"),
        bytes: Box::new(Cursor::new(bytes.to_vec())),
        stored_bytes: Some(stored),
        read_bytes: Arc::new(AtomicU64::new(0)),
    };
    let reading = Reading {
        filter: None,
        memory_bytes: 1 << 20,
        workers,
        seed: stored,
        media: engine::MediaSettings::default(),
    };
    let mut flows = Vec::new();
    let mut on_flow = |flow: Flow| flows.push(OwnedFlow::from(flow));
    let each = (workers == 1).then_some(&mut on_flow as &mut dyn FnMut(Flow));
    let traffic = engine::read(vec![file], &reading, &mut |_| {}, each);
    (traffic, flows)
}

/// What a terminal shows as it is: no control characters but the ends of lines, and nothing that turns a line around.
fn shown(text: &str) {
    let is_left = |c: char| c != '\n' && c != '\r' && sanitise::is_unsafe(c);
    assert!(!text.contains(is_left), "{text:?}");
}

/// What must hold of any capture: each frame is counted once, text is harmless, and JSON says the same as the facts.
pub fn check(bytes: &[u8]) {
    let (frames, wire_bytes) = counted(bytes);
    let (traffic, flows) = read(bytes, 1);
    assert_eq!((traffic.volume.frames, traffic.volume.wire_bytes), (frames, wire_bytes));
    let packets: u64 = flows.iter().map(|owned| owned.flow.tally.packets()).sum();
    assert!(packets <= frames, "a packet belongs to one flow");
    let by_flow = flows.len() as u64;
    assert!(by_flow <= traffic.volume.flows);

    let policy = Policy::default();
    let grounds = TrafficGrounds { policy: &policy, earlier: None, live: false, today: 20_000 };
    let view = TrafficView::new(traffic, Paper::builtin(), &grounds);
    let form = output::plain();
    let mut out = String::new();
    text::traffic(&mut out, &view, form);
    text::flows(&mut out, &flows, form);
    let ports: Vec<(u16, Option<Transport>)> =
        view.traffic.services.iter().take(4).map(|service| (service.server.port(), None)).collect();
    text::traffic_of_ports(&mut out, &view, &ports, form);
    csv::services(&mut out, &view, true);
    text::gaps_of_traffic(&mut out, &view, form);
    shown(&out);
    assert!(out.contains(&format!("{frames} frame")), "the summary says how much it was");

    let status = view.outcome(engine::Threshold::Never).exit_status();
    let document = TrafficDocument::of(&view, Some(&flows), status);
    let json = serde_json::to_vec(&document).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
    let length = |name: &str| json.get(name).and_then(|list| list.as_array()).map(Vec::len);
    assert_eq!(json.pointer("/volume/frames"), Some(&frames.into()));
    assert_eq!(length("flows"), Some(flows.len()));
    assert_eq!(length("findings"), Some(view.findings.len()));
    assert_eq!(status == 0, view.traffic.gaps.is_empty(), "{:?}", view.traffic.gaps);

    let mut examples = eve::Examples::default();
    let mut events = Vec::new();
    for flow in &flows {
        examples.note(&flow.flow);
        events.extend(eve::flow(flow));
    }
    events.extend(view.findings.iter().flat_map(|finding| eve::alerts(&view, finding, &examples)));
    for event in events {
        let is_text = |name: &&str| event.get(*name).is_some_and(serde_json::Value::is_string);
        assert!(["event_type", "src_ip", "dest_ip", "proto"].iter().all(is_text), "{event}");
    }

    let mut written = Vec::new();
    let again = CaptureFile::of(String::from("again"), None, Cursor::new(bytes.to_vec()));
    let evidence = again.and_then(|file| engine::evidence::write(&view, vec![file], None, &mut written));
    if let Ok(evidence) = evidence {
        assert!(evidence <= frames);
        assert_eq!(counted(&written).0, evidence, "what is written can be read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_of_our_own_hold_and_so_does_all_of_them_that_is_damaged() {
        let mut dice = 420_u64;
        let mut roll = |below: usize| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            (dice >> 16) as usize % below
        };
        for bytes in [
            &include_bytes!("../../../corpus/wire/ssh-420.pcap")[..],
            include_bytes!("../../../corpus/wire/http-420.pcap"),
            include_bytes!("../../../fuzz/seeds/capture/sections.pcapng"),
        ] {
            check(bytes);
            for _ in 0..40 {
                let mut damaged = bytes.to_vec();
                for _ in 0..=roll(6) {
                    let at = roll(damaged.len());
                    damaged[at] = u8::try_from(roll(256)).unwrap();
                }
                damaged.truncate(1 + roll(damaged.len()));
                check(&damaged);
            }
        }
    }
}
