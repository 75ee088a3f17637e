//! A server of the Model Context Protocol on lines of JSON-RPC 2.0 (MCP 2026-07-28, stdio; and 2025-11-25 and before).
//!
//! Read-only. One thread reads and answers what needs no work; one works on calls, so that a call can be cancelled and
//! the other side is answered while it runs. Both queues and lines are bounded.

mod asked;
mod message;
mod session;
mod shown;
mod tools;

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::mpsc::{self, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use crate::args::JudgeArgs;
use crate::files::Places;
use asked::{Asked, Wanted};
use message::{Fault, Id, Incoming};
use session::{Session, Todo};

/// A longer line is not read.
const MOST_LINE: usize = 1 << 20;
/// Calls that may wait.
const MOST_WAITING: usize = 16;

/// What the tools work with.
pub(crate) struct Desk {
    /// Where our files are.
    pub(crate) places: Places,
    /// What to judge by.
    pub(crate) judge: JudgeArgs,
    /// Folders whose captures may be read, without links in them.
    pub(crate) captures: Vec<PathBuf>,
    /// Most bytes of such a capture.
    pub(crate) most_capture: u64,
}

/// Calls that were taken and not answered, and whether they are still wanted.
type Open = Arc<Mutex<HashMap<Id, Wanted>>>;

/// Serves until there is nothing more to read. `write` says whether anybody still reads.
pub(crate) fn serve(
    input: &mut dyn BufRead,
    write: &mut (dyn FnMut(&[u8]) -> io::Result<bool> + Send),
    desk: Desk,
) -> io::Result<()> {
    let write = Mutex::new(write);
    let say = |message: &Value| -> io::Result<bool> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let mut write = write.lock().unwrap_or_else(PoisonError::into_inner);
        write(&line)
    };
    let open: Open = Arc::default();
    let (calls, work) = mpsc::sync_channel::<session::Call>(MOST_WAITING);
    thread::scope(|scope| {
        let worker = scope.spawn({
            let open = Arc::clone(&open);
            move || -> io::Result<()> {
                let mut tools = tools::Tools::new(desk);
                for mut call in work {
                    // What is not wanted any more is not begun or is broken off, and is not answered.
                    if let Some(wanted) = wanted(&open, &call.id) {
                        let mut told = call.told.take();
                        let mut tell = |progress: &engine::Progress| {
                            let step = told.as_mut().and_then(|told| told.step(progress));
                            if let Some(step) = step.filter(|_| wanted.holds())
                                && !say(&step).unwrap_or(false)
                            {
                                wanted.end();
                            }
                        };
                        let mut asked =
                            Asked { arguments: &call.arguments, wanted: wanted.clone(), tell: &mut tell };
                        let result = call.answered(tools.call(&call.name, &mut asked));
                        if finish(&open, &call.id) && !say(&result)? {
                            return Ok(());
                        }
                    } else {
                        finish(&open, &call.id);
                    }
                }
                Ok(())
            }
        });
        let mut session = Session::default();
        let read = (|| -> io::Result<()> {
            while let Some(line) = read_line(input)? {
                let incoming = match line {
                    Line::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
                    Line::Whole(bytes) => message::parse(&bytes),
                    Line::TooLong => Err((None, Fault::too_long(MOST_LINE))),
                };
                let answer = match incoming {
                    Ok(Incoming::Cancel(id)) => {
                        cancel(&open, &id);
                        None
                    }
                    Ok(Incoming::Ignored) => None,
                    Ok(Incoming::Request(request)) => match session.answer(request) {
                        Todo::Say(answer) => Some(answer),
                        Todo::Call(call) => take(&open, &calls, call),
                    },
                    Err((id, fault)) => Some(fault.answer(id.as_ref())),
                };
                if let Some(answer) = answer
                    && !say(&answer)?
                {
                    break;
                }
            }
            Ok(())
        })();
        // What was asked before the end is still answered.
        drop(calls);
        let worked = worker.join().unwrap_or_else(|_| Err(io::Error::other("a call could not be finished")));
        read.and(worked)
    })
}

/// Hands a call to the worker; the answer where that cannot be.
fn take(open: &Open, calls: &mpsc::SyncSender<session::Call>, call: session::Call) -> Option<Value> {
    let id = call.id.clone();
    {
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains_key(&id) {
            return Some(
                Fault::invalid_request("this id is in use by a request without an answer").answer(Some(&id)),
            );
        }
        open.insert(id.clone(), Wanted::new());
    }
    match calls.try_send(call) {
        Ok(()) => None,
        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
            finish(open, &id);
            Some(
                Fault::internal("too many calls are waiting; ask again when some are answered")
                    .answer(Some(&id)),
            )
        }
    }
}

fn cancel(open: &Open, id: &Id) {
    if let Some(wanted) = open.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
        wanted.end();
    }
}

/// Where it is still wanted, what says so.
fn wanted(open: &Open, id: &Id) -> Option<Wanted> {
    let open = open.lock().unwrap_or_else(PoisonError::into_inner);
    open.get(id).filter(|wanted| wanted.holds()).cloned()
}

/// Takes it from the list; says whether it is still wanted.
fn finish(open: &Open, id: &Id) -> bool {
    open.lock().unwrap_or_else(PoisonError::into_inner).remove(id).is_some_and(|wanted| wanted.holds())
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line without its end; of one that is too long only the end is looked for.
fn read_line(input: &mut dyn BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let (mut too_long, mut begun) = (false, false);
    loop {
        let piece = match input.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if piece.is_empty() {
            return Ok(begun.then_some(if too_long { Line::TooLong } else { Line::Whole(line) }));
        }
        begun = true;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        too_long |= line.len() + taken.len() > MOST_LINE;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(taken);
        }
        let used = taken.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(if too_long { Line::TooLong } else { Line::Whole(line) }));
        }
    }
}

#[cfg(test)]
mod tests;
