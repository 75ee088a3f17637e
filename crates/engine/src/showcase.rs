//! What somebody looks at now: the latest picture of a stream, and how loud one is. It is made while somebody looks, and
//! no longer, of the packets that the loop reads anyway.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use media::Packet;
use media::picture::{self, Picture, PngDepth};
use media::sound::{Levels, Planar, Sequence};
use media::video::Assembler;
use model::media::sound::SoundFacts;
use model::media::{AudioFormat, Essence, Stream};
use wire::Frame;

use crate::exhibit::{StreamKey, each_rtp, keep};

/// The largest picture that is put together, in pixels: 4096 by 2304. Two of them are open at a time.
const MOST_PIXELS: u32 = 4096 * 2304;
/// A picture is shown no wider; it is made smaller by a whole number.
const MOST_WIDTH: u16 = 960;
/// So old may the picture be that the next one is shown: pictures are taken rarely, however many ask.
const FRESH: Duration = Duration::from_secs(2);
/// So long lies between two pictures, of whichever streams.
const APART: Duration = Duration::from_millis(250);
/// The first picture seldom comes from its first packet on; of so many the best is shown.
const MOST_TRIES: u32 = 3;
/// Streams that are listened to at a time, and the channels of each.
const MOST_SOUNDS: usize = 4;
const MOST_CHANNELS: u16 = 64;
/// Who has not asked for so long does not listen any more.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so many frames it is seen whether anybody still looks.
const SWEEP_EVERY: u64 = 4096;

/// A picture to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// The picture (PNG), 8 bits a sample, no wider than 960.
    pub png: Vec<u8>,
    /// Pixels of the whole picture that never came; they are black.
    pub missing_pixels: u64,
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoStill {
    /// The stream carries no uncompressed video whose format is known.
    NotVideo,
    /// The picture is larger than memory is taken for.
    TooLarge,
    /// Somebody looks at another stream at the moment.
    Busy,
    /// No picture came in time.
    NothingCame,
}

/// How loud a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// In the last 400 ms.
    pub now: SoundFacts,
    /// Since somebody began to listen.
    pub since: SoundFacts,
}

/// What somebody looks at now.
#[derive(Default)]
pub struct Showcase {
    /// Whether anybody looks: else a frame costs one look at this.
    wanted: AtomicBool,
    inside: Mutex<Inside>,
    came: Condvar,
}

#[derive(Default)]
struct Inside {
    taking: Option<Taking>,
    /// The stream of whose packets somebody makes a picture at the moment, outside the lock, and since when.
    developing: Option<(StreamKey, Instant)>,
    last: Option<(StreamKey, Instant, Arc<Still>)>,
    sounds: Vec<Sound>,
    frames: u64,
}

/// A picture that is being put together.
struct Taking {
    key: StreamKey,
    begun: Instant,
    assembler: Assembler,
    best: Option<Picture>,
    tries: u32,
}

impl Taking {
    fn is_done(&self) -> bool {
        self.tries >= MOST_TRIES || self.best.as_ref().is_some_and(|best| best.missing_pixels == 0)
    }
}

/// A stream that is listened to.
struct Sound {
    key: StreamKey,
    asked: Instant,
    format: AudioFormat,
    sequence: Sequence,
    planar: Planar,
    since: Levels,
    window: Levels,
    samples: u64,
    now: Option<SoundFacts>,
}

impl Sound {
    fn new(key: StreamKey, format: &AudioFormat) -> Sound {
        Sound {
            key,
            asked: Instant::now(),
            format: format.clone(),
            sequence: Sequence::new(format),
            planar: Planar::new(format.channels),
            since: Levels::new(format),
            window: Levels::new(format),
            samples: 0,
            now: None,
        }
    }

    fn take(&mut self, packet: &Packet<'_>) {
        let before = self.sequence.filled();
        self.planar.clear();
        self.sequence.handle(packet, &mut self.planar);
        let filled = self.sequence.filled() - before;
        self.since.handle(&self.planar, filled);
        self.window.handle(&self.planar, filled);
        self.samples += u64::try_from(self.planar.samples()).unwrap_or(0);
        if self.samples * 10 >= u64::from(self.format.sample_rate) * 4 {
            let window = std::mem::replace(&mut self.window, Levels::new(&self.format));
            self.now = Some(window.facts());
            self.samples = 0;
        }
    }
}

