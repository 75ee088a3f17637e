//! The interfaces of a capture: those it was opened with, and those that appear while it runs.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net::netdevice::index_to_name;
use wire::LinkType;

use crate::capture::CaptureInterface;

/// The most interfaces that are told apart: containers come and go. Those beyond share an entry for each link type.
const MOST: usize = 4096;
/// What stands for the interfaces beyond.
const OTHERS: &str = "others";

/// The interfaces, and for each frame its place among them. Copies share what they learn.
#[derive(Debug, Clone)]
pub struct Interfaces {
    all: Arc<Mutex<Vec<CaptureInterface>>>,
    /// What this copy has already asked for.
    known: Vec<(u32, LinkType, u32)>,
}

impl Interfaces {
    /// Those that the capture begins with.
    pub fn new(all: Vec<CaptureInterface>) -> Interfaces {
        Interfaces { all: Arc::new(Mutex::new(all)), known: Vec::new() }
    }

    /// All of them, in the order of their places.
    pub fn list(&self) -> Vec<CaptureInterface> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The place of an interface's frames of one link type; `socket` is in the interface's network namespace.
    pub fn place(&mut self, index: u32, link: LinkType, socket: BorrowedFd<'_>) -> u32 {
        match self.known.iter().position(|known| (known.0, known.1) == (index, link)) {
            Some(0) => {}
            // Frames come in bursts: what was asked for last is asked for next.
            Some(found) => self.known.swap(0, found),
            None => {
                let place = self.add(index, link, socket);
                self.known.truncate(MOST);
                self.known.insert(0, (index, link, place));
            }
        }
        self.known.first().map_or(0, |known| known.2)
    }

    fn add(&self, index: u32, link: LinkType, socket: BorrowedFd<'_>) -> u32 {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        if let Some(place) = all.iter().position(|known| (known.index, known.link) == (index, link)) {
            return number(place);
        }
        let (name, index) = if all.len() < MOST {
            // It may be gone already.
            (index_to_name(socket, index).unwrap_or_else(|_| format!("interface {index}")), index)
        } else {
            (OTHERS.to_owned(), 0)
        };
        if let Some(place) =
            all.iter().position(|known| (known.index, known.link, &known.name) == (index, link, &name))
        {
            return number(place);
        }
        all.push(CaptureInterface { name, index, link });
        number(all.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    #[test]
    fn copies_agree_and_the_number_is_bounded() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let first = CaptureInterface { name: "lo".to_owned(), index: 1, link: LinkType::ETHERNET };
        let mut one = Interfaces::new(vec![first]);
        let mut two = one.clone();
        let (ethernet, raw) = (LinkType::ETHERNET, LinkType::RAW);
        assert_eq!(one.place(1, ethernet, socket.as_fd()), 0);
        assert_eq!(two.place(4_000_000, raw, socket.as_fd()), 1);
        assert_eq!(one.place(4_000_001, raw, socket.as_fd()), 2);
        assert_eq!(
            (one.place(4_000_000, raw, socket.as_fd()), two.place(1, ethernet, socket.as_fd())),
            (1, 0)
        );
        assert_eq!(one.list()[1].name, "interface 4000000");
        for index in 5_000_000..5_005_000 {
            one.place(index, raw, socket.as_fd());
        }
        let last = one.place(6_000_000, raw, socket.as_fd());
        assert_eq!((last as usize, one.list().len()), (MOST, MOST + 1));
        assert_eq!(one.list().last().unwrap().name, "others");
        assert!(one.known.len() <= MOST + 1);
        assert_eq!(two.place(7_000_000, ethernet, socket.as_fd()) as usize, MOST + 1);
    }
}
