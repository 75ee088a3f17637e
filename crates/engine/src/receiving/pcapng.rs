//! What came, as a capture: with the headers of IP and UDP that the system took off, as far as they are known.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, SocketAddr};

use media::Packet;
use wire::capture::Writer;
use wire::checksum;
use wire::{Frame, LinkType};

use super::{LegDatagram, Sink};

const UDP: u8 = 17;

/// A recording of datagrams.
pub struct Recording {
    file: BufWriter<File>,
    writer: Writer,
    interfaces: Vec<u32>,
    block: Vec<u8>,
    frame: Vec<u8>,
    count: u64,
}

impl Recording {
    /// Into a file, of so many legs.
    pub fn new(file: File, legs: usize) -> io::Result<Recording> {
        let mut block = Vec::new();
        let mut writer = Writer::new("portreeve", &mut block);
        let interfaces = (0..legs)
            .map(|leg| writer.interface(Some(&format!("leg {}", leg + 1)), LinkType::RAW, 0, &mut block))
            .collect();
        let mut file = BufWriter::new(file);
        file.write_all(&block)?;
        Ok(Recording { file, writer, interfaces, block, frame: Vec::new(), count: 0 })
    }
}

impl Sink for Recording {
    fn see(&mut self, datagram: &LegDatagram<'_>) -> io::Result<()> {
        let Some(interface) = self.interfaces.get(datagram.leg) else { return Ok(()) };
        headers(datagram, &mut self.frame);
        self.block.clear();
        let frame = Frame {
            time: Some(datagram.time),
            link: LinkType::RAW,
            interface: *interface,
            wire_bytes: u32::try_from(self.frame.len()).unwrap_or(u32::MAX),
            bytes: &self.frame,
        };
        self.writer.frame(*interface, &frame, None, &mut self.block);
        self.count += 1;
        self.file.write_all(&self.block)
    }

    fn take(&mut self, _: &Packet<'_>) -> io::Result<bool> {
        Ok(true)
    }

    fn end(&mut self) -> io::Result<Vec<(String, u64)>> {
        self.file.flush()?;
        Ok(vec![("datagrams".to_owned(), self.count)])
    }
}

/// Puts IP and UDP before a datagram. The time to live is not known: it stands as 0.
fn headers(datagram: &LegDatagram<'_>, to: &mut Vec<u8>) {
    to.clear();
    let udp_bytes = u16::try_from(datagram.bytes.len() + wire::udp::HEADER_BYTES).unwrap_or(u16::MAX);
    match (datagram.from.ip(), datagram.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(dest)) => {
            let mut header = [0; 20];
            let length = udp_bytes.saturating_add(20).to_be_bytes();
            let fields =
                [&[0x45, 0][..], &length, &[0, 0, 0x40, 0, 0, UDP, 0, 0], &from.octets(), &dest.octets()];
            for (place, octet) in header.iter_mut().zip(fields.concat()) {
                *place = octet;
            }
            let sum = checksum::internet(&[&header]).to_be_bytes();
            to.extend(header.iter().enumerate().map(|(at, octet)| match at {
                10 => sum[0],
                11 => sum[1],
                _ => *octet,
            }));
        }
        (from, dest) => {
            let six = |address: IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            to.extend_from_slice(&[0x60, 0, 0, 0]);
            to.extend_from_slice(&udp_bytes.to_be_bytes());
            to.extend_from_slice(&[UDP, 0]);
            to.extend_from_slice(&six(from));
            to.extend_from_slice(&six(dest));
        }
    }
    let port = |address: SocketAddr| address.port().to_be_bytes();
    to.extend_from_slice(&port(datagram.from));
    to.extend_from_slice(&port(datagram.to));
    to.extend_from_slice(&udp_bytes.to_be_bytes());
    // The system checked it, and it is not known any more: none (RFC 768).
    to.extend_from_slice(&[0, 0]);
    to.extend_from_slice(datagram.bytes);
}
