//! A tar archive (POSIX ustar) whose bytes depend on its contents only: sorted by its writer, owned by root, one time.

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
}

/// Writes archives.
pub struct Tar {
    out: Vec<u8>,
    time: u64,
}

const BLOCK: usize = 512;

impl Tar {
    /// An empty archive whose entries are all of this time, in seconds since 1970.
    pub fn new(time: u64) -> Tar {
        Tar { out: Vec::new(), time }
    }

    /// Adds an entry. Names are relative; those of folders end in a slash.
    pub fn add(&mut self, name: &str, mode: u32, kind: Kind, bytes: &[u8]) -> Result<(), String> {
        let mut header = [0_u8; BLOCK];
        let (prefix, name) = split(name)?;
        let mut put = |at: usize, bytes: &[u8]| {
            for (place, byte) in header.iter_mut().skip(at).zip(bytes) {
                *place = *byte;
            }
        };
        put(0, name.as_bytes());
        put(100, format!("{mode:07o}\0").as_bytes());
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", bytes.len()).as_bytes());
        put(136, format!("{:011o}\0", self.time).as_bytes());
        put(148, b"        ");
        put(156, if kind == Kind::Folder { b"5" } else { b"0" });
        put(257, b"ustar\x0000root");
        put(297, b"root");
        put(345, prefix.as_bytes());
        // The sum is over the header with blanks in place of the sum.
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        for (place, byte) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
            *place = byte;
        }
        self.out.extend_from_slice(&header);
        self.out.extend_from_slice(bytes);
        self.out.resize(self.out.len().next_multiple_of(BLOCK), 0);
        Ok(())
    }

    /// The archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.resize(self.out.len() + 2 * BLOCK, 0);
        self.out
    }
}

/// A name as prefix and name, which a header has room for.
fn split(name: &str) -> Result<(&str, &str), String> {
    if name.len() <= 100 {
        return Ok(("", name));
    }
    let fits = |(prefix, rest): &(&str, &str)| prefix.len() <= 155 && !rest.is_empty() && rest.len() <= 100;
    let mut cuts = name.match_indices('/').filter_map(|(at, _)| {
        let (prefix, rest) = name.split_at_checked(at)?;
        Some((prefix, rest.strip_prefix('/')?))
    });
    cuts.find(fits).ok_or_else(|| format!("{name}: too long for an archive"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn tar_itself_reads_it() {
        let long = format!("./{}/{}", "a".repeat(90), "b".repeat(90));
        let mut tar = Tar::new(86_400);
        tar.add("./usr/", 0o755, Kind::Folder, b"").unwrap();
        tar.add("./usr/one", 0o644, Kind::File, b"x").unwrap();
        tar.add(&long, 0o600, Kind::File, &[7; 513]).unwrap();
        assert!(tar.add(&"c".repeat(101), 0, Kind::File, b"").is_err());
        let archive = tar.finish();
        assert_eq!(archive.len() % BLOCK, 0);
        let listed = Command::new("tar")
            .args(["--utc", "-tvf", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut listed) = listed else {
            crate::say::skip("reading an archive with tar", "tar is not installed");
            return;
        };
        listed.stdin.take().unwrap().write_all(&archive).unwrap();
        let output = listed.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("drwxr-xr-x root/root") && lines[0].ends_with("1970-01-02 00:00 ./usr/")
        );
        assert!(lines[1].contains(" 1 1970-01-02"), "{text}");
        assert!(lines[2].ends_with(&long) && lines[2].starts_with("-rw-------"), "{text}");
    }
}
