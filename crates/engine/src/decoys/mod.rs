//! Decoys: empty ports that tell who comes, what they say, and what it amounts to.
//!
//! Bounded in every way: connections at once and per source, bytes and time of each, sources, and what is told of a source
//! in a minute. A datagram is never answered, and nothing here begins a connection.

mod greeting;
mod guests;
mod packets;
mod settings;
mod sources;

use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use host::decoy::{Coverage, Decoy, DecoyError, Knock, Visitor};
use model::{DecoyTouch, Recognised, Timestamp, Transport, Utc, Visit};
use traffic::{Said, Talk};

use self::guests::{Ends, Guest, Guests, Knocks};
use self::sources::Sources;

pub use self::greeting::Greeting;
pub use self::packets::packets;
pub use self::settings::{DecoySettings, Level, parse_ports};

/// How often who is here is looked at, though nobody speaks: they may have been here long enough.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// So long a source has only begun: a scan is not a touch of its first port.
const BEGINNING_NS: i64 = 800_000_000;
/// How often those who have gone are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What became of who came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecoyCounts {
    /// Touches, told or only counted.
    pub touches: u64,
    /// Of these, told one by one.
    pub told: u64,
    /// Connections that were ended at once, because there were as many as may be.
    pub turned_away: u64,
    /// Sources that are kept apart now.
    pub sources: u64,
    /// Sources that made room for others.
    pub forgotten: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Packets that came and that there was no room to tell of.
    pub lost: u64,
    /// Packets that were let through to who has the port.
    pub passed: u64,
    /// Packets of sources that are excluded.
    pub excluded: u64,
}

/// What is covered, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoyState {
    /// Which ports, by which way, and what is not seen.
    pub coverage: Coverage,
    /// How whoever comes is treated.
    pub level: Level,
}

/// Decoys at work.
#[derive(Debug)]
pub struct Decoys {
    decoy: Decoy,
    settings: DecoySettings,
    netns: u32,
    guests: Guests,
    knocks: Knocks,
    sources: Sources,
    counts: DecoyCounts,
    forgot: Instant,
}

impl Decoys {
    /// Opens them. From here on no privilege is needed any more.
    pub fn open(settings: &DecoySettings) -> Result<Decoys, DecoyError> {
        let request = settings.request();
        if request.tcp.is_empty() && request.udp.is_empty() {
            return Err(DecoyError::NoPort(String::from("none was named, or all are excluded")));
        }
        let decoy = Decoy::open(&request)?;
        Ok(Decoys {
            netns: decoy.coverage().netns,
            decoy,
            guests: Guests::default(),
            knocks: Knocks::default(),
            sources: Sources::new(settings.sources, settings.told_per_minute),
            settings: settings.clone(),
            counts: DecoyCounts::default(),
            forgot: Instant::now(),
        })
    }

    /// Hands out touches as they are over, and waits for some where none is.
    pub fn wait(&mut self, timeout: Duration, each: &mut dyn FnMut(DecoyTouch)) -> io::Result<()> {
        let idle = self.guests.all.is_empty() && self.knocks.is_empty();
        let timeout = if idle { timeout } else { timeout.min(LOOK_EVERY) };
        let now = Instant::now();
        let mut came = Came { knocks: &mut self.knocks, visitors: Vec::new(), touches: Vec::new(), now };
        let level = self.settings.level;
        let mut here = self.guests.all.iter().map(|guest| &guest.visitor);
        self.decoy.wait(timeout, &mut here, &mut |knock| came.take(knock))?;
        let Came { visitors, touches, .. } = came;
        for touch in touches {
            self.tell(touch, each);
        }
        let now = Instant::now();
        for (visitor, at) in visitors {
            self.admit(visitor, at, now, each);
        }
        let (most, limit) = (self.settings.first_bytes, self.settings.limit());
        for guest in self.guests.over(|guest| guest.hear(most, limit, now, level)) {
            self.tell(left(guest, now), each);
        }
        while let Some((ends, at)) = self.knocks.next(Some(now)) {
            self.tell(knocked(Transport::Tcp, ends, at), each);
        }
        if self.forgot.elapsed() >= FORGET_EVERY {
            self.forgot = Instant::now();
            self.sources.pass(host::now());
        }
        Ok(())
    }

    /// Ends every visit, and hands out what is left of them.
    pub fn end(&mut self, each: &mut dyn FnMut(DecoyTouch)) {
        let now = Instant::now();
        for guest in self.guests.over(|_| true) {
            self.tell(left(guest, now), each);
        }
        while let Some((ends, at)) = self.knocks.next(None) {
            self.tell(knocked(Transport::Tcp, ends, at), each);
        }
    }

    /// What became of who came.
    pub fn counts(&self) -> DecoyCounts {
        let host = self.decoy.counts();
        DecoyCounts {
            sources: self.sources.count() as u64,
            forgotten: self.sources.forgotten,
            open: self.guests.all.len() as u64,
            lost: host.lost,
            passed: host.passed,
            excluded: host.excluded,
            ..self.counts
        }
    }

