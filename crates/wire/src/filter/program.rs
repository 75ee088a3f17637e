//! Programs of classic BPF: what the kernel would check of them, and a machine that runs them over a frame
//! (McCanne and Jacobson, USENIX Winter 1993; Linux `include/uapi/linux/bpf_common.h`).

use alloc::vec::Vec;

use crate::Fault;

/// The kernel takes no longer programs (Linux `include/uapi/linux/bpf_common.h`: `BPF_MAXINSNS`).
pub const MOST_INSTRUCTIONS: usize = 4096;

/// What a program that lets a frame pass returns: how many bytes of it are wanted.
pub(super) const WHOLE_FRAME: u32 = 0x4_0000;

/// Loads from here on are questions to the kernel, not bytes (Linux `include/uapi/linux/filter.h`: `SKF_AD_OFF`).
pub(super) const ANCILLARY: u32 = 0xffff_f000;
/// The kind of packet; 4 is outgoing.
pub(super) const PACKET_TYPE: u32 = ANCILLARY + 4;
/// The VLAN tag that the network card or the kernel took out of the frame.
pub(super) const VLAN_TAG: u32 = ANCILLARY + 44;
/// 1 where there was such a tag.
pub(super) const VLAN_TAG_PRESENT: u32 = ANCILLARY + 48;

/// Cells of the scratch memory.
pub(super) const CELLS: usize = 16;

/// One instruction, as `struct sock_filter` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What is done.
    pub code: u16,
    /// How many instructions are left out where the comparison holds.
    pub jt: u8,
    /// How many are left out where it does not.
    pub jf: u8,
    /// A constant, offset, or distance.
    pub k: u32,
}

/// The codes of classic BPF that the compiler makes and the kernel knows.
pub(super) mod code {
    pub const LD_W: u16 = 0x20;
    pub const LD_H: u16 = 0x28;
    pub const LD_B: u16 = 0x30;
    pub const LD_W_IND: u16 = 0x40;
    pub const LD_H_IND: u16 = 0x48;
    pub const LD_B_IND: u16 = 0x50;
    pub const LD_IMM: u16 = 0x00;
    pub const LD_LEN: u16 = 0x80;
    pub const LD_MEM: u16 = 0x60;
    pub const LDX_IMM: u16 = 0x01;
    pub const LDX_LEN: u16 = 0x81;
    pub const LDX_MEM: u16 = 0x61;
    pub const LDX_MSH: u16 = 0xb1;
    pub const ST: u16 = 0x02;
    pub const STX: u16 = 0x03;
    /// The operation is in the upper four bits, X instead of a constant in bit 3.
    pub const ALU: u16 = 0x04;
    pub const ADD: u16 = 0x00;
    pub const SUB: u16 = 0x10;
    pub const MUL: u16 = 0x20;
    pub const DIV: u16 = 0x30;
    pub const OR: u16 = 0x40;
    pub const AND: u16 = 0x50;
    pub const LSH: u16 = 0x60;
    pub const RSH: u16 = 0x70;
    pub const NEG: u16 = 0x80;
    pub const MOD: u16 = 0x90;
    pub const XOR: u16 = 0xa0;
    pub const X: u16 = 0x08;
    pub const JA: u16 = 0x05;
    pub const JEQ: u16 = 0x15;
    pub const JGT: u16 = 0x25;
    pub const JGE: u16 = 0x35;
    pub const JSET: u16 = 0x45;
    pub const RET: u16 = 0x06;
    pub const RET_A: u16 = 0x16;
    pub const TAX: u16 = 0x07;
    pub const TXA: u16 = 0x87;
}

/// A program that passed the checks of [`Program::check`]: it ends, and does so after each instruction at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
}

