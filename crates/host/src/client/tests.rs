//! The clients against servers that are slow, long-winded, lying or gone.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use tungstenite::Message;

use super::*;

/// A server for one connection after another: it reads a request's head, and does what it is told to.
fn serve(
    connections: usize,
    with: impl Fn(&mut TcpStream, &str) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            with(&mut stream, &String::from_utf8_lossy(&head));
        }
    });
    (address, thread)
}

fn quick() -> Limits {
    Limits { connect: Duration::from_secs(2), whole: Duration::from_millis(400), redirects: 2 }
}

#[test]
fn an_answer_is_whole_whatever_its_status() {
    let (address, server) = serve(2, |stream, head| {
        let status = if head.starts_with("POST") { "201 Created" } else { "404 Not Found" };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nX-Paging-Limit: 7\r\nContent-Length: 2\r\n");
        let _ = stream.write_all(b"Connection: close\r\n\r\n{}");
    });
    let http = Http::new(Limits::default());
    let answer = http.read(&format!("http://{address}/x"), 2).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (404, &b"{}"[..]));
    assert!(answer.headers.contains(&("x-paging-limit".into(), "7".into())));
    assert_eq!(http.post(&format!("http://{address}/x"), "{}", 2).unwrap().status, 201);
    server.join().unwrap();
}

#[test]
fn too_long_too_slow_and_too_far_are_errors() {
    let (address, server) = serve(5, |stream, head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let _ = match path {
            "/long" => stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n0123456789"),
            // A length that is merely claimed, and a server that never ends.
            "/slow" => {
                let sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
                let _ = stream.read(&mut [0]);
                sent
            }
            "/garbage" => stream.write_all(b"\x16\x03\x01 garbage\r\n\r\n"),
            "/away" => stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            _ => stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
        };
    });
    let http = Http::new(quick());
    let read = |path: &str| http.read(&format!("http://{address}{path}"), 9);
    assert!(matches!(read("/long"), Err(Error::TooLong(9))));
    let slow = Http::new(quick()).read(&format!("http://{address}/slow"), usize::MAX);
    assert!(matches!(slow, Err(Error::TimedOut)), "{slow:?}");
    assert!(matches!(read("/garbage"), Err(Error::Broken(_))));
    let away = read("/away");
    // It is followed, and nobody is there who would speak TLS.
    assert!(matches!(away, Err(Error::Broken(_))), "{away:?}");
    let file = read("/file");
    assert!(matches!(&file, Err(Error::Address(address)) if address == "file:///etc/passwd"), "{file:?}");
    server.join().unwrap();
    assert!(read("/gone").is_err());
    assert!(matches!(http.read("https://127.0.0.1:9/", 1), Err(Error::Broken(_))));
    assert!(matches!(http.read("file:///etc/passwd", 1), Err(Error::Address(_))));
}

#[test]
fn redirects_end() {
    let (address, server) = serve(3, |stream, _| {
        let _ = stream.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    });
    let answer =
        Http::new(Limits { whole: Duration::from_secs(5), ..quick() }).read(&format!("http://{address}/"), 9);
    assert!(answer.is_err(), "{answer:?}");
    drop(server);
}

#[test]
fn a_websocket_gives_messages_until_it_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut socket = tungstenite::accept(stream).unwrap();
        socket.send(Message::text("one")).unwrap();
        socket.send(Message::binary(vec![2; 64])).unwrap();
        // Longer than the other side takes.
        socket.send(Message::binary(vec![3; 65])).unwrap();
        while socket.read().is_ok() {}
    });
    let mut socket = WebSocket::open(&format!("ws://{address}/ws"), Limits::default(), 64).unwrap();
    let mut next = || loop {
        match socket.receive() {
            Ok(None) => {}
            other => return other,
        }
    };
    assert_eq!(next().unwrap().unwrap(), b"one");
    assert_eq!(next().unwrap().unwrap(), [2; 64]);
    assert!(matches!(next(), Err(Error::TooLong(64))));
    drop(socket);
    server.join().unwrap();
}

#[test]
fn a_server_that_trickles_does_not_hold_us() {
    // It answers the handshake byte by byte, for ever.
    let (address, server) = serve(1, |stream, _| {
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        while stream.write_all(b"H").is_ok() {
            // Waits for a byte that never comes.
            if stream.read(&mut [0]).is_ok() {
                break;
            }
        }
    });
    let begun = Instant::now();
    assert!(WebSocket::open(&format!("ws://{address}/"), quick(), 64).is_err());
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.join().unwrap();
}

#[test]
fn hosts_and_ports_are_told_apart() {
    for (text, expected) in [
        ("host", Some(("host", 554))),
        ("host:1", Some(("host", 1))),
        ("[::1]", Some(("[::1]", 554))),
        ("[::1]:8", Some(("[::1]", 8))),
        ("host:99999", None),
        ("host:", None),
    ] {
        assert_eq!(host_and_port(text, 554), expected);
    }
}
