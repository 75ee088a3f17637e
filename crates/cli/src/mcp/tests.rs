//! The protocol, line by line: what a client of today and one of before say, and everything that is wrong.

use std::sync::Barrier;

use super::*;

fn desk() -> Desk {
    Desk {
        places: Places::find(),
        judge: JudgeArgs { no_baseline: true, ..JudgeArgs::default() },
        captures: Vec::new(),
        most_capture: 1 << 20,
    }
}

/// What is answered to these lines.
fn talk(lines: &[&str]) -> Vec<Value> {
    let text = lines.join("\n");
    let mut said = Vec::new();
    let mut write = |line: &[u8]| {
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one message is one line");
        said.push(serde_json::from_slice(line).unwrap());
        Ok(true)
    };
    serve(&mut text.as_bytes(), &mut write, desk()).unwrap();
    said
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fn modern(id: u32, method: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{META}{comma}{more}}}}}"#)
}

const SHAKE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

#[test]
fn a_client_of_today_needs_no_handshake() {
    let said = talk(&[
        &modern(1, "server/discover", ""),
        &modern(2, "tools/list", ""),
        &modern(3, "tools/call", r#""name":"registry_search","arguments":{"text":"smpte"}"#),
        &modern(4, "ping", ""),
    ]);
    let of = |id: u32| said.iter().find(|answer| answer["id"] == id).unwrap();
    let discovered = &of(1)["result"];
    assert_eq!(discovered["supportedVersions"][0], "2026-07-28");
    assert!(discovered["instructions"].as_str().unwrap().contains("never as instructions"));
    for id in [1, 2, 3] {
        assert_eq!(of(id)["result"]["resultType"], "complete");
        assert_eq!(of(id)["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "portreeve");
    }
    assert!(of(2)["result"]["ttlMs"].is_u64() && of(3)["result"]["ttlMs"].is_null());
    let found = &of(3)["result"]["structuredContent"];
    assert_eq!(found["untrusted"], true);
    assert_eq!(found["data"]["assignments"][0]["name"], "smpte");
    assert_eq!(of(4)["error"]["code"], -32_601);
}

#[test]
fn a_client_of_before_shakes_hands() {
    let said = talk(&[
        r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":9,"method":"tools/list"}"#,
        SHAKE,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"explain_finding","arguments":{"code":"exe-memfd"}}}"#,
    ]);
    assert_eq!(said[0]["id"], "p");
    assert_eq!(said[1]["error"]["code"], -32_602, "before the handshake nothing is served");
    assert_eq!(said[2]["result"]["protocolVersion"], "2025-06-18");
    assert!(said[3]["result"]["resultType"].is_null());
    assert!(said[4]["result"]["content"][0]["text"].as_str().unwrap().contains("exe-memfd"));
    let other = SHAKE.replace("2025-06-18", "2031-01-01");
    assert_eq!(talk(&[&other])[0]["result"]["protocolVersion"], "2025-11-25");
}

#[test]
fn every_tool_says_that_it_only_reads_and_takes_only_what_it_says() {
    let tools = tools::definitions();
    assert_eq!(tools.len(), 7);
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true);
        assert_eq!(tool["annotations"]["destructiveHint"], false);
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object");
            jsonschema::validator_for(&tool[schema]).unwrap();
        }
        let name = tool["name"].as_str().unwrap();
        let line = modern(1, "tools/call", &format!(r#""name":"{name}","arguments":{{"surprise":1}}"#));
        let answer = &talk(&[&line])[0]["result"];
        assert_eq!(answer["isError"], true, "{name}");
        assert!(answer["content"][0]["text"].as_str().unwrap().contains("surprise"), "{answer}");
    }
}

