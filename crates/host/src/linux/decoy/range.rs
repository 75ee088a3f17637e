//! The range from which the kernel gives ports to anybody, of one network namespace, however long ago it was entered.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;

use wire::port_list;

use crate::decoy::PortSet;

/// The longest text that is read.
const LIMIT: usize = 1 << 16;

/// The settings, open.
#[derive(Debug)]
pub struct Range {
    range: File,
    reserved: Option<File>,
    now: Rules,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rules {
    range: RangeInclusive<u16>,
    reserved: Vec<RangeInclusive<u16>>,
}

impl Range {
    /// Those of the calling thread's namespace.
    pub fn open() -> io::Result<Range> {
        let setting = |name: &str| File::open(format!("/proc/sys/net/ipv4/{name}"));
        let (range, reserved) = (setting("ip_local_port_range")?, setting("ip_local_reserved_ports").ok());
        let now = read(&range, reserved.as_ref())?;
        Ok(Range { range, reserved, now })
    }

    /// Reads again; says whether something is otherwise now.
    pub fn changed(&mut self) -> bool {
        let Ok(now) = read(&self.range, self.reserved.as_ref()) else { return false };
        let changed = now != self.now;
        self.now = now;
        changed
    }

    /// The ports that the kernel may give to anybody.
    pub fn ephemeral(&self) -> PortSet {
        PortSet::of(std::slice::from_ref(&self.now.range)).without(&PortSet::of(&self.now.reserved))
    }
}

fn read(range: &File, reserved: Option<&File>) -> io::Result<Rules> {
    let range = port_list::parse_range(&text(range)?).map_err(|fault| io::Error::other(fault.to_string()))?;
    let reserved = match reserved {
        Some(file) => port_list::parse(&text(file)?).0,
        None => Vec::new(),
    };
    Ok(Rules { range, reserved })
}

fn text(file: &File) -> io::Result<Vec<u8>> {
    let mut text = vec![0; LIMIT];
    let length = file.read_at(&mut text, 0)?;
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::sandbox;

    #[test]
    fn the_range_is_that_of_the_namespace_and_changes_are_seen() {
        sandbox::run("the range of a namespace", || {
            let write = |name: &str, text: &str| {
                std::fs::write(format!("/proc/sys/net/ipv4/{name}"), text).unwrap();
            };
            write("ip_local_port_range", "20000 20999");
            let mut range = Range::open().unwrap();
            assert_eq!(range.ephemeral().ranges(), [20000..=20999]);
            assert!(!range.changed());
            write("ip_local_reserved_ports", "20100-20199,420");
            assert!(range.changed());
            assert_eq!(range.ephemeral().ranges(), [20000..=20099, 20200..=20999]);
        });
    }
}