fn key_of(stream: &Stream) -> Option<StreamKey> {
    let leg = stream.legs.first()?;
    Some((leg.source, leg.destination, stream.ssrc))
}

impl Showcase {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn want(&self, inside: &Inside) {
        let wanted = inside.taking.is_some() || !inside.sounds.is_empty();
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Takes a frame, where somebody looks.
    pub fn frame(&self, frame: &Frame<'_>) {
        if !self.wanted.load(Ordering::Relaxed) {
            return;
        }
        let mut inside = self.inside();
        inside.frames = inside.frames.wrapping_add(1);
        let number = inside.frames;
        if number.is_multiple_of(SWEEP_EVERY) {
            inside.sounds.retain(|sound| sound.asked.elapsed() < PATIENCE);
            self.want(&inside);
        }
        let Inside { taking, sounds, .. } = &mut *inside;
        each_rtp(frame, number, &mut |key, packet| {
            if let Some(taking) = taking.as_mut().filter(|taking| taking.key == key && !taking.is_done())
                && let Some(picture) = taking.assembler.handle(packet)
            {
                keep(&mut taking.best, picture);
                taking.tries += 1;
                if taking.is_done() {
                    self.came.notify_all();
                }
            }
            if let Some(sound) = sounds.iter_mut().find(|sound| sound.key == key) {
                sound.take(packet);
            }
        });
    }

    /// The latest picture of a stream; waits so long for one.
    pub fn picture(&self, stream: &Stream, wait: Duration) -> Result<Arc<Still>, NoStill> {
        let Some((Essence::Video(format), key)) =
            stream.format.as_ref().map(|(format, _)| &format.essence).zip(key_of(stream))
        else {
            return Err(NoStill::NotVideo);
        };
        if u32::from(format.width) * u32::from(format.height) > MOST_PIXELS {
            return Err(NoStill::TooLarge);
        }
        let end = Instant::now() + wait;
        let mut inside = self.inside();
        loop {
            let last = inside.last.as_ref().filter(|(of, at, _)| *of == key && at.elapsed() < FRESH);
            if let Some(still) = last.map(|(_, _, still)| Arc::clone(still)) {
                // Nothing goes on that nobody waits for.
                inside.taking.take_if(|taking| taking.key == key);
                self.want(&inside);
                return Ok(still);
            }
            let left = end.saturating_duration_since(Instant::now());
            let developed = inside.developing.is_some_and(|(of, since)| of == key && since.elapsed() < wait);
            let mut nap = left;
            match &inside.taking {
                // It will be shown to all who wait for it.
                _ if developed => {}
                Some(taking) if taking.key != key && taking.begun.elapsed() < wait => {
                    return Err(NoStill::Busy);
                }
                Some(taking) if taking.key == key && (taking.is_done() || left.is_zero()) => break,
                Some(taking) if taking.key == key => {}
                _ if inside.last.as_ref().is_some_and(|(_, at, _)| at.elapsed() < APART) => {
                    nap = left.min(APART);
                }
                _ => {
                    let assembler = Assembler::new(format).ok_or(NoStill::NotVideo)?;
                    let begun = Instant::now();
                    inside.taking = Some(Taking { key, begun, assembler, best: None, tries: 0 });
                    self.want(&inside);
                }
            }
            if left.is_zero() {
                break;
            }
            let waited = self.came.wait_timeout(inside, nap);
            inside = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(inside, _)| inside);
        }
        let ours = inside.taking.take_if(|taking| taking.key == key);
        self.want(&inside);
        let best = ours.and_then(|taking| taking.best).ok_or(NoStill::NothingCame)?;
        inside.developing = Some((key, Instant::now()));
        drop(inside);
        // Colours cost most: nobody waits for the lock meanwhile.
        let still = best.smaller(best.format.width.div_ceil(MOST_WIDTH)).map(|small| {
            Arc::new(Still {
                missing_pixels: best.missing_pixels,
                png: picture::png(&small, PngDepth::Eight),
            })
        });
        let mut inside = self.inside();
        inside.developing = None;
        if let Some(still) = &still {
            inside.last = Some((key, Instant::now(), Arc::clone(still)));
        }
        self.came.notify_all();
        still.ok_or(NoStill::NotVideo)
    }

