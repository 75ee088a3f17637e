//! Comparisons of numbers, made into instructions.

use alloc::vec::Vec;

use super::assemble::{Label, Load};
use super::compile::{Compiler, IP, IP6};
use super::expression::{Comparison, Layer, Operator, Value};
use super::fault::FilterError;
use super::program::code;

/// No frame is as long: an offset from here on is a mistake, and the kernel would take it for something else.
const NO_OFFSET: u32 = 0x7fff_0000;

/// ICMPv6 (RFC 4443), the one transport that is looked for in IPv6.
const ICMP6: u8 = 58;

/// The value where no frame is needed to know it.
fn constant(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Binary(operator, left, right) => operator.apply(constant(left)?, constant(right)?),
        Value::Length | Value::Access(..) => None,
    }
}

/// The headers that must be there, in the order of the text.
fn layers(value: &Value, found: &mut Vec<Layer>) {
    match value {
        Value::Number(_) | Value::Length => {}
        Value::Access(layer, index, _) => {
            layers(index, found);
            if !found.contains(layer) {
                found.push(*layer);
            }
        }
        Value::Binary(_, left, right) => {
            layers(left, found);
            layers(right, found);
        }
    }
}

fn operation(operator: Operator) -> u16 {
    code::ALU
        | match operator {
            Operator::Add => code::ADD,
            Operator::Subtract => code::SUB,
            Operator::Multiply => code::MUL,
            Operator::Divide => code::DIV,
            Operator::Remainder => code::MOD,
            Operator::And => code::AND,
            Operator::Or => code::OR,
            Operator::Xor => code::XOR,
            Operator::Left => code::LSH,
            Operator::Right => code::RSH,
        }
}

impl Compiler {
    pub(super) fn relation(
        &mut self,
        left: &Value,
        comparison: Comparison,
        right: &Value,
        yes: Label,
        no: Label,
    ) -> Result<(), FilterError> {
        let mut needed = Vec::new();
        layers(left, &mut needed);
        layers(right, &mut needed);
        for layer in needed {
            self.require_layer(layer, no)?;
        }
        if let (Some(left), Some(right)) = (constant(left), constant(right)) {
            self.assembler.go(if comparison.holds(left, right) { yes } else { no });
            return Ok(());
        }
        let (jump, yes, no) = match comparison {
            Comparison::Equal => (code::JEQ, yes, no),
            Comparison::NotEqual => (code::JEQ, no, yes),
            Comparison::Greater => (code::JGT, yes, no),
            Comparison::LessOrEqual => (code::JGT, no, yes),
            Comparison::GreaterOrEqual => (code::JGE, yes, no),
            Comparison::Less => (code::JGE, no, yes),
        };
        match constant(right) {
            Some(0) if jump == code::JEQ => match left {
                Value::Binary(Operator::And, bits, mask) if let Some(mask) = constant(mask) => {
                    self.evaluate(bits, 0)?;
                    self.assembler.branch(code::JSET, mask, no, yes);
                }
                _ => {
                    self.evaluate(left, 0)?;
                    self.assembler.branch(code::JEQ, 0, yes, no);
                }
            },
            Some(right) => {
                self.evaluate(left, 0)?;
                self.assembler.branch(jump, right, yes, no);
            }
            None => {
                self.both(left, right, 0)?;
                self.assembler.branch(jump | code::X, 0, yes, no);
            }
        }
        Ok(())
    }

    fn require_layer(&mut self, layer: Layer, no: Label) -> Result<(), FilterError> {
        match layer {
            Layer::Link => {}
            Layer::Network(number) => self.require_ethertype(number, no)?,
            Layer::Transport(ICMP6) => {
                self.require_ethertype(IP6, no)?;
                self.require(self.network(1, 6), u32::from(ICMP6), no);
            }
            Layer::Transport(number) => {
                self.require_ethertype(IP, no)?;
                self.require(self.network(1, 9), u32::from(number), no);
                // Only the first fragment has the header (RFC 791 §3.1).
                let first = self.assembler.label();
                self.assembler.load(self.network(2, 6));
                self.assembler.branch(code::JSET, 0x1fff, no, first);
                self.assembler.place(first);
            }
        }
        Ok(())
    }