#[test]
fn what_is_wrong_gets_the_error_that_the_specification_has_for_it() {
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(MOST_LINE));
    let deep = "[".repeat(100_000);
    for (line, code, id) in [
        ("{", -32_700, Value::Null),
        (deep.as_str(), -32_700, Value::Null),
        ("[]", -32_600, Value::Null),
        (r#"{"id":1,"method":"ping"}"#, -32_600, Value::from(1)),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32_600, Value::from(1)),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32_600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32_600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32_602, Value::from(1)),
        (long.as_str(), -32_600, Value::Null),
        (&modern(7, "nothing", ""), -32_601, Value::from(7)),
        (&modern(7, "tools/call", r#""name":"nothing""#), -32_602, Value::from(7)),
        (&modern(7, "tools/call", r#""name":"diff","arguments":[]"#), -32_602, Value::from(7)),
        (&modern(7, "resources/read", r#""uri":"file:///etc/passwd""#), -32_602, Value::from(7)),
        (&modern(7, "tools/list", r#""cursor":"made up""#), -32_602, Value::from(7)),
        (&modern(7, "tools/list", "").replace("2026-07-28", "1900-01-01"), -32_022, Value::from(7)),
        (&modern(7, "tools/list", "").replace("clientCapabilities", "other"), -32_602, Value::from(7)),
    ] {
        let said = talk(&[line]);
        let start: String = line.chars().take(80).collect();
        assert_eq!(said.len(), 1, "{start}");
        assert_eq!((&said[0]["error"]["code"], &said[0]["id"]), (&Value::from(code), &id), "{start}");
    }
    // After a line that was too long the next one is read.
    let said = talk(&[&long, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#]);
    assert_eq!(said[1]["id"], 2);
    // What asks for no answer gets none.
    for quiet in [
        "",
        r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    ] {
        assert!(talk(&[quiet]).is_empty(), "{quiet}");
    }
}

#[test]
fn what_is_cancelled_before_it_begins_is_not_answered() {
    let open: Open = Arc::default();
    let id = Id::Number(1);
    open.lock().unwrap().insert(id.clone(), Wanted::new());
    cancel(&open, &id);
    assert!(wanted(&open, &id).is_none() && !finish(&open, &id));
    // To cancel what is not there is no error.
    cancel(&open, &id);
    assert!(open.lock().unwrap().is_empty());
}

/// A capture of many packets, in a folder that may be read.
fn long_capture(name: &str) -> (PathBuf, Desk) {
    let folder = std::env::temp_dir().join(format!("portreeve-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0];
    for second in 0..40_000_u32 {
        bytes.extend_from_slice(&second.to_le_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0]);
        bytes.extend_from_slice(&[0; 60]);
    }
    std::fs::write(folder.join("long.pcap"), bytes).unwrap();
    let folder = folder.canonicalize().unwrap();
    let desk = Desk { captures: vec![folder.clone()], most_capture: 1 << 30, ..desk() };
    (folder, desk)
}

#[test]
fn progress_is_told_where_it_is_wished_for_and_never_after_the_answer() {
    let (folder, desk) = long_capture("mcp-progress");
    let path = folder.join("long.pcap");
    let call = |id: u32, token: &str| {
        let arguments = format!(r#""name":"read_capture","arguments":{{"path":"{}"}}"#, path.display());
        modern(id, "tools/call", &arguments).replace(r#""_meta":{"#, &format!(r#""_meta":{{{token}"#))
    };
    let text = [call(1, r#""progressToken":"far","#), call(2, "")].join("\n");
    let mut said: Vec<Value> = Vec::new();
    let mut write = |line: &[u8]| {
        said.push(serde_json::from_slice(line).unwrap());
        Ok(true)
    };
    serve(&mut text.as_bytes(), &mut write, desk).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let answered = said.iter().position(|it| it["id"] == 1).unwrap();
    let (steps, after) = said.split_at(answered);
    assert!(after.iter().all(|it| it["method"].is_null()), "{after:?}");
    assert!((2..=100).contains(&steps.len()), "{}", steps.len());
    let at: Vec<u64> = steps.iter().map(|it| it["params"]["progress"].as_u64().unwrap()).collect();
    assert!(at.windows(2).all(|pair| pair[0] < pair[1]), "{at:?}");
    for step in steps {
        assert_eq!(
            (&step["method"], &step["params"]["progressToken"]),
            (&Value::from("notifications/progress"), &Value::from("far"))
        );
        assert!(step["params"]["progress"].as_u64() <= step["params"]["total"].as_u64(), "{step}");
    }
}

/// Lines that come one by one; with each that has a meeting it is waited for the other side.
struct Lines<'a>(Vec<(&'a [u8], Option<&'a Barrier>)>);

impl io::Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let (line, meeting) = self.0.remove(0);
        if let Some(meeting) = meeting {
            meeting.wait();
        }
        buffer[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

#[test]
fn what_is_cancelled_while_it_is_worked_on_is_broken_off_and_not_answered() {
    let (folder, desk) = long_capture("mcp-cancel");
    let path = folder.join("long.pcap");
    let arguments = format!(r#""name":"read_capture","arguments":{{"path":"{}"}}"#, path.display());
    let call =
        modern(1, "tools/call", &arguments).replace(r#""_meta":{"#, r#""_meta":{"progressToken":1,"#) + "\n";
    let cancel =
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}
"#;
    let after = b"{\"jsonrpc\":\"2.0\",\"id\":\"after\",\"method\":\"ping\"}\n";
    // It is cancelled when it has told its first step, and goes on when that was heard: the line after it is asked for.
    let (begun, heard) = (Barrier::new(2), Barrier::new(2));
    let lines = Lines(vec![(call.as_bytes(), None), (cancel, Some(&begun)), (after, Some(&heard))]);
    let mut said: Vec<Value> = Vec::new();
    let mut write = |line: &[u8]| {
        said.push(serde_json::from_slice(line).unwrap());
        if said.len() == 1 {
            begun.wait();
            heard.wait();
        }
        Ok(true)
    };
    serve(&mut io::BufReader::new(lines), &mut write, desk).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!((&said[0]["method"], &said[1]["id"]), (&"notifications/progress".into(), &"after".into()));
}

#[test]
fn every_prefix_and_every_kind_of_noise_is_answered_or_passed_over() {
    let line = modern(1, "tools/list", "");
    for end in 0..line.len() {
        assert!(talk(&[line.get(..end).unwrap()]).len() <= 1);
    }
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..500 {
        let mut noise = line.clone().into_bytes();
        for _ in 0..4 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let at = usize::try_from(seed % u64::try_from(noise.len()).unwrap()).unwrap();
            noise[at] = u8::try_from(seed >> 56).unwrap();
        }
        let mut write = |_: &[u8]| Ok(true);
        serve(&mut noise.as_slice(), &mut write, desk()).unwrap();
    }
}

#[test]
fn the_pages_are_resources() {
    let said = talk(&[
        &modern(1, "resources/list", ""),
        &modern(2, "resources/read", r#""uri":"portreeve://explain/silent-port-in-use""#),
    ]);
    assert!(said[0]["result"]["resources"].as_array().unwrap().len() > 30);
    assert!(said[1]["result"]["contents"][0]["text"].as_str().unwrap().contains("silent"));
}
