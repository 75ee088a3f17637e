//! Tokens: who may ask, and for what. Only salted hashes are kept (RFC 6750 is how they are sent).
//!
//! A token has 256 bits of chance. Nobody guesses that, however fast the hash is, so one SHA-256 over salt and token is
//! enough, and a stranger cannot make us work by sending wrong ones.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use model::{Timestamp, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Tokens that one file may have.
const MOST_TOKENS: usize = 1000;
/// How every token begins, so that people and scanners for secrets know one.
const MARK: &str = "ptr_";

/// What somebody may do. More includes less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See everything.
    Read,
    /// Also decide about findings, and hand in captures.
    Ack,
    /// Also change what is judged by.
    Admin,
}

impl Scope {
    /// Every scope, least first.
    pub const ALL: [Scope; 3] = [Scope::Read, Scope::Ack, Scope::Admin];

    /// The word used in output and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Ack => "ack",
            Scope::Admin => "admin",
        }
    }

    /// From its word.
    pub fn from_name(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What tells it from others; no secret.
    pub id: String,
    /// What it is for, in the words of who made it.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// When it was made, in seconds since 1970 in UTC.
    pub made: i64,
    salt: String,
    hash: String,
}

impl Token {
    /// When it was made.
    pub fn made_at(&self) -> Timestamp<Utc> {
        Timestamp::from_ns(self.made.saturating_mul(1_000_000_000))
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    schema_version: u32,
    tokens: Vec<Token>,
}

/// Why tokens could not be read or written.
#[derive(Debug)]
pub enum Error {
    /// The file could not be read or written.
    File(PathBuf, io::Error),
    /// The file is not what it should be.
    Damaged(PathBuf, String),
    /// What was asked for cannot be meant.
    Wrong(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::File(path, error) => write!(f, "{}: {error}", path.display()),
            Error::Damaged(path, what) => {
                write!(f, "{}: {what}; move the file away and make new tokens", path.display())
            }
            Error::Wrong(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

/// The tokens of one file. What others change in it counts at once.
pub struct Tokens {
    path: PathBuf,
    read: Option<(SystemTime, u64)>,
    tokens: Vec<Token>,
}

impl Tokens {
    /// The tokens of this file; there are none where there is no file.
    pub fn open(path: &Path) -> Result<Tokens, Error> {
        let mut tokens = Tokens { path: path.to_owned(), read: None, tokens: Vec::new() };
        tokens.refresh()?;
        Ok(tokens)
    }

    fn refresh(&mut self) -> Result<(), Error> {
        let failed = |error| Error::File(self.path.clone(), error);
        let about = match fs::metadata(&self.path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.read = None;
                self.tokens.clear();
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        let state = (about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len());
        if self.read == Some(state) {
            return Ok(());
        }
        let text = fs::read(&self.path).map_err(failed)?;
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|error| Error::Damaged(self.path.clone(), error.to_string()))?;
        if stored.schema_version != 1 || stored.tokens.len() > MOST_TOKENS {
            return Err(Error::Damaged(
                self.path.clone(),
                String::from("it is of another version, or too large"),
            ));
        }
        self.tokens = stored.tokens;
        // What was written within the file system's grain may be written again without a sign.
        let settled = state.0.elapsed().is_ok_and(|age| age.as_secs() >= 2);
        self.read = settled.then_some(state);
        Ok(())
    }

    /// What is kept of each.
    pub fn list(&mut self) -> Result<&[Token], Error> {
        self.refresh()?;
        Ok(&self.tokens)
    }

    /// Makes a token; its text is told this once and kept nowhere.
    pub fn issue(&mut self, name: &str, scope: Scope) -> Result<(Token, String), Error> {
        self.refresh()?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Error::Wrong(String::from("a token's name has from 1 to 100 characters")));
        }
        if self.tokens.len() >= MOST_TOKENS {
            return Err(Error::Wrong(format!("there are {MOST_TOKENS} tokens already: revoke some first")));
        }
        let chance =
            || random::<32>().map_err(|error| Error::Wrong(format!("the system gives no chance: {error}")));
        let id = hex(chance()?.first_chunk::<4>().unwrap_or(&[0; 4]));
        let secret = hex(&chance()?);
        let salt = hex(chance()?.first_chunk::<16>().unwrap_or(&[0; 16]));
        let text = format!("{MARK}{id}_{secret}");
        let made = engine::now().as_seconds();
        let hash = hash(&salt, &text);
        let token = Token { id, name: name.to_owned(), scope, made, salt, hash };
        self.tokens.push(token.clone());
        self.write()?;
        Ok((token, text))
    }

    /// Takes a token back, by its id or its name; gives whether there was one.
    pub fn revoke(&mut self, id_or_name: &str) -> Result<bool, Error> {
        self.refresh()?;
        let before = self.tokens.len();
        self.tokens.retain(|token| token.id != id_or_name && token.name != id_or_name);
        if self.tokens.len() == before {
            return Ok(false);
        }
        self.write()?;
        Ok(true)
    }

    /// The token with this text.
    pub(crate) fn check(&mut self, text: &str) -> Option<Token> {
        self.refresh().ok()?;
        let (id, _) = text.strip_prefix(MARK)?.split_once('_')?;
        let token = self.tokens.iter().find(|token| token.id == id)?;
        same(hash(&token.salt, text).as_bytes(), token.hash.as_bytes()).then(|| token.clone())
    }

    /// Whether a token with this id still is.
    pub(crate) fn has(&mut self, id: &str) -> bool {
        self.refresh().is_ok() && self.tokens.iter().any(|token| token.id == id)
    }

    fn write(&mut self) -> Result<(), Error> {
        let failed = |error| Error::File(self.path.clone(), error);
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // A temporary file can be read by its owner alone, and takes the place of the old one only when it is whole.
        let mut file = tempfile::Builder::new().prefix(".tokens").tempfile_in(folder).map_err(failed)?;
        let stored = Stored { schema_version: 1, tokens: self.tokens.clone() };
        let text = serde_json::to_vec_pretty(&stored)
            .map_err(|error| Error::Damaged(self.path.clone(), error.to_string()))?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        self.read = None;
        Ok(())
    }
}

fn hash(salt: &str, text: &str) -> String {
    hex(&Sha256::new().chain_update(salt).chain_update(text).finalize())
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differs) == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes that nobody can guess.
pub(crate) fn random<const COUNT: usize>() -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_text_alone_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let mut tokens = Tokens::open(&path).unwrap();
        assert!(tokens.check("ptr_00000000_x").is_none());
        let (kept, text) = tokens.issue("grafana", Scope::Read).unwrap();
        assert_eq!(tokens.check(&text).unwrap(), kept);
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] ^= 1;
            assert!(tokens.check(&String::from_utf8(wrong).unwrap()).is_none(), "{at}");
            assert!(tokens.check(text.get(..at).unwrap()).is_none());
        }
        let written = fs::read_to_string(&path).unwrap();
        assert!(!written.contains(text.rsplit('_').next().unwrap()), "the secret is kept nowhere");

        // Another process takes it back.
        let mut other = Tokens::open(&path).unwrap();
        assert!(other.revoke("grafana").unwrap());
        assert!(!other.revoke("grafana").unwrap());
        assert!(tokens.check(&text).is_none());
        assert!(!tokens.has(&kept.id));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        Tokens::open(&path).unwrap().issue("a", Scope::Admin).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_damaged_is_refused_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, b"{\"schema_version\":1,\"tokens\":[{}]}").unwrap();
        assert!(Tokens::open(&path).err().unwrap().to_string().contains("make new tokens"));
        let mut tokens = Tokens::open(&folder.path().join("none.json")).unwrap();
        assert!(tokens.issue(" ", Scope::Read).is_err());
    }
}
