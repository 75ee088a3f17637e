//! Policies that somebody proposed: kept beside the history, where no policy counts, until an administrator takes them.

use std::fs;
use std::path::{Path, PathBuf};

use api::{Proposal, Proposed, Refusal};
use store::Moment;

use crate::files::{Places, write_atomically};
use crate::sanitise;

/// So many wait at most: whoever may propose cannot fill the disk.
const MOST: usize = 50;
/// Bytes that one may have; no more is read of any.
const MOST_BYTES: u64 = 512 * 1024;

const BY: &str = "# proposed by: ";
const AT: &str = "# at: ";
const WHY: &str = "# because: ";
const INSTEAD: &str = "# instead of: ";
/// The line after which the policy stands as it was sent.
const BEGIN: &str = "# it does not count here";

/// Where they wait.
#[derive(Debug, Clone)]
pub(super) struct Proposals(pub(super) PathBuf);

impl Proposals {
    /// Those that wait, the newest first.
    pub(super) fn all(&self, places: &Places) -> Vec<Proposal> {
        let mut paths = self.paths();
        paths.sort_unstable_by(|one, other| other.cmp(one));
        paths.iter().take(MOST).filter_map(|path| Some(told(places, path, read(path)?))).collect()
    }

    /// Keeps one more.
    pub(super) fn keep(&self, places: &Places, proposed: Proposed) -> Result<Proposal, Refusal> {
        if self.paths().len() >= MOST {
            let folder = self.0.display();
            return Err(Refusal::Wrong(format!(
                "{MOST} proposals wait already: an administrator takes some over, or removes them from {folder}"
            )));
        }
        // Nanoseconds as ten by nine digits: the names are in the order of time.
        let path = self.0.join(format!("proposal-{:019}.toml", proposed.at.as_ns().max(0)));
        if path.exists() {
            return Err(Refusal::Failed(String::from("another was proposed at the same time: try again")));
        }
        write_atomically(&path, written(&proposed).as_bytes()).map_err(Refusal::Failed)?;
        Ok(told(places, &path, proposed))
    }

    fn paths(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let ours = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("proposal-") && name.ends_with(".toml")
        };
        entries.map(|entry| entry.path()).filter(ours).collect()
    }
}

fn told(places: &Places, path: &Path, proposed: Proposed) -> Proposal {
    let more = places.policy_home().join(path.file_name().unwrap_or_default());
    let to = proposed.replaces.clone().unwrap_or_else(|| more.display().to_string());
    let file = path.display().to_string();
    let (from, to) = (quoted(&file), quoted(&to));
    let command = format!(
        "portreeve policy check {from} && sudo install -D -m 0644 {from} {to} && sudo portreeve serve --reload && sudo rm {from}"
    );
    Proposal { proposed, file, command }
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn written(proposed: &Proposed) -> String {
    let line = |text: &str| sanitise::line(text).into_owned();
    let mut out =
        format!("{BY}{}\n{AT}{}\n{WHY}{}\n", line(&proposed.by), Moment(proposed.at), line(&proposed.reason));
    if let Some(file) = &proposed.replaces {
        out.push_str(&format!("{INSTEAD}{}\n", line(file)));
    }
    out.push_str(BEGIN);
    out.push('\n');
    out.push_str(&proposed.text);
    out
}

fn read(path: &Path) -> Option<Proposed> {
    if fs::metadata(path).ok()?.len() > MOST_BYTES {
        return None;
    }
    parsed(&fs::read_to_string(path).ok()?)
}

fn parsed(text: &str) -> Option<Proposed> {
    let (head, policy) = text.split_once(&format!("{BEGIN}\n"))?;
    let of = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Some(Proposed {
        at: Moment::parse(&of(AT)?)?.0,
        by: of(BY)?,
        reason: of(WHY)?,
        replaces: of(INSTEAD),
        text: policy.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    fn proposed(reason: &str, at: i64) -> Proposed {
        Proposed {
            at: Timestamp::from_ns(at),
            by: String::from("token ops"),
            reason: reason.to_owned(),
            replaces: Some(String::from("/etc/portreeve/policy.toml")),
            text: String::from("[[allow]]\nport = 420\nreason = \"ours\"\n"),
        }
    }

    #[test]
    fn what_is_proposed_waits_and_no_reason_becomes_policy() {
        let folder = tempfile::tempdir().unwrap();
        let proposals = Proposals(folder.path().join("proposals"));
        let places = Places::find();
        assert!(proposals.all(&places).is_empty());
        let evil = "x\n[[allow]]\nport = 1\n# it does not count here\n";
        proposals.keep(&places, proposed("because", 1)).unwrap();
        let kept = proposals.keep(&places, proposed(evil, 2)).unwrap();
        let all = proposals.all(&places);
        assert_eq!(all.iter().map(|it| it.proposed.at.as_ns()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(all[1].proposed, proposed("because", 1));
        assert_eq!(all[0].proposed.text, kept.proposed.text);
        let text = fs::read_to_string(&kept.file).unwrap();
        let policy = engine::verdict::policy::parse("kept", &text).unwrap();
        assert_eq!(policy.entries().len(), 1, "{text}");
        assert!(kept.command.contains(" /etc/portreeve/policy.toml "), "{}", kept.command);
        assert!(proposals.keep(&places, proposed("again", 2)).is_err());
        (3..)
            .map(|at| proposals.keep(&places, proposed("more", at)))
            .take(MOST - 2)
            .for_each(|it| drop(it.unwrap()));
        assert!(matches!(proposals.keep(&places, proposed("more", 1000)), Err(Refusal::Wrong(_))));
    }

    #[test]
    fn a_name_is_one_word_for_a_shell() {
        assert_eq!(quoted("/etc/portreeve/policy.d/50-a.toml"), "/etc/portreeve/policy.d/50-a.toml");
        assert_eq!(quoted("a b'; rm x"), "'a b'\\''; rm x'");
        assert_eq!(quoted(""), "''");
    }
}
