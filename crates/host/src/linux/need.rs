//! What our own process needs of the machine, as the kernel counts it (proc(5)).

use std::fs;
use std::time::Duration;

use crate::Need;

/// What the kernel says.
pub fn read() -> Option<Need> {
    said(&fs::read_to_string("/proc/self/stat").ok()?, &fs::read_to_string("/proc/self/status").ok()?)
}

fn said(stat: &str, status: &str) -> Option<Need> {
    // The name in parentheses may hold anything; what follows it is numbers, and begins with the third field.
    let (_, after) = stat.rsplit_once(')')?;
    let field = |number: usize| after.split_whitespace().nth(number.checked_sub(3)?)?.parse::<u64>().ok();
    // Towards programs the kernel counts in hundredths of a second (`USER_HZ`).
    let hundredths = field(14)?.checked_add(field(15)?)?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(Need {
        cpu: Duration::from_millis(hundredths.checked_mul(10)?),
        resident_bytes: kib.checked_mul(1024)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_says_nothing() {
        let stat = "12 (a) R 9 (b) S 1 1 1 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 1 0 5 6 7";
        let need = said(stat, "Name:\ta) R\nVmRSS:\t    2048 kB\n").unwrap();
        assert_eq!(need, Need { cpu: Duration::from_millis(1680), resident_bytes: 2048 * 1024 });
        for end in 0..stat.len() - 20 {
            assert!(
                said(stat.get(..end).unwrap(), "VmRSS: 1 kB").is_none_or(|it| it.cpu <= need.cpu),
                "{end}"
            );
        }
        assert_eq!(said(stat, "VmRSS: many kB"), None);
        assert_eq!(said(&stat.replace("123", &u64::MAX.to_string()), "VmRSS: 1 kB"), None);
    }

    #[test]
    fn we_need_something() {
        assert!(read().unwrap().resident_bytes > 100_000);
    }
}
