//! One look, judged by everything that people wrote down here.

use std::collections::HashMap;
use std::path::PathBuf;

use engine::Grounds;
use host::{Look, Looker};
use model::{Snapshot, Transport};
use registry::Paper;
use store::RefusalKind;
use verdict::{Baseline, Policy, Used, baseline, policy};

use crate::args::JudgeArgs;
use crate::files::{self, Places};
use crate::memory::Memory;
use crate::output::Progress;

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
    Grounds {
        paper,
        policy,
        baseline,
        used: Used::default(),
        past: HashMap::new(),
        sessions: Vec::new(),
        wrong,
    }
}

/// Asks what this machine remembers: of all port numbers, and everything of these. The file is open for no longer
/// than that: the service may want it. No history is no fault, unless one was named.
pub(crate) fn remember(
    grounds: &mut Grounds,
    places: &Places,
    args: &JudgeArgs,
    ports: &[(u16, Option<Transport>)],
) {
    let named = args.memory.history.as_deref();
    let memory = match Memory::find(places, named) {
        Ok(memory) => memory,
        Err(refusal) if refusal.kind == RefusalKind::Absent && named.is_none() => return,
        Err(refusal) => {
            grounds.past = ports.iter().map(|port| (*port, Err(refusal.text.clone()))).collect();
            if named.is_some() {
                grounds.wrong.push(refusal.text);
            }
            return;
        }
    };
    grounds.used = memory.used().unwrap_or_default();
    let past = |port: &(u16, Option<Transport>)| {
        (*port, memory.port(port.1, port.0, 0).map_err(|refusal| refusal.text))
    };
    grounds.past = ports.iter().map(past).collect();
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
