//! The document against its schema, against the shorter way of writing it, and against a golden copy.

use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::fixture;

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(name)
}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/list.json")
}

/// Compares with the committed file; with PORTREEVE_BLESS set, writes it instead.
fn compare(path: &std::path::Path, text: &str) {
    if std::env::var_os("PORTREEVE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is not what the types give; look at the change and run the tests once with PORTREEVE_BLESS=1",
        path.display()
    );
}

fn schema_text<T: schemars::JsonSchema>() -> String {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

fn with_part<T>(selection: &crate::selection::Selection, run: impl FnOnce(&Part<'_>) -> T) -> T {
    let view = fixture::view();
    let rows: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
    let part = Part {
        view: &view,
        rows: &rows,
        everything: rows.len() == view.rows.len(),
        ports: vec![PortPaper::of(&view.paper, 420, None)],
        exit_status: 2,
    };
    run(&part)
}

fn selections() -> Vec<crate::selection::Selection> {
    let resolve = |filter: &str| {
        crate::selection::Selection::resolve(&crate::args::SelectArgs::default(), &[filter]).unwrap()
    };
    vec![
        crate::selection::Selection::default(),
        resolve("port=420"),
        resolve("container=web"),
        resolve("pid=4"),
    ]
}

#[test]
fn the_schemas_are_those_of_the_types() {
    compare(&docs("portreeve-v1.schema.json"), &schema_text::<Document<'static>>());
    compare(&docs("changes-v1.schema.json"), &schema_text::<Changes<'static>>());
    compare(&docs("census-v1.schema.json"), &schema_text::<CensusDocument<'static>>());
    compare(&docs("assignments-v1.schema.json"), &schema_text::<Assignments<'static>>());
    compare(&docs("doctor-v1.schema.json"), &schema_text::<DoctorDocument<'static>>());
}

#[test]
fn history_and_findings_have_schemas() {
    compare(&docs("history-v1.schema.json"), &schema_text::<HistoryDocument<'static>>());
    compare(&docs("findings-v1.schema.json"), &schema_text::<FindingsDocument<'static>>());
}

#[test]
fn what_is_sent_received_and_linted_has_a_schema() {
    compare(&docs("sending-v1.schema.json"), &schema_text::<SendingDocument<'static>>());
    compare(&docs("receiving-v1.schema.json"), &schema_text::<ReceivingDocument<'static>>());
    compare(&docs("complaints-v1.schema.json"), &schema_text::<ComplaintsDocument<'static>>());
}

#[test]
fn the_lines_of_decoys_have_a_schema() {
    compare(&docs("decoy-v1.schema.json"), &schema_text::<DecoyLine<'static>>());
}

#[test]
fn real_documents_keep_the_schema() {
    let schema: Value = serde_json::from_str(&schema_text::<Document<'static>>()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for selection in selections() {
        let document = with_part(&selection, |part| {
            let mut line = Vec::new();
            write(&mut line, part).unwrap();
            serde_json::from_slice::<Value>(&line).unwrap()
        });
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let mut broken = document;
        broken["sockets"] = Value::from("none");
        assert!(!validator.is_valid(&broken));
    }
}

#[test]
fn the_shorter_way_writes_the_same_bytes() {
    for selection in selections() {
        with_part(&selection, |part| {
            let mut line = Vec::new();
            write(&mut line, part).unwrap();
            let whole = serde_json::to_string(&Document::of(part)).unwrap();
            assert_eq!(String::from_utf8(line).unwrap(), whole);
        });
    }
}

#[test]
fn many_sockets_go_out_in_pieces() {
    struct Pieces(Vec<u8>, usize);
    impl std::io::Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.extend_from_slice(bytes);
            self.1 = self.1.max(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut snapshot = fixture::snapshot();
    snapshot.sockets = (0..5000)
        .map(|port| fixture::socket(model::Kind::Tcp, &format!("10.0.0.1:{port}"), &[700]))
        .collect();
    let view = engine::View::judged(
        std::sync::Arc::new(snapshot),
        registry::Paper::builtin(),
        Vec::new(),
        Vec::new(),
    );
    let rows: Vec<&Row> = view.rows.iter().collect();
    let part = Part { view: &view, rows: &rows, everything: true, ports: Vec::new(), exit_status: 0 };
    let mut pieces = Pieces(Vec::new(), 0);
    write(&mut pieces, &part).unwrap();
    assert_eq!(String::from_utf8(pieces.0).unwrap(), serde_json::to_string(&Document::of(&part)).unwrap());
    assert!(pieces.1 < 200_000, "{}", pieces.1);
}

#[test]
fn lines_for_people_are_the_same_value() {
    with_part(&crate::selection::Selection::default(), |part| {
        let mut line = Vec::new();
        write(&mut line, part).unwrap();
        let value: Value = serde_json::from_slice(&line).unwrap();
        let people = pretty(&line);
        assert_eq!(serde_json::from_slice::<Value>(&people).unwrap(), value);
        assert!(people.iter().filter(|byte| **byte == b'\n').count() > 300);
    });
}

#[test]
fn findings_point_at_the_sockets_of_their_document() {
    for selection in selections() {
        with_part(&selection, |part| {
            let document = serde_json::to_value(Document::of(part)).unwrap();
            for finding in document["findings"].as_array().unwrap() {
                for index in finding["sockets"].as_array().unwrap() {
                    let socket = &document["sockets"][usize::try_from(index.as_u64().unwrap()).unwrap()];
                    assert!(
                        ["note", "warning", "alert"].contains(&socket["verdict"].as_str().unwrap()),
                        "{socket}"
                    );
                }
            }
            for socket in document["sockets"].as_array().unwrap() {
                for holder in socket["holders"].as_array().unwrap() {
                    let processes = document["processes"].as_array().unwrap();
                    assert!(processes.iter().any(|process| process["pid"] == holder["pid"]));
                }
            }
        });
    }
}

#[test]
fn the_golden_document() {
    with_part(&crate::selection::Selection::default(), |part| {
        let mut document = serde_json::to_value(Document::of(part)).unwrap();
        // The registry's content and state are its own affair, and change with each update.
        document["ports"] = Value::Null;
        document["registry"] = Value::Null;
        for key in ["sockets", "forwards"] {
            for row in document[key].as_array_mut().unwrap() {
                for field in ["status", "registered", "silent", "commonly_seen"] {
                    row[field] = Value::Null;
                }
            }
        }
        compare(&golden(), &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
    });
}

#[test]
fn the_golden_census() {
    let view = fixture::view();
    let attendance = engine::census::Attendance::of(&view);
    let census = engine::census::Census::take(&view.paper, &attendance);
    let mut document = serde_json::to_value(CensusDocument::of(&view, &census, 2)).unwrap();
    let schema: Value = serde_json::from_str(&schema_text::<CensusDocument<'static>>()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // The registry's content and state are its own affair, and change with each update.
    document["registry"] = Value::Null;
    for transport in document["transports"].as_array_mut().unwrap() {
        assert!(transport["reclaimable"].as_array().unwrap().len() > 1000);
        assert_eq!(transport["well_known"].as_array().unwrap().len(), 1024);
        for part in ["rows", "reclaimable", "well_known"] {
            transport[part] = Value::Null;
        }
        let counts = transport["ranges"].as_array_mut().unwrap();
        for counts in counts {
            for part in ["assigned", "silent", "unassigned", "reserved", "never_used", "reclaimable"] {
                counts[part] = Value::Null;
            }
        }
        transport["total"] = Value::Null;
    }
    let path = golden().with_file_name("census.json");
    compare(&path, &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
}

#[test]
fn a_row_is_small() {
    let mut socket = fixture::socket(model::Kind::Tcp, "255.255.255.255:65535", &[4_194_304]);
    socket.inode = 4_000_000_000;
    socket.cookie = 4_000_000_000;
    let mut snapshot = fixture::snapshot();
    snapshot.sockets = vec![socket];
    let view = engine::View::judged(
        std::sync::Arc::new(snapshot),
        registry::Paper::builtin(),
        Vec::new(),
        Vec::new(),
    );
    let mut out = Vec::new();
    fast::sockets(&mut out, &view, &[&view.rows[0]]).unwrap();
    assert!(out.len() <= 520, "{} bytes: {}", out.len(), String::from_utf8_lossy(&out));
}

#[test]
fn a_later_time_is_put_into_the_same_document() {
    let view = fixture::view();
    let rows: Vec<&Row> = view.rows.iter().collect();
    let part = |view| Part { view, rows: &[], everything: true, ports: Vec::new(), exit_status: 0 };
    let mut document = Vec::new();
    write(&mut document, &Part { rows: &rows, ..part(&view) }).unwrap();
    let later = fixture::view().at(model::Timestamp::from_ns(view.snapshot.taken.as_ns() + 61_000_000_000));
    let mut expected = Vec::new();
    let rows: Vec<&Row> = later.rows.iter().collect();
    write(&mut expected, &Part { rows: &rows, ..part(&later) }).unwrap();
    assert_ne!(document, expected);
    set_time(&mut document, &later);
    assert_eq!(document, expected);
}

fn traffic_document(flows: bool) -> Value {
    let view = fixture::traffic::view();
    let list = [fixture::traffic::flow()];
    let document = TrafficDocument::of(&view, flows.then_some(&list[..]), 1);
    serde_json::to_value(document).unwrap()
}

#[test]
fn traffic_keeps_its_schema() {
    let text = schema_text::<TrafficDocument<'static>>();
    compare(&docs("traffic-v1.schema.json"), &text);
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    for flows in [false, true] {
        let document = traffic_document(flows);
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(document.get("flows").is_some(), flows);
        let mut broken = document;
        broken["services"] = Value::from("none");
        assert!(!validator.is_valid(&broken));
    }
}

#[test]
fn the_golden_traffic() {
    let mut document = traffic_document(true);
    // The registry's content and state are its own affair, and change with each update.
    document["registry"] = Value::Null;
    for service in document["services"].as_array_mut().unwrap() {
        service["names"] = Value::Null;
    }
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/traffic.json");
    compare(&golden, &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
}

#[test]
fn findings_of_traffic_point_at_what_they_are_about() {
    let document = traffic_document(false);
    for finding in document["findings"].as_array().unwrap() {
        for list in ["services", "touches", "scans", "beacons"] {
            for index in finding.get(list).and_then(Value::as_array).into_iter().flatten() {
                assert!(document[list].get(usize::try_from(index.as_u64().unwrap()).unwrap()).is_some());
            }
        }
    }
    assert_eq!(document["services"][0]["verdict"], "warning");
    assert_eq!(document["services"][1]["verdict"], "accepted");
    assert_eq!(document["services"][2]["verdict"], "ok");
}

#[test]
fn media_keeps_its_schema() {
    let text = schema_text::<MediaDocument<'static>>();
    compare(&docs("media-v1.schema.json"), &text);
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let view = fixture::traffic::view();
    let document = serde_json::to_value(MediaDocument::of(&view, 0)).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut broken = document;
    broken["streams"] = Value::from("none");
    assert!(!validator.is_valid(&broken));
}

#[test]
fn a_socket_points_at_the_session_that_explains_it() {
    let view = fixture::agreed();
    let rows: Vec<&Row> = view.rows.iter().collect();
    let part = Part { view: &view, rows: &rows, everything: true, ports: Vec::new(), exit_status: 0 };
    let mut line = Vec::new();
    write(&mut line, &part).unwrap();
    assert_eq!(
        String::from_utf8(line.clone()).unwrap(),
        serde_json::to_string(&Document::of(&part)).unwrap()
    );
    let document: Value = serde_json::from_slice(&line).unwrap();
    let schema: Value = serde_json::from_str(&schema_text::<Document<'static>>()).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));
    assert_eq!(document["sessions"][0]["known_by"], "sdp");
    for socket in document["sockets"].as_array().unwrap() {
        let expected = if socket["port"] == 5004 { Value::from(0) } else { Value::Null };
        assert_eq!(socket["session"], expected, "{socket}");
    }
}
