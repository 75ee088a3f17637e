//! What a service and whoever started it tell each other: that it is ready and lives (sd_notify(3)), and signals.

use std::io;
use std::time::Duration;

#[cfg(unix)]
mod signals;
#[cfg(unix)]
pub use signals::Signals;

/// What a service is told by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End, in order: SIGTERM, SIGINT.
    End,
    /// Read policy and settings again: SIGHUP.
    Reload,
    /// Say how things stand: SIGUSR1.
    Status,
}

/// There are none of these.
#[cfg(not(unix))]
#[derive(Debug)]
pub enum Signals {}

#[cfg(not(unix))]
impl Signals {
    /// Says that there are none here.
    pub fn begin() -> io::Result<Signals> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The next signal.
    pub fn wait(&self, _: Option<Duration>) -> io::Result<Option<Signal>> {
        match *self {}
    }
}

/// A service manager that wants to know how we are; or none, and then nothing is said to nobody.
#[derive(Debug, Default)]
pub struct Supervisor {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that started us, by what it left in our environment. To be called before we shut ourselves off: the
    /// connection is made here.
    pub fn find() -> io::Result<Supervisor> {
        let said = |name: &str| std::env::var(name).ok();
        let watchdog = watchdog(said("WATCHDOG_USEC"), said("WATCHDOG_PID"), std::process::id());
        Supervisor::at(std::env::var_os("NOTIFY_SOCKET"), watchdog)
    }

    #[cfg(unix)]
    fn at(place: Option<std::ffi::OsString>, watchdog: Option<Duration>) -> io::Result<Supervisor> {
        let Some(place) = place else { return Ok(Supervisor::default()) };
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        match place.as_encoded_bytes().split_first() {
            Some((b'/', _)) => socket.connect(&place)?,
            #[cfg(target_os = "linux")]
            Some((b'@', name)) => {
                use std::os::linux::net::SocketAddrExt;
                socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?;
            }
            _ => return Err(io::Error::other("NOTIFY_SOCKET names no socket that we know how to reach")),
        }
        // One that does not read does not hold us up.
        socket.set_nonblocking(true)?;
        Ok(Supervisor { socket: Some(socket), watchdog })
    }

    #[cfg(not(unix))]
    fn at(_: Option<std::ffi::OsString>, _: Option<Duration>) -> io::Result<Supervisor> {
        Ok(Supervisor::default())
    }

    /// Whether there is one.
    pub fn listens(&self) -> bool {
        #[cfg(unix)]
        return self.socket.is_some();
        #[cfg(not(unix))]
        return false;
    }

    /// How often it wants to hear that we live: twice as often as it would wait. `None` where it does not ask.
    pub fn watchdog_every(&self) -> Option<Duration> {
        self.watchdog.map(|wait| wait / 2)
    }

    /// We do our work, and so we are, in words for `systemctl status`. Also the end of reloading.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}\n", one_line(status)));
    }

    /// We read our settings again.
    pub fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_us()));
    }

    /// We end.
    pub fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={}\n", one_line(status)));
    }

    /// How things stand.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={}\n", one_line(status)));
    }

    /// We live. To be told only by whoever knows that the work goes on.
    pub fn alive(&self) {
        if self.watchdog.is_some() {
            self.tell("WATCHDOG=1\n");
        }
    }

    fn tell(&self, message: &str) {
        #[cfg(unix)]
        if let Some(socket) = &self.socket {
            // A manager that went away takes us with it, or starts us anew: nothing is to be done here.
            let _ = socket.send(message.as_bytes());
        }
        #[cfg(not(unix))]
        let _ = message;
    }
}

/// A status is one line: what stands in it may come from strangers, and a second line would be another assignment.
fn one_line(status: &str) -> String {
    status.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(512).collect()
}

fn watchdog(wait_us: Option<String>, pid: Option<String>, own: u32) -> Option<Duration> {
    if pid.is_some_and(|pid| pid.parse() != Ok(own)) {
        // It is meant for another process, which left us its environment.
        return None;
    }
    let wait_us = wait_us?.parse::<u64>().ok().filter(|wait| *wait > 0)?;
    Some(Duration::from_micros(wait_us))
}

#[cfg(target_os = "linux")]
fn monotonic_us() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
}

#[cfg(not(target_os = "linux"))]
fn monotonic_us() -> i64 {
    // Only systemd asks for it.
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn who_started_us_hears_what_we_do_and_nobody_else_anything() {
        let path = std::env::temp_dir().join(format!("portreeve-notify-{}", std::process::id()));
        let manager = UnixDatagram::bind(&path).unwrap();
        let hear = || {
            let mut bytes = [0; 1024];
            let count = manager.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..count].to_vec()).unwrap()
        };
        let ours = Supervisor::at(Some(path.clone().into()), Some(Duration::from_secs(30))).unwrap();
        ours.ready("watching\nREADY=0");
        assert_eq!(hear(), "READY=1\nSTATUS=watching READY=0\n");
        let before = monotonic_us();
        ours.reloading();
        let heard = hear();
        let at: i64 = heard.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().trim().parse().unwrap();
        assert!((before..=monotonic_us()).contains(&at));
        ours.alive();
        assert_eq!((hear().as_str(), ours.watchdog_every()), ("WATCHDOG=1\n", Some(Duration::from_secs(15))));
        ours.stopping("");
        assert_eq!(hear(), "STOPPING=1\nSTATUS=\n");
        // It does not read any more, and then it is gone: both are no trouble of ours.
        for _ in 0..5000 {
            ours.status("x");
        }
        drop(manager);
        ours.status("x");
        std::fs::remove_file(&path).unwrap();
        assert!(Supervisor::at(Some(path.into()), None).is_err());
        assert!(Supervisor::at(Some("vsock:2:1".into()), None).is_err());
        let nobody = Supervisor::at(None, None).unwrap();
        nobody.ready("");
        assert!(!nobody.listens());
    }

    #[test]
    fn an_abstract_name_is_one_too() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("portreeve-notify-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Supervisor::at(Some(format!("@{name}").into()), None).unwrap().status("well");
        let mut bytes = [0; 64];
        assert_eq!(manager.recv(&mut bytes).unwrap(), "STATUS=well\n".len());
    }

    #[test]
    fn a_watchdog_is_for_whom_it_names() {
        let us = |text: &str| Some(text.to_owned());
        assert_eq!(watchdog(us("3000000"), None, 7), Some(Duration::from_secs(3)));
        assert_eq!(watchdog(us("3000000"), us("7"), 7), Some(Duration::from_secs(3)));
        assert_eq!(watchdog(us("3000000"), us("8"), 7), None);
        assert_eq!(watchdog(us("3000000"), us("x"), 7), None);
        assert_eq!(
            (watchdog(us("0"), None, 7), watchdog(us("x"), None, 7), watchdog(None, None, 7)),
            (None, None, None)
        );
    }
}