    /// Leaves `left` in A and `right` in X.
    fn both(&mut self, left: &Value, right: &Value, depth: u32) -> Result<(), FilterError> {
        let cell = self.cell(depth)?;
        self.evaluate(left, depth)?;
        self.assembler.keep(code::ST, cell);
        self.evaluate(right, depth.saturating_add(1))?;
        self.assembler.change_x(code::TAX, 0);
        self.assembler.change(code::LD_MEM, cell);
        Ok(())
    }

    /// Leaves a value in A; cells from `depth` on may be used.
    fn evaluate(&mut self, value: &Value, depth: u32) -> Result<(), FilterError> {
        if let Some(number) = constant(value) {
            self.assembler.change(code::LD_IMM, number);
            return Ok(());
        }
        match value {
            Value::Number(number) => self.assembler.change(code::LD_IMM, *number),
            Value::Length => self.assembler.load(Load::Length),
            Value::Access(layer, index, bytes) => self.access(*layer, index, *bytes, depth)?,
            Value::Binary(operator, left, right) => match constant(right) {
                Some(right) => self.by_constant(*operator, left, right, depth)?,
                None => {
                    self.both(left, right, depth)?;
                    if matches!(operator, Operator::Left | Operator::Right) {
                        self.shift(*operator, depth)?;
                    } else {
                        self.assembler.change(operation(*operator) | code::X, 0);
                    }
                }
            },
        }
        Ok(())
    }

    fn by_constant(
        &mut self,
        operator: Operator,
        left: &Value,
        right: u32,
        depth: u32,
    ) -> Result<(), FilterError> {
        match operator {
            // The text has no constant of this kind, but a constant may be computed to one.
            Operator::Divide | Operator::Remainder if right == 0 => self.assembler.go(self.reject),
            Operator::Left | Operator::Right if right > 31 => {
                self.evaluate(left, depth)?;
                self.assembler.change(code::LD_IMM, 0);
            }
            _ => {
                self.evaluate(left, depth)?;
                self.assembler.change(operation(operator), right);
            }
        }
        Ok(())
    }

    /// Shifts A by X. By more than 31 bits nothing is left; the kernel would shift by the lower five bits of X.
    fn shift(&mut self, operator: Operator, depth: u32) -> Result<(), FilterError> {
        let (value, result) = (self.cell(depth)?, self.cell(depth.saturating_add(1))?);
        let [far, near, after] = [(); 3].map(|()| self.assembler.label());
        self.assembler.keep(code::ST, value);
        self.assembler.change(code::TXA, 0);
        self.assembler.branch(code::JGT, 31, far, near);
        self.assembler.place(near);
        self.assembler.change(code::LD_MEM, value);
        self.assembler.change(operation(operator) | code::X, 0);
        self.assembler.keep(code::ST, result);
        self.assembler.go(after);
        self.assembler.place(far);
        self.assembler.change(code::LD_IMM, 0);
        self.assembler.keep(code::ST, result);
        self.assembler.go(after);
        self.assembler.place(after);
        self.assembler.change(code::LD_MEM, result);
        Ok(())
    }

    fn access(&mut self, layer: Layer, index: &Value, bytes: u8, depth: u32) -> Result<(), FilterError> {
        let header = self.offsets.network();
        // ICMPv6 right behind the header of IPv6, which is 40 bytes long (RFC 8200 §3).
        let (base, behind) = match layer {
            Layer::Link => (self.offsets.header, false),
            Layer::Network(_) => (header, false),
            Layer::Transport(ICMP6) => (header.saturating_add(40), false),
            Layer::Transport(_) => (header, true),
        };
        if let Some(at) = constant(index) {
            if at >= NO_OFFSET {
                self.assembler.go(self.reject);
            } else if behind {
                self.assembler.load(Load::Behind { bytes, header, at });
            } else {
                self.assembler.load(Load::Bytes(bytes, base.saturating_add(at)));
            }
            return Ok(());
        }
        self.evaluate(index, depth)?;
        self.inside();
        if behind {
            self.assembler.header_length(header);
            self.assembler.change(code::ALU | code::ADD | code::X, 0);
        }
        self.assembler.change_x(code::TAX, 0);
        self.assembler.behind_x(bytes, base);
        Ok(())
    }

    /// Rejects where A is no offset at all.
    fn inside(&mut self) {
        let next = self.assembler.label();
        self.assembler.branch(code::JGE, NO_OFFSET, self.reject, next);
        self.assembler.place(next);
    }
}
