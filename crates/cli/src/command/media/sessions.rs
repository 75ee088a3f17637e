//! What was agreed, from what was typed.

use std::path::Path;
use std::time::Duration;

use engine::nmos::Following;
use engine::{Grounds, MediaSettings};
use host::client::Limits;
use media::monitor::Config;
use media::sdp;
use model::media::{Profile, Session, SessionSource};
use model::{Area, Gap, Reason};
use verdict::Policy;

use crate::args::{AgreedArgs, ProfileName, SessionArgs};
use crate::command::Stop;
use crate::{files, output, sanitise};

/// How media is looked at. What cannot be read stops us: a stream would be found that was agreed.
pub(in crate::command) fn settings(args: &SessionArgs, policy: &Policy) -> Result<MediaSettings, Stop> {
    settings_of(args, &args.agreed, policy)
}

/// As [`settings`], for what goes on: registries are followed from then on, and not waited for.
pub(in crate::command) fn settings_followed(
    args: &SessionArgs,
    policy: &Policy,
) -> Result<MediaSettings, Stop> {
    settings_of(args, &at_once(&args.agreed), policy)
}

/// What is agreed, without what registries tell later.
pub(in crate::command) fn at_once(args: &AgreedArgs) -> AgreedArgs {
    AgreedArgs { nmos: Vec::new(), ..args.clone() }
}

/// Begins to follow NMOS APIs.
pub(in crate::command) fn follow(addresses: &[String]) -> Result<Vec<Following>, Stop> {
    let follow = |address: &String| {
        engine::nmos::follow(address, Limits::default()).ok_or_else(|| no_address(address))
    };
    addresses.iter().map(follow).collect()
}

fn no_address(address: &str) -> Stop {
    let address = public(address);
    let name = sanitise::line(&address);
    Stop::Usage(format!("--nmos: {name} is no address of the form http://host[:port] or https://host[:port]"))
}

fn settings_of(args: &SessionArgs, agreed: &AgreedArgs, policy: &Policy) -> Result<MediaSettings, Stop> {
    let mut sessions = Vec::new();
    for written in written(policy) {
        sessions.extend(written?);
    }
    let (told, wrong) = named(agreed)?;
    sessions.extend(told);
    let gap = |what: String| Gap { area: Area::Configuration, reason: Reason::Damaged, what, count: None };
    let gaps = wrong.into_iter().map(gap).collect();
    let profile = match args.profile {
        ProfileName::Standard => Profile::Standard,
        ProfileName::List => Profile::List,
        ProfileName::JtNm2020 => Profile::JtNm2020,
        ProfileName::JtNm2022 => Profile::JtNm2022,
        ProfileName::Cbc => Profile::Cbc,
    };
    Ok(MediaSettings { sessions, monitor: Config { profile, ..Config::default() }, gaps })
}

/// Adds what was agreed to what a look is judged by. A description that only policy names and that cannot be read is
/// a fault of the policy: the machine is looked at all the same.
pub(in crate::command) fn agree(grounds: &mut Grounds, args: &AgreedArgs) -> Result<(), Stop> {
    for written in written(&grounds.policy) {
        match written {
            Ok(sessions) => grounds.sessions.extend(sessions),
            Err(Stop::Failed(error)) => grounds.wrong.push(error),
            Err(stop) => return Err(stop),
        }
    }
    let (told, wrong) = named(args)?;
    grounds.sessions.extend(told);
    grounds.wrong.extend(wrong);
    Ok(())
}

/// The sessions of the command line, and what of them could not be read.
fn named(args: &AgreedArgs) -> Result<(Vec<Session>, Vec<String>), Stop> {
    let mut sessions = Vec::new();
    let mut wrong = Vec::new();
    for path in &args.sdp {
        sessions.extend(described(path, &SessionSource::File(path.display().to_string()))?);
    }
    for url in &args.nmos {
        let (told, missing) = registered(url)?;
        sessions.extend(told);
        wrong.extend(missing);
    }
    for url in &args.rtsp {
        let answer = engine::rtsp::describe(url, None, Limits::default()).map_err(|trouble| {
            let said = format!("{}: {trouble}", sanitise::line(&public(url)));
            match trouble {
                engine::rtsp::Trouble::Address => Stop::Usage(format!("--rtsp: {said}")),
                _ => Stop::Failed(said),
            }
        })?;
        sessions.extend(answer.sessions);
    }
    Ok((sessions, wrong))
}

/// An address without the name and the password that may stand in it: what is said of it ends in logs.
fn public(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let who = rest.get(..end).and_then(|authority| authority.rfind('@')).map_or(0, |at| at + 1);
    format!("{scheme}://{}", rest.get(who..).unwrap_or_default())
}

/// The sessions that people wrote down in the policy, as far as they still apply.
fn written(policy: &Policy) -> Vec<Result<Vec<Session>, Stop>> {
    let applying = policy.sessions().iter().filter(|entry| entry.applies(engine::today()));
    let read = applying.map(|entry| {
        if let Some(path) = &entry.sdp {
            return described(Path::new(path), &entry.source());
        }
        let format = entry.format.as_ref();
        let format =
            format.and_then(|(number, encoding)| sdp::format::written(*number, encoding, &entry.parameters));
        Ok(entry.session(format).into_iter().collect())
    });
    read.collect()
}

/// What an NMOS API has, and what is missing of it. What it did not tell is said, and what it told counts.
fn registered(url: &str) -> Result<(Vec<Session>, Option<String>), Stop> {
    let address = public(url);
    let name = sanitise::line(&address);
    let fetched = engine::nmos::fetch_once(url, Limits::default(), WITHIN).ok_or_else(|| no_address(url))?;
    let mut troubles: Vec<String> = Vec::new();
    for trouble in &fetched.troubles.0 {
        let said = format!("{}: {}", sanitise::line(&public(&trouble.url)), sanitise::line(&trouble.what));
        // Each thing that was asked for in vain has the same trouble where nobody answers.
        if troubles.len() < 5 && !troubles.contains(&said) {
            output::complain(&said);
            troubles.push(said);
        }
    }
    if !fetched.whole && fetched.sessions.is_empty() {
        return Err(Stop::Failed(format!("{name}: no session could be read there")));
    }
    let missing =
        (!fetched.whole).then(|| format!("some of the sessions of {name}: it did not tell everything"));
    Ok((fetched.sessions, missing))
}

/// So long a registry may take to tell everything.
const WITHIN: Duration = Duration::from_secs(30);

/// The sessions of one description.
pub(in crate::command) fn described(path: &Path, source: &SessionSource) -> Result<Vec<Session>, Stop> {
    let text = files::read_input(path, files::TEXT_LIMIT).map_err(Stop::Failed)?;
    let (document, faults) = sdp::parse(&text);
    let (sessions, more) = sdp::sessions(&document, source);
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
