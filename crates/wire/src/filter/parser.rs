//! An expression in the syntax of tcpdump, read into a tree (pcap-filter(7)).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::expression::{
    Column, Comparison, Direction, Expression, Family, Joint, Node, Test, Transport, Value,
};
use super::fault::FilterError;
use super::identity::{Kind, Qualifiers};
use super::lexer::{Piece, Token, pieces};
use super::value::{comparison, operator};
use super::words::{Name, is_known, named_number, nearest, protocol_word, refused};

/// Parentheses may stand in each other this deep; each needs room on a stack.
const DEEPEST: usize = 50;

/// What finds the port of a service by its name.
pub type Services<'a> = &'a dyn Fn(&str, Transport) -> Option<u16>;

/// Reads an expression in which ports are numbers.
pub fn parse(text: &str) -> Result<Expression, FilterError> {
    parse_with(text, &|_, _| None)
}

/// Reads an expression; `services` finds the ports of names such as `http`.
pub fn parse_with(text: &str, services: Services<'_>) -> Result<Expression, FilterError> {
    let pieces = pieces(text)?;
    let end = text.len().saturating_add(1);
    let mut parser = Parser { pieces, at: 0, depth: 0, end, services };
    if parser.token().is_none() {
        return Ok(Expression { root: None });
    }
    let root = parser.chain(&mut None, false)?;
    if parser.token().is_some() {
        return Err(parser.unexpected("'and' or 'or' between two tests"));
    }
    Ok(Expression { root: Some(root) })
}

/// The pieces, and how far they were read.
pub(super) struct Parser<'a> {
    pieces: Vec<Piece<'a>>,
    at: usize,
    depth: usize,
    end: usize,
    pub(super) services: Services<'a>,
}

