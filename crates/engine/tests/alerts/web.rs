//! Webhooks and OTLP, received by Python's own HTTP server, HMAC, TLS and protocol buffers.

use std::process::Command;

use portreeve_engine::alerting::trial;

use crate::stage::{Folder, HOSTILE, machine, python, settings, tell};

/// Answers with the status of the path (`/503-2`: twice so, then 204), and says what it got and whether the signature holds.
const HOOK: &str = r#"
import hashlib, hmac, http.server, json, ssl, sys, time
key = b"a key that is kept in a file"
left = {}
class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp = self.headers.get("Portreeve-Timestamp", "")
        mine = "v1=" + hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(mine, self.headers.get("Portreeve-Signature", ""))
        fresh = stamp.isdigit() and abs(time.time() - int(stamp)) < 300
        status, _, times = self.path.strip("/").partition("-")
        left.setdefault(self.path, int(times or 1 << 30))
        status = int(status) if left[self.path] > 0 else 204
        left[self.path] -= 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 429: self.send_header("Retry-After", "2")
        if status == 302: self.send_header("Location", "/204")
        self.end_headers()
        print(json.dumps({"status": status, "good": good, "fresh": fresh, "at": time.monotonic(),
            "token": self.headers.get("Authorization"), "delivery": self.headers.get("Portreeve-Delivery"),
            "path": self.path, "body": json.loads(body)}))
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port)
server.serve_forever()
"#;

fn keys(folder: &Folder) -> String {
    let secret = folder.write("key", "a key that is kept in a file\n", 0o600);
    let token = folder.write("token", "word-of-ours\n", 0o600);
    format!("secret-file = \"{secret}\"\ntoken-file = \"{token}\"\n")
}

fn hook(url: &str, more: &str) -> String {
    format!("[[alert]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{url}\"\ngroup-for = \"0s\"\n{more}")
}

#[test]
fn a_stranger_verifies_the_signature_and_reads_the_document() {
    let Some((mut server, port)) = python("a_stranger_verifies_the_signature", HOOK, &[]) else { return };
    let folder = Folder::new();
    let counts = tell(&hook(&format!("http://127.0.0.1:{port}/200"), &keys(&folder)));
    assert_eq!((counts.sent, counts.failed, counts.last_error), (1, 0, None));
    let got: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(
        (&got["good"], &got["fresh"], &got["token"]),
        (&true.into(), &true.into(), &"Bearer word-of-ours".into())
    );
    let finding = &got["body"]["findings"][0];
    assert_eq!(finding["title"], format!("port 420/tcp has a listener: {HOSTILE}"));
    assert_eq!(finding["about"], "tcp 0.0.0.0:420 /usr/bin/nc");
}

#[test]
fn what_may_pass_is_tried_again_and_the_server_is_obeyed() {
    let Some((mut server, port)) = python("what_may_pass_is_tried_again", HOOK, &[]) else { return };
    let folder = Folder::new();
    let keys = keys(&folder);
    let mut events = |path: &str, times: usize| {
        let counts = tell(&hook(&format!("http://127.0.0.1:{port}{path}"), &keys));
        let events = (0..times).map(|_| serde_json::from_str::<serde_json::Value>(&server.line()).unwrap());
        (counts, events.collect::<Vec<_>>())
    };
    let (counts, got) = events("/503-2", 3);
    assert_eq!((counts.sent, counts.failed), (1, 0));
    assert!(got.iter().all(|it| it["good"] == true && it["delivery"] == got[0]["delivery"]), "{got:?}");
    let (counts, got) = events("/429-1", 2);
    assert_eq!(counts.sent, 1);
    let pause = got[1]["at"].as_f64().unwrap() - got[0]["at"].as_f64().unwrap();
    assert!(pause >= 1.9, "it asked for two seconds and got {pause}");
    for (path, part) in [("/404", "refuses"), ("/302", "leads elsewhere"), ("/401", "believe")] {
        let (counts, got) = events(path, 1);
        assert_eq!((counts.sent, counts.failed), (0, 1), "{path}");
        assert!(counts.last_error.unwrap().contains(part));
        assert_eq!(got[0]["path"], path);
    }
}

#[test]
fn a_webhook_inside_tls_goes_to_whom_we_believe_only() {
    let folder = Folder::new();
    let (cert, key) = (folder.path("cert.pem"), folder.path("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=hook", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", &key, "-out", &cert])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("SKIPPED: a_webhook_inside_tls: openssl is not installed");
        return;
    }
    let Some((mut server, port)) = python("a_webhook_inside_tls", HOOK, &[&cert, &key]) else { return };
    let url = format!("https://127.0.0.1:{port}/200");
    let counts = tell(&hook(&url, &format!("ca-file = \"{cert}\"\n")));
    assert_eq!((counts.sent, counts.last_error), (1, None));
    assert!(server.line().contains("\"status\": 200"));
    let outcome = trial(&settings(&hook(&url, "")), &machine(), std::time::Duration::from_secs(20)).remove(0);
    assert!(outcome.unwrap_err().why.contains("certificate"));
    let outcome =
        trial(&settings(&hook(&url, "insecure = true\n")), &machine(), std::time::Duration::from_secs(20));
    assert!(outcome[0].is_ok(), "{outcome:?}");
    let got: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(got["body"]["test"], true);
}

/// Takes requests for logs as protocol buffers say they are, and says what it understood.
const COLLECTOR: &str = r#"
import http.server, json, sys
try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
except ImportError as error:
    print(f"opentelemetry-proto of Python is not installed ({error})")
    sys.exit()
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json_format.Parse(body, ExportLogsServiceRequest())
        record = request.resource_logs[0].scope_logs[0].log_records[0]
        resource = {it.key: it.value.string_value for it in request.resource_logs[0].resource.attributes}
        attributes = {it.key: it.value.string_value for it in record.attributes}
        evidence = [it.string_value for it in record.attributes[5].value.array_value.values]
        print(json.dumps({"path": self.path, "type": self.headers["Content-Type"], "resource": resource,
            "number": record.severity_number, "time": record.time_unix_nano, "body": record.body.string_value,
            "attributes": attributes, "evidence": evidence}))
        answer = b'{"partialSuccess":{}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
print(server.server_port)
server.serve_forever()
"#;

#[test]
fn logs_are_what_opentelemetry_says_they_are() {
    let Some((mut server, port)) = python("logs_are_what_opentelemetry_says", COLLECTOR, &[]) else { return };
    let counts =
        tell(&format!("[[alert]]\nname = \"o\"\nkind = \"otlp\"\nurl = \"http://127.0.0.1:{port}\"\n"));
    assert_eq!((counts.sent, counts.last_error), (1, None));
    let got: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!((&got["path"], &got["type"]), (&"/v1/logs".into(), &"application/json".into()));
    assert_eq!((&got["number"], &got["time"]), (&17.into(), &1_795_744_984_005_006_007_u64.into()));
    assert_eq!(got["resource"]["host.name"], "reeve.example");
    assert_eq!(got["attributes"]["portreeve.code"], "silent-port-in-use");
    assert_eq!(got["evidence"][0], "420 is assigned to smpte [IANA registry]");
}