    /// What is covered, and how.
    pub fn state(&self) -> DecoyState {
        DecoyState { coverage: self.decoy.coverage(), level: self.settings.level }
    }

    /// What each source did, as far as it is kept; to be judged by [`verdict::judge_visits`].
    pub fn visits(&self) -> Vec<Visit> {
        self.sources.visits()
    }

    /// What those did who came since this was asked last. Who came just now may only be beginning, and is told later;
    /// `at_end` tells of everybody.
    pub fn news(&mut self, at_end: bool) -> Vec<Visit> {
        let now = host::now();
        let before = if at_end { i64::MAX } else { now.as_ns().saturating_sub(BEGINNING_NS) };
        self.sources.news(Timestamp::from_ns(before))
    }

    /// What one source did.
    pub fn visit(&self, source: IpAddr) -> Option<Visit> {
        self.sources.visit(source)
    }

    /// Lets somebody in, or turns them away.
    fn admit(
        &mut self,
        visitor: Visitor,
        at: Timestamp<Utc>,
        now: Instant,
        each: &mut dyn FnMut(DecoyTouch),
    ) {
        let DecoySettings { connections, connections_per_source, level, first_bytes, .. } = self.settings;
        let source = visitor.peer.ip();
        if !self.guests.has_room(source, connections, connections_per_source) {
            // Some of its earlier connections may be over already.
            let limit = self.settings.limit();
            let over = self.guests.over(|guest| {
                guest.visitor.peer.ip() == source && guest.hear(first_bytes, limit, now, level)
            });
            for guest in over {
                self.tell(left(guest, now), each);
            }
        }
        if self.guests.has_room(source, connections, connections_per_source) {
            self.guests.add(Guest::new(visitor, at, now, level));
        } else {
            self.counts.turned_away += 1;
            let ends = (visitor.peer, visitor.local);
            self.tell(DecoyTouch { connected: true, ..knocked(Transport::Tcp, ends, at) }, each);
        }
    }

    /// Tells of a touch, or counts it.
    fn tell(&mut self, mut touch: DecoyTouch, each: &mut dyn FnMut(DecoyTouch)) {
        touch.netns = self.netns;
        touch.level = self.settings.level.fact();
        touch.first_bytes.truncate(self.settings.first_bytes);
        touch.recognised = recognise(touch.transport, &touch.first_bytes);
        self.counts.touches += 1;
        let told = self.sources.is_told(touch.peer.ip(), touch.at);
        self.sources.add(&touch, told);
        if told {
            self.counts.told += 1;
            each(touch);
        }
    }
}

/// What one wait brings.
struct Came<'a> {
    knocks: &'a mut Knocks,
    visitors: Vec<(Visitor, Timestamp<Utc>)>,
    touches: Vec<DecoyTouch>,
    now: Instant,
}

impl Came<'_> {
    fn take(&mut self, knock: Knock<'_>) {
        match knock {
            Knock::Packet { at, transport: Transport::Tcp, peer, local, answered: true } => {
                let oldest = self.knocks.add((peer, local), at, self.now);
                self.touches.extend(oldest.map(|(ends, at)| knocked(Transport::Tcp, ends, at)));
            }
            Knock::Packet { at, transport, peer, local, .. } => {
                self.touches.push(knocked(transport, (peer, local), at));
            }
            Knock::Connection(visitor) => {
                let at = self.knocks.take(&(visitor.peer, visitor.local)).unwrap_or(visitor.at);
                self.visitors.push((visitor, at));
            }
            Knock::Datagram { at, peer, local, bytes, whole_bytes } => self.touches.push(DecoyTouch {
                received_bytes: whole_bytes as u64,
                first_bytes: bytes.to_vec(),
                ..knocked(Transport::Udp, (peer, local), at)
            }),
        }
    }
}

/// A touch of which nothing is known but that somebody knocked.
fn knocked(transport: Transport, (peer, local): Ends, at: Timestamp<Utc>) -> DecoyTouch {
    DecoyTouch {
        at,
        transport,
        peer,
        local,
        netns: 0,
        level: model::DecoyLevel::Observe,
        connected: false,
        received_bytes: 0,
        sent_bytes: 0,
        first_bytes: Vec::new(),
        recognised: None,
        lasted_ns: 0,
    }
}

/// The touch of a guest who has left; the connection ends with it.
fn left(guest: Guest, now: Instant) -> DecoyTouch {
    let lasted = now.saturating_duration_since(guest.since).as_nanos();
    DecoyTouch {
        connected: true,
        received_bytes: guest.received,
        sent_bytes: guest.sent,
        lasted_ns: u64::try_from(lasted).unwrap_or(u64::MAX),
        first_bytes: guest.bytes,
        ..knocked(Transport::Tcp, (guest.visitor.peer, guest.visitor.local), guest.at)
    }
}

