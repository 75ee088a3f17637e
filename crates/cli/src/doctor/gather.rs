//! Looking: the one place where the facts come from.

use std::path::{Path, PathBuf};

use engine::control::{Client, ControlError};
use engine::settings::Settings;
use host::events::{EventRequest, Events};
use host::means::{Means, free_bytes};
use host::{Look, Looker};
use model::Reason;
use registry::Paper;
use verdict::baseline;

use super::{Facts, FileFacts, HistoryFacts, ServiceFacts, TableFacts};
use crate::files::Places;
use crate::{look, settings};

/// Where a unit file may be installed, the one that counts first.
const UNITS: [&str; 3] = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];

impl Facts {
    /// Looks at the machine, at our files, and for a service of ours.
    pub(crate) fn gather(places: &Places, named_settings: Option<&Path>) -> Facts {
        let snapshot = Looker::new().snapshot(&Look::default());
        let unheld = snapshot.sockets.iter().filter(|socket| missing(socket.holders_missing)).count();
        let (set, settings) = settings_facts(places, named_settings);
        Facts {
            means: Means::look(),
            gaps: snapshot.gaps,
            sockets: (snapshot.sockets.len(), unheld),
            // What is loaded for it goes at the end of this line: only whether it works is asked.
            events: Events::open(&EventRequest::default()).sources().to_vec(),
            interfaces: host::interfaces()
                .map(|all| all.into_iter().filter(|it| it.up).map(|it| it.name).collect())
                .map_err(|reason| reason.words().to_owned()),
            table: table(places),
            policy: policy(places),
            baseline: baseline_facts(places),
            settings,
            wanted_bytes: set.watch.memory.0 + set.watch.ring.0 + set.watch.event_ring.0,
            history: Some(history(&set.history.folder)),
            service: service(&set),
            unit: UNITS
                .iter()
                .map(|folder| Path::new(folder).join("portreeve.service"))
                .find(|it| it.exists()),
            today: engine::today(),
        }
    }
}

/// Whether a holder is missing that somebody with more rights would see.
fn missing(reason: Option<Reason>) -> bool {
    matches!(reason, Some(Reason::NoPermission | Reason::OtherPidNamespace | Reason::Unknown))
}

fn table(places: &Places) -> TableFacts {
    let (paper, fault) = match look::paper(places) {
        Ok(paper) => (paper, None),
        Err(fault) => (Paper::builtin(), Some(fault)),
    };
    let source = paper.source();
    TableFacts { date: source.date.to_owned(), imported: source.imported, fault }
}

fn policy(places: &Places) -> FileFacts {
    let (texts, unread) = look::policy_texts(places, &[]);
    let files = texts.iter().map(|(path, _)| path.clone()).collect();
    FileFacts { files, faults: look::parsed(texts, unread).1 }
}

fn baseline_facts(places: &Places) -> FileFacts {
    match places.baseline() {
        Ok(None) => FileFacts::default(),
        Ok(Some((path, text))) => {
            let fault = baseline::parse(&path.display().to_string(), &text).err();
            FileFacts {
                files: vec![path],
                faults: fault.into_iter().map(|fault| fault.to_string()).collect(),
            }
        }
        Err(fault) => FileFacts { files: Vec::new(), faults: vec![fault] },
    }
}

fn settings_facts(places: &Places, named: Option<&Path>) -> (Settings, FileFacts) {
    match settings::load(places, named) {
        Ok(found) => (found.settings, FileFacts { files: found.files, faults: Vec::new() }),
        Err(fault) => (Settings::default(), FileFacts { files: Vec::new(), faults: vec![fault] }),
    }
}

fn history(folder: &Path) -> HistoryFacts {
    HistoryFacts {
        folder: folder.to_owned(),
        exists: folder.is_dir(),
        free: free_bytes(folder).map_err(|error| error.to_string()),
    }
}

fn service(set: &Settings) -> ServiceFacts {
    let found = match &set.serve.socket {
        Some(path) => Client::connect(path),
        None => Client::find(),
    };
    match found {
        Ok(client) => ServiceFacts::Runs(PathBuf::from(client.path())),
        Err(ControlError::NotRunning(_)) => ServiceFacts::Not,
        Err(error) => ServiceFacts::Unreachable(error.to_string()),
    }
}
