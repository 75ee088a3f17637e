//! Capabilities, user and groups (capabilities(7)), given up for good.

use std::fs::File;
use std::io::{self, Read};

use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use crate::privilege::{Account, GivenUp, PrivilegeError};

/// Most bytes of /etc/passwd and /etc/group that are read.
const LIMIT: u64 = 16 << 20;

fn read(path: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut text).ok()?;
    Some(text)
}

/// The account of this name or number.
pub fn account(named: &str) -> Option<Account> {
    let accounts = read("/etc/passwd")?;
    let number = named.parse().ok();
    let mut known = wire::passwd::accounts(&accounts);
    let found = known.find(|account| account.name == named || Some(account.uid) == number)?;
    let gid = found.gid?;
    let table = read("/etc/group").unwrap_or_default();
    let mut groups: Vec<u32> =
        std::iter::once(gid).chain(wire::passwd::groups_of(&table, found.name)).collect();
    groups.sort_unstable();
    groups.dedup();
    Some(Account { name: found.name.to_owned(), uid: found.uid, gid, groups })
}

/// The number of the group of this name or number, where /etc/group has it.
pub fn group(named: &str) -> Option<u32> {
    let table = read("/etc/group")?;
    let number = named.parse::<u32>().ok();
    table.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
        let gid = std::str::from_utf8(gid).ok()?.parse::<u32>().ok()?;
        (name == named.as_bytes() || number == Some(gid)).then_some(gid)
    })
}

/// Keeps these capabilities of those that we have, and no others; becomes `account`; and can never have more again.
///
/// It is for a process that has one thread: threads that start later have what is left.
pub fn give_up(keep: u64, account: Option<&Account>) -> Result<GivenUp, PrivilegeError> {
    let threads = std::fs::read_dir("/proc/self/task");
    let threads = threads.map_err(|error| PrivilegeError::Refused("count our threads", error))?.count();
    if threads != 1 {
        return Err(PrivilegeError::Threads(threads));
    }
    of_this_thread(CapabilitySet::from_bits_retain(keep), account)
}

/// Gives up what the calling thread has; the kernel knows no other way.
fn of_this_thread(keep: CapabilitySet, account: Option<&Account>) -> Result<GivenUp, PrivilegeError> {
    let refused = |what| move |errno: Errno| PrivilegeError::Refused(what, errno.into());
    let before = capabilities(None).map_err(refused("tell our capabilities"))?;
    let kept = before.permitted & keep;
    // Before Linux 4.3 there is no such set.
    let _: Result<(), Errno> = clear_ambient_capability_set();
    let bounded = bound(kept);
    if let Some(account) = account {
        set_keep_capabilities(true).map_err(refused("keep capabilities"))?;
        become_account(account)?;
    }
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(refused("give up capabilities"))?;
    if account.is_some() {
        set_keep_capabilities(false).map_err(refused("keep capabilities no longer"))?;
    }
    set_no_new_privs(true).map_err(refused("rule out new privilege"))?;
    let after = capabilities(None).map_err(refused("tell our capabilities"))?;
    if after != sets {
        let error = io::Error::other("they are still there");
        return Err(PrivilegeError::Refused("give up capabilities", error));
    }
    Ok(GivenUp {
        capabilities: (before.permitted - kept).bits(),
        kept: kept.bits(),
        account: account.cloned(),
        bounded,
    })
}

/// Takes from what programs that we start may ever have; tells whether all could be taken.
fn bound(kept: CapabilitySet) -> bool {
    (0..u64::BITS).map(|bit| CapabilitySet::from_bits_retain(1 << bit)).all(|one| {
        // Beyond the last that the kernel knows, it answers with an error.
        kept.contains(one)
            || !capability_is_in_bounding_set(one).unwrap_or(false)
            || remove_capability_from_bounding_set(one).is_ok()
    })
}

fn become_account(account: &Account) -> Result<(), PrivilegeError> {
    let refused = |what| move |errno: Errno| PrivilegeError::Refused(what, errno.into());
    // All ones stand for "as it is" in the kernel's calls.
    if [account.uid, account.gid].contains(&u32::MAX) || account.groups.contains(&u32::MAX) {
        return Err(PrivilegeError::Refused("change the user", io::ErrorKind::InvalidInput.into()));
    }
    let groups: Vec<Gid> = account.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
    set_thread_groups(&groups).map_err(refused("change the groups"))?;
    let gid = Gid::from_raw(account.gid);
    set_thread_res_gid(gid, gid, gid).map_err(refused("change the group"))?;
    let uid = Uid::from_raw(account.uid);
    set_thread_res_uid(uid, uid, uid).map_err(refused("change the user"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{geteuid, getgroups};

    /// Runs `test` in a thread of its own, which takes what it gave up with it.
    fn alone(test: impl FnOnce() + Send) {
        std::thread::scope(|scope| {
            if let Err(panic) = scope.spawn(test).join() {
                std::panic::resume_unwind(panic);
            }
        });
    }

    #[test]
    fn what_is_not_kept_is_gone_for_good() {
        alone(|| {
            let before = capabilities(None).unwrap();
            let keep = CapabilitySet::SYS_PTRACE | CapabilitySet::NET_ADMIN;
            let given_up = of_this_thread(keep, None).unwrap();
            assert_eq!(given_up.kept, (before.permitted & keep).bits());
            assert_eq!(given_up.capabilities | given_up.kept, before.permitted.bits());
            let after = capabilities(None).unwrap();
            assert_eq!(
                (after.permitted, after.effective),
                (before.permitted & keep, before.permitted & keep)
            );
            assert!(after.inheritable.is_empty());
            assert!(set_capabilities(None, before).is_err() || before == after);
            if given_up.bounded {
                assert!(!capability_is_in_bounding_set(CapabilitySet::NET_RAW).unwrap());
            }
            // Once more is no harm, and there is less each time.
            let again = of_this_thread(CapabilitySet::empty(), None).unwrap();
            assert_eq!((again.kept, again.capabilities), (0, given_up.kept));
        });
    }

    #[test]
    fn another_account_may_keep_a_capability_and_never_comes_back() {
        let Some(nobody) = account("nobody") else { return eprintln!("SKIPPED: no account nobody here") };
        if !geteuid().is_root() {
            return eprintln!("SKIPPED: only root can become another");
        }
        assert_eq!(account(&nobody.uid.to_string()), Some(nobody.clone()));
        alone(|| {
            let given_up = of_this_thread(CapabilitySet::SYS_PTRACE, Some(&nobody)).unwrap();
            assert_eq!((given_up.kept, given_up.bounded), (CapabilitySet::SYS_PTRACE.bits(), true));
            assert_eq!((geteuid().as_raw(), getgroups().unwrap().len()), (nobody.uid, nobody.groups.len()));
            let root = Uid::from_raw(0);
            assert_eq!(set_thread_res_uid(root, root, root), Err(Errno::PERM));
            assert!(File::open("/etc/shadow").is_err());
        });
        alone(|| {
            let wrong = Account { uid: u32::MAX, ..nobody.clone() };
            assert!(of_this_thread(CapabilitySet::empty(), Some(&wrong)).is_err());
        });
    }

    #[test]
    fn other_threads_would_keep_theirs_so_it_is_refused() {
        let (tell, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        let before = capabilities(None).unwrap();
        assert!(matches!(give_up(0, None), Err(PrivilegeError::Threads(2..))));
        assert_eq!(capabilities(None).unwrap(), before);
        drop(tell);
        assert!(other.join().unwrap().is_err());
    }
}
