//! Frames from live interfaces: what to ask for, what comes, and why it cannot be had.
//!
//! [`Capture::open`] needs privilege, reading does not: open first, then give up privilege ([`crate::privilege`]), then
//! read. Where there is no live capture, another program's capture can be piped in.

use std::fmt;
use std::io;

use wire::{Frame, LinkType};

#[cfg(any(target_os = "macos", target_os = "windows"))]
pub use crate::elsewhere::Capture;
#[cfg(target_os = "linux")]
pub use crate::linux::capture::Capture;

/// What to say where live capture is not to be had.
pub const PIPE: &str = "pipe a capture in, e.g. `tcpdump -w - | portreeve read -`";

/// What to capture. The default is everything on every interface, whole frames, one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureRequest {
    /// Names of interfaces; empty is all of them, and those that come later.
    pub interfaces: Vec<String>,
    /// Memory that holds frames until they are read, in bytes, for all workers together.
    pub ring_bytes: usize,
    /// How much of each frame is captured, in bytes.
    pub snap_bytes: u32,
    /// Also what is sent to other machines; only where interfaces are named.
    pub promiscuous: bool,
    /// Which frames the kernel hands over, by one program for each link type.
    ///
    /// A link type without a program is not filtered, nor are devices that the kernel shows to programs in another form
    /// than we hand out: whoever reads has to filter those again. A program sees a frame as the kernel keeps it, where the
    /// outermost VLAN tag stands beside the bytes and not among them.
    pub filters: Vec<LinkFilter>,
    /// The network namespace: a name of `ip netns` or Docker, a PID, or a path; `None` is ours.
    pub netns: Option<String>,
    /// How many captures share the frames, both directions of a flow in one; see [`Capture::split`].
    pub workers: u16,
}

impl Default for CaptureRequest {
    fn default() -> Self {
        CaptureRequest {
            interfaces: Vec::new(),
            ring_bytes: 32 << 20,
            // As much as tcpdump takes: more than any frame but those of "big TCP".
            snap_bytes: 262_144,
            promiscuous: true,
            filters: Vec::new(),
            netns: None,
            workers: 1,
        }
    }
}

/// A filter program for frames that begin in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFilter {
    /// What the first byte of the frames begins, of those in [`FILTERED_LINKS`].
    pub link: LinkType,
    /// The program: it returns how many bytes to keep, 0 for none.
    pub program: Vec<FilterInstruction>,
}

/// The link types of frames that the kernel can filter.
pub const FILTERED_LINKS: [LinkType; 4] =
    [LinkType::ETHERNET, LinkType::RAW, LinkType::IEEE802_11, LinkType::IEEE802_11_RADIOTAP];

/// One instruction of a classic BPF program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterInstruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to pass over if true.
    pub jt: u8,
    /// How many instructions to pass over if false.
    pub jf: u8,
    /// An operand.
    pub k: u32,
}

/// One frame and what only a live capture knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured<'a> {
    /// The frame, as on the wire; its interface is the place in [`Capture::interfaces`].
    pub frame: Frame<'a>,
    /// Whether it came or went.
    pub direction: Direction,
    /// It left before the interface completed its checksum: what stands there is wrong, and on the wire it is not.
    pub checksum_pending: bool,
}

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To this machine.
    Here,
    /// To everybody, or to a group.
    Group,
    /// To another machine.
    Elsewhere,
    /// From this machine.
    Out,
}

/// One interface of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureInterface {
    /// Its name when it was first seen.
    pub name: String,
    /// The number that the system gives it.
    pub index: u32,
    /// What the first byte of its frames begins.
    pub link: LinkType,
}

/// What became of the frames that passed the filter, since the capture was opened.
///
/// `received + dropped` is all of them; after [`Capture::finish`], `seen` is `received`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaptureCounts {
    /// Frames that were handed out.
    pub seen: u64,
    /// Frames that the kernel has put into memory.
    pub received: u64,
    /// Frames for which there was no room.
    pub dropped: u64,
    /// How often the kernel found all memory full.
    pub freezes: u64,
    /// Frames of those seen that were longer than what was captured.
    pub truncated: u64,
}

/// Why a capture cannot be opened.
#[derive(Debug)]
pub enum CaptureError {
    /// This system, kernel or build has no live capture.
    NotSupported,
    /// The system refuses; the right that is missing.
    NoPermission {
        /// What we wanted to do.
        what: &'static str,
        /// The capability that allows it.
        capability: &'static str,
    },
    /// No interface has this name.
    NoInterface {
        /// What was asked for.
        name: String,
        /// Names that are nearly the same; where none is, all names.
        near: Vec<String>,
    },
    /// The interface is switched off.
    InterfaceDown(String),
    /// No network namespace has this name.
    NoNamespace {
        /// What was asked for.
        name: String,
        /// Names that are nearly the same; where none is, all names.
        near: Vec<String>,
    },
    /// The kernel has not this much memory for frames, in bytes.
    RingTooLarge(usize),
    /// A filter program is not one; which link type's, and what is wrong.
    FilterRefused(LinkType, &'static str),
    /// The kernel refused something else.
    Kernel(&'static str, io::Error),
}

impl CaptureError {
    /// What would help, as one clause.
    pub fn help(&self) -> String {
        match self {
            CaptureError::NotSupported => PIPE.to_owned(),
            CaptureError::NoPermission { capability, .. } => {
                format!("run as root, or give the binary {capability}; or {PIPE}")
            }
            CaptureError::NoInterface { near, .. } | CaptureError::NoNamespace { near, .. } => {
                match near.as_slice() {
                    [] => "there is none here".to_owned(),
                    near => format!("did you mean {}?", near.join(", ")),
                }
            }
            CaptureError::InterfaceDown(name) => format!("switch it on: ip link set dev {name} up"),
            CaptureError::RingTooLarge(_) => "ask for a smaller ring".to_owned(),
            CaptureError::FilterRefused(..) => "use a simpler filter, or none".to_owned(),
            CaptureError::Kernel(..) => PIPE.to_owned(),
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CaptureError::NotSupported => f.write_str("this system offers us no live capture")?,
            CaptureError::NoPermission { what, capability } => write!(f, "to {what} needs {capability}")?,
            CaptureError::NoInterface { name, .. } => write!(f, "no interface is named {name:?}")?,
            CaptureError::InterfaceDown(name) => write!(f, "the interface {name} is switched off")?,
            CaptureError::NoNamespace { name, .. } => write!(f, "no network namespace is named {name:?}")?,
            CaptureError::RingTooLarge(bytes) => {
                write!(f, "the kernel has no {bytes} bytes of memory for frames")?;
            }
            CaptureError::FilterRefused(link, what) => {
                write!(f, "the filter for link type {}: {what}", link.0)?
            }
            CaptureError::Kernel(what, error) => write!(f, "the kernel refused to {what}: {error}")?,
        }
        write!(f, "; {}", self.help())
    }
}

impl std::error::Error for CaptureError {}
