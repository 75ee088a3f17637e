//! The captures of the benchmark: many of the corpus's sessions at once, four long streams of media, and a scan.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use wire::capture::{Reader, Step};
use wire::{Frame, LinkType};

/// How large the three captures are.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// The least packets and flows of the mixed one.
    pub mixed_packets: u64,
    pub mixed_flows: u64,
    /// Packets of each of the four streams.
    pub stream_packets: u32,
    /// SYNs of the scan.
    pub probes: u32,
}

/// Longer sessions are left out: most of a network are short, and a few long ones would be most of the file.
const MOST_FRAMES: usize = 40;
/// How many sessions of the mixed capture go on at the same time.
const AT_ONCE: usize = 256;
const ETHERNET_BYTES: usize = 14;
const SECOND_NS: u64 = 1_000_000_000;
/// 2026-01-01T00:00:00Z.
const BEGIN_NS: u64 = 1_767_225_600 * SECOND_NS;

/// A pcap with nanoseconds.
struct Pcap {
    out: BufWriter<File>,
    frames: u64,
}

impl Pcap {
    fn create(path: &Path) -> Result<Pcap, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut pcap = Pcap { out: BufWriter::with_capacity(1 << 20, file), frames: 0 };
        let mut header = Vec::new();
        header.extend_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
        header.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        header.extend_from_slice(&262_144_u32.to_le_bytes());
        header.extend_from_slice(&1_u32.to_le_bytes());
        pcap.put(&header)?;
        Ok(pcap)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.out.write_all(bytes).map_err(|error| error.to_string())
    }

    fn frame(&mut self, time_ns: u64, bytes: &[u8]) -> Result<(), String> {
        let part = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        let length = part(bytes.len() as u64);
        let mut header = [0; 16];
        let fields = [part(time_ns / SECOND_NS), part(time_ns % SECOND_NS), length, length];
        for (to, from) in header.chunks_exact_mut(4).zip(fields) {
            to.copy_from_slice(&from);
        }
        self.put(&header)?;
        self.put(bytes)?;
        self.frames += 1;
        Ok(())
    }

    fn end(mut self) -> Result<u64, String> {
        self.out.flush().map_err(|error| error.to_string())?;
        Ok(self.frames)
    }
}

/// One capture of the corpus: the port of its server, and its frames.
struct Session {
    port: [u8; 2],
    frames: Vec<Vec<u8>>,
}

/// The sessions of the corpus, IPv4 over Ethernet only.
fn sessions(folder: &Path) -> Result<Vec<Session>, String> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .collect();
    paths.sort();
    let mut sessions = Vec::new();
    for path in paths {
        // Captures are called by protocol and port: `ssh-22.pcap`.
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(port) = name.rsplit('-').next().and_then(|port| port.parse::<u16>().ok()) else { continue };
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut frames = Vec::new();
        each(&bytes, &mut |frame| {
            let is_ipv4 = frame.link == LinkType::ETHERNET && frame.bytes.get(12..15) == Some(&[8, 0, 0x45]);
            if is_ipv4 {
                frames.push(frame.bytes.to_vec());
            }
        });
        if (1..=MOST_FRAMES).contains(&frames.len()) {
            sessions.push(Session { port: port.to_be_bytes(), frames });
        }
    }
    if sessions.is_empty() { Err(format!("{}: no capture is there", folder.display())) } else { Ok(sessions) }
}

