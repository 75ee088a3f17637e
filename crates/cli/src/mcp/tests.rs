//! The protocol, line by line: what a client of today and one of before say, and everything that is wrong.

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
    open.lock().unwrap().insert(id.clone(), true);
    cancel(&open, &id);
    assert!(!wanted(&open, &id) && !finish(&open, &id));
    // To cancel what is not there is no error.
    cancel(&open, &id);
    assert!(open.lock().unwrap().is_empty());
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
