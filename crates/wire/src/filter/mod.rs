//! Filter expressions in the syntax of tcpdump (pcap-filter(7)): read, compiled to classic BPF, and run over frames.
//!
//! The same program answers for a frame of a file ([`Program::matches`]) and for a packet socket
//! ([`Program::instructions`]). What differs from tcpdump stands in `docs/filter.md`.

mod arithmetic;
mod assemble;
mod check;
mod compile;
mod encapsulation;
mod endpoints;
mod evaluate;
mod expression;
mod fault;
mod identity;
mod lexer;
mod link;
mod parser;
mod program;
mod value;
mod words;

pub use check::{check_parse, check_run};
pub use compile::{compile, compile_for_socket};
pub use expression::{Expression, Transport};
pub use fault::FilterError;
pub use parser::{Services, parse, parse_with};
pub use program::{Instruction, MOST_INSTRUCTIONS, Program};

#[cfg(test)]
mod tests;
