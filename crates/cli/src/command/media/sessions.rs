//! What was agreed, from what was typed.

use engine::MediaSettings;
use media::monitor::Config;
use media::sdp;
use model::media::{Profile, Session, SessionSource};

use crate::args::{ProfileName, SessionArgs};
use crate::command::Stop;
use crate::{files, output};

/// How media is looked at. What cannot be read stops us: a stream would be found that was agreed.
pub(in crate::command) fn settings(args: &SessionArgs) -> Result<MediaSettings, Stop> {
    let mut sessions = Vec::new();
    for path in &args.sdp {
        sessions.extend(described(path)?);
    }
    let profile = match args.profile {
        ProfileName::Standard => Profile::Standard,
        ProfileName::List => Profile::List,
        ProfileName::JtNm2020 => Profile::JtNm2020,
        ProfileName::JtNm2022 => Profile::JtNm2022,
        ProfileName::Cbc => Profile::Cbc,
    };
    Ok(MediaSettings { sessions, monitor: Config { profile, ..Config::default() } })
}

/// The sessions of one description.
pub(in crate::command) fn described(path: &std::path::Path) -> Result<Vec<Session>, Stop> {
    let text = files::read_named(path).map_err(Stop::Failed)?;
    let (document, faults) = sdp::parse(text.as_bytes());
    let source = SessionSource::File(path.display().to_string());
    let (sessions, more) = sdp::sessions(&document, &source);
    for fault in faults.iter().chain(&more) {
        output::complain(&format!("{}: line {}: {}", path.display(), fault.at, fault.what));
    }
    if sessions.is_empty() {
        return Err(Stop::Failed(format!(
            "{}: no session is described there that could be read; portreeve media sdp lint says why",
            path.display()
        )));
    }
    Ok(sessions)
}
