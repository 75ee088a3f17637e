//! `portreeve policy`: whether the files are right, and which ones count.

use super::{Status, Stop};
use crate::args::PolicyCommand;
use crate::files::Places;
use crate::{look, output, sanitise, text};

const NONE: &str = "there is no policy file; the first would be /etc/portreeve/policy.toml";

pub(super) fn run(command: &PolicyCommand, places: &Places) -> Status {
    match command {
        PolicyCommand::Check { files } => {
            let (texts, unread) = look::policy_texts(places, files);
            let files = texts.len();
            let (policy, wrong) = look::parsed(texts, unread);
            if !wrong.is_empty() {
                return Err(Stop::Failed(wrong.join("\n")));
            }
            let entries = policy.entries().len();
            if files == 0 {
                output::complain(NONE);
            } else {
                let files = text::plural(files, "policy file", "policy files");
                let entries = text::plural(entries, "entry", "entries");
                output::complain(&format!("nothing is wrong: {files}, {entries}"));
            }
            Ok(0)
        }
        PolicyCommand::Show { files } => {
            let (texts, wrong) = look::policy_texts(places, files);
            let mut out = String::new();
            for (path, text) in &texts {
                out.push_str(&format!("# {}\n", sanitise::line(&path.display().to_string())));
                for line in text.lines() {
                    out.push_str(&sanitise::line(line));
                    out.push('\n');
                }
                out.push('\n');
            }
            output::write(out.as_bytes())?;
            if texts.is_empty() && wrong.is_empty() {
                output::complain(NONE);
            }
            if wrong.is_empty() { Ok(0) } else { Err(Stop::Failed(wrong.join("\n"))) }
        }
    }
}
