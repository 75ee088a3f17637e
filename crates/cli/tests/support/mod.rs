//! The binary with a folder of its own for everything that it keeps, and what it answered.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder of the test's own for everything that the binary keeps.
pub struct Home(pub PathBuf);

impl Home {
    /// A new folder; `name` tells tests apart that run in one process.
    pub fn new(name: &str) -> Home {
        let path = std::env::temp_dir().join(format!("portreeve-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Home(path)
    }

    /// A command that keeps its files here.
    pub fn at_home(&self, mut command: Command) -> Command {
        command
            .env("HOME", &self.0)
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .env("XDG_DATA_HOME", self.0.join("data"))
            .env_remove("SUDO_UID")
            .stdin(Stdio::null());
        command
    }

    /// The binary.
    pub fn command(&self) -> Command {
        self.at_home(Command::new(env!("CARGO_BIN_EXE_portreeve")))
    }

    /// What the binary does with these words.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command().args(words).output().unwrap()
    }

    /// A file in the folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The exit status.
pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Standard output as text.
pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
