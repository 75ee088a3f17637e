//! `portreeve policy`: whether the files are right, and which ones count.

use super::{Status, Stop};
use crate::args::PolicyCommand;
use crate::files::Places;
use crate::{look, output, sanitise};

pub(super) fn run(command: &PolicyCommand, places: &Places) -> Status {
    match command {
        PolicyCommand::Check { files } => {
            let (texts, unread) = look::policy_texts(places, files);
            let (policy, wrong) = look::policies(places, files);
            debug_assert!(wrong.len() >= unread.len(), "each file that cannot be read is reported");
            if !wrong.is_empty() {
                return Err(Stop::Failed(wrong.join("\n")));
            }
            let entries = policy.entries().len();
            let files = texts.len();
            if files == 0 {
                output::complain("there is no policy file; the first would be /etc/portreeve/policy.toml");
            } else {
                output::complain(&format!("{files} policy files with {entries} entries are right"));
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
            if wrong.is_empty() { Ok(0) } else { Err(Stop::Failed(wrong.join("\n"))) }
        }
    }
}