fn each(bytes: &[u8], take: &mut dyn FnMut(&Frame<'_>)) {
    let mut reader = Reader::new();
    let mut at = 0;
    loop {
        match reader.read(bytes.get(at..).unwrap_or_default(), true) {
            Ok(Step::Frame { frame, consumed }) => {
                take(&frame);
                at += consumed;
            }
            Ok(Step::Skipped { consumed } | Step::Damaged { consumed, .. }) => at += consumed,
            Ok(Step::NeedMore { .. } | Step::End) | Err(_) => return,
        }
    }
}

/// Puts other addresses into a frame: of loopback's one address, the client becomes one machine and the server another.
fn shift(frame: &mut [u8], client_sends: bool, copy: u32) {
    let [_, a, b, c] = copy.to_be_bytes();
    let (client, server) = ([10, a, b, c], [172, 16 | (a & 15), b, c]);
    let (source, destination) = if client_sends { (client, server) } else { (server, client) };
    for (at, address) in [(26, source), (30, destination)] {
        if let Some(place) = frame.get_mut(at..at + 4) {
            place.copy_from_slice(&address);
        }
    }
    let header = frame.get(ETHERNET_BYTES..ETHERNET_BYTES + 20).unwrap_or_default();
    let sum: u32 = header
        .as_chunks::<2>()
        .0
        .iter()
        .enumerate()
        .filter(|(word, _)| *word != 5)
        .map(|(_, pair)| u32::from(u16::from_be_bytes(*pair)))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(0);
    if let Some(place) = frame.get_mut(24..26) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
}

/// Many sessions at once, of every protocol of the corpus: each copy of a session between machines of its own.
pub fn mixed(path: &Path, corpus: &Path, sizes: Sizes) -> Result<u64, String> {
    let sessions = sessions(corpus)?;
    let mut pcap = Pcap::create(path)?;
    let mut copy = 0_u32;
    let mut time_ns = BEGIN_NS;
    // Sessions that go on: which, how far, and the number of the copy.
    let mut open: Vec<(usize, usize, u32)> = Vec::new();
    // Every session is at least one flow.
    while pcap.frames < sizes.mixed_packets || u64::from(copy) < sizes.mixed_flows {
        while open.len() < AT_ONCE {
            open.push((copy as usize % sessions.len(), 0, copy));
            copy += 1;
        }
        for (session, at, copy) in &mut open {
            let Some(session) = sessions.get(*session) else { continue };
            let Some(mut frame) = session.frames.get(*at).cloned() else { continue };
            let client_sends = frame.get(34..36) != Some(&session.port);
            shift(&mut frame, client_sends, *copy);
            time_ns += 400;
            pcap.frame(time_ns, &frame)?;
            *at += 1;
        }
        open.retain(|(session, at, _)| sessions.get(*session).is_some_and(|it| *at < it.frames.len()));
    }
    pcap.end()
}

fn ipv4(protocol: u8, source: [u8; 4], destination: [u8; 4], transport: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let length = u16::try_from(20 + transport.len()).unwrap_or(u16::MAX).to_be_bytes();
    frame.extend_from_slice(&[0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend_from_slice(&source);
    frame.extend_from_slice(&destination);
    frame.extend_from_slice(transport);
    frame
}

/// Four streams of RTP with packets of 1,280 bytes, as uncompressed video has them, on negotiated ports.
pub fn streams(path: &Path, sizes: Sizes) -> Result<u64, String> {
    let mut pcap = Pcap::create(path)?;
    for number in 0..sizes.stream_packets {
        for stream in 0..4_u8 {
            let mut transport = Vec::with_capacity(1280);
            let (from, to) = (40_000_u16 + u16::from(stream), 20_000_u16 + 2 * u16::from(stream));
            transport.extend_from_slice(&from.to_be_bytes());
            transport.extend_from_slice(&to.to_be_bytes());
            transport.extend_from_slice(&1246_u16.to_be_bytes());
            transport.extend_from_slice(&[0, 0, 0x80, 96]);
            let [.., high, low] = number.to_be_bytes();
            transport.extend_from_slice(&[high, low]);
            // Hundred packets are a frame of video, at 50 frames a second of a 90 kHz clock.
            transport.extend_from_slice(&(number / 100 * 1800).to_be_bytes());
            transport.extend_from_slice(&[0xca, 0xfe, 0, stream]);
            transport.resize(1246, 0x5a ^ stream);
            let frame = ipv4(17, [192, 0, 2, 10 + stream], [239, 1, 1, stream], &transport);
            pcap.frame(BEGIN_NS + u64::from(number) * 20_000 + u64::from(stream) * 3_000, &frame)?;
        }
    }
    pcap.end()
}

/// One source that asks every port of many machines, without an answer.
pub fn scan(path: &Path, sizes: Sizes) -> Result<u64, String> {
    let mut pcap = Pcap::create(path)?;
    for number in 0..sizes.probes {
        let port = u16::try_from(number % 65_535 + 1).unwrap_or(1);
        let machine = number / 65_535;
        let mut transport = Vec::with_capacity(20);
        transport.extend_from_slice(&(40_000 + u16::try_from(number % 20_000).unwrap_or(0)).to_be_bytes());
        transport.extend_from_slice(&port.to_be_bytes());
        transport.extend_from_slice(&number.to_be_bytes());
        transport.extend_from_slice(&[0, 0, 0, 0, 0x50, 0x02, 0x04, 0, 0, 0, 0, 0]);
        let [_, _, high, low] = machine.to_be_bytes();
        let frame = ipv4(6, [198, 51, 100, 66], [10, 9, high, low + 1], &transport);
        pcap.frame(BEGIN_NS + u64::from(number) * 1_000, &frame)?;
    }
    pcap.end()
}
