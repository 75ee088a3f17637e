//! Each way with a receiver that takes it, one that hangs, and one that is gone.

use std::fs;
use std::io::{BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::*;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portreeve-deliver-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sh(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(String::from).into()
}

fn request<'a>(command: &'a [String], input: &'a [u8]) -> Run<'a> {
    Run { command, input, environment: &[], limit: Duration::from_secs(20), most_output: 64 }
}

#[test]
fn a_program_gets_its_input_and_nothing_of_ours() {
    let environment = [("PORTREEVE_CODE", String::from("scan; $(reboot)"))];
    let command = sh("cat; echo \"$PORTREEVE_CODE\" >&2; env | sort | cut -d= -f1 | tr '\\n' ' '; exit 7");
    let ended =
        run(&Run { environment: &environment, most_output: 4096, ..request(&command, b"alert\n") }).unwrap();
    let said = String::from_utf8(ended.said).unwrap();
    assert_eq!(ended.status, Some(7));
    assert!(said.contains("alert\n") && said.contains("scan; $(reboot)"), "{said}");
    // The shell itself sets the other three.
    let ours: Vec<&str> =
        said.split_whitespace().filter(|it| it.chars().all(|c| c.is_uppercase() || c == '_')).collect();
    assert!(
        ours.iter().all(|it| ["PATH", "PORTREEVE_CODE", "PWD", "OLDPWD", "SHLVL", "_"].contains(it)),
        "{ours:?}"
    );
}

#[test]
fn a_program_is_bounded_in_time_and_words() {
    let big = vec![b'x'; 1 << 20];
    // It neither reads nor ends, and neither does what it started.
    let command = sh("sleep 600 & exec sleep 600");
    let begun = Instant::now();
    let failed = run(&Run { limit: Duration::from_millis(100), ..request(&command, &big) }).unwrap_err();
    assert!(failed.why.contains("did not end"), "{failed}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let command = sh("head -c 1000000 /dev/zero");
    let ended = run(&request(&command, b"")).unwrap();
    assert_eq!((ended.status, ended.said.len()), (Some(0), 64));
    // What stays behind in the background does not hold us.
    let command = sh("sleep 600 & echo done");
    let ended = run(&request(&command, b"")).unwrap();
    assert_eq!((ended.status, ended.said.as_slice()), (Some(0), &b"done\n"[..]));
    let command = [String::from("/nowhere/program")];
    assert_eq!(run(&request(&command, b"")).unwrap_err().again, Again::Never);
}

#[test]
fn a_file_is_appended_to_and_follows_its_name() {
    let folder = Folder::new();
    let path = folder.path("eve.json");
    let mut file = Append::new(path.clone());
    file.write(b"one\n").unwrap();
    file.write(b"two\n").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::rename(&path, folder.path("eve.json.1")).unwrap();
    file.write(b"three\n").unwrap();
    assert_eq!(fs::read(folder.path("eve.json.1")).unwrap(), b"one\ntwo\n");
    assert_eq!(fs::read(&path).unwrap(), b"three\n");
    fs::remove_file(&path).unwrap();
    file.write(b"four\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"four\n");
}

#[test]
fn a_file_is_not_a_link_a_pipe_or_a_folder() {
    let folder = Folder::new();
    symlink(folder.path("victim"), folder.path("link")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap();
    assert!(made.success());
    for name in ["link", "pipe", "."] {
        let failed = Append::new(folder.path(name)).write(b"x\n").unwrap_err();
        assert!(matches!(failed.again, Again::Later(_)), "{name}: {failed}");
    }
    assert!(!folder.path("victim").exists());
    // A file system that is full.
    let full = Append::new("/dev/full".into()).write(b"x\n").unwrap_err();
    assert!(full.why.contains("/dev/full"));
}

#[test]
fn a_secret_is_closed_to_others() {
    let folder = Folder::new();
    let path = folder.path("key");
    fs::write(&path, "word\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(secret(&path).unwrap_err().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(secret(&path).unwrap(), b"word");
    fs::write(&path, "\n").unwrap();
    assert!(secret(&path).unwrap_err().contains("is empty"));
    fs::write(&path, vec![b'x'; 5000]).unwrap();
    assert!(secret(&path).unwrap_err().contains("longer"));
    assert!(secret(&folder.0).is_err());
    assert!(secret(&folder.path("missing")).is_err());
}

#[test]
fn datagrams_arrive_and_refusal_is_seen() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    let mut syslog = Syslog::new(Route::Udp(address.clone()));
    syslog.send(b"<13>1 - - - - - -").unwrap();
    let mut room = [0; 64];
    assert_eq!(server.recv(&mut room).unwrap(), 17);
    assert!(!syslog.is_refused());
    drop(server);
    syslog.send(b"x").unwrap();
    assert!(syslog.is_refused());
}

#[test]
fn a_stream_counts_its_octets_and_comes_back() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    let mut syslog = Syslog::new(Route::Tcp(address));
    let read = |server: &TcpListener, most: usize| {
        let (stream, _) = server.accept().unwrap();
        let mut bytes = Vec::new();
        BufReader::new(stream).take(u64::try_from(most).unwrap()).read_to_end(&mut bytes).unwrap();
        bytes
    };
    syslog.send("é".as_bytes()).unwrap();
    // The connection ends when the bytes were read; the next message makes a new one.
    assert_eq!(read(&server, 4), "2 é".as_bytes());
    syslog.send(b"next").unwrap();
    assert_eq!(read(&server, 6), b"4 next");
    drop(server);
    let failed = syslog.send(b"gone").unwrap_err();
    assert_eq!(failed.again, Again::Later(None), "{failed}");
}

#[test]
fn a_stream_inside_tls_does_the_same() {
    let Some(papers) = crate::tls::tests::Papers::new("a_stream_inside_tls_does_the_same") else { return };
    let (told, heard) = std::sync::mpsc::channel();
    let address = papers.serve(move |mut stream| {
        let mut room = [0; 6];
        if stream.read_exact(&mut room).is_ok() {
            let _ = told.send(room);
        }
    });
    let mut syslog = Syslog::new(Route::Tls(address.to_string(), papers.trust()));
    syslog.send(b"word").unwrap();
    assert_eq!(heard.recv().unwrap(), *b"4 word");
    let mut stranger = Syslog::new(Route::Tls(address.to_string(), crate::tls::Trust::default()));
    assert!(stranger.send(b"word").unwrap_err().why.contains("no authority that is trusted here"));
}

#[test]
fn a_reader_that_does_not_read_holds_us_no_longer_than_said() {
    let folder = Folder::new();
    let path = folder.path("log");
    let server = UnixDatagram::bind(&path).unwrap();
    let mut syslog = Syslog::new(Route::Local(path));
    let begun = Instant::now();
    let failed = std::iter::repeat_with(|| syslog.send(&[b'x'; 1024])).find_map(Result::err).unwrap();
    assert!(matches!(failed.again, Again::Later(_)));
    assert!(begun.elapsed() < Duration::from_secs(20));
    drop(server);
}

#[test]
fn the_journal_gets_small_entries_and_big_ones() {
    use std::io::IoSliceMut;
    use std::mem::MaybeUninit;

    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    let folder = Folder::new();
    let path = folder.path("socket");
    let server = UnixDatagram::bind(&path).unwrap();
    let mut journal = Journal::new(Some(&path));
    journal.send(b"MESSAGE=small\n").unwrap();
    let mut room = [0; 64];
    assert_eq!(server.recv(&mut room).unwrap(), 14);
    let mut big = b"MESSAGE=".to_vec();
    big.resize(1 << 20, b'x');
    journal.send(&big).unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        recvmsg(&server, &mut [IoSliceMut::new(&mut room)], &mut control, RecvFlags::empty()).unwrap();
    assert_eq!(received.bytes, 0);
    let mut files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let mut file = fs::File::from(files.next().unwrap().next().unwrap());
    // It stands at its end; the journal maps it.
    std::io::Seek::rewind(&mut file).unwrap();
    let mut read = Vec::new();
    file.read_to_end(&mut read).unwrap();
    assert!(read == big);
    assert!(file.write_all(b"x").is_err());
    drop(server);
    assert!(journal.send(b"MESSAGE=gone\n").is_err());
}
