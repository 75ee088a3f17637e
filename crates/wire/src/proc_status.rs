//! `/proc/PID/status`: who a process is and what it may do (proc_pid_status(5)).

use model::Capabilities;

use crate::Fault;

/// The lines of the file that are of use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcStatus {
    /// Effective user, as our user namespace numbers it.
    pub uid: u32,
    /// Capability sets; `None` where the kernel was built without them.
    pub capabilities: Option<Capabilities>,
    /// Its number in the innermost PID namespace it is in; `None` where the kernel does not say.
    pub inner_pid: Option<u32>,
}

const fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "proc status", at, what }
}

/// Reads the file.
pub fn parse(text: &[u8]) -> Result<ProcStatus, Fault> {
    let mut uid = None;
    let (mut effective, mut permitted, mut bounding) = (None, None, None);
    let mut inner_pid = None;
    let mut rest = text;
    let mut line_number = 0;
    while !rest.is_empty() {
        line_number += 1;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 1..).unwrap_or_default();
        match line.first() {
            Some(b'U') => {
                if let Some(value) = line.strip_prefix(b"Uid:") {
                    // Real, effective, saved, file system.
                    let field = value.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()).nth(1);
                    uid = Some(field.and_then(decimal).ok_or(fault(line_number, "no effective user"))?);
                }
            }
            Some(b'N') => {
                if let Some(value) = line.strip_prefix(b"NSpid:") {
                    let field = value.split(u8::is_ascii_whitespace).rfind(|part| !part.is_empty());
                    inner_pid = field.and_then(decimal);
                }
            }
            Some(b'C') => {
                for (name, slot) in
                    [(b"CapPrm:", &mut permitted), (b"CapEff:", &mut effective), (b"CapBnd:", &mut bounding)]
                {
                    if let Some(value) = line.strip_prefix(name) {
                        *slot =
                            Some(hex(value.trim_ascii()).ok_or(fault(line_number, "no capability mask"))?);
                    }
                }
                if bounding.is_some() {
                    break;
                }
            }
            _ => {}
        }
    }
    let uid = uid.ok_or(fault(line_number, "no Uid line"))?;
    let capabilities = match (effective, permitted, bounding) {
        (Some(effective), Some(permitted), Some(bounding)) => {
            Some(Capabilities { effective, permitted, bounding })
        }
        _ => None,
    };
    Ok(ProcStatus { uid, capabilities, inner_pid })
}

fn decimal(text: &[u8]) -> Option<u32> {
    core::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?.parse().ok()
}

fn hex(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"Name:\tsshd\\nUid:\t7\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t812\nNgid:\t0\nPid:\t812\n\
PPid:\t1\nTracerPid:\t0\nUid:\t1000\t33\t1000\t33\nGid:\t0\t0\t0\t0\nFDSize:\t128\nGroups:\t \nNStgid:\t812\t9\n\
NSpid:\t812\t9\nNSpgid:\t812\t9\nThreads:\t1\nCapInh:\t0000000000000000\nCapPrm:\t0000000000003400\n\
CapEff:\t0000000000000400\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nSeccomp:\t0\n";

    #[test]
    fn a_file_as_the_kernel_writes_it() {
        let status = parse(FILE).unwrap();
        assert_eq!((status.uid, status.inner_pid), (33, Some(9)));
        let capabilities = status.capabilities.unwrap();
        assert!(capabilities.has(Capabilities::NET_BIND_SERVICE) && !capabilities.has(Capabilities::NET_RAW));
        assert_eq!((capabilities.permitted, capabilities.bounding), (0x3400, 0x1ff_ffff_ffff));
    }

    #[test]
    fn every_prefix_gives_the_same_answer_or_less() {
        let whole = parse(FILE).unwrap();
        let uid_end = FILE.windows(8).position(|w| w == b"\t1000\t33").unwrap() + 8;
        for cut in 0..FILE.len() {
            match parse(&FILE[..cut]) {
                Ok(status) if cut >= uid_end => {
                    assert_eq!(status.uid, whole.uid);
                    if let Some(capabilities) = status.capabilities {
                        assert_eq!(capabilities.effective, 0x400);
                    }
                }
                Ok(status) => assert_eq!(status.uid, 3, "cut inside the number"),
                Err(_) => assert!(cut < uid_end || FILE[..cut].ends_with(b"\t") || cut < FILE.len()),
            }
        }
    }

    #[test]
    fn forbidden_values_are_faults() {
        let text = core::str::from_utf8(FILE).unwrap();
        for (from, to) in
            [("\t33\t1000", "\t-3\t1000"), ("\t33\t1000", "\t4294967296\t1000"), ("3400", "34g0")]
        {
            assert!(parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
        }
        assert!(parse(b"Name:\tx\n").is_err());
        assert_eq!(parse(b"Uid:\t0\t0\t0\t0\n").unwrap().capabilities, None);
    }
}
