//! `portreeve media receive`: a stream into files, until there is enough, the time is over, or somebody says stop.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::receiving::{
    self, Ancillary, Codestreams, Pictures, Receiving, ReceivingWatch, Recording, Sink, Sound, Still,
};
use host::receive::ReceiveRequest;
use model::media::{Essence, Format, ReceivingFacts, Session, Sources};

use crate::args::receiving::ReceiveArgs;
use crate::command::{Status, Stop, until, write_json};
use crate::document::ReceivingDocument;
use crate::{output, text};

pub(super) fn run(args: &ReceiveArgs) -> Status {
    let session = args.sdp.as_deref().map(|path| session(path, args.stream)).transpose()?;
    let format = session.as_ref().and_then(|session| session.formats.first());
    let legs = legs(args, session.as_ref())?;
    let mut sink = sink(args, format, legs.len())?;
    let payload_type = format.map(|format| format.payload_type);
    let receiving = Receiving { legs, payload_type, duration: args.duration };
    let facts = receive(&receiving, sink.as_mut(), args)?;
    if args.json {
        write_json(serde_json::to_vec(&ReceivingDocument::of(&facts))?, output::is_terminal())?;
    } else {
        let mut out = String::new();
        text::media_received(&mut out, &facts);
        output::write(out.as_bytes())?;
    }
    // Who asked for a stream and got nothing did not get what was asked for.
    Ok(if facts.used == 0 { 2 } else { 0 })
}

fn session(path: &Path, number: u16) -> Result<Session, Stop> {
    let bytes = std::fs::read(path)
        .map_err(|error| Stop::Failed(format!("cannot read {}: {error}", path.display())))?;
    let (sessions, faults) = receiving::sessions(&bytes, &path.display().to_string());
    let count = sessions.len();
    sessions.into_iter().nth(usize::from(number) - 1).ok_or_else(|| {
        let why = faults.first().map(|fault| format!(": {fault}")).unwrap_or_default();
        let there = match count {
            0 => "no stream that can be received".to_owned(),
            1 => "one stream that can be received".to_owned(),
            _ => format!("{count} streams that can be received"),
        };
        Stop::Failed(format!("{} describes {there}, and not a number {number}{why}", path.display()))
    })
}

fn legs(args: &ReceiveArgs, session: Option<&Session>) -> Result<Vec<ReceiveRequest>, Stop> {
    let described = session.map(|session| session.legs.as_slice()).unwrap_or_default();
    let count = if args.at.is_empty() { described.len() } else { args.at.len() };
    let legs = (0..count).filter_map(|leg| {
        let described = described.get(leg);
        let destination = args.at.get(leg).copied().or(described.map(|leg| leg.destination))?;
        let sources = match described.map(|leg| &leg.sources) {
            Some(Sources::Only(sources)) if args.from.is_empty() => sources.clone(),
            _ => args.from.clone(),
        };
        Some(ReceiveRequest {
            destination,
            sources,
            interface: args.interface.get(leg).or(args.interface.first()).cloned(),
            buffer_bytes: usize::try_from(args.buffer).unwrap_or(usize::MAX),
        })
    });
    let legs: Vec<_> = legs.collect();
    if legs.is_empty() {
        Err(Stop::Usage("there is nowhere to receive: give --at".to_owned()))
    } else {
        Ok(legs)
    }
}

fn create(path: &Path) -> Result<File, Stop> {
    File::create(path).map_err(|error| Stop::Failed(format!("cannot write {}: {error}", path.display())))
}

/// What is to be made of the packets.
fn sink(args: &ReceiveArgs, format: Option<&Format>, legs: usize) -> Result<Box<dyn Sink>, Stop> {
    let failed = |error: std::io::Error| Stop::Failed(error.to_string());
    if let Some(path) = &args.pcapng {
        return Ok(Box::new(Recording::new(create(path)?, legs).map_err(failed)?));
    }
    let Some(format) = format else {
        return Err(Stop::Usage("without a description, only --pcapng can be written".to_owned()));
    };
    let out = || {
        args.out
            .as_deref()
            .map(create)
            .transpose()?
            .ok_or_else(|| Stop::Usage("give a file: --out".to_owned()))
    };
    if let Some(pictures) = receiving::format_of(&format.essence) {
        if args.out.is_none() && args.stills.is_none() {
            return Err(Stop::Usage("give a file or a folder: --out, --stills".to_owned()));
        }
        let raw = args.out.as_deref().map(create).transpose()?;
        if let Some(folder) = &args.stills {
            std::fs::create_dir_all(folder)
                .map_err(|error| Stop::Failed(format!("cannot make {}: {error}", folder.display())))?;
        }
        let stills = args.stills.clone().map(|folder| Still { folder, every: args.every });
        let pictures = Pictures::new(&pictures, raw, stills, args.count).map_err(failed)?;
        return Ok(Box::new(pictures));
    }
    match &format.essence {
        Essence::Audio(audio) => Ok(Box::new(Sound::new(audio, out()?, args.count).map_err(failed)?)),
        Essence::Ancillary(_) => Ok(Box::new(Ancillary::new(out()?))),
        Essence::Compressed(_) => Ok(Box::new(Codestreams::new(out()?, args.count))),
        other => Err(Stop::Failed(format!("of {} only --pcapng can be written", other.word()))),
    }
}

/// Receives, and shows how it goes.
fn receive(receiving: &Receiving, sink: &mut dyn Sink, args: &ReceiveArgs) -> Result<ReceivingFacts, Stop> {
    let watch = Arc::new(ReceivingWatch::default());
    let stop = Arc::clone(&watch);
    until::on_interrupt(move || stop.stop.store(true, Ordering::Relaxed))?;
    let how = || format!("{} packets", watch.packets.load(Ordering::Relaxed));
    let facts = until::told(args.no_progress, &how, || receiving::receive(receiving, sink, &watch));
    facts.map_err(|error| Stop::Failed(error.to_string()))
}
