//! TLS with servers of openssl and of our own: who is believed, who is not, and what is said of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::client::{Http, Limits, Stream, WebSocket};

/// An authority, a server's certificate for `localhost` and 127.0.0.1, and a client's, in a folder that goes with it.
pub(crate) struct Papers {
    folder: PathBuf,
}

impl Papers {
    /// Made by openssl; `None`, loudly, where it is not installed.
    pub(crate) fn new(test: &str) -> Option<Papers> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: {test}: openssl is not installed");
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("portreeve-tls-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let papers = Papers { folder };
        let run = |line: &str| {
            let made =
                Command::new("openssl").args(line.split(' ')).current_dir(&papers.folder).output().unwrap();
            assert!(made.status.success(), "{line}: {}", String::from_utf8_lossy(&made.stderr));
        };
        run("req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority");
        for (name, key) in [("server", "rsa:2048"), ("client", "ec")] {
            let curve = if key == "ec" { " -pkeyopt ec_paramgen_curve:P-256" } else { "" };
            run(&format!(
                "req -newkey {key}{curve} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            ));
            let extension = papers.folder.join(format!("{name}.ext"));
            std::fs::write(extension, "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
            run(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out {name}.pem \
                 -extfile {name}.ext"
            ));
        }
        Some(papers)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Believes our authority.
    pub(crate) fn trust(&self) -> Trust {
        Trust { ca_file: Some(self.path("ca.pem")), ..Trust::default() }
    }

    /// Takes connections inside TLS on a thread, and does with each what it is told to.
    pub(crate) fn serve(
        &self,
        with: impl Fn(StreamOwned<ServerConnection, TcpStream>) + Send + 'static,
    ) -> std::net::SocketAddr {
        let chain = certificates(&self.path("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.path("server.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(provider().unwrap()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                with(StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), tcp));
            }
        });
        address
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(10), whole: Duration::from_secs(20), redirects: 1 }
}

/// openssl's server, which answers each request with a page about the connection.
struct Stranger(Child, u16);

impl Stranger {
    fn new(papers: &Papers, more: &[&str]) -> Stranger {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "0.0.0.0:0", "-www", "-cert", "server.pem", "-key", "server.key"])
            .args(more)
            .current_dir(&papers.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let port = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ACCEPT ")?.rsplit(':').next()?.trim().parse().ok())
            .expect("openssl says on which port it listens");
        Stranger(child, port)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn page(trust: Trust, host: &str, port: u16) -> Result<String, String> {
    let answer = Http::with_trust(limits(), trust).read(&format!("https://{host}:{port}/"), 1 << 16);
    answer.map(|it| String::from_utf8_lossy(&it.body).into_owned()).map_err(|error| error.to_string())
}

#[test]
fn a_stranger_is_believed_when_its_authority_is() {
    let Some(papers) = Papers::new("a_stranger_is_believed_when_its_authority_is") else { return };
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Stranger::new(&papers, &[version]);
        for host in ["localhost", "127.0.0.1"] {
            let page = page(papers.trust(), host, server.1).unwrap();
            assert!(page.contains("Cipher"), "{version} {host}: {page}");
        }
        let refused = page(Trust::default(), "localhost", server.1).unwrap_err();
        assert!(refused.contains("no authority that is trusted here"), "{refused}");
        let insecure = Trust { insecure: true, ..Trust::default() };
        page(insecure, "localhost", server.1).unwrap();
    }
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let Some(papers) = Papers::new("a_certificate_for_another_name_is_refused") else { return };
    let server = Stranger::new(&papers, &[]);
    // The server is the same, and what it shows is not for this address of the machine.
    let refused = page(papers.trust(), "127.0.0.2", server.1).unwrap_err();
    assert!(refused.contains("is for another name"), "{refused}");
}

#[test]
fn who_we_are_is_shown_where_it_is_asked_for() {
    let Some(papers) = Papers::new("who_we_are_is_shown_where_it_is_asked_for") else { return };
    let server = Stranger::new(&papers, &["-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error"]);
    assert!(page(papers.trust(), "localhost", server.1).is_err());
    let identity = Some((papers.path("client.pem"), papers.path("client.key")));
    let shown = page(Trust { identity, ..papers.trust() }, "localhost", server.1).unwrap();
    assert!(shown.contains("CN=client") || shown.contains("CN = client"), "{shown}");
    let mixed = Some((papers.path("client.pem"), papers.path("server.key")));
    let error = Tls::new(&Trust { identity: mixed, ..papers.trust() }).unwrap_err().to_string();
    assert!(error.contains("do not belong together"), "{error}");
}

#[test]
fn files_that_are_not_there_or_not_pem_are_named() {
    let missing = Trust { ca_file: Some("/nowhere/ca.pem".into()), ..Trust::default() };
    assert!(Tls::new(&missing).unwrap_err().to_string().contains("/nowhere/ca.pem"));
    let empty = Trust { ca_file: Some("/dev/null".into()), ..Trust::default() };
    assert!(Tls::new(&empty).unwrap_err().to_string().contains("no certificate"));
}

#[test]
fn a_websocket_inside_tls_gives_messages() {
    let Some(papers) = Papers::new("a_websocket_inside_tls_gives_messages") else { return };
    let address = papers.serve(|stream| {
        let Ok(mut socket) = tungstenite::accept(stream) else { return };
        let _ = socket.send(tungstenite::Message::text("one"));
        while socket.read().is_ok() {}
    });
    let mut socket =
        WebSocket::open_with(&format!("wss://{address}/ws"), limits(), 64, &papers.trust()).unwrap();
    let message = std::iter::repeat_with(|| socket.receive().unwrap()).find_map(|it| it).unwrap();
    assert_eq!(message, b"one");
    assert!(WebSocket::open(&format!("wss://{address}/ws"), limits(), 64).is_err());
}

#[test]
fn a_stream_inside_tls_knows_when_it_is_gone() {
    let Some(papers) = Papers::new("a_stream_inside_tls_knows_when_it_is_gone") else { return };
    let address = papers.serve(|mut stream| {
        let mut four = [0; 4];
        stream.read_exact(&mut four).unwrap();
        stream.write_all(&four).unwrap();
        stream.flush().unwrap();
        // It ends when it is asked to.
        let _ = stream.read(&mut four);
    });
    let tls = Tls::new(&papers.trust()).unwrap();
    let mut stream = Stream::connect_tls(&address.to_string(), 0, limits(), &tls).unwrap();
    assert!(!stream.is_gone());
    stream.send(b"ping").unwrap();
    let mut room = [0; 16];
    assert_eq!(stream.receive(&mut room).unwrap(), b"ping");
    assert!(!stream.is_gone());
    stream.send(b"end").unwrap();
    assert!(!matches!(stream.receive(&mut room), Ok(bytes) if !bytes.is_empty()));
    assert!(stream.is_gone());
}

#[test]
fn what_does_not_speak_tls_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        first.write_all(b"SSH-2.0-x\r\n").unwrap();
        let second = listener.accept().unwrap();
        (first, second)
    });
    let insecure = Trust { insecure: true, ..Trust::default() };
    let tls = Tls::new(&insecure).unwrap();
    let error = Stream::connect_tls(&address, 0, limits(), &tls).unwrap_err();
    assert!(matches!(&error, Error::Broken(why) if why.contains("TLS")), "{error:?}");
    let quick = Limits { whole: Duration::from_millis(200), ..limits() };
    assert!(matches!(Stream::connect_tls(&address, 0, quick, &tls), Err(Error::TimedOut)));
    drop(server.join());
}
