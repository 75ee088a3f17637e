//! Where our files are, whose they must be, and how they are read and written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Most bytes that a policy or baseline may have.
pub(crate) const TEXT_LIMIT: u64 = 16 << 20;
/// Most bytes that a registry may have.
pub(crate) const TABLE_LIMIT: u64 = 64 << 20;

/// Who we are, and where our files are.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// Effective user.
    uid: u32,
    /// The user who called sudo, if one did.
    invoker: Option<u32>,
    system: PathBuf,
    /// `~/.config/portreeve` of us or, under sudo, of the user who called it.
    config: Option<PathBuf>,
    /// Our own `~/.local/share/portreeve`.
    data: Option<PathBuf>,
    /// The same of the user who called sudo.
    invoker_data: Option<PathBuf>,
}

/// Whose a file must be before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Named on the command line: whoever typed it vouches for it.
    Any,
    /// The administrator or we.
    System,
    /// This user; nobody else may be able to write it.
    User(u32),
}

impl Places {
    /// From the environment.
    pub(crate) fn find() -> Places {
        let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let absolute = |path: &PathBuf| path.is_absolute();
        let uid = effective_uid();
        let invoker = (uid == 0)
            .then(|| std::env::var("SUDO_UID").ok()?.parse::<u32>().ok().filter(|uid| *uid != 0))
            .flatten();
        let home = var("HOME").or_else(|| var("USERPROFILE"));
        let invoker_home = invoker.and_then(home_of);
        let config = match invoker {
            Some(_) => invoker_home.as_ref().map(|home| home.join(".config")),
            None => var("XDG_CONFIG_HOME")
                .filter(absolute)
                .or_else(|| var("APPDATA"))
                .or_else(|| home.as_ref().map(|home| home.join(".config"))),
        };
        let data = var("XDG_DATA_HOME")
            .filter(absolute)
            .or_else(|| var("LOCALAPPDATA"))
            .or_else(|| home.as_ref().map(|home| home.join(".local/share")));
        Places {
            uid,
            invoker,
            system: PathBuf::from("/etc/portreeve"),
            config: config.map(|base| base.join("portreeve")),
            data: data.map(|base| base.join("portreeve")),
            invoker_data: invoker_home.map(|home| home.join(".local/share/portreeve")),
        }
    }

