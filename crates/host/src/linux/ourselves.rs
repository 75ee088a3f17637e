//! Which processes run the file that we run: what we hold is explained by that, and never by a name.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use model::Process;

/// The numbers of those among the processes that run the very file that we run, on the same device and with the same
/// inode, as the kernel says through its own link to it (proc(5)). What cannot be asked is not ours.
pub fn among(processes: &[Arc<Process>]) -> Vec<u32> {
    let file = |pid: &str| {
        let running = fs::metadata(format!("/proc/{pid}/exe")).ok()?;
        Some((running.dev(), running.ino()))
    };
    let Some(own) = file("self") else { return Vec::new() };
    let name = fs::read_link("/proc/self/exe").ok();
    let name = name.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    // The name only spares the question: one process in thousands is asked for.
    let name = name.map(|name| name.strip_suffix(" (deleted)").unwrap_or(name));
    let alike =
        |process: &&Arc<Process>| process.exe.value().is_some_and(|exe| Some(exe.file_name()) == name);
    let ours = processes.iter().filter(alike).filter(|process| file(&process.pid.to_string()) == Some(own));
    ours.map(|process| process.pid).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::linux::process::{Depth, Reader};

    #[test]
    fn we_are_known_by_our_file_and_nobody_by_a_name() {
        let own = std::env::current_exe().unwrap();
        let folder = std::env::temp_dir().join(format!("portreeve-ourselves-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // Another program under our name.
        let other = folder.join(own.file_name().unwrap());
        fs::copy("/bin/sleep", &other).unwrap();
        let mut child = Command::new(&other).arg("600").stdin(Stdio::null()).spawn().unwrap();
        let (pid, stranger) = (std::process::id(), child.id());
        while fs::read_link(format!("/proc/{stranger}/exe")).ok().as_deref() != Some(&other) {
            std::thread::yield_now();
        }
        let processes = Reader::new().read(&[pid, stranger], &Depth { sha256: false, integrity: false });
        let found = among(&processes);
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(processes.len(), 2);
        assert_eq!(found, [pid]);
    }
}
