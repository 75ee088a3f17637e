//! The one program that a capture's socket runs: which interfaces, no packet of loopback twice, and what was asked for.

use libc::sock_filter;
use wire::LinkType;

use super::device::filtered;
use crate::capture::{CaptureError, FilterInstruction, LinkFilter};

/// The most instructions that the kernel takes (`BPF_MAXINSNS`).
const MOST: usize = 4096;

// Linux `include/uapi/linux/filter.h`: what a program can ask about a frame beside its bytes.
const PACKET_KIND: u32 = ancillary(4);
const INTERFACE: u32 = ancillary(8);
const HARDWARE: u32 = ancillary(28);

// Instructions, as classic BPF has them.
const LOAD_IMMEDIATE: u16 = 0x00;
const LOAD_WORD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const RETURN_A: u16 = 0x16;
const CLASS: u16 = 0x07;
const CLASS_JUMP: u16 = 0x05;
const JUMP_KIND: u16 = 0xf0;

const fn ancillary(what: u32) -> u32 {
    // SKF_AD_OFF is -0x1000.
    0x1000_u32.wrapping_neg().wrapping_add(what)
}

const fn plain(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Falls through if the accumulator is `k`, and passes over `otherwise` instructions if not.
const fn unless(k: u32, otherwise: u8) -> sock_filter {
    sock_filter { code: JUMP_EQUAL, jt: 0, jf: otherwise, k }
}

/// A program that lets nothing pass.
pub fn nothing() -> Vec<sock_filter> {
    vec![plain(RETURN, 0)]
}

/// The program of a capture. `interfaces` are numbers of which a frame's must be one; none is any.
pub fn program(
    interfaces: &[u32],
    filters: &[LinkFilter],
    snap_bytes: u32,
) -> Result<Vec<sock_filter>, CaptureError> {
    let mut program = Vec::new();
    if !interfaces.is_empty() {
        program.push(plain(LOAD_WORD, INTERFACE));
        for (place, index) in interfaces.iter().enumerate() {
            // Over what is left of the list, and over the end of it.
            let rest = interfaces.len().saturating_sub(place + 1) * 2 + 1;
            program.push(unless(*index, 1));
            program.push(plain(JUMP, u32::try_from(rest).unwrap_or(u32::MAX)));
        }
        program.push(plain(RETURN, 0));
    }
    // What is sent over loopback also arrives there: once is enough.
    program.extend([
        plain(LOAD_WORD, HARDWARE),
        unless(u32::from(libc::ARPHRD_LOOPBACK), 3),
        plain(LOAD_WORD, PACKET_KIND),
        unless(u32::from(libc::PACKET_OUTGOING), 1),
        plain(RETURN, 0),
    ]);
    if !filters.is_empty() {
        program.push(plain(LOAD_WORD, HARDWARE));
    }
    for filter in filters {
        let body = body(filter, snap_bytes)?;
        let types = filtered(filter.link);
        let refused = |why| CaptureError::FilterRefused(filter.link, why);
        if types.is_empty() {
            return Err(refused("the kernel cannot filter frames of this type"));
        }
        for (place, hardware) in types.iter().enumerate() {
            let rest = types.len().saturating_sub(place + 1) * 2 + 1;
            program.push(unless(u32::from(*hardware), 1));
            program.push(plain(JUMP, u32::try_from(rest).map_err(|_| refused("it is too long"))?));
        }
        program.push(plain(JUMP, u32::try_from(body.len()).map_err(|_| refused("it is too long"))?));
        program.extend(body);
    }
    program.push(plain(RETURN, snap_bytes));
    if program.len() > MOST {
        let link = filters.first().map_or(LinkType::ETHERNET, |filter| filter.link);
        return Err(CaptureError::FilterRefused(
            link,
            "it is longer than the kernel takes (4096 instructions)",
        ));
    }
    Ok(program)
}

/// The program of one link type, with nothing left over from ours, that stays within itself and keeps to the snap length.
fn body(filter: &LinkFilter, snap_bytes: u32) -> Result<Vec<sock_filter>, CaptureError> {
    let refused = |why| CaptureError::FilterRefused(filter.link, why);
    let given = &filter.program;
    let length = given.len();
    if !given.last().is_some_and(|last| matches!(last.code, RETURN | RETURN_A)) {
        return Err(refused("it does not end with a return"));
    }
    // A program begins with an empty accumulator.
    let mut body = vec![plain(LOAD_IMMEDIATE, 0)];
    for (place, one) in given.iter().enumerate() {
        let &FilterInstruction { code, jt, jf, mut k } = one;
        if code & CLASS == CLASS_JUMP {
            let farthest = if code & JUMP_KIND == 0 {
                usize::try_from(k).unwrap_or(usize::MAX)
            } else {
                usize::from(jt.max(jf))
            };
            if place.saturating_add(1).saturating_add(farthest) >= length {
                return Err(refused("it jumps out of itself"));
            }
        }
        if code == RETURN {
            k = k.min(snap_bytes);
        }
        body.push(sock_filter { code, jt, jf, k });
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(program: &[(u16, u8, u8, u32)]) -> LinkFilter {
        let program =
            program.iter().map(|&(code, jt, jf, k)| FilterInstruction { code, jt, jf, k }).collect();
        LinkFilter { link: LinkType::ETHERNET, program }
    }

    /// What a machine would do: the bytes that are kept of a frame. It knows what our programs use.
    fn run(program: &[sock_filter], interface: u32, hardware: u16, kind: u8) -> u32 {
        let (mut at, mut a) = (0, 0);
        loop {
            let one = program[at];
            at += 1;
            match one.code {
                LOAD_IMMEDIATE => a = one.k,
                LOAD_WORD if one.k == INTERFACE => a = interface,
                LOAD_WORD if one.k == HARDWARE => a = u32::from(hardware),
                LOAD_WORD if one.k == PACKET_KIND => a = u32::from(kind),
                JUMP => at += one.k as usize,
                JUMP_EQUAL => at += usize::from(if a == one.k { one.jt } else { one.jf }),
                RETURN => return one.k,
                RETURN_A => return a,
                code => panic!("{code:#x} {:#x}", one.k),
            }
        }
    }

    #[test]
    fn only_the_interfaces_asked_for_pass() {
        let program = program(&[3, 700, 5], &[], 96).unwrap();
        for (interface, kept) in [(3, 96), (700, 96), (5, 96), (0, 0), (4, 0), (701, 0)] {
            assert_eq!(run(&program, interface, 1, 0), kept, "interface {interface}");
        }
        let any = super::program(&[], &[], 96).unwrap();
        assert_eq!(run(&any, 12_345, 1, 4), 96);
    }

    #[test]
    fn loopback_is_seen_once_and_others_both_ways() {
        let program = program(&[], &[], 65_535).unwrap();
        let out = libc::PACKET_OUTGOING;
        assert_eq!((run(&program, 1, 772, out), run(&program, 1, 772, 0)), (0, 65_535));
        assert_eq!((run(&program, 1, 1, out), run(&program, 1, 1, 0)), (65_535, 65_535));
    }

    #[test]
    fn each_link_type_has_its_program_and_begins_with_nothing_in_hand() {
        // "Keep what is in the accumulator" keeps nothing; the other program cannot be told from the length.
        let none = filter(&[(RETURN_A, 0, 0, 0)]);
        let mut some = filter(&[(JUMP, 0, 0, 1), (RETURN, 0, 0, 0), (RETURN, 0, 0, 1_000_000)]);
        some.link = LinkType::RAW;
        let program = program(&[7], &[none, some], 64).unwrap();
        for (hardware, kept) in [(1, 0), (772, 0), (65_534, 64), (768, 64), (519, 64), (778, 64), (32, 64)] {
            assert_eq!(run(&program, 7, hardware, 0), kept, "hardware {hardware}");
            assert_eq!(run(&program, 8, hardware, 0), 0);
        }
    }

    #[test]
    fn a_program_that_leaves_itself_is_refused() {
        for wrong in [
            &[][..],
            &[(LOAD_IMMEDIATE, 0, 0, 0)],
            &[(JUMP, 0, 0, 1), (RETURN, 0, 0, 0)],
            &[(JUMP, 0, 0, u32::MAX), (RETURN, 0, 0, 0)],
            &[(JUMP_EQUAL, 1, 0, 0), (RETURN, 0, 0, 0)],
            &[(JUMP_EQUAL, 0, 1, 0), (RETURN, 0, 0, 0)],
        ] {
            let answer = program(&[], &[filter(wrong)], 64);
            assert!(matches!(answer, Err(CaptureError::FilterRefused(LinkType::ETHERNET, _))), "{wrong:?}");
        }
        let long = vec![(RETURN, 0, 0, 1); MOST];
        assert!(program(&[], &[filter(&long)], 64).is_err());
        let mut cooked = filter(&[(RETURN, 0, 0, 1)]);
        cooked.link = LinkType::LINUX_SLL2;
        assert!(program(&[], &[cooked], 64).is_err());
    }
}