impl Program {
    /// Takes instructions that the kernel would take too: every jump goes forward and stays inside, no constant
    /// divisor is 0, no cell is read before something was stored there (Linux `net/core/filter.c`: `bpf_check_classic`).
    pub fn check(instructions: Vec<Instruction>) -> Result<Program, Fault> {
        let fault = |at: usize, what: &'static str| Err(Fault { layer: "filter program", at, what });
        if instructions.is_empty() || instructions.len() > MOST_INSTRUCTIONS {
            return fault(instructions.len(), "a program has 1 to 4096 instructions");
        }
        // Which cells are surely stored when an instruction is reached; all, before anybody is known to reach it.
        let mut stored = alloc::vec![u16::MAX; instructions.len()];
        let mut now = 0_u16;
        let mut falls = true;
        for (at, instruction) in instructions.iter().enumerate() {
            let k = instruction.k;
            let before = stored.get(at).copied().unwrap_or(0);
            now = if falls { now & before } else { before };
            falls = true;
            let cell = || 1_u16.checked_shl(k).filter(|_| k < 16);
            let distances = match instruction.code {
                code::ST | code::STX => {
                    let Some(cell) = cell() else { return fault(at, "there are 16 cells") };
                    now |= cell;
                    [None; 2]
                }
                code::LD_MEM | code::LDX_MEM => {
                    match cell() {
                        None => return fault(at, "there are 16 cells"),
                        Some(cell) if now & cell == 0 => return fault(at, "nothing was stored there"),
                        Some(_) => {}
                    }
                    [None; 2]
                }
                code::JA => {
                    falls = false;
                    [Some(k), None]
                }
                _ if is_branch(instruction.code) => {
                    falls = false;
                    [Some(u32::from(instruction.jt)), Some(u32::from(instruction.jf))]
                }
                _ if is_arithmetic(instruction.code) => {
                    match instruction.code & 0xf0 {
                        _ if instruction.code & code::X != 0 => {}
                        code::DIV | code::MOD if k == 0 => return fault(at, "a division by 0"),
                        code::LSH | code::RSH if k > 31 => return fault(at, "a shift by more than 31 bits"),
                        _ => {}
                    }
                    [None; 2]
                }
                code::LD_W
                | code::LD_H
                | code::LD_B
                | code::LD_W_IND
                | code::LD_H_IND
                | code::LD_B_IND
                | code::LD_IMM
                | code::LD_LEN
                | code::LDX_IMM
                | code::LDX_LEN
                | code::LDX_MSH
                | code::TAX
                | code::TXA
                | code::RET
                | code::RET_A => [None; 2],
                _ => return fault(at, "an unknown instruction"),
            };
            for distance in distances.into_iter().flatten() {
                let target = usize::try_from(distance).ok().and_then(|d| at.checked_add(1)?.checked_add(d));
                let Some(there) = target.and_then(|target| stored.get_mut(target)) else {
                    return fault(at, "a jump out of the program");
                };
                *there &= now;
            }
        }
        match instructions.last() {
            Some(last) if matches!(last.code, code::RET | code::RET_A) => Ok(Program { instructions }),
            _ => fault(instructions.len(), "a program ends with a return"),
        }
    }

    /// The instructions, for `SO_ATTACH_FILTER`.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// True where the frame passes. `bytes` is what was captured of its `wire_bytes`; a test that needs a byte which
    /// was not captured lets nothing pass, even behind `not`.
    pub fn matches(&self, bytes: &[u8], wire_bytes: u32) -> bool {
        self.run(bytes, wire_bytes, None).is_some_and(|wanted| wanted > 0)
    }

    /// The same for a frame whose outer VLAN tag was taken out of it, as the kernel does before a packet socket.
    pub fn matches_tagged(&self, bytes: &[u8], wire_bytes: u32, tag: u16) -> bool {
        self.run(bytes, wire_bytes, Some(tag)).is_some_and(|wanted| wanted > 0)
    }

