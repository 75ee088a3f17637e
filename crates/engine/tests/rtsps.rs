//! RTSP inside TLS, with a server in Python whose certificate openssl made.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use host::client::{Limits, Trust};
use portreeve_engine::rtsp::{Trouble, describe, describe_with};

const SERVER: &str = r#"
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]
print(port)
sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\nc=IN IP4 239.1.2.3/32\r\na=rtpmap:96 raw/90000\r\n"
while True:
    try:
        with context.wrap_socket(server.accept()[0], server_side=True) as stream:
            lines = stream.makefile("rb")
            while head := lines.readline():
                number = "0"
                while (line := lines.readline().strip()):
                    if line.startswith(b"CSeq:"): number = line.split(b":")[1].strip().decode()
                if b"/away" in head and head.startswith(b"DESCRIBE"):
                    stream.sendall(f"RTSP/1.0 302 Moved\r\nCSeq: {number}\r\nLocation: rtsp://127.0.0.1:{port}/\r\n\r\n".encode())
                elif head.startswith(b"DESCRIBE rtsps://"):
                    stream.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}".encode())
                else:
                    stream.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n\r\n".encode())
    except (OSError, ssl.SSLError):
        pass
"#;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_camera_inside_tls_describes_itself_to_whom_believes_it() {
    let folder = std::env::temp_dir().join(format!("portreeve-rtsps-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
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
        .args(["-subj", "/CN=camera", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    let started = Command::new("python3")
        .args(["-u", "-c", SERVER])
        .args([&cert, &key])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let (true, Ok(mut child)) = (made.is_ok_and(|made| made.status.success()), started) else {
        eprintln!("SKIPPED: a_camera_inside_tls_describes_itself: openssl or python3 is not installed");
        return;
    };
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let _server = Server(child);
    let url = format!("rtsps://127.0.0.1:{}/live", port.trim());
    let trust = Trust { ca_file: Some(cert.clone()), ..Trust::default() };
    let answer = describe_with(&url, None, Limits::default(), &trust).unwrap();
    assert_eq!(answer.sessions.len(), 1);
    let stranger = describe(&url, None, Limits::default());
    assert!(
        matches!(&stranger, Err(Trouble::Connection(why)) if why.to_string().contains("certificate")),
        "{stranger:?}"
    );
    let away = describe_with(&url.replace("live", "away"), None, Limits::default(), &trust);
    assert!(
        matches!(&away, Err(Trouble::Connection(why)) if why.to_string().contains("out of TLS")),
        "{away:?}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
