//! `/etc/passwd` and `/etc/group`: account names, home folders and groups (passwd(5), group(5)).

/// One account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number.
    pub uid: u32,
    /// The number of its first group, where the line has one.
    pub gid: Option<u32>,
    /// Its home folder; may be empty.
    pub home: &'a str,
}

/// The accounts of the file; lines that are no account are passed over, as the C library does.
pub fn accounts(text: &[u8]) -> impl Iterator<Item = Account<'_>> {
    text.split(|b| *b == b'\n').filter_map(account)
}

fn account(line: &[u8]) -> Option<Account<'_>> {
    let line = core::str::from_utf8(line).ok()?;
    // "+name" and "-name" are orders to NIS, not accounts.
    if line.starts_with(['#', '+', '-']) {
        return None;
    }
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let uid = number(fields.nth(1)?)?;
    let gid = fields.next().and_then(number);
    let home = fields.nth(1).unwrap_or("");
    Some(Account { name, uid, gid, home })
}

/// The groups that list this account as a member, by number; lines that are no group are passed over.
pub fn groups_of<'a>(text: &'a [u8], account: &'a str) -> impl Iterator<Item = u32> + 'a {
    text.split(|b| *b == b'\n').filter_map(move |line| {
        let line = core::str::from_utf8(line).ok().filter(|line| !line.starts_with(['#', '+', '-']))?;
        let mut fields = line.split(':');
        let gid = number(fields.nth(2)?)?;
        fields.next()?.split(',').any(|member| member == account && !member.is_empty()).then_some(gid)
    })
}

/// Digits and nothing else: no sign, no space.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const FILE: &[u8] =
        b"root:x:0:0:root:/root:/bin/bash\n# no account\n+nis::::::\nwww-data:x:33:33:www:/var/www:\n\
bad:x:-1:0::/:\nhuge:x:4294967296:0::/:\n:x:5:5::/:\nshort:x:7\n\xff:x:9:9::/:\n";

    #[test]
    fn accounts_are_read_and_the_rest_is_passed_over() {
        let found: Vec<_> = accounts(FILE).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], Account { name: "root", uid: 0, gid: Some(0), home: "/root" });
        assert_eq!(found[1], Account { name: "www-data", uid: 33, gid: Some(33), home: "/var/www" });
        assert_eq!(found[2], Account { name: "short", uid: 7, gid: None, home: "" });
    }

    #[test]
    fn groups_are_those_that_list_the_account() {
        let file = b"root:x:0:\naudio:x:29:pulse,reeve\n+::::\nbad:x:-4:reeve\nreeves:x:9:reeven\nwharf:x:30:reeve\ncut:x:31";
        assert_eq!(groups_of(file, "reeve").collect::<Vec<_>>(), [29, 30]);
        assert_eq!(groups_of(file, "").count(), 0);
        for cut in 0..file.len() {
            assert!(groups_of(&file[..cut], "reeve").count() <= 2);
        }
    }

    #[test]
    fn a_prefix_never_has_more_accounts() {
        for cut in 0..FILE.len() {
            assert!(accounts(&FILE[..cut]).count() <= 3);
        }
    }
}
