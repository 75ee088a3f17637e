//! Strangers speak RTSP on loopback: GStreamer's server is asked by us, and overheard while FFmpeg asks it.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is how it fails, and what is skipped is said"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use media::rtsp::{From, Outcome, Overheard};
use portreeve_engine::rtsp::{Trouble, describe};

/// A server with a picture and sound at `/quay`, behind a password where it is told `locked`.
const SERVER: &str = r#"
import sys
import gi
for part in ['Gst', 'GstRtsp', 'GstRtspServer']:
    gi.require_version(part, '1.0')
from gi.repository import Gst, GstRtsp, GstRtspServer, GLib
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address('127.0.0.1')
server.set_service('0')
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch('( videotestsrc is-live=true ! video/x-raw,format=UYVY,width=160,height=120,framerate=25/1 ! '
                   'rtpvrawpay name=pay0 pt=96 audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! '
                   'audioconvert ! rtpL16pay name=pay1 pt=97 )')
if sys.argv[1:] == ['locked']:
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string('media.factory.role', 'user')
    auth.add_digest('reeve', 'harbour', token)
    server.set_auth(auth)
    factory.add_role_from_structure(Gst.Structure.from_string(
        'user,media.factory.access=true,media.factory.construct=true')[0])
server.get_mount_points().add_factory('/quay', factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"#;

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server(how: &str) -> Option<(Running, u16)> {
    let child = Command::new("/usr/bin/python3").args(["-c", SERVER, how]).stdout(Stdio::piped()).spawn();
    let started = child.ok().and_then(|mut child| {
        let mut line = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
        Some((Running(child), line.trim().parse().ok()?))
    });
    if started.is_none() {
        eprintln!("SKIPPED: GStreamer's RTSP server (python3-gi, gir1.2-gst-rtsp-server-1.0) is not here");
    }
    started
}

#[test]
fn a_stranger_describes_what_it_has() {
    let (Some((_server, port)), Some((_other, locked))) = (server("open"), server("locked")) else { return };
    let limits = host::client::Limits::default();
    let answer = describe(&format!("rtsp://127.0.0.1:{port}/quay"), None, limits).unwrap();
    let told: Vec<_> = answer
        .sessions
        .iter()
        .map(|it| (it.formats[0].payload_type, it.formats[0].clock_rate, it.legs.len()))
        .collect();
    assert_eq!(told, [(96, 90_000, 0), (97, 48_000, 0)], "{}", String::from_utf8_lossy(&answer.text));
    let nothing = describe(&format!("rtsp://127.0.0.1:{port}/nothing"), None, limits);
    assert!(matches!(nothing, Err(Trouble::Answer(Outcome::Refused(404)))), "{nothing:?}");
    let locked = format!("rtsp://127.0.0.1:{locked}/quay");
    for (wrong, why) in [(None, Outcome::WhoAreYou), (Some(("reeve", "port")), Outcome::NotBelieved)] {
        let refused = describe(&locked, wrong, limits);
        assert!(matches!(&refused, Err(Trouble::Answer(outcome)) if *outcome == why), "{refused:?}");
    }
    let answer = describe(&locked, Some(("reeve", "harbour")), limits).unwrap();
    assert_eq!(answer.sessions.len(), 2);
}

/// Passes bytes on in both directions, and lets them be overheard.
fn relay(listener: &TcpListener, port: u16) -> Option<Arc<Mutex<Overheard>>> {
    let (client, _) = listener.accept().ok()?;
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let addresses = (client.peer_addr().ok()?, server.peer_addr().ok()?);
    let both = Arc::new(Mutex::new(Overheard::new(addresses.0, addresses.1)));
    let pass = |from: From, mut one: TcpStream, mut other: TcpStream| {
        let both = both.clone();
        std::thread::spawn(move || {
            let mut room = [0; 4096];
            while let Ok(count @ 1..) = one.read(&mut room) {
                both.lock().unwrap().feed(from, &room[..count], Some(host::now()));
                if other.write_all(&room[..count]).is_err() {
                    break;
                }
            }
            let _ = other.shutdown(std::net::Shutdown::Both);
        })
    };
    let one = pass(From::Client, client.try_clone().ok()?, server.try_clone().ok()?);
    let other = pass(From::Server, server, client);
    one.join().ok()?;
    other.join().ok()?;
    Some(both)
}

#[test]
fn a_stranger_is_overheard_while_it_sets_up() {
    let Some((_server, port)) = server("open") else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let url = format!("rtsp://127.0.0.1:{own}/quay");
    for (transport, legs) in [("udp", 2), ("tcp", 0)] {
        let player = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-rtsp_transport",
                transport,
                "-i",
                &url,
                "-frames:v",
                "3",
                "-f",
                "null",
                "-",
            ])
            .stdin(Stdio::null())
            .spawn();
        let Ok(player) = player else { return eprintln!("SKIPPED: ffmpeg is not here") };
        let mut player = Running(player);
        let both = relay(&listener, port).unwrap();
        assert!(player.0.wait().unwrap().success());
        let sessions = both.lock().unwrap().sessions();
        assert_eq!(sessions.len(), legs, "{transport}: {sessions:#?}");
        for (session, kind) in sessions.iter().zip(["video", "audio"]) {
            assert!(session.name.ends_with(kind), "{}", session.name);
            let leg = &session.legs[0];
            assert!(
                leg.destination.ip() == SocketAddr::from(([127, 0, 0, 1], 0)).ip()
                    && leg.destination.port() > 1023
            );
            assert!(leg.sources.allows([127, 0, 0, 1].into()) && leg.rtcp.is_some());
            // FFmpeg says goodbye.
            assert!(session.first.is_some() && session.ended.is_some());
        }
    }
}
