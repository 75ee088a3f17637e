//! Where results and complaints go: standard output, a pager, standard error.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::args::{ColorWhen, OutputArgs};
use crate::style::Style;
use crate::text::Form;

/// Writes a result. A reader that has seen enough is no failure.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Like [`write`], and tells whether the reader is still there.
pub(crate) fn write_on(bytes: &[u8]) -> io::Result<bool> {
    stream(|out| out.write_all(bytes))
}

/// Standard output without the search for line ends that Rust's own does: results come in large pieces.
fn unbuffered() -> io::Result<std::fs::File> {
    #[cfg(unix)]
    let owned = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let owned = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
    // A pipe of the usual size makes us wait for its reader at every 64 KiB. Where it is no pipe, or may not grow, so
    // be it.
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&owned, 1 << 20);
    Ok(owned.into())
}

/// Writes a result piece by piece, and tells whether the reader is still there.
pub(crate) fn stream(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<bool> {
    let mut out = unbuffered()?;
    match fill(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says something to people. There is nobody to tell if that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "portreeve: {}", lines(text));
}

/// Sanitised, but with its line breaks.
fn lines(text: &str) -> String {
    text.lines().map(crate::sanitise::line).collect::<Vec<_>>().join("\n")
}

/// How text is to look here.
pub(crate) fn form(args: &OutputArgs) -> Form {
    let terminal = io::stdout().is_terminal();
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let colours = match args.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            terminal && variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|term| term != "dumb")
        }
    };
    let columns = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    Form {
        // What is piped is not cut: the next program wants all of it.
        width: if terminal && !args.wide { columns() } else { None },
        style: if colours { Style::COLOUR } else { Style::PLAIN },
        headings: !args.no_header,
    }
}

/// Text for standard error: no colours, as wide as it is.
pub(crate) fn plain() -> Form {
    Form { width: None, style: Style::PLAIN, headings: true }
}

/// Whether results go to a person.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Shows text: through a pager where it is longer than the screen.
pub(crate) fn present(text: &str, args: &OutputArgs) -> io::Result<()> {
    let rows = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| usize::from(height.0));
    if args.no_pager || !is_terminal() || text.lines().count() < rows || !page(text) {
        write(text.as_bytes())
    } else {
        Ok(())
    }
}

/// Shows text in a pager; says whether one could be started.
fn page(text: &str) -> bool {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let chosen = variable("PORTREEVE_PAGER").or_else(|| variable("PAGER"));
    let line = chosen.as_deref().unwrap_or("less -FRX");
    let mut words = line.split_whitespace();
    let Some(program) = words.next() else { return false };
    if program == "cat" {
        return false;
    }
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Without -R less shows colours as escapes.
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // Who leaves the pager early has seen enough.
        let _ = stdin.write_all(text.as_bytes());
    }
    let _ = child.wait();
    true
}

/// Shows that long work goes on, to a person at standard error, until it is dropped.
pub(crate) struct Progress {
    done: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Progress {
    /// Begins, if there is somebody to see it. Work that ends soon shows nothing.
    pub(crate) fn begin(what: Option<&'static str>) -> Progress {
        let Some(what) = what.filter(|_| io::stderr().is_terminal()) else {
            return Progress { done: None, thread: None };
        };
        let (done, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let begin = Instant::now();
            let mut shown = false;
            while ended.recv_timeout(Duration::from_millis(500)) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = write!(io::stderr().lock(), "\r{what} … {} s", begin.elapsed().as_secs());
                shown = true;
            }
            if shown {
                let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
            }
        });
        Progress { done: Some(done), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