    /// How loud a stream is; `None` where it carries no sound that can be measured, or nothing was heard yet.
    pub fn levels(&self, stream: &Stream) -> Option<Heard> {
        let (Essence::Audio(format), key) = (&stream.format.as_ref()?.0.essence, key_of(stream)?) else {
            return None;
        };
        if format.channels > MOST_CHANNELS {
            return None;
        }
        let mut inside = self.inside();
        if let Some(sound) =
            inside.sounds.iter_mut().find(|sound| sound.key == key && sound.format == *format)
        {
            sound.asked = Instant::now();
            return Some(Heard { now: sound.now.clone()?, since: sound.since.facts() });
        }
        if inside.sounds.len() >= MOST_SOUNDS {
            // Who asked longest ago makes room.
            inside.sounds.sort_unstable_by_key(|sound| std::cmp::Reverse(sound.asked));
            inside.sounds.truncate(MOST_SOUNDS - 1);
        }
        inside.sounds.push(Sound::new(key, format));
        self.want(&inside);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::thread;

    use model::media::{Basis, StreamLeg};
    use wire::LinkType;

    use super::*;

    const VIDEO: &str = "m=video 5004 RTP/AVP 96\r\nc=IN IP4 239.1.1.1/16\r\na=rtpmap:96 raw/90000\r\n\
        a=fmtp:96 sampling=YCbCr-4:2:2; width=4; height=2; exactframerate=25; depth=8; TCS=SDR; \
        colorimetry=BT709; PM=2110GPM; SSN=ST2110-20:2017; TP=2110TPN\r\n";
    const SOUND: &str =
        "m=audio 5004 RTP/AVP 97\r\nc=IN IP4 239.1.1.1/16\r\na=rtpmap:97 L16/48000/1\r\na=ptime:1\r\n";

    fn stream(media: &str, ssrc: u32) -> Stream {
        let sdp = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=x\r\nt=0 0\r\n{media}");
        let (sessions, _) = crate::receiving::sessions(sdp.as_bytes(), "test");
        let leg = StreamLeg {
            source: SocketAddr::from(([192, 0, 2, 9], 5004)),
            destination: SocketAddr::from(([239, 1, 1, 1], 5004)),
            vlan: None,
            ttl: 16,
            dscp: 0,
            reception: Default::default(),
            shaping: None,
            timing: None,
        };
        Stream {
            ssrc,
            payload_type: 96,
            frame: 1,
            format: Some((sessions[0].formats[0].clone(), Basis::Payload)),
            assumed: Vec::new(),
            session: None,
            legs: vec![leg],
            hitless: None,
            video: None,
            compressed: None,
            audio: None,
            ancillary: None,
            metadata: None,
            text: None,
            faults: Vec::new(),
        }
    }

    /// A datagram of RTP as raw IP (RFC 791, RFC 768, RFC 3550 §5.1).
    fn packet(ssrc: u32, sequence: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
        let udp = u16::try_from(8 + 12 + payload.len()).unwrap();
        let mut bytes = vec![0x45, 0];
        bytes.extend((udp + 20).to_be_bytes());
        bytes.extend([0, 1, 0, 0, 16, 17, 0, 0, 192, 0, 2, 9, 239, 1, 1, 1, 0x13, 0x8c, 0x13, 0x8c]);
        bytes.extend(udp.to_be_bytes());
        bytes.extend([0, 0, 0x80, 96 | if marker { 0x80 } else { 0 }]);
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn show(showcase: &Showcase, bytes: &[u8]) {
        let wire_bytes = u32::try_from(bytes.len()).unwrap();
        showcase.frame(&Frame { time: None, link: LinkType::RAW, interface: 0, wire_bytes, bytes });
    }

    /// A whole picture of 4 by 2 in one packet: two rows of eight octets.
    fn picture() -> Vec<u8> {
        let mut payload = vec![0, 0, 0, 8, 0, 0, 0x80, 0, 0, 8, 0, 1, 0, 0];
        payload.extend([128, 200, 128, 200].repeat(4));
        payload
    }

    #[test]
    fn a_picture_is_taken_when_somebody_looks_and_not_before() {
        let showcase = Showcase::default();
        let video = stream(VIDEO, 7);
        show(&showcase, &packet(7, 1, 0, true, &picture()));
        assert_eq!(showcase.picture(&video, Duration::ZERO), Err(NoStill::NothingCame));
        assert!(!showcase.wanted.load(Ordering::Relaxed), "nobody looks any more");
        let taken = thread::scope(|scope| {
            let asked = scope.spawn(|| showcase.picture(&video, Duration::from_secs(60)));
            let mut sent = 0_u16;
            while !asked.is_finished() {
                sent = sent.wrapping_add(1);
                show(&showcase, &packet(8, sent, u32::from(sent) * 3600, true, &picture()));
                show(&showcase, &packet(7, sent, u32::from(sent) * 3600, true, &picture()));
                thread::yield_now();
            }
            asked.join().unwrap()
        });
        let still = taken.unwrap();
        assert_eq!(still.missing_pixels, 0);
        assert_eq!(still.png.get(1..4), Some(b"PNG".as_slice()));
        assert_eq!(showcase.picture(&stream(SOUND, 7), Duration::ZERO), Err(NoStill::NotVideo));
        assert!(!showcase.wanted.load(Ordering::Relaxed));
    }

    #[test]
    fn a_picture_is_made_once_for_all_who_wait_and_then_nobody_looks() {
        let showcase = Showcase::default();
        let video = stream(VIDEO, 7);
        let mut sent = 0_u16;
        for _ in 0..20 {
            showcase.inside().last = None;
            let taken: Vec<_> = thread::scope(|scope| {
                let asked: Vec<_> = (0..4)
                    .map(|_| scope.spawn(|| showcase.picture(&video, Duration::from_secs(60))))
                    .collect();
                while !asked.iter().all(thread::ScopedJoinHandle::is_finished) {
                    sent = sent.wrapping_add(1);
                    show(&showcase, &packet(7, sent, u32::from(sent) * 3600, true, &picture()));
                    thread::yield_now();
                }
                asked.into_iter().map(|asked| asked.join().unwrap().unwrap()).collect()
            });
            assert!(taken.iter().all(|still| Arc::ptr_eq(still, &taken[0])), "one for all");
            assert!(showcase.inside().taking.is_none() && !showcase.wanted.load(Ordering::Relaxed));
        }
    }

    #[test]
    fn pictures_of_whichever_streams_are_some_time_apart() {
        let showcase = Showcase::default();
        let begun = Instant::now();
        for ssrc in 0..3 {
            let video = stream(VIDEO, ssrc);
            thread::scope(|scope| {
                let asked = scope.spawn(|| showcase.picture(&video, Duration::from_secs(60)));
                let mut sent = 0_u16;
                while !asked.is_finished() {
                    sent = sent.wrapping_add(1);
                    show(&showcase, &packet(ssrc, sent, u32::from(sent) * 3600, true, &picture()));
                    thread::yield_now();
                }
                asked.join().unwrap().unwrap()
            });
        }
        assert!(begun.elapsed() >= APART * 2, "{:?}", begun.elapsed());
    }

    #[test]
    fn sound_is_heard_from_the_first_question_on_by_few_at_a_time() {
        let showcase = Showcase::default();
        let sound = stream(SOUND, 9);
        assert_eq!(showcase.levels(&sound), None);
        let half: Vec<u8> = 0x4000_i16.to_be_bytes().repeat(48);
        for at in 0..500_u16 {
            show(&showcase, &packet(9, at, u32::from(at) * 48, false, &half));
        }
        let heard = showcase.levels(&sound).unwrap();
        assert_eq!(heard.now.channels[0].peak_cdb, Some(-602));
        assert_eq!((heard.now.samples, heard.since.samples), (19_200, 24_000));
        assert_eq!(showcase.levels(&stream(VIDEO, 9)), None);
        for ssrc in 10..30 {
            assert_eq!(showcase.levels(&stream(SOUND, ssrc)), None);
        }
        assert_eq!(showcase.inside().sounds.len(), MOST_SOUNDS);
    }
}
