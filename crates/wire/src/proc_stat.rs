//! `/proc/PID/stat`: one line that names a process for good (proc_pid_stat(5)).

use crate::Fault;

/// Bit of a kernel thread in `flags` (`PF_KTHREAD`, linux/sched.h).
pub const KERNEL_THREAD: u32 = 0x0020_0000;

/// The fields of the line that are of use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcStat<'a> {
    /// Process number.
    pub pid: u32,
    /// Short name, exactly as the process set it; it may hold brackets, spaces and line feeds.
    pub comm: &'a [u8],
    /// State letter: `Z` for a zombie.
    pub state: u8,
    /// Number of the parent; 0 for none.
    pub parent: u32,
    /// Kernel flags.
    pub flags: u32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// Where its arguments begin in memory: moves with every execve; 0 where we may not see it.
    pub arg_start: u64,
}

impl ProcStat<'_> {
    /// Whether it is a kernel thread.
    pub fn is_kernel_thread(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }

    /// Whether it has ended and only waits for its parent.
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

const fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "proc stat", at, what }
}

/// Reads the line.
pub fn parse(text: &[u8]) -> Result<ProcStat<'_>, Fault> {
    let open = memchr::memchr(b'(', text).ok_or(fault(0, "no opening bracket before the name"))?;
    // A name may hold ") ", numbers hold none: the last bracket is the one that counts.
    let close = memchr::memrchr(b')', text).ok_or(fault(open, "no closing bracket after the name"))?;
    let head = text.get(..open).unwrap_or_default();
    let comm = text.get(open + 1..close).ok_or(fault(close, "brackets in the wrong order"))?;
    let pid = number(head.trim_ascii()).ok_or(fault(0, "no process number"))?;
    let rest = text.get(close + 1..).unwrap_or_default();
    let mut fields = rest.split(|b| *b == b' ').filter(|field| !field.is_empty());
    let state = fields.next().and_then(|field| field.first()).copied().ok_or(fault(close, "no state"))?;
    let parent = fields.next().and_then(number).ok_or(fault(close, "no parent"))?;
    // From here on, numbers are those of proc_pid_stat(5): 5 is the next.
    let flags = fields.nth(9 - 5).and_then(number).ok_or(fault(close, "no flags"))?;
    let start_ticks = fields.nth(22 - 10).and_then(wide).ok_or(fault(close, "no start time"))?;
    let arg_start = fields.nth(48 - 23).map(|field| field.trim_ascii()).and_then(wide).unwrap_or(0);
    Ok(ProcStat { pid, comm, state, parent, flags, start_ticks, arg_start })
}

fn wide(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, b| {
        if !b.is_ascii_digit() {
            return None;
        }
        sum.checked_mul(10)?.checked_add(u64::from(b - b'0'))
    })
}

fn number(text: &[u8]) -> Option<u32> {
    wide(text).and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const LINE: &[u8] = b"812 (sshd) S 1 812 812 0 -1 4194560 1387 2713 0 4 1 2 3 4 20 0 1 0 1234 15798272 1940 \
18446744073709551615 94400000000000 94400000600000 140720000000000 0 0 0 0 4096 81925 0 0 0 17 1 0 0 0 0 0 \
94400000700000 94400000710000 94400010000000 140720000001000 140720000001040 140720000001040 140720000004060 0\n";

    #[test]
    fn a_line_as_the_kernel_writes_it() {
        let stat = parse(LINE).unwrap();
        assert_eq!((stat.pid, stat.comm, stat.state, stat.parent), (812, &b"sshd"[..], b'S', 1));
        assert_eq!((stat.flags, stat.start_ticks, stat.arg_start), (4_194_560, 1234, 140_720_000_001_000));
        assert!(!stat.is_kernel_thread() && !stat.is_zombie());
    }

    #[test]
    fn a_name_that_imitates_the_rest_of_the_line_changes_nothing() {
        let mut line = b"7 (x) S 999 (y\n) z) S ".to_vec();
        line.extend_from_slice(&LINE[LINE.windows(4).position(|w| w == b" 1 8").unwrap() + 1..]);
        let stat = parse(&line).unwrap();
        assert_eq!((stat.pid, stat.comm, stat.parent), (7, &b"x) S 999 (y\n) z"[..], 1));
    }

    #[test]
    fn no_prefix_gives_another_start_time() {
        let whole = parse(LINE).unwrap();
        let start_end = LINE.windows(5).position(|w| w == b"1234 ").unwrap() + 4;
        for cut in 0..LINE.len() {
            match parse(&LINE[..cut]) {
                Ok(stat) if cut >= start_end => assert_eq!(stat.start_ticks, whole.start_ticks),
                Ok(stat) => {
                    assert!(whole.start_ticks / stat.start_ticks.max(1) >= 10, "cut inside the number")
                }
                Err(fault) => assert!(cut < start_end, "{fault}"),
            }
        }
    }

    #[test]
    fn signs_letters_and_numbers_that_do_not_fit_are_faults() {
        for (from, to) in
            [(" 1 812", " -1 812"), ("4194560", "4194560000000"), (" 1234 ", " 12x4 "), ("812 (", "x (")]
        {
            let text = core::str::from_utf8(LINE).unwrap().replacen(from, to, 1);
            assert!(parse(text.as_bytes()).is_err(), "{to}");
        }
    }

    #[test]
    fn random_lines_never_panic() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut line: Vec<u8> = LINE.to_vec();
            for _ in 0..4 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let at = usize::try_from(seed % line.len() as u64).unwrap();
                line[at] = seed.to_be_bytes()[0];
            }
            if let Ok(stat) = parse(&line) {
                assert!(stat.comm.len() < line.len());
            }
        }
    }
}
