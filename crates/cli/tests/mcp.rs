//! `portreeve mcp` over its pipes: by hand, and with a stranger, the official client in Python.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where something is wrong")]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use support::{Home, err, out, status};

const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A request of today.
fn request(id: u32, method: &str, mut params: Value) -> String {
    params["_meta"] = serde_json::from_str(META).unwrap();
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

fn call(id: u32, name: &str, arguments: Value) -> String {
    request(id, "tools/call", json!({ "name": name, "arguments": arguments }))
}

/// What the binary answers to these lines, in order of id.
fn talk(home: &Home, words: &[&str], lines: &[String]) -> Vec<Value> {
    let mut child = home
        .command()
        .arg("mcp")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0, "{}", err(&output));
    let mut said: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    said.sort_by_key(|answer| answer["id"].as_u64());
    said
}

fn capture() -> String {
    format!("{}/../../corpus/wire/ssh-420.pcap", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_machine_is_told() {
    let home = Home::new("mcp");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = talk(
        &home,
        &[],
        &[
            call(1, "list_ports", json!({ "filters": [format!("port={port}")] })),
            call(2, "explain_port", json!({ "port": "420/tcp" })),
            call(3, "findings", json!({ "filters": [format!("port={port}")], "limit": 5 })),
            call(4, "diff", json!({})),
            call(5, "registry_search", json!({ "text": "smpte", "limit": 1 })),
            call(6, "list_ports", json!({ "filters": ["colour=red"] })),
            call(7, "explain_port", json!({ "port": "1-1000" })),
        ],
    );
    let data = |nth: usize| &said.get(nth).unwrap()["result"]["structuredContent"]["data"];
    assert_eq!(data(0)["sockets"][0]["port"], port);
    assert_eq!(data(1)["ports"][0]["transports"][0]["assignments"][0]["name"], "smpte");
    assert!(data(2)["findings"].is_array() && data(2)["gaps"].is_array());
    let text = |nth: usize| said.get(nth).unwrap()["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text(0).contains("untrusted-"), "{}", text(0));
    assert!(text(3).contains("there is no baseline"), "{}", text(3));
    let found = &said.get(4).unwrap()["result"]["structuredContent"];
    assert!(found["left_out"].as_str().unwrap().contains("more rows"), "{found}");
    for wrong in [3, 5, 6] {
        assert_eq!(said.get(wrong).unwrap()["result"]["isError"], true);
    }
}

#[test]
fn captures_are_read_where_they_may_be_and_nowhere_else() {
    let home = Home::new("mcp-capture");
    let folder = Path::new(&capture()).parent().unwrap().canonicalize().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", home.0.join("link.pcap")).unwrap();
    let own = home.0.to_str().unwrap().to_owned();
    let link = format!("{own}/link.pcap");
    let ask = |words: &[&str], path: &str| {
        talk(&home, words, &[call(1, "read_capture", json!({ "path": path }))]).remove(0)["result"].clone()
    };
    let read = ask(&["--captures", folder.to_str().unwrap()], &capture());
    assert_eq!(read["structuredContent"]["data"]["services"][0]["recognised"]["protocol"], "ssh", "{read}");
    let refused = |words: &[&str], path: &str| {
        let answer = ask(words, path);
        assert_eq!(answer["isError"], true, "{path}");
        answer["content"][0]["text"].as_str().unwrap().to_owned()
    };
    // What is not there and what may not be read sound alike.
    let outside = refused(&["--captures", &own], "/etc/passwd");
    assert_eq!(outside, refused(&["--captures", &own], "/etc/no such file"));
    assert_eq!(outside, refused(&["--captures", &own], &link));
    let climbing = format!("{own}/../../../etc/passwd");
    assert_eq!(outside, refused(&["--captures", &own], &climbing));
    let broken = home.file("broken.pcap", "this is no capture");
    let told = ask(&["--captures", &own], broken.to_str().unwrap());
    assert!(!told["structuredContent"]["data"]["gaps"].as_array().unwrap().is_empty(), "{told}");
    assert_eq!(status(&home.run(&["mcp", "--captures", "/no/such/folder"])), 2);
    let small = ["--captures", folder.to_str().unwrap(), "--most-capture", "10"];
    assert!(refused(&small, &capture()).contains("--most-capture"));
}

const STRANGER: &str = r#"
import asyncio, json, sys
from mcp import Client, StdioServerParameters

async def main():
    parameters = StdioServerParameters(command=sys.argv[1], args=["mcp", "--captures", sys.argv[3]])
    for mode in ("auto", "legacy"):
        async with Client(parameters, mode=mode) as client:
            tools = (await client.list_tools()).tools
            found = await client.call_tool("registry_search", {"text": "smpte"})
            pages = (await client.list_resources()).resources
            steps = []
            async def step(progress, total, message):
                steps.append((progress, total, message))
            read = await client.call_tool("read_capture", {"path": sys.argv[2]}, progress_callback=step)
            # A call that is given up is cancelled, and what is asked afterwards is answered.
            try:
                async with asyncio.timeout(0):
                    await client.call_tool("read_capture", {"path": sys.argv[2]})
            except TimeoutError:
                pass
            page = await client.call_tool("registry_search", {"text": "smpte", "limit": 1, "skip": 1})
            asked = {}
            for name, arguments in (
                ("list_ports", {"limit": 1}),
                ("explain_port", {"port": "420"}),
                ("findings", {"limit": 1}),
                ("diff", {}),
            ):
                answer = await client.call_tool(name, arguments)
                asked[name] = "error" if answer.is_error else sorted(answer.structured_content)
            print(json.dumps({
                "version": client.protocol_version,
                "tools": [tool.name for tool in tools],
                "read_only": all(tool.annotations.read_only_hint for tool in tools),
                "found": found.structured_content["data"]["assignments"][0]["name"],
                "pages": len(pages),
                "asked": asked,
                "spoken": read.structured_content["data"]["services"][0]["recognised"]["protocol"],
                "steps": steps,
                "second": len(page.structured_content["data"]["assignments"]),
            }))

asyncio.run(main())
"#;

#[test]
fn the_official_client_takes_us_for_a_server() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/strangers/venv/bin/python");
    let has = Command::new(&python).args(["-c", "from mcp import Client"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: the official MCP client needs `cargo xtask test --install`, which fetches it");
        return;
    }
    let home = Home::new("mcp-stranger");
    let output = home
        .at_home(Command::new(python))
        .args(["-c", STRANGER, env!("CARGO_BIN_EXE_portreeve"), &capture()])
        .arg(Path::new(&capture()).parent().unwrap())
        .output()
        .unwrap();
    let told: Vec<Value> = out(&output).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(told.len(), 2, "{}", err(&output));
    let versions: Vec<_> = told.iter().map(|it| it["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["2026-07-28", "2025-11-25"]);
    for told in &told {
        assert_eq!(told["tools"].as_array().unwrap().len(), 7);
        assert_eq!((&told["read_only"], &told["found"]), (&Value::from(true), &Value::from("smpte")));
        assert!(told["pages"].as_u64().unwrap() > 30);
        assert_eq!((&told["spoken"], &told["second"]), (&Value::from("ssh"), &Value::from(1)));
        let steps = told["steps"].as_array().unwrap();
        assert!(!steps.is_empty() && steps.iter().all(|step| step[1].is_number()), "{told}");
        for name in ["list_ports", "explain_port", "findings"] {
            let keys = told["asked"][name].as_array().unwrap();
            assert!(
                keys.contains(&Value::from("data")) && keys.contains(&Value::from("untrusted")),
                "{told}"
            );
        }
        // Nothing was learned in this home.
        assert_eq!(told["asked"]["diff"], "error");
    }
}
