//! Comparisons of numbers in an expression: `ip[2:2] - 20 > 100`.

use alloc::boxed::Box;
use alloc::format;

use super::expression::{Column, Comparison, Layer, Node, Operator, Test, Value};
use super::fault::FilterError;
use super::lexer::Token;
use super::parser::Parser;
use super::words::{Name, named_number, protocol_word};

/// A comparison may have this many operations; what is evaluated needs room on a stack.
const MOST_OPERATIONS: usize = 64;
/// Parentheses around values may stand in each other this deep: more than one per operation, as values are written.
const DEEPEST: usize = 200;

/// What a comparison may still have.
#[derive(Debug)]
struct Budget {
    operations: usize,
    parentheses: usize,
}

/// How strong an operator binds what stands left of it, and what the right of it must bind stronger than.
///
/// `%` and `^` bind their left side strongest and take everything to their right, as they do in tcpdump.
fn binding(operator: Operator) -> (u8, u8) {
    match operator {
        Operator::Or => (1, 2),
        Operator::And => (2, 3),
        Operator::Left | Operator::Right => (3, 4),
        Operator::Add | Operator::Subtract => (4, 5),
        Operator::Multiply | Operator::Divide => (5, 6),
        Operator::Remainder | Operator::Xor => (u8::MAX, 0),
    }
}

/// What the minus before a value binds.
const NEGATION: u8 = 6;

/// The operator that a sign is.
pub(super) fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Remainder,
        "&" => Operator::And,
        "|" => Operator::Or,
        "^" => Operator::Xor,
        "<<" => Operator::Left,
        ">>" => Operator::Right,
        _ => return None,
    })
}

/// The comparison that a sign is.
pub(super) fn comparison(sign: &str) -> Option<Comparison> {
    Some(match sign {
        "<" => Comparison::Less,
        ">" => Comparison::Greater,
        "<=" => Comparison::LessOrEqual,
        ">=" => Comparison::GreaterOrEqual,
        "=" | "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        _ => return None,
    })
}

/// The header that the word before `[` stands for.
fn layer(name: Name) -> Option<Layer> {
    Some(match name {
        Name::Link => Layer::Link,
        // Those of 802.2 have no header of their own that one could count from, and AARP is not among tcpdump's.
        Name::Ethertype(number @ 0x0600..) if number != 0x80f3 => Layer::Network(number),
        Name::Protocol(_, 50 | 51) | Name::Ethertype(_) => return None,
        Name::Protocol(_, number) => Layer::Transport(number),
    })
}

impl Parser<'_> {
    /// `value comparison value`.
    pub(super) fn relation(&mut self) -> Result<Node, FilterError> {
        let column = self.column();
        let mut budget = Budget { operations: MOST_OPERATIONS, parentheses: DEEPEST };
        let left = self.value(0, &mut budget)?;
        let Some(comparison) = self.sign().and_then(comparison) else {
            let what = format!("no comparison after '{left}'");
            return Err(FilterError::new(self.column(), what, "write one of < > <= >= = != and a value"));
        };
        self.step();
        let right = self.value(0, &mut budget)?;
        Ok(Node::Test(Test::Relation(left, comparison, right), Column(column)))
    }

    fn value(&mut self, at_least: u8, budget: &mut Budget) -> Result<Value, FilterError> {
        let mut value = self.operand_value(budget)?;
        while let Some(operator) = self.sign().and_then(operator) {
            let (left_binds, right_binds) = binding(operator);
            if left_binds < at_least {
                break;
            }
            let column = self.column();
            self.spend(budget)?;
            self.step();
            let right = self.value(right_binds, budget)?;
            if let Value::Number(number) = right {
                let hint = match operator {
                    Operator::Divide | Operator::Remainder if number == 0 => Some("divide by something else"),
                    Operator::Left | Operator::Right if number > 31 => Some("shift by at most 31 bits"),
                    _ => None,
                };
                if let Some(hint) = hint {
                    let what = format!("'{} {number}' has no result", operator.sign());
                    return Err(FilterError::new(column, what, hint));
                }
            }
            value = Value::Binary(operator, Box::new(value), Box::new(right));
        }
        Ok(value)
    }

    fn spend(&self, budget: &mut Budget) -> Result<(), FilterError> {
        let Some(rest) = budget.operations.checked_sub(1) else {
            let what = format!("more than {MOST_OPERATIONS} operations in one comparison");
            return Err(FilterError::new(self.column(), what, "write several comparisons joined by 'and'"));
        };
        budget.operations = rest;
        Ok(())
    }

    fn operand_value(&mut self, budget: &mut Budget) -> Result<Value, FilterError> {
        let column = self.column();
        match self.token() {
            Some(Token::Number(number)) => {
                self.step();
                Ok(Value::Number(number))
            }
            Some(Token::Sign("-")) => {
                self.spend(budget)?;
                self.step();
                let right = self.value(NEGATION, budget)?;
                Ok(Value::Binary(Operator::Subtract, Box::new(Value::Number(0)), Box::new(right)))
            }
            Some(Token::Sign("(")) => {
                let Some(rest) = budget.parentheses.checked_sub(1) else {
                    let what = format!("more than {DEEPEST} parentheses in each other");
                    return Err(FilterError::new(column, what, "leave out those that change nothing"));
                };
                budget.parentheses = rest;
                self.step();
                let value = self.value(0, budget)?;
                budget.parentheses = rest.saturating_add(1);
                self.expect(")", "close the parenthesis")?;
                Ok(value)
            }
            Some(Token::Word("len" | "length")) => {
                self.step();
                Ok(Value::Length)
            }
            Some(Token::Word(word)) => {
                self.step();
                if let Some(number) = named_number(word) {
                    return Ok(Value::Number(number));
                }
                let Some(name) = protocol_word(word) else {
                    return Err(self.unknown(word, column));
                };
                let Some(layer) = layer(name) else {
                    let what = format!("the bytes of '{word}' cannot be named");
                    return Err(FilterError::new(column, what, "count from a header below, as in 'ip[20]'"));
                };
                self.expect("[", "write the offset in brackets, as in 'ip[0]'")?;
                self.spend(budget)?;
                let index = self.value(0, budget)?;
                let bytes = self.bytes()?;
                self.expect("]", "close the bracket")?;
                Ok(Value::Access(layer, Box::new(index), bytes))
            }
            _ => Err(self.unexpected("a number, 'len', or bytes as in 'ip[0]'")),
        }
    }

    /// How many bytes an access reads: what follows the colon.
    fn bytes(&mut self) -> Result<u8, FilterError> {
        if self.sign() != Some(":") {
            return Ok(1);
        }
        self.step();
        let bytes = match self.token() {
            Some(Token::Number(1)) => 1,
            Some(Token::Number(2)) => 2,
            Some(Token::Number(4)) => 4,
            _ => return Err(self.unexpected("how many bytes: 1, 2 or 4")),
        };
        self.step();
        Ok(bytes)
    }
}
