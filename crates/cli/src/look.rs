//! One look, judged by everything that people wrote down here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::View;
use host::{Look, Looker};
use model::media::{Agreement, Session};
use model::{Area, Gap, Kind, Reason, Scope, Snapshot, Socket};
use registry::Paper;
use verdict::{Baseline, Policy, baseline, policy};

use crate::args::JudgeArgs;
use crate::files::{self, Places};
use crate::output::Progress;

/// What a look is judged by.
pub(crate) struct Grounds {
    pub(crate) paper: Paper,
    pub(crate) policy: Policy,
    pub(crate) baseline: Option<Baseline>,
    /// What was agreed for ports.
    pub(crate) sessions: Vec<Session>,
    /// What should have counted and could not be read.
    pub(crate) wrong: Vec<String>,
}

impl Grounds {
    /// Reads registry, policy and baseline.
    pub(crate) fn gather(places: &Places, args: &JudgeArgs) -> Grounds {
        let mut wrong = Vec::new();
        let paper = paper(places).unwrap_or_else(|error| {
            wrong.push(error);
            Paper::builtin()
        });
        let (policy, more) = policies(places, &args.policy.policy);
        wrong.extend(more);
        let baseline = if args.no_baseline {
            None
        } else {
            match read_baseline(places, args.baseline.as_ref()) {
                Ok(found) => found.map(|(_, baseline)| baseline),
                Err(error) => {
                    wrong.push(error);
                    None
                }
            }
        };
        Grounds { paper, policy, baseline, sessions: Vec::new(), wrong }
    }

    /// Judges a look. What could not be read of ours is a gap like any other.
    pub(crate) fn judge(&self, mut snapshot: Snapshot) -> View {
        for error in &self.wrong {
            // As the operating system words it (EACCES).
            let denied = error.contains("(os error 13)");
            snapshot.gaps.push(Gap {
                area: Area::Configuration,
                reason: if denied { Reason::NoPermission } else { Reason::Damaged },
                what: error.clone(),
                count: Some(1),
            });
        }
        let agreed = self.agreement(&mut snapshot);
        let baseline = self.baseline.as_ref();
        View::new(Arc::new(snapshot), self.paper.clone(), &self.policy, baseline, agreed, today())
    }

    /// Asks who joined which group where that can say something: of a machine that knows of no session and has no
    /// socket that could be a medium's, nothing.
    fn agreement(&self, snapshot: &mut Snapshot) -> Agreement {
        let known = !self.sessions.is_empty();
        if !known && !snapshot.sockets.iter().any(may_have_joined) {
            return Agreement::default();
        }
        let memberships = host::memberships();
        // Where nobody told of sessions, nobody asked for groups: what is not seen of them takes nothing from the look.
        // And which namespaces it could not enter, the look itself says.
        let matter = |gap: &Gap| known && gap.area != Area::Namespaces;
        snapshot.gaps.extend(memberships.gaps.into_iter().filter(matter));
        Agreement::of(self.sessions.clone(), memberships.joined, &snapshot.sockets)
    }
}

/// Whether a socket may have joined a group of somebody's: not one of discovery, nor one that the kernel chose a
/// port for.
fn may_have_joined(socket: &Socket) -> bool {
    /// SSDP, WS-Discovery, mDNS, LLMNR; those of DHCPv6 and clocks are system ports.
    const DISCOVERY: [u16; 4] = [1900, 3702, 5353, 5355];
    let port = socket.local.port();
    socket.kind == Kind::Udp
        && socket.is_listener()
        && socket.scope != Scope::Loopback
        && matches!(port, 1024..=32_767 | 61_000..)
        && !DISCOVERY.contains(&port)
}

/// Looks once; says that it goes on where that may take long.
pub(crate) fn snapshot(looker: &mut Looker, look: &Look) -> Snapshot {
    let long = match (&look.probe, look.sha256) {
        (Some(_), _) => Some("trying ports"),
        (None, true) => Some("reading executables"),
        (None, false) => None,
    };
    let progress = Progress::begin(long);
    let snapshot = looker.snapshot(look);
    drop(progress);
    snapshot
}

/// The registry that counts.
pub(crate) fn paper(places: &Places) -> Result<Paper, String> {
    match places.table()? {
        None => Ok(Paper::builtin()),
        Some((path, table)) => Paper::from_table(table).map_err(|fault| {
            format!(
                "{}: {fault}; the built-in registry is used (portreeve registry reset removes the file)",
                path.display()
            )
        }),
    }
}

/// The policy that counts, and what is wrong with it.
pub(crate) fn policies(places: &Places, named: &[PathBuf]) -> (Policy, Vec<String>) {
    let (texts, wrong) = policy_texts(places, named);
    parsed(texts, wrong)
}

/// What policy files say, and what is wrong with them besides what is known to be.
pub(crate) fn parsed(texts: Vec<(PathBuf, String)>, mut wrong: Vec<String>) -> (Policy, Vec<String>) {
    let mut parsed = Vec::new();
    for (path, text) in texts {
        match policy::parse(&path.display().to_string(), &text) {
            Ok(policy) => parsed.push(policy),
            Err(fault) => wrong.push(fault.to_string()),
        }
    }
    (Policy::merge(parsed), wrong)
}

/// The texts of the policy files that count.
pub(crate) fn policy_texts(places: &Places, named: &[PathBuf]) -> (Vec<(PathBuf, String)>, Vec<String>) {
    if named.is_empty() {
        return places.policies();
    }
    let (mut texts, mut wrong) = (Vec::new(), Vec::new());
    for path in named {
        match files::read_named(path) {
            Ok(text) => texts.push((path.clone(), text)),
            Err(error) => wrong.push(error),
        }
    }
    (texts, wrong)
}

/// The baseline that counts.
pub(crate) fn read_baseline(
    places: &Places,
    named: Option<&PathBuf>,
) -> Result<Option<(PathBuf, Baseline)>, String> {
    let found = match named {
        Some(path) => Some((path.clone(), files::read_named(path)?)),
        None => places.baseline()?,
    };
    found
        .map(|(path, text)| {
            let baseline =
                baseline::parse(&path.display().to_string(), &text).map_err(|fault| fault.to_string())?;
            Ok((path, baseline))
        })
        .transpose()
}

/// Days since 1970-01-01 in UTC.
pub(crate) fn today() -> i64 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds / 86_400).unwrap_or_default()
}
