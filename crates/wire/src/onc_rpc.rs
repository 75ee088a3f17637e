//! ONC remote procedure calls, as portmap, NFS and mount use them (RFC 5531), and their record marks on a stream.

use crate::Fault;
use crate::cursor::array;

/// Whether a message asks or answers, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A call (RFC 5531 §9).
    Call {
        /// The program: 100003 is NFS.
        program: u32,
        /// The program's version.
        version: u32,
        /// The procedure.
        procedure: u32,
        /// How the caller says who it is: 0 not at all, 1 by numbers, 6 GSS.
        flavor: u32,
    },
    /// An answer to an accepted call.
    Accepted {
        /// 0 success, 1–5 why not.
        status: u32,
    },
    /// An answer to a call that was not accepted.
    Denied {
        /// 0 wrong RPC version, 1 no authentication.
        status: u32,
    },
}

/// One message, as far as the RPC layer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The number by which an answer is known.
    pub xid: u32,
    /// What it says.
    pub body: Body,
    /// Arguments or results, as far as they are there.
    pub rest: &'a [u8],
}

/// An opaque authenticator has at most this many bytes (RFC 5531 §8.2).
const MOST_AUTHENTICATOR: u32 = 400;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "ONC RPC", at, what }
}

struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<u32, Fault> {
        let word =
            array(self.bytes, self.at).ok_or(fault(self.bytes.len(), "the message ends in its header"))?;
        self.at += 4;
        Ok(u32::from_be_bytes(word))
    }

    /// Skips an authenticator and gives its flavor.
    fn authenticator(&mut self) -> Result<u32, Fault> {
        let at = self.at;
        let flavor = self.next()?;
        let length = self.next()?;
        if length > MOST_AUTHENTICATOR || (flavor == 0 && length != 0) {
            return Err(fault(at, "an authenticator over 400 bytes, or a filled empty one (RFC 5531 §8.2)"));
        }
        let padded = (length as usize).next_multiple_of(4);
        if self.bytes.len() - self.at < padded {
            return Err(fault(self.bytes.len(), "the message ends in an authenticator"));
        }
        self.at += padded;
        Ok(flavor)
    }
}

/// One message without record mark. A fault at the end of the bytes means that more are needed.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let mut words = Words { bytes, at: 0 };
    let xid = words.next()?;
    let body = match words.next()? {
        0 => {
            if words.next()? != 2 {
                return Err(fault(8, "another RPC version than 2 (RFC 5531 §9)"));
            }
            let (program, version, procedure) = (words.next()?, words.next()?, words.next()?);
            let flavor = words.authenticator()?;
            words.authenticator()?;
            Body::Call { program, version, procedure, flavor }
        }
        1 => match words.next()? {
            0 => {
                words.authenticator()?;
                let at = words.at;
                match words.next()? {
                    status @ 0..=5 => Body::Accepted { status },
                    _ => return Err(fault(at, "an unknown accept_stat (RFC 5531 §9)")),
                }
            }
            1 => match words.next()? {
                status @ 0..=1 => Body::Denied { status },
                _ => return Err(fault(12, "an unknown reject_stat (RFC 5531 §9)")),
            },
            _ => return Err(fault(8, "an unknown reply_stat (RFC 5531 §9)")),
        },
        _ => return Err(fault(4, "neither a call nor a reply (RFC 5531 §9)")),
    };
    Ok(Message { xid, body, rest: bytes.get(words.at..).unwrap_or_default() })
}

/// A record mark: whether this is the last fragment, and its length (RFC 5531 §11).
pub fn record_mark(bytes: &[u8]) -> Option<(bool, u32)> {
    array(bytes, 0).map(u32::from_be_bytes).map(|mark| (mark >> 31 == 1, mark & 0x7fff_ffff))
}

/// The name of a program that is known (IANA "RPC Program Numbers").
pub fn program_name(program: u32) -> Option<&'static str> {
    Some(match program {
        100_000 => "portmap",
        100_001 => "rstatd",
        100_002 => "rusersd",
        100_003 => "nfs",
        100_004 => "ypserv",
        100_005 => "mountd",
        100_007 => "ypbind",
        100_009 => "yppasswdd",
        100_011 => "rquotad",
        100_021 => "nlockmgr",
        100_024 => "status",
        100_026 => "bootparam",
        100_068 => "cmsd",
        100_083 => "ttdbserverd",
        100_227 => "nfs_acl",
        100_232 => "sadmind",
        391_002 => "sgi_fam",
        395_183 => "vxi11core",
        _ => return None,
    })
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    match parse(bytes) {
        Ok(message) => {
            assert!(message.rest.len() + 12 <= bytes.len());
            assert!(bytes.ends_with(message.rest));
            // What was read does not depend on what lies behind it.
            let (head, _) = bytes.split_at(bytes.len() - message.rest.len());
            assert_eq!(parse(head), Ok(Message { rest: &[], ..message }));
        }
        Err(fault) => assert!(fault.at <= bytes.len()),
    }
    assert!(record_mark(bytes).is_some() == (bytes.len() >= 4));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    pub(super) fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn calls_and_replies() {
        let call = words(&[7, 0, 2, 100_003, 3, 0, 1, 8, 0, 0, 0, 0, 99]);
        let message = parse(&call).unwrap();
        assert_eq!(message.body, Body::Call { program: 100_003, version: 3, procedure: 0, flavor: 1 });
        assert_eq!(message.rest, [0, 0, 0, 99]);
        assert_eq!(program_name(100_003), Some("nfs"));
        let reply = words(&[7, 1, 0, 0, 0, 0]);
        assert_eq!(parse(&reply).unwrap().body, Body::Accepted { status: 0 });
        assert_eq!(parse(&words(&[7, 1, 1, 1])).unwrap().body, Body::Denied { status: 1 });
        assert_eq!(record_mark(&[0x80, 0, 0, 40]), Some((true, 40)));
    }

    #[test]
    fn forbidden_values() {
        for (message, at) in [
            (&[7, 2][..], 4),
            (&[7, 0, 3, 0, 0, 0, 0, 0, 0, 0], 8),
            (&[7, 0, 2, 1, 1, 1, 1, 401, 0, 0], 24),
            (&[7, 0, 2, 1, 1, 1, 0, 4, 0, 0], 24),
            (&[7, 1, 2], 8),
            (&[7, 1, 0, 0, 0, 6], 20),
            (&[7, 1, 1, 2], 12),
            (&[7, 0, 2, 1, 1, 1, 1, 400], 32),
        ] {
            assert_eq!(parse(&words(message)).unwrap_err().at, at, "{message:?}");
        }
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let sample = words(&[7, 0, 2, 100_003, 3, 0, 1, 8, 0, 0, 0, 0, 99]);
        for end in 0..sample.len() {
            check(&sample[..end]);
            assert_eq!(parse(&sample[..end]).is_ok(), end >= 48);
        }
        let mut seed = 11_u64;
        for _ in 0..20_000 {
            let mut copy = sample.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[5] & 3;
            }
            check(&copy);
        }
    }
}