impl<'a> Parser<'a> {
    fn piece(&self) -> Option<&Piece<'a>> {
        self.pieces.get(self.at)
    }

    pub(super) fn token(&self) -> Option<Token<'a>> {
        self.piece().map(|piece| piece.token)
    }

    pub(super) fn next_token(&self) -> Option<Token<'a>> {
        self.pieces.get(self.at.saturating_add(1)).map(|piece| piece.token)
    }

    pub(super) fn sign(&self) -> Option<&'static str> {
        match self.token() {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    pub(super) fn word(&self) -> Option<&'a str> {
        match self.token() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.piece().map_or("", |piece| piece.text)
    }

    pub(super) fn column(&self) -> usize {
        self.piece().map_or(self.end, |piece| piece.column)
    }

    pub(super) fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    pub(super) fn expect(&mut self, sign: &str, hint: &str) -> Result<(), FilterError> {
        if self.sign() == Some(sign) {
            self.step();
            return Ok(());
        }
        Err(FilterError::new(self.column(), format!("no '{sign}'"), hint))
    }

    /// The error for a piece that stands where `wanted` should.
    pub(super) fn unexpected(&self, wanted: &str) -> FilterError {
        let what = match self.piece() {
            Some(piece) => match piece.token {
                Token::Word(word) if !is_known(word) => return self.unknown(word, piece.column),
                _ => format!("'{}' is not expected", piece.text),
            },
            None => "the expression ends too early".to_owned(),
        };
        FilterError::new(self.column(), what, format!("write {wanted}"))
    }

    /// The error for a word that the language does not have.
    pub(super) fn unknown(&self, word: &str, column: usize) -> FilterError {
        if let Some(why) = refused(word) {
            return FilterError::new(column, format!("'{word}' is not supported"), why);
        }
        if is_known(word) {
            return FilterError::new(column, format!("'{word}' is not expected"), "write a value here");
        }
        let apart = word.split('-').all(|part| is_known(part) || part.parse::<u32>().is_ok());
        let hint = match nearest(word) {
            _ if apart && word.contains('-') => "write a space on both sides of '-'".to_owned(),
            Some(meant) => format!("did you mean '{meant}'?"),
            None => "a test begins with a word such as 'host', 'net', 'port' or 'tcp'".to_owned(),
        };
        FilterError::new(column, format!("unknown word '{word}'"), hint)
    }

    fn joint(&self) -> Option<Joint> {
        match self.token()? {
            Token::Word("and") | Token::Sign("&&") => Some(Joint::And),
            Token::Word("or") | Token::Sign("||") => Some(Joint::Or),
            _ => None,
        }
    }

    /// Tests joined from left to right. `qualifiers` are those of the test before, which a bare value takes over.
    fn chain(&mut self, qualifiers: &mut Option<Qualifiers>, only_values: bool) -> Result<Node, FilterError> {
        let first = self.operand(qualifiers, only_values)?;
        let mut rest: Vec<(Joint, Node)> = Vec::new();
        let mut first = first;
        while let Some(joint) = self.joint() {
            self.step();
            let node = self.operand(qualifiers, only_values)?;
            // In `a and b or c`, b cannot be taken together with c, because `or` joins c with both.
            let may_merge = joint == Joint::Or && rest.last().is_none_or(|(before, _)| *before == Joint::Or);
            let last = rest.last_mut().map_or(&mut first, |(_, node)| node);
            match node {
                Node::Test(test, column) if may_merge => {
                    if let Some(test) = merge(last, test) {
                        rest.push((joint, Node::Test(test, column)));
                    }
                }
                node => rest.push((joint, node)),
            }
        }
        Ok(if rest.is_empty() { first } else { Node::Chain(Box::new(first), rest) })
    }

    /// One test with the `not`s before it, or what stands in parentheses.
    pub(super) fn operand(
        &mut self,
        qualifiers: &mut Option<Qualifiers>,
        only_values: bool,
    ) -> Result<Node, FilterError> {
        let mut negated = false;
        while matches!(self.token(), Some(Token::Word("not") | Token::Sign("!"))) {
            negated = !negated;
            self.step();
        }
        let node = if self.sign() == Some("(") && (only_values || !self.parenthesis_is_a_value()) {
            self.group(*qualifiers, only_values)?
        } else if only_values {
            self.identity(*qualifiers, false)?
        } else {
            self.test(qualifiers)?
        };
        Ok(match node {
            node if !negated => node,
            Node::Not(inner) => *inner,
            node => Node::Not(Box::new(node)),
        })
    }

    /// What stands in parentheses; the values in it take over the words before it, and nothing comes out of it.
    fn group(&mut self, mut words: Option<Qualifiers>, only_values: bool) -> Result<Node, FilterError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            let what = format!("more than {DEEPEST} parentheses in each other");
            return Err(FilterError::new(self.column(), what, "write a flatter expression"));
        }
        self.step();
        let node = self.chain(&mut words, only_values)?;
        self.expect(")", "close the parenthesis")?;
        self.depth = self.depth.saturating_sub(1);
        Ok(node)
    }

    /// True where the parenthesis that opens here is a number, which shows after it closes.
    fn parenthesis_is_a_value(&self) -> bool {
        let mut depth = 0_usize;
        let mut rest = self.pieces.iter().skip(self.at);
        for piece in rest.by_ref() {
            match piece.token {
                Token::Sign("(") => depth = depth.saturating_add(1),
                Token::Sign(")") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        matches!(rest.next().map(|piece| piece.token), Some(Token::Sign(sign)) if is_arithmetic(sign))
    }

    fn test(&mut self, qualifiers: &mut Option<Qualifiers>) -> Result<Node, FilterError> {
        let column = self.column();
        let value_follows = matches!(self.next_token(), Some(Token::Sign(sign)) if is_arithmetic(sign));
        match self.token() {
            Some(Token::Sign("(" | "-")) => self.plain(qualifiers, Parser::relation),
            Some(Token::Number(_)) if value_follows => {
                let is_net = qualifiers.is_some_and(|known| known.kind == Kind::Net);
                if is_net && self.next_token() == Some(Token::Sign("/")) {
                    return self.identity(*qualifiers, true);
                }
                self.plain(qualifiers, Parser::relation)
            }
            Some(Token::Word(word)) => {
                if matches!(word, "len" | "length") || named_number(word).is_some() {
                    return self.plain(qualifiers, Parser::relation);
                }
                if let Some(name) = protocol_word(word) {
                    return self.protocol(name, word, qualifiers);
                }
                if matches!(word, "src" | "dst" | "host" | "net" | "port" | "portrange" | "proto") {
                    return self.qualified(None, qualifiers);
                }
                if word == "inbound" {
                    *qualifiers = None;
                    self.step();
                    return Ok(Node::Not(Box::new(Node::Test(Test::Outbound, Column(column)))));
                }
                if let Some(test) = self.single(word)? {
                    *qualifiers = None;
                    return Ok(Node::Test(test, Column(column)));
                }
                self.identity(*qualifiers, true)
            }
            Some(Token::Sign(_)) | None => {
                Err(self.unexpected("a test, such as 'host 192.0.2.1' or 'tcp port 420'"))
            }
            Some(_) => self.identity(*qualifiers, true),
        }
    }

    /// A test that no bare value after it can take over.
    fn plain(
        &mut self,
        qualifiers: &mut Option<Qualifiers>,
        read: impl FnOnce(&mut Self) -> Result<Node, FilterError>,
    ) -> Result<Node, FilterError> {
        *qualifiers = None;
        read(self)
    }

    /// What begins with the name of a protocol.
    fn protocol(
        &mut self,
        name: Name,
        word: &str,
        qualifiers: &mut Option<Qualifiers>,
    ) -> Result<Node, FilterError> {
        let column = self.column();
        if self.next_token() == Some(Token::Sign("[")) {
            return self.plain(qualifiers, Parser::relation);
        }
        self.step();
        let test = match self.word() {
            Some("src" | "dst" | "host" | "net" | "port" | "portrange" | "proto") => {
                return self.qualified(Some((name, word)), qualifiers);
            }
            Some(kind @ ("broadcast" | "multicast")) => {
                let test = match (name, kind) {
                    (Name::Link, "broadcast") => Test::Broadcast,
                    (Name::Link, _) => Test::Multicast,
                    (Name::Ethertype(0x0800), "multicast") => Test::IpMulticast,
                    (Name::Ethertype(0x86dd), "multicast") => Test::Ip6Multicast,
                    (Name::Ethertype(0x0800), _) => {
                        let what = "'ip broadcast' needs the network mask of an interface, which a filter does not know";
                        let hint = "write 'dst host' and the broadcast address, or 'ether broadcast'";
                        return Err(FilterError::new(column, what, hint));
                    }
                    _ => {
                        let what = format!("'{word} {kind}' means nothing");
                        let hint = format!("write 'ether {kind}', 'ip multicast' or 'ip6 multicast'");
                        return Err(FilterError::new(column, what, hint));
                    }
                };
                self.step();
                test
            }
            _ => match name {
                Name::Link => {
                    let what = format!("'{word}' alone is true for every frame");
                    let hint = format!("write '{word} host', '{word} proto' or '{word}[0]'");
                    return Err(FilterError::new(column, what, hint));
                }
                Name::Ethertype(number) => Test::Ethertype(number),
                Name::Protocol(family, number) => Test::Protocol(family, number),
            },
        };
        if let Some(Token::Dotted(..) | Token::Address6(_) | Token::Hardware(_) | Token::Number(_)) =
            self.token()
        {
            let text = self.text();
            let kind = if matches!(self.token(), Some(Token::Number(_))) { "port" } else { "host" };
            let what = format!("'{text}' after '{word}' without a word that says what it is");
            return Err(FilterError::new(self.column(), what, format!("write '{word} {kind} {text}'")));
        }
        *qualifiers = None;
        Ok(Node::Test(test, Column(column)))
    }

    /// `[src|dst] [host|net|port|portrange]` or `proto`, and the value.
    fn qualified(
        &mut self,
        protocol: Option<(Name, &str)>,
        qualifiers: &mut Option<Qualifiers>,
    ) -> Result<Node, FilterError> {
        let direction = self.direction()?;
        let kind = match self.word() {
            Some("host") => Kind::Host,
            Some("net") => Kind::Net,
            Some("port") => Kind::Port,
            Some("portrange") => Kind::PortRange,
            Some("proto") if direction.is_none() => Kind::Protocol,
            Some("proto") => {
                let what = "a protocol has no direction";
                return Err(FilterError::new(self.column(), what, "write 'proto' without 'src' and 'dst'"));
            }
            _ => Kind::AnyHost,
        };
        if kind != Kind::AnyHost {
            self.step();
        }
        let protocol = protocol.map(|(name, _)| name);
        let found = Qualifiers { protocol, direction: direction.unwrap_or(Direction::Either), kind };
        *qualifiers = Some(found);
        self.operand(qualifiers, true)
    }

    fn direction(&mut self) -> Result<Option<Direction>, FilterError> {
        let Some(first @ ("src" | "dst")) = self.word() else { return Ok(None) };
        self.step();
        let Some(joint) = self.joint() else {
            return Ok(Some(if first == "src" { Direction::Source } else { Direction::Destination }));
        };
        self.step();
        let other = if first == "src" { "dst" } else { "src" };
        if self.word() != Some(other) {
            return Err(
                self.unexpected(&format!("'{other}', and 'host', 'net' or 'port' only once after both"))
            );
        }
        self.step();
        Ok(Some(if joint == Joint::And { Direction::Both } else { Direction::Either }))
    }

    /// Tests that are a word, or a word and a number.
    fn single(&mut self, word: &str) -> Result<Option<Test>, FilterError> {
        let length = |comparison, number| Test::Relation(Value::Length, comparison, Value::Number(number));
        let test = match word {
            "broadcast" => Test::Broadcast,
            "multicast" => Test::Multicast,
            "outbound" => Test::Outbound,
            "pppoed" => Test::Ethertype(0x8863),
            "less" | "greater" => {
                self.step();
                let Some(Token::Number(number)) = self.token() else {
                    return Err(self.unexpected("a length in bytes"));
                };
                let comparison =
                    if word == "less" { Comparison::LessOrEqual } else { Comparison::GreaterOrEqual };
                length(comparison, number)
            }
            "vlan" => {
                self.step();
                let tag = self.number_up_to(0xfff, "a VLAN")?;
                return Ok(Some(Test::Vlan(tag.and_then(|tag| u16::try_from(tag).ok()))));
            }
            "mpls" => {
                self.step();
                return Ok(Some(Test::Mpls(self.number_up_to(0xf_ffff, "an MPLS label")?)));
            }
            "pppoes" => {
                self.step();
                let session = self.number_up_to(0xffff, "a PPPoE session")?;
                return Ok(Some(Test::Pppoe(session.and_then(|session| u16::try_from(session).ok()))));
            }
            _ => return Ok(None),
        };
        self.step();
        Ok(Some(test))
    }

    /// The number after `vlan` and the like, in parentheses or not.
    fn number_up_to(&mut self, most: u32, what: &str) -> Result<Option<u32>, FilterError> {
        let mut opened = 0_usize;
        let begin = self.at;
        while self.sign() == Some("(") {
            opened = opened.saturating_add(1);
            self.step();
        }
        let Some(Token::Number(number)) = self.token() else {
            self.at = begin;
            return Ok(None);
        };
        if number > most {
            let what = format!("{what} has no number {number}");
            return Err(FilterError::new(self.column(), what, format!("write at most {most}")));
        }
        self.step();
        for _ in 0..opened {
            self.expect(")", "close the parenthesis")?;
        }
        Ok(Some(number))
    }
}

/// True for a sign that stands between values.
fn is_arithmetic(sign: &str) -> bool {
    operator(sign).is_some() || comparison(sign).is_some()
}

/// Takes `test` into a list of the same kind; gives it back where that is not possible.
fn merge(last: &mut Node, test: Test) -> Option<Test> {
    let Node::Test(before, _) = last else { return Some(test) };
    match (before, test) {
        (Test::Ports(a, b, known), Test::Ports(c, d, more)) if (&*a, &*b) == (&c, &d) => known.extend(more),
        (Test::Nets(a, b, known), Test::Nets(c, d, more)) if (&*a, &*b) == (&c, &d) => known.extend(more),
        (Test::Nets6(a, known), Test::Nets6(b, more)) if *a == b => known.extend(more),
        (_, test) => return Some(test),
    }
    None
}

/// The word for a family, before `proto`.
pub(super) fn family_of(name: Option<Name>) -> Option<Family> {
    match name {
        None => Some(Family::Any),
        Some(Name::Ethertype(0x0800)) => Some(Family::Ip),
        Some(Name::Ethertype(0x86dd)) => Some(Family::Ip6),
        Some(_) => None,
    }
}
