//! `/etc/passwd`: account names and home folders (passwd(5)).

/// One account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number.
    pub uid: u32,
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
    let uid = fields.nth(1)?;
    if uid.is_empty() || !uid.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let home = fields.nth(2).unwrap_or("");
    Some(Account { name, uid: uid.parse().ok()?, home })
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
        assert_eq!(found[0], Account { name: "root", uid: 0, home: "/root" });
        assert_eq!(found[1], Account { name: "www-data", uid: 33, home: "/var/www" });
        assert_eq!(found[2], Account { name: "short", uid: 7, home: "" });
    }

    #[test]
    fn a_prefix_never_has_more_accounts() {
        for cut in 0..FILE.len() {
            assert!(accounts(&FILE[..cut]).count() <= 3);
        }
    }
}
