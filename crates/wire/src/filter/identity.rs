//! The values in an expression: addresses, nets, ports and protocols, read by what the words before them ask for.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::expression::{Column, Direction, Family, Net, Node, Scope, Test, Transport};
use super::fault::FilterError;
use super::lexer::Token;
use super::parser::{Parser, family_of};
use super::words::{Name, ethertype_number, is_known, nearest, protocol_number, refused};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    /// Only `src` or `dst` was said.
    AnyHost,
    Net,
    Port,
    PortRange,
    Protocol,
}

/// The words before a value. A value without words takes over those of the value before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Qualifiers {
    pub(super) protocol: Option<Name>,
    pub(super) direction: Direction,
    pub(super) kind: Kind,
}

fn error<T>(column: usize, what: String, hint: &str) -> Result<T, FilterError> {
    Err(FilterError::new(column, what, hint))
}

/// The first and the last port of a range, and what it is of.
type Ends = (u16, u16, Option<Transport>);

/// The mask of the first `length` bits.
fn mask4(length: u32) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0)
}

fn mask6(length: u32) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0)
}

impl Parser<'_> {
    /// One value. `bare` says that no word stands before it.
    pub(super) fn identity(
        &mut self,
        qualifiers: Option<Qualifiers>,
        bare: bool,
    ) -> Result<Node, FilterError> {
        let column = self.column();
        let Some(qualifiers) = qualifiers else {
            return Err(self.without_words());
        };
        let test = match qualifiers.kind {
            Kind::Host | Kind::AnyHost | Kind::Net => self.address(qualifiers, bare)?,
            Kind::Port => self.port(qualifiers, bare)?,
            Kind::PortRange => self.port_range(qualifiers, bare)?,
            Kind::Protocol => self.protocol_value(qualifiers, bare)?,
        };
        Ok(Node::Test(test, Column(column)))
    }

    /// The error for a value that no word explains.
    fn without_words(&self) -> FilterError {
        let column = self.column();
        let (what, hint) = match self.token() {
            Some(Token::Word(word) | Token::Escaped(word)) => return self.unknown(word, column),
            Some(Token::Number(number)) => {
                (format!("the number {number} alone"), format!("write 'port {number}'"))
            }
            Some(Token::Hardware(_)) => (self.cited(), format!("write 'ether host {}'", self.text())),
            Some(_) => (self.cited(), format!("write 'host {}'", self.text())),
            None => return self.unexpected("a test"),
        };
        FilterError::new(column, format!("{what} does not say what it is"), hint)
    }

    fn cited(&self) -> String {
        format!("'{}'", self.text())
    }

    /// The error for a word that should be the name of something.
    fn no_name(&self, word: &str, what: &str, hint: &str, bare: bool) -> FilterError {
        let column = self.column();
        if refused(word).is_some() || (bare && nearest(word).is_some()) {
            return self.unknown(word, column);
        }
        FilterError::new(column, format!("{what} '{word}'"), hint)
    }

    fn address(&mut self, qualifiers: Qualifiers, bare: bool) -> Result<Test, FilterError> {
        let column = self.column();
        let Qualifiers { protocol, direction, kind } = qualifiers;
        let is_net = kind == Kind::Net;
        match self.token() {
            Some(Token::Hardware(address)) if protocol == Some(Name::Link) && !is_net => {
                self.step();
                Ok(Test::Hardware(direction, address))
            }
            Some(Token::Hardware(_)) => error(
                column,
                format!("{} is a hardware address", self.cited()),
                "write 'ether host' before it",
            ),
            Some(Token::Dotted(..) | Token::Number(_) | Token::Address6(_))
                if protocol == Some(Name::Link) =>
            {
                let hint = "write a hardware address, or 'host' without 'ether'";
                error(column, format!("{} is no hardware address", self.cited()), hint)
            }
            Some(Token::Dotted(bytes, count)) => {
                self.step();
                let scope = self.scope(protocol, column)?;
                let address = u32::from_be_bytes(bytes);
                let given = mask4(u32::from(count).saturating_mul(8));
                let mask = self.mask_after(is_net, given, column)?;
                self.net(address, mask, column).map(|net| Test::Nets(scope, direction, vec![net]))
            }
            Some(Token::Number(number)) => {
                self.step();
                let scope = self.scope(protocol, column)?;
                // `net 10` is 10.0.0.0/8, but `host 10` is 0.0.0.10, as in tcpdump.
                let unused = if is_net && number > 0 { number.leading_zeros() / 8 * 8 } else { 0 };
                let address = number.checked_shl(unused).unwrap_or(0);
                let mask = self.mask_after(is_net, mask4(32_u32.saturating_sub(unused)), column)?;
                self.net(address, mask, column).map(|net| Test::Nets(scope, direction, vec![net]))
            }
            Some(Token::Address6(address)) => {
                self.step();
                if !matches!(protocol, None | Some(Name::Ethertype(0x86dd))) {
                    let hint = "write 'ip6' or nothing before 'host' and 'net'";
                    return error(column, "an IPv6 address in a protocol without such".into(), hint);
                }
                let length = self.length_after(128)?.unwrap_or(128);
                if !is_net && length != 128 {
                    return error(column, "a host has no mask".into(), "write 'net' instead of 'host'");
                }
                let mask = mask6(length);
                if address & !mask != 0 {
                    let whole = Ipv6Addr::from(address & mask);
                    let hint = format!("write '{whole}/{length}'");
                    return error(column, "the address has bits outside of its mask".into(), &hint);
                }
                Ok(Test::Nets6(direction, vec![Net { address, mask }]))
            }
            Some(Token::Word(word) | Token::Escaped(word)) => {
                let what = "names are not looked up, and so nothing is known of";
                if is_known(word) && matches!(self.token(), Some(Token::Word(_))) {
                    return Err(self.unexpected("an address"));
                }
                Err(self.no_name(word, what, "write the address in numbers", bare))
            }
            _ => Err(self.unexpected("an address")),
        }
    }

    fn scope(&self, protocol: Option<Name>, column: usize) -> Result<Scope, FilterError> {
        match protocol {
            None => Ok(Scope::Any),
            Some(Name::Ethertype(0x0800)) => Ok(Scope::Ip),
            Some(Name::Ethertype(0x0806)) => Ok(Scope::Arp),
            Some(Name::Ethertype(0x8035)) => Ok(Scope::Rarp),
            Some(Name::Ethertype(0x86dd)) => {
                error(column, "'ip6' before an IPv4 address".into(), "write 'ip' or nothing before it")
            }
            Some(_) => {
                let hint = "join two tests, as in 'tcp and host 192.0.2.1'";
                error(column, "this protocol has no addresses of IPv4".into(), hint)
            }
        }
    }

    /// The length behind a slash.
    fn length_after(&mut self, most: u32) -> Result<Option<u32>, FilterError> {
        if self.sign() != Some("/") {
            return Ok(None);
        }
        self.step();
        match self.token() {
            Some(Token::Number(length)) if length <= most => {
                self.step();
                Ok(Some(length))
            }
            Some(Token::Number(length)) => {
                let hint = format!("write at most {most}");
                error(self.column(), format!("a mask of {length} bits"), &hint)
            }
            _ => Err(self.unexpected("how many bits of the address count")),
        }
    }

    /// The mask behind an IPv4 address, in one of its two forms.
    fn mask_after(&mut self, is_net: bool, given: u32, column: usize) -> Result<u32, FilterError> {
        let mask = if self.word() == Some("mask") {
            self.step();
            let Some(Token::Dotted(mask, _)) = self.token() else {
                return Err(self.unexpected("a mask, as in 255.255.255.0"));
            };
            self.step();
            Some(u32::from_be_bytes(mask))
        } else {
            self.length_after(32)?.map(mask4)
        };
        match mask {
            Some(_) if !is_net => {
                error(column, "a host has no mask".into(), "write 'net' before the address")
            }
            mask => Ok(mask.unwrap_or(given)),
        }
    }

    fn net(&self, address: u32, mask: u32, column: usize) -> Result<Net<u32>, FilterError> {
        if address & !mask == 0 {
            return Ok(Net { address, mask });
        }
        let whole = Ipv4Addr::from(address & mask);
        let hint = format!("write {whole} with this mask");
        error(column, "the address has bits outside of its mask".into(), &hint)
    }

    /// Which protocols have the ports that are asked for.
    fn transport(&self, protocol: Option<Name>) -> Result<Option<Transport>, FilterError> {
        match protocol {
            None => Ok(None),
            Some(Name::Protocol(Family::Any, number))
                if Transport::ALL.iter().any(|t| t.number() == number) =>
            {
                Ok(Transport::ALL.into_iter().find(|transport| transport.number() == number))
            }
            Some(_) => {
                let hint = "write 'tcp', 'udp', 'sctp' or nothing before 'port'; join others with 'and'";
                error(self.column(), "this protocol has no ports".into(), hint)
            }
        }
    }

    fn port_number(&self, number: u32) -> Result<u16, FilterError> {
        u16::try_from(number).map_err(|_| {
            FilterError::new(self.column(), format!("there is no port {number}"), "write at most 65535")
        })
    }

    /// The port of a service, and the protocol where only one has it.
    fn service(
        &self,
        name: &str,
        transport: Option<Transport>,
    ) -> Option<Result<(u16, Option<Transport>), FilterError>> {
        if let Some(transport) = transport {
            return (self.services)(name, transport).map(|port| Ok((port, Some(transport))));
        }
        let known = Transport::ALL.map(|transport| (transport, (self.services)(name, transport)));
        let mut found = known.into_iter().filter_map(|(transport, port)| port.map(|port| (transport, port)));
        let (first, port) = found.next()?;
        let mut several = false;
        for (_, other) in found {
            if other != port {
                let hint = "write 'tcp', 'udp' or 'sctp' before 'port'";
                return Some(error(self.column(), format!("'{name}' is several ports"), hint));
            }
            several = true;
        }
        Some(Ok((port, (!several).then_some(first))))
    }

    fn port(&mut self, qualifiers: Qualifiers, bare: bool) -> Result<Test, FilterError> {
        let transport = self.transport(qualifiers.protocol)?;
        let (port, transport) = match self.token() {
            Some(Token::Number(number)) => (self.port_number(number)?, transport),
            Some(Token::Word(word) | Token::Escaped(word)) => {
                if is_known(word) && matches!(self.token(), Some(Token::Word(_))) {
                    return Err(self.unexpected("a port"));
                }
                match self.service(word, transport) {
                    Some(found) => found?,
                    None if word.split('-').all(|end| end.parse::<u16>().is_ok()) => {
                        let hint = format!("write 'portrange {word}'");
                        return error(self.column(), format!("'{word}' is several ports"), &hint);
                    }
                    None => {
                        let what = match transport {
                            None => "no port is known for the name".into(),
                            Some(transport) => format!("no {} port is known for the name", transport.word()),
                        };
                        return Err(self.no_name(word, &what, "write the port in numbers", bare));
                    }
                }
            }
            Some(Token::Dotted(..) | Token::Address6(_) | Token::Hardware(_)) => {
                let hint = format!("write 'host {}'", self.text());
                return error(self.column(), format!("{} is no port", self.cited()), &hint);
            }
            _ => return Err(self.unexpected("a port")),
        };
        self.step();
        Ok(Test::Ports(transport, qualifiers.direction, vec![(port, port)]))
    }

    fn port_range(&mut self, qualifiers: Qualifiers, bare: bool) -> Result<Test, FilterError> {
        let transport = self.transport(qualifiers.protocol)?;
        let (first, last, transport) = match self.token() {
            Some(Token::Number(number)) => {
                let port = self.port_number(number)?;
                (port, port, transport)
            }
            Some(Token::Word(word) | Token::Escaped(word)) => {
                let Some(ends) = self.ends(word, transport) else {
                    let what = "no range of ports is known as";
                    return Err(self.no_name(word, what, "write two ports, as in 'portrange 20-21'", bare));
                };
                ends?
            }
            _ => return Err(self.unexpected("two ports, as in 'portrange 20-21'")),
        };
        self.step();
        Ok(Test::Ports(transport, qualifiers.direction, vec![(first.min(last), first.max(last))]))
    }

    /// The two ends of a range; names of services may have a minus of their own.
    fn ends(&self, word: &str, transport: Option<Transport>) -> Option<Result<Ends, FilterError>> {
        let end = |text: &str| match text.parse::<u32>() {
            Ok(number) => Some(self.port_number(number).map(|port| (port, transport))),
            Err(_) => self.service(text, transport),
        };
        let range = word.match_indices('-').find_map(|(at, _)| {
            let (first, last) = word.split_at_checked(at)?;
            let first = end(first)?;
            let last = end(last.strip_prefix('-')?)?;
            Some(first.and_then(|(first, one)| {
                let (last, other) = last?;
                // Where both are names for TCP alone, the range is.
                Ok((first, last, transport.or(if one == other { one } else { None })))
            }))
        });
        range.or_else(|| {
            let alone = self.service(word, transport)?;
            Some(alone.map(|(port, transport)| (port, port, transport)))
        })
    }

    fn protocol_value(&mut self, qualifiers: Qualifiers, bare: bool) -> Result<Test, FilterError> {
        let is_ethertype = qualifiers.protocol == Some(Name::Link);
        let family = family_of(qualifiers.protocol);
        if family.is_none() && !is_ethertype {
            let hint = "write 'ether proto', 'ip proto', 'ip6 proto' or 'proto'";
            return error(self.column(), "this protocol does not say what it carries".into(), hint);
        }
        let most = if is_ethertype { 0xffff } else { 0xff };
        let number = match self.token() {
            Some(Token::Number(number)) if number <= most => number,
            Some(Token::Number(number)) => {
                let hint = format!("write at most {most}");
                return error(self.column(), format!("there is no protocol {number}"), &hint);
            }
            // tcpdump wants a backslash before words of the language; here nothing else could be meant.
            Some(Token::Word(word) | Token::Escaped(word)) => {
                let found = if is_ethertype {
                    ethertype_number(word).map(u32::from)
                } else {
                    protocol_number(word).map(u32::from)
                };
                let Some(number) = found else {
                    return Err(self.no_name(word, "no protocol is known as", "write its number", bare));
                };
                number
            }
            _ => return Err(self.unexpected("the number or the name of a protocol")),
        };
        self.step();
        Ok(match family {
            Some(family) => Test::Protocol(family, u8::try_from(number).unwrap_or(u8::MAX)),
            None => Test::Ethertype(u16::try_from(number).unwrap_or(u16::MAX)),
        })
    }
}