/// What the bytes say; a recogniser that stops costs this touch its name, and nothing else.
fn recognise(transport: Transport, bytes: &[u8]) -> Option<Recognised> {
    if bytes.is_empty() {
        return None;
    }
    let ends = [u32::try_from(bytes.len()).unwrap_or(u32::MAX)];
    let client =
        if transport == Transport::Udp { Said::datagrams(bytes, &ends) } else { Said::stream(bytes, true) };
    let talk = Talk { transport, client, server: Said::default(), ended: true, particulars: true };
    catch_unwind(AssertUnwindSafe(|| traffic::recognise(&talk).settle(&talk))).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    /// A touch over TCP with these bytes.
    pub(crate) fn touch(peer: &str, local: &str, bytes: &[u8]) -> DecoyTouch {
        DecoyTouch {
            connected: true,
            received_bytes: bytes.len() as u64,
            first_bytes: bytes.to_vec(),
            recognised: recognise(Transport::Tcp, bytes),
            ..knocked(
                Transport::Tcp,
                (peer.parse().unwrap(), local.parse().unwrap()),
                Timestamp::from_ns(1_700_000_000),
            )
        }
    }

    /// Decoys of plain sockets on two ports of this machine that nobody has.
    fn plain(level: &str) -> (Decoys, u16, u16) {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = DecoySettings {
            ports: [tcp, udp].into_iter().collect(),
            v6: false,
            level: Level::parse(level).unwrap(),
            ways: host::decoy::Ways::Plain,
            connections_per_source: 2,
            ..DecoySettings::default()
        };
        (Decoys::open(&settings).unwrap(), tcp, udp)
    }

    fn until(decoys: &mut Decoys, count: usize) -> Vec<DecoyTouch> {
        let (mut touches, end) = (Vec::new(), Instant::now() + Duration::from_secs(20));
        while touches.len() < count && Instant::now() < end {
            decoys.wait(Duration::from_millis(100), &mut |touch| touches.push(touch)).unwrap();
        }
        touches
    }

    #[test]
    fn what_is_said_is_kept_recognised_and_answered_in_few_words() {
        let (mut decoys, tcp, udp) = plain("greet=ssh");
        let mut client = TcpStream::connect(("127.0.0.1", tcp)).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: decoy\r\n\r\n").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let touch = until(&mut decoys, 1).pop().unwrap();
        let mut heard = Vec::new();
        let _ = client.read_to_end(&mut heard);
        assert_eq!(heard, b"SSH-2.0-server\r\n");
        assert_eq!((touch.sent_bytes, touch.received_bytes, touch.connected), (16, 31, true));
        assert_eq!(touch.recognised.unwrap().protocol.unwrap().name, "http");

        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.set_nonblocking(true).unwrap();
        sender
            .send_to(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01", ("127.0.0.1", udp))
            .unwrap();
        let touch = until(&mut decoys, 1).pop().unwrap();
        assert_eq!((touch.transport, touch.sent_bytes), (Transport::Udp, 0));
        assert_eq!(touch.recognised.unwrap().protocol.unwrap().name, "dns");
        assert_eq!(sender.recv(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let visits = decoys.visits();
        assert_eq!((visits.len(), visits[0].touches(), visits[0].spoken.len()), (1, 2, 2));
    }

    #[test]
    fn no_source_has_more_connections_than_it_may() {
        let (mut decoys, tcp, _) = plain("accept");
        let clients: Vec<TcpStream> =
            (0..5).map(|_| TcpStream::connect(("127.0.0.1", tcp)).unwrap()).collect();
        let turned = until(&mut decoys, 3);
        assert_eq!((turned.len(), decoys.counts().turned_away, decoys.counts().open), (3, 3, 2));
        drop(clients);
        assert_eq!(until(&mut decoys, 2).len(), 2);
        let _client = TcpStream::connect(("127.0.0.1", tcp)).unwrap();
        while decoys.counts().open == 0 {
            decoys.wait(Duration::from_millis(100), &mut |touch| panic!("{touch:?}")).unwrap();
        }
        let mut left = Vec::new();
        decoys.end(&mut |touch| left.push(touch));
        assert_eq!((left.len(), decoys.counts().touches), (1, 6));
    }

    #[test]
    fn first_bytes_are_bounded() {
        let (mut decoys, tcp, _) = plain("accept");
        let mut client = TcpStream::connect(("127.0.0.1", tcp)).unwrap();
        let writer = std::thread::spawn(move || while client.write_all(&[b'x'; 4096]).is_ok() {});
        let touch = until(&mut decoys, 1).pop().unwrap();
        assert_eq!(touch.first_bytes.len(), 4096);
        writer.join().unwrap();
    }

    #[test]
    fn decoys_can_be_had_in_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<Decoys>();
    }
}
