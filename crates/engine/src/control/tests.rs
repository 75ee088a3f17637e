//! Asking and answering, and what becomes of those who do neither well.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use host::local::LocalStream;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Echo(String),
    Change,
    Break,
    Who,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Said(String),
    You(u32, Option<u32>),
}

struct Stage {
    folder: PathBuf,
    server: Option<Server>,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let folder = std::env::temp_dir().join(format!("portreeve-control-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let handler = Arc::new(|request, peer: Peer| match request {
            Request::Echo(word) => Ok(Reply::Said(word)),
            Request::Change => Err(Refusal::NotAllowed("only root may".into())),
            Request::Break => panic!("on purpose"),
            Request::Who => Ok(Reply::You(peer.uid, peer.pid)),
        });
        let server = Server::begin(&folder.join("control.sock"), Access::Owner, handler);
        Stage { server: server.ok(), folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("control.sock")
    }

    fn client(&self) -> Client {
        Client::connect(&self.path()).unwrap()
    }

    /// Whether there are such sockets here at all.
    fn is_there(&self, test: &str) -> bool {
        if self.server.is_none() {
            eprintln!("SKIPPED: {test}: no socket with a path here");
        }
        self.server.is_some()
    }

    fn counts(&self) -> ControlCounts {
        self.server.as_ref().unwrap().counts()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server = None;
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn each_request_has_its_reply_and_each_refusal_its_cause() {
    let stage = Stage::new("reply");
    if !stage.is_there("reply") {
        return;
    }
    let mut client = stage.client();
    for word in ["", "one", "zwei\n\u{1f6a2}\0"] {
        assert_eq!(client.ask::<_, Reply>(&Request::Echo(word.into())).unwrap(), Reply::Said(word.into()));
    }
    let Reply::You(_, pid) = client.ask(&Request::Who).unwrap() else { panic!() };
    if cfg!(target_os = "linux") {
        assert_eq!(pid, Some(std::process::id()));
    }
    let error = client.ask::<_, Reply>(&Request::Change).unwrap_err();
    assert!(
        matches!(&error, ControlError::NotAllowed(why) if why == "not allowed: only root may"),
        "{error}"
    );
    let error = client.ask::<_, Reply>(&Request::Break).unwrap_err();
    assert!(matches!(error, ControlError::Refused(Refusal::Failed(_))), "{error}");
    let error = client.ask::<_, Reply>(&"dance").unwrap_err();
    assert!(matches!(error, ControlError::Refused(Refusal::NotUnderstood(_))), "{error}");
    // What it cannot read does not end the connection either.
    assert!(client.ask::<_, Reply>(&Request::Echo("still".into())).is_ok());
    let counts = stage.counts();
    assert_eq!((counts.connections, counts.replies, counts.refused, counts.broken), (1, 5, 3, 1));
}

#[test]
fn a_line_has_a_limit_and_a_stranger_is_told() {
    let stage = Stage::new("limit");
    if !stage.is_there("limit") {
        return;
    }
    let mut client = stage.client();
    let error = client.ask::<_, Reply>(&Request::Echo("x".repeat(1 << 20))).unwrap_err();
    assert!(error.to_string().contains("65536"), "{error}");
    let mut stream = LocalStream::connect(&stage.path(), Duration::from_secs(10)).unwrap();
    let mut said = String::new();
    stream.write_all(b"\n{\n{\"form\":2,\"ask\":{\"tomorrow\":1}}\n{\"form\":1,\"ask\":\"who\",").unwrap();
    // One by one, for the last has no end.
    let mut byte = [0];
    while said.matches('\n').count() < 3 {
        stream.read_exact(&mut byte).unwrap();
        said.push(char::from(byte[0]));
    }
    assert_eq!(said.matches("not_understood").count(), 2, "{said}");
    assert!(said.contains(r#"{"refused":{"cause":"form","says":1}}"#), "{said}");
}

#[test]
fn no_user_takes_all_places_and_who_is_sent_away_knows_why() {
    let stage = Stage::new("places");
    if !stage.is_there("places") {
        return;
    }
    let mut clients = Vec::new();
    let refused = loop {
        let mut client = stage.client();
        match client.ask::<_, Reply>(&Request::Who) {
            Ok(_) => clients.push(client),
            Err(error) => break error,
        }
        assert!(clients.len() <= 64, "there is no bound");
    };
    assert!(matches!(refused, ControlError::Refused(Refusal::Busy)), "{refused}");
    assert!(clients.len() == 8 || clients.len() == 64, "{}", clients.len());
    assert_eq!(stage.counts().busy, 1);
    // Places come free again.
    clients.clear();
    let again = std::iter::repeat_with(|| stage.client().ask::<_, Reply>(&Request::Who)).take(100_000);
    assert!(again.into_iter().any(|answer| answer.is_ok()));
}

#[test]
fn at_the_end_nobody_is_waited_for() {
    let mut stage = Stage::new("end");
    if !stage.is_there("end") {
        return;
    }
    let mut client = stage.client();
    client.ask::<_, Reply>(&Request::Who).unwrap();
    let (tell, told) = mpsc::channel();
    let server = stage.server.take();
    // The connection is open and says nothing; far sooner than its silence may last, the server is gone.
    std::thread::spawn(move || {
        drop(server);
        let _ = tell.send(());
    });
    told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(matches!(client.ask::<_, Reply>(&Request::Who), Err(ControlError::Broken(_))));
    assert!(matches!(Client::connect(&stage.path()), Err(ControlError::NotRunning(_))));
}

#[test]
fn who_does_not_answer_is_told_apart_from_who_is_not_there() {
    let folder = std::env::temp_dir().join(format!("portreeve-control-mute-{}", std::process::id()));
    let path = folder.join("control.sock");
    let Ok(listener) = host::local::LocalListener::begin(&path, Access::Owner) else {
        return eprintln!("SKIPPED: no socket with a path here");
    };
    let client = Client::connect(&path).unwrap();
    let error = client.with_patience(Duration::from_millis(20)).ask::<_, Reply>(&Request::Who).unwrap_err();
    assert!(matches!(error, ControlError::NoAnswer(_)), "{error}");
    drop(listener);
    let error = Client::connect(&path).err().unwrap();
    assert!(matches!(&error, ControlError::NotRunning(place) if *place == path), "{error}");
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn foreign_lines_never_break_the_server() {
    let stage = Stage::new("random");
    if !stage.is_there("random") {
        return;
    }
    let whole = br#"{"form":1,"ask":{"echo":"abc"}}"#;
    let mut seed = 0x9e37_79b9_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 65_521).unwrap() % below
    };
    for _ in 0..300 {
        let mut bytes = whole.to_vec();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            bytes[at] = b"\"{}[]:,\n\0\xff1a"[next(12)];
        }
        bytes.truncate(next(bytes.len() + 1));
        let mut stream = LocalStream::connect(&stage.path(), Duration::from_secs(10)).unwrap();
        let _ = stream.write_all(&bytes);
    }
    let mut last = None;
    let answered = (0..100_000).any(|_| {
        last = Some(stage.client().ask::<_, Reply>(&Request::Echo("well".into())));
        matches!(last, Some(Ok(_)))
    });
    assert!(answered, "{last:?}");
    assert_eq!(stage.counts().broken, 0);
}
