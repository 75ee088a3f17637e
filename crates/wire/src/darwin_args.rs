//! A process's arguments on macOS, as `sysctl` KERN_PROCARGS2 gives them: a count, the path, padding, the arguments,
//! then the environment, each with a NUL behind it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{c_string, ne32};

/// The most arguments that are kept.
pub const LIMIT: usize = 4096;

/// What a process was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The file that was executed, as it was named then.
    pub path: String,
    /// Its arguments; the first is what it calls itself.
    pub arguments: Vec<String>,
}

/// Parses what a process was started with. The environment is not kept: it holds secrets.
pub fn parse(bytes: &[u8]) -> Result<Started, Fault> {
    let fault = |at, what| Fault { layer: "procargs2", at, what };
    let count = ne32(bytes, 0).ok_or(fault(0, "no room for the count"))?;
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(LIMIT);
    let path = c_string(bytes, 4).ok_or(fault(4, "the path has no end"))?;
    let mut at = 4 + path.len();
    while bytes.get(at) == Some(&0) {
        at += 1;
    }
    let mut arguments = Vec::new();
    for _ in 0..count {
        let argument = c_string(bytes, at).ok_or(fault(at, "fewer arguments than the count says"))?;
        arguments.push(String::from_utf8_lossy(argument).into_owned());
        at += argument.len() + 1;
    }
    Ok(Started { path: String::from_utf8_lossy(path).into_owned(), arguments })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn sample() -> Vec<u8> {
        let mut bytes = 3_u32.to_ne_bytes().to_vec();
        bytes.extend_from_slice(b"/usr/sbin/named\0\0\0\0\0named\0-u\0\xffbind\0SECRET=1\0");
        bytes
    }

    #[test]
    fn arguments_end_where_the_environment_begins() {
        let started = parse(&sample()).unwrap();
        assert_eq!(started.path, "/usr/sbin/named");
        assert_eq!(started.arguments, ["named", "-u", "\u{fffd}bind"]);
    }

    #[test]
    fn every_prefix_is_refused_until_the_last_argument_is_whole() {
        let whole = sample();
        let environment = whole.len() - b"SECRET=1\0".len();
        for end in 0..environment {
            assert!(parse(&whole[..end]).is_err(), "{end}");
        }
        assert!(parse(&whole[..environment]).is_ok());
    }

    #[test]
    fn a_count_that_lies_takes_no_memory() {
        let mut bytes = u32::MAX.to_ne_bytes().to_vec();
        bytes.extend_from_slice(b"x\0y\0");
        assert!(parse(&bytes).is_err());
        let mut many = u32::MAX.to_ne_bytes().to_vec();
        many.extend_from_slice(b"x\0y");
        many.extend(vec![0; 100_000]);
        assert_eq!(parse(&many).unwrap().arguments.len(), LIMIT);
    }
}
