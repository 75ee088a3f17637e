//! A socket in its place: whose it is, what the dead leave, what is refused.

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("portreeve-local-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn both_ends_know_each_other_and_the_file_goes_at_the_end() {
    let folder = Folder::new("both");
    let path = folder.0.join("made/control.sock");
    let listener = LocalListener::begin(&path, Access::Owner).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let mut near = LocalStream::connect(&path, PATIENCE).unwrap();
    let mut far = listener.accept().unwrap().unwrap();
    near.write_all(b"x").unwrap();
    let mut byte = [0];
    far.read_exact(&mut byte).unwrap();
    let peer = far.peer().unwrap();
    assert_eq!((byte, peer.uid), (*b"x", own_user()));
    #[cfg(target_os = "linux")]
    assert_eq!(peer.pid, Some(std::process::id()));
    assert!(peer.may_change());
    assert!(!Peer { uid: own_user().wrapping_add(7), ..peer }.may_change());
    listener.end();
    assert!(listener.accept().unwrap().is_none());
    drop(listener);
    assert!(!path.exists());
    assert!(matches!(LocalStream::connect(&path, PATIENCE), Err(LocalError::NotRunning(_))));
}

#[test]
fn the_living_are_respected_and_the_dead_are_not() {
    let folder = Folder::new("dead");
    let path = folder.0.join("control.sock");
    // A dead service: its socket is there, and nobody listens or holds the lock.
    drop(UnixListener::bind(&path).unwrap());
    assert!(matches!(LocalStream::connect(&path, PATIENCE), Err(LocalError::NotRunning(_))));
    let living = LocalListener::begin(&path, Access::Everyone).unwrap();
    let error = LocalListener::begin(&path, Access::Owner).unwrap_err();
    assert!(matches!(error, LocalError::Running(_, Some(pid)) if pid == std::process::id()), "{error}");
    assert!(error.to_string().contains("runs already, pid"), "{error}");
    // It is not disturbed by the attempt.
    assert!(LocalStream::connect(&path, PATIENCE).is_ok());
    drop(living);
    assert!(LocalListener::begin(&path, Access::Owner).is_ok());
}

#[test]
fn a_place_that_is_not_ours_is_refused() {
    let folder = Folder::new("place");
    let file = folder.0.join("control.sock");
    fs::write(&file, "precious").unwrap();
    let error = LocalListener::begin(&file, Access::Owner).unwrap_err();
    assert!(error.to_string().contains("something else"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let open = folder.0.join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    let error = LocalListener::begin(&open.join("control.sock"), Access::Owner).unwrap_err();
    assert!(error.to_string().contains("everybody can write"), "{error}");
    let deep = folder.0.join("a".repeat(200)).join("b.sock");
    assert!(matches!(LocalListener::begin(&deep, Access::Owner), Err(LocalError::Refused(..))));
    assert!(LocalListener::begin(Path::new("control.sock"), Access::Owner).is_err());
}

#[test]
fn whoever_the_file_does_not_let_in_is_told_so() {
    if own_user() != 0 {
        return eprintln!("SKIPPED: only root can become another");
    }
    let folder = Folder::new("mode");
    fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
    let path = folder.0.join("control.sock");
    let group = 65_533;
    let _listener = LocalListener::begin(&path, Access::Group(group)).unwrap();
    let about = fs::metadata(&path).unwrap();
    assert_eq!((about.mode() & 0o777, about.gid()), (0o660, group));
    #[cfg(target_os = "linux")]
    {
        let tried_by =
            |gid| std::thread::scope(|scope| scope.spawn(|| connect_as(&path, gid)).join().unwrap());
        assert!(matches!(tried_by(65_534), Err(LocalError::NotAllowed(_))));
        assert!(tried_by(group).is_ok());
    }
}

/// Connects as nobody with this group, in a thread that takes what it became with it.
#[cfg(target_os = "linux")]
fn connect_as(path: &Path, gid: u32) -> Result<LocalStream, LocalError> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let (uid, gid) = (Uid::from_raw(65_534), Gid::from_raw(gid));
    set_thread_groups(&[]).unwrap();
    set_thread_res_gid(gid, gid, gid).unwrap();
    set_thread_res_uid(uid, uid, uid).unwrap();
    LocalStream::connect(path, PATIENCE)
}

#[test]
fn who_does_not_answer_is_not_waited_for() {
    let folder = Folder::new("silent");
    let path = folder.0.join("control.sock");
    let _listener = LocalListener::begin(&path, Access::Owner).unwrap();
    let mut stream = LocalStream::connect(&path, Duration::from_millis(20)).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}