    /// Where the history is kept.
    pub(crate) fn history_home(&self) -> Option<PathBuf> {
        // Where systemd says so: it made the folder for the service.
        let said = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from).filter(|path| path.is_absolute());
        let usual =
            || if self.uid == 0 { Some(PathBuf::from("/var/lib/portreeve")) } else { self.data.clone() };
        said.or_else(usual)
    }

    fn user(&self) -> Owner {
        Owner::User(self.invoker.unwrap_or(self.uid))
    }

    /// The policy files that count, in their order, each with its text; and what is wrong with others.
    pub(crate) fn policies(&self) -> (Vec<(PathBuf, String)>, Vec<String>) {
        self.texts("policy.toml", "policy.d")
    }

    /// The folder of policies that are added: the system's for the administrator, else our own.
    pub(crate) fn policy_home(&self) -> PathBuf {
        let own = self.config.as_ref().filter(|_| self.uid != 0 && !self.is_system_service());
        own.unwrap_or(&self.system).join("policy.d")
    }

    /// Whether systemd runs us for the whole machine: it made the folder of our state.
    fn is_system_service(&self) -> bool {
        std::env::var_os("STATE_DIRECTORY").is_some_and(|folder| Path::new(&folder).starts_with("/var/lib"))
    }

    /// Of every folder of ours the file of this name, and those in the folder of drop-ins.
    fn texts(&self, name: &str, more: &str) -> (Vec<(PathBuf, String)>, Vec<String>) {
        let mut texts = Vec::new();
        let mut wrong = Vec::new();
        let mut folders = vec![(self.system.as_path(), Owner::System)];
        if let Some(config) = &self.config {
            folders.push((config.as_path(), self.user()));
        }
        for (folder, owner) in folders {
            let mut paths = vec![folder.join(name)];
            match drop_ins(&folder.join(more)) {
                Ok(more) => paths.extend(more),
                Err(error) => wrong.push(error),
            }
            for path in paths {
                match read(&path, owner, TEXT_LIMIT).and_then(|bytes| bytes.map(text).transpose()) {
                    Ok(Some(text)) => texts.push((path, text)),
                    Ok(None) => {}
                    Err(error) => wrong.push(format!("{}: {error}", path.display())),
                }
            }
        }
        (texts, wrong)
    }

    /// The files of settings that count, in their order, each with its text; and what is wrong with others.
    pub(crate) fn settings(&self) -> (Vec<(PathBuf, String)>, Vec<String>) {
        self.texts("portreeve.toml", "portreeve.d")
    }

    /// Where a baseline is written if no other place is named.
    pub(crate) fn baseline_home(&self) -> Option<PathBuf> {
        if self.uid == 0 {
            Some(self.system.join("baseline.toml"))
        } else {
            self.config.as_ref().map(|config| config.join("baseline.toml"))
        }
    }

    /// The baseline that counts: our own, else the system's.
    pub(crate) fn baseline(&self) -> Result<Option<(PathBuf, String)>, String> {
        let own = self.config.as_ref().map(|config| (config.join("baseline.toml"), self.user()));
        let system = (self.system.join("baseline.toml"), Owner::System);
        let order = if self.uid == 0 { [Some(system), own] } else { [own, Some(system)] };
        for (path, owner) in order.into_iter().flatten() {
            match read(&path, owner, TEXT_LIMIT).and_then(|bytes| bytes.map(text).transpose()) {
                Ok(Some(text)) => return Ok(Some((path, text))),
                Ok(None) => {}
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Ok(None)
    }

    /// Where an imported registry is kept.
    pub(crate) fn table_home(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|data| data.join("registry.table"))
    }

    /// The imported registry that counts, if there is one.
    pub(crate) fn table(&self) -> Result<Option<(PathBuf, Vec<u8>)>, String> {
        let own = self.table_home().map(|path| (path, Owner::User(self.uid)));
        let invoker = self
            .invoker_data
            .as_ref()
            .zip(self.invoker)
            .map(|(data, uid)| (data.join("registry.table"), Owner::User(uid)));
        for (path, owner) in own.into_iter().chain(invoker) {
            match read(&path, owner, TABLE_LIMIT) {
                Ok(Some(bytes)) => return Ok(Some((path, bytes))),
                Ok(None) => {}
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Ok(None)
    }
}

/// Reads a text file that was named on the command line.
pub(crate) fn read_named(path: &Path) -> Result<String, String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| String::from("it is not UTF-8 text"));
    match read(path, Owner::Any, TEXT_LIMIT) {
        Ok(Some(bytes)) => text(bytes).map_err(|error| format!("{}: {error}", path.display())),
        Ok(None) => Err(format!("{}: there is no such file", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The files `*.toml` of a folder, in order of name.
fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // What is hidden below a folder that we may not enter is not ours: the system's policy is for all to read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Reads a file if it is there, and if it is whose it must be. The check is made on the open file, so that nobody can
/// put another in its place between the check and the reading.
fn read(path: &Path, owner: Owner, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A FIFO in the place of a file would keep us waiting for ever.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let refuse = |reason: String| Err(io::Error::other(reason));
    if owner != Owner::Any {
        if !metadata.is_file() {
            return refuse(String::from("it is not a regular file"));
        }
        if let Some(reason) = not_trusted(&metadata, owner) {
            return refuse(reason);
        }
    }
    let is_file = metadata.is_file();
    #[cfg(unix)]
    if !is_file {
        // A pipe that was named (`--policy <(…)`) may be slower than we are: wait for its writer, if there is one.
        rustix::io::ioctl_fionbio(&file, false)?;
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.is_empty() && !is_file {
        return refuse(String::from("it is no file, and nothing came out of it"));
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return refuse(format!("it is larger than {} MiB", limit >> 20));
    }
    Ok(Some(bytes))
}

#[cfg(unix)]
fn not_trusted(metadata: &fs::Metadata, owner: Owner) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let (uid, mode) = (metadata.uid(), metadata.mode());
    let allowed = match owner {
        Owner::Any => return None,
        Owner::System => uid == 0 || uid == effective_uid(),
        Owner::User(wanted) => uid == wanted,
    };
    if !allowed {
        let wanted = match owner {
            Owner::User(wanted) => format!("uid {wanted}"),
            Owner::System | Owner::Any => String::from("root"),
        };
        return Some(format!(
            "it belongs to uid {uid} and not to {wanted}, so it does not count (chown, or name it on the command line)"
        ));
    }
    (mode & 0o002 != 0).then(|| String::from("everybody can write it, so it does not count (chmod o-w)"))
}

#[cfg(not(unix))]
fn not_trusted(_metadata: &fs::Metadata, _owner: Owner) -> Option<String> {
    None
}

#[cfg(unix)]
fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn effective_uid() -> u32 {
    u32::MAX
}

/// The home folder of a user, from /etc/passwd: under sudo, HOME may be anybody's.
fn home_of(uid: u32) -> Option<PathBuf> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    home_in(&passwd, uid)
}

fn home_in(passwd: &str, uid: u32) -> Option<PathBuf> {
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).and_then(|field| field.parse().ok()) == Some(uid))
        .and_then(|fields| fields.get(5).map(PathBuf::from))
        .filter(|home| home.is_absolute())
}

/// Reads bytes from a file, or from standard input for `-`.
pub(crate) fn read_input(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let name = path.display();
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("standard input: {error}"))?;
        return if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            Err(format!("standard input has more than {} MiB", limit >> 20))
        } else {
            Ok(bytes)
        };
    }
    match read(path, Owner::Any, limit) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("{name}: there is no such file")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Writes a file whole or not at all: a reader sees the old content or the new, and never half of it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let wrong = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{}: {error}; run as a user who may write there, or name another file", path.display())
        }
        _ => format!("{}: {error}", path.display()),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(wrong)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = (|| {
        let mut file = create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        wrong(error)
    })
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // A link that somebody laid there beforehand is refused.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o644);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("portreeve-files-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = Folder::new("atomic");
        let path = folder.0.join("deep/registry.table");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        let error = write_atomically(&path.join("x"), b"three").unwrap_err();
        assert!(error.contains("registry.table"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn files_of_others_do_not_count() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("owner");
        let path = folder.0.join("policy.toml");
        fs::write(&path, "x").unwrap();
        let uid = effective_uid();
        let read = |owner| read(&path, owner, 10);
        assert_eq!(read(Owner::User(uid)).unwrap(), Some(b"x".to_vec()));
        assert_eq!(read(Owner::System).unwrap(), Some(b"x".to_vec()));
        assert!(read(Owner::User(uid + 1)).unwrap_err().to_string().contains("belongs to"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o646)).unwrap();
        assert!(read(Owner::User(uid)).unwrap_err().to_string().contains("everybody"));
        assert!(read(Owner::Any).is_ok());
    }

    #[test]
    fn what_is_not_there_is_no_error_and_what_is_too_large_is() {
        let folder = Folder::new("limit");
        let path = folder.0.join("f");
        assert_eq!(read(&path, Owner::System, 3).unwrap(), None);
        fs::write(&path, "1234").unwrap();
        assert!(read(&path, Owner::Any, 3).is_err());
        assert!(read(&folder.0, Owner::System, 3).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_read_to_its_end_and_one_without_a_writer_is_refused() {
        use std::os::fd::AsRawFd;
        let folder = Folder::new("fifo");
        let path = folder.0.join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let error = read_named(&path).unwrap_err();
        assert!(error.contains("nothing came out"), "{error}");
        assert!(read(&path, Owner::System, 10).unwrap_err().to_string().contains("regular"));
        // As the shell makes `<(…)`; whoever writes may come late.
        let (reader, mut writer) = std::io::pipe().unwrap();
        let late = std::thread::spawn(move || {
            std::thread::yield_now();
            writer.write_all(b"mode").unwrap();
        });
        let named = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        assert_eq!(read_named(&named), Ok(String::from("mode")));
        late.join().unwrap();
    }

    #[test]
    fn homes_come_from_the_passwd_file() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nada:x:1000:1000::/home/ada:/bin/sh\nb:x:7:7::relative:\n";
        assert_eq!(home_in(passwd, 1000), Some(PathBuf::from("/home/ada")));
        assert_eq!(home_in(passwd, 7), None);
        assert_eq!(home_in(passwd, 8), None);
    }
}