    /// What the program returns; `None` where it asks for a byte that is not there, or divides by 0.
    fn run(&self, bytes: &[u8], wire_bytes: u32, tag: Option<u16>) -> Option<u32> {
        let (mut a, mut x) = (0_u32, 0_u32);
        let mut cells = [0_u32; CELLS];
        let mut rest = self.instructions.iter();
        while let Some(&Instruction { code, jt, jf, k }) = rest.next() {
            let branch = |holds: bool| usize::from(if holds { jt } else { jf });
            let skipped = match code {
                code::LD_H => {
                    a = u32::from(u16::from_be_bytes(field(bytes, k)?));
                    continue;
                }
                code::LD_B => {
                    a = u32::from(u8::from_be_bytes(field(bytes, k)?));
                    continue;
                }
                code::JEQ => branch(a == k),
                code::LD_W if k >= ANCILLARY => {
                    a = match k {
                        VLAN_TAG => u32::from(tag.unwrap_or(0)),
                        VLAN_TAG_PRESENT => u32::from(tag.is_some()),
                        _ => return None,
                    };
                    continue;
                }
                code::LD_W => {
                    a = u32::from_be_bytes(field(bytes, k)?);
                    continue;
                }
                code::LD_H_IND => {
                    a = u32::from(u16::from_be_bytes(field(bytes, x.checked_add(k)?)?));
                    continue;
                }
                code::LD_B_IND => {
                    a = u32::from(u8::from_be_bytes(field(bytes, x.checked_add(k)?)?));
                    continue;
                }
                code::LD_W_IND => {
                    a = u32::from_be_bytes(field(bytes, x.checked_add(k)?)?);
                    continue;
                }
                code::LDX_MSH => {
                    x = u32::from(u8::from_be_bytes(field(bytes, k)?) & 0xf) << 2;
                    continue;
                }
                code::JGT => branch(a > k),
                code::JGE => branch(a >= k),
                code::JSET => branch(a & k != 0),
                code::JA => usize::try_from(k).ok()?,
                code::RET => return Some(k),
                code::RET_A => return Some(a),
                code::LD_IMM => {
                    a = k;
                    continue;
                }
                code::LD_LEN => {
                    a = wire_bytes;
                    continue;
                }
                code::LDX_IMM => {
                    x = k;
                    continue;
                }
                code::LDX_LEN => {
                    x = wire_bytes;
                    continue;
                }
                code::LD_MEM => {
                    a = *cells.get(usize::try_from(k).ok()?)?;
                    continue;
                }
                code::LDX_MEM => {
                    x = *cells.get(usize::try_from(k).ok()?)?;
                    continue;
                }
                code::ST => {
                    *cells.get_mut(usize::try_from(k).ok()?)? = a;
                    continue;
                }
                code::STX => {
                    *cells.get_mut(usize::try_from(k).ok()?)? = x;
                    continue;
                }
                code::TAX => {
                    x = a;
                    continue;
                }
                code::TXA => {
                    a = x;
                    continue;
                }
                _ if is_branch(code) => match code & !code::X {
                    code::JEQ => branch(a == x),
                    code::JGT => branch(a > x),
                    code::JGE => branch(a >= x),
                    _ => branch(a & x != 0),
                },
                _ => {
                    a = arithmetic(code, a, if code & code::X == 0 { k } else { x })?;
                    continue;
                }
            };
            if let Some(last) = skipped.checked_sub(1) {
                rest.nth(last)?;
            }
        }
        None
    }
}

fn is_branch(code: u16) -> bool {
    matches!(code & !code::X, code::JEQ | code::JGT | code::JGE | code::JSET)
}

fn is_arithmetic(code: u16) -> bool {
    let operation = code & 0xf0;
    code & 0x07 == code::ALU
        && (operation < code::NEG
            || operation == code::MOD
            || operation == code::XOR
            || code == code::ALU | code::NEG)
}

fn field<const N: usize>(bytes: &[u8], at: u32) -> Option<[u8; N]> {
    bytes.get(usize::try_from(at).ok()?..)?.first_chunk::<N>().copied()
}

fn arithmetic(code: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match code & 0xf0 {
        code::ADD => a.wrapping_add(operand),
        code::SUB => a.wrapping_sub(operand),
        code::MUL => a.wrapping_mul(operand),
        code::DIV => a.checked_div(operand)?,
        code::MOD => a.checked_rem(operand)?,
        code::AND => a & operand,
        code::OR => a | operand,
        code::XOR => a ^ operand,
        // The compiler tests what it shifts by; the kernel would take the lower five bits.
        code::LSH => a.wrapping_shl(operand),
        code::RSH => a.wrapping_shr(operand),
        code::NEG => a.wrapping_neg(),
        _ => return None,
    })
}
