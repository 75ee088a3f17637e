//! A small machine to look at: daemons, packets of a neighbour, streams, decoys, and the service with its pages.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::driver::Browser;
use crate::stage::{Planter, Stage, child_of};

/// Where the pages are.
pub const BASE: &str = "http://127.0.0.1:7420";
pub const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 7420);

/// The binary, as it is installed there.
const PROGRAM: &str = "/usr/local/sbin/portreeve";

/// Speaks as a neighbour does: HTTP, TLS with a name, DNS, and a knock at a decoy.
const NEIGHBOUR: &str = r#"
import ssl
quiet = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
quiet.check_hostname, quiet.verify_mode = False, ssl.CERT_NONE

def get(s):
    s.sendall(b"GET / HTTP/1.1\r\nHost: camera-7.example\r\nConnection: close\r\n\r\n")
    while s.recv(4096):
        pass
    s.close()

def connect(port):
    return socket.create_connection(("10.9.0.1", port))

for _ in range(3):
    get(connect(80))
    get(quiet.wrap_socket(connect(443), server_hostname="camera-7.example"))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x08camera-7\x07example\0\0\x01\0\x01", ("10.9.0.1", 53))
    s.settimeout(5)
    s.recv(512)
s = connect(425)
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
s.close()
ready()
"#;

/// Answers DNS with one address.
const DNS: &str = r#"
s = udp(53, "0.0.0.0")

def answer():
    while True:
        asked, peer = s.recvfrom(512)
        s.sendto(asked[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + asked[12:] + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07", peer)

threading.Thread(target=answer, daemon=True).start()
ready()
"#;

/// The machine, its neighbour, and the service.
pub struct Harbour {
    service: Option<Child>,
    pub planters: Vec<Planter>,
    streams: Option<Child>,
    pub neighbour: Stage,
    pub stage: Stage,
}

impl Harbour {
    /// A machine with daemons, whose neighbour speaks to it and sends streams.
    pub fn new(name: &str) -> Harbour {
        let mut harbour = Harbour::empty(name);
        let stage = &harbour.stage;
        let home = stage.home.0.display().to_string();
        stage.sh(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
             -subj /CN=camera-7.example -keyout {home}/key.pem -out {home}/cert.pem 2>/dev/null"
        ));
        let site = format!(
            "daemon off; user root; pid {home}/nginx.pid; error_log stderr notice; events {{}}\n\
             http {{ access_log off; client_body_temp_path {home}/t1; proxy_temp_path {home}/t2;\n\
             fastcgi_temp_path {home}/t3; uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;\n\
             server {{ listen 80; listen 443 ssl; ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem;\n\
             location / {{ return 200 'ok'; }} }} }}"
        );
        let site = stage.home.file("nginx.conf", &site).display().to_string();
        let redis =
            ["redis-server", "--port", "6379", "--bind", "0.0.0.0", "--save", "", "--protected-mode", "no"];
        let planters = vec![
            stage.serve(&["nginx", "-e", "stderr", "-c", &site], "start worker process"),
            stage.serve(&redis, "Ready to accept connections"),
            stage.plant(DNS),
            stage.plant(r#"answer(tcp(8080, "0.0.0.0"), b"SSH-2.0-planted\r\n"); ready()"#),
            stage.plant(r#"s = udp(421, "0.0.0.0"); ready()"#),
        ];
        harbour.planters = planters;
        harbour.serve();
        let words = [
            env!("CARGO_BIN_EXE_portreeve"),
            "media",
            "send",
            "video",
            "--to",
            "239.1.1.1:5004",
            "-i",
            "vb",
            "--modest",
            "--no-progress",
            "--raster",
            "320x180p25",
            "--sap",
            "--rtcp",
            "--name",
            "Studio 1",
            "--fault",
            "loss=1/2000",
            "--with",
            "audio=239.1.1.2:5006",
            "--with",
            "ancillary=239.1.1.3:5008",
        ];
        let neighbour = &harbour.neighbour;
        let mut streams = neighbour.home.at_home(neighbour.command(&words));
        harbour.streams = Some(streams.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        drop(harbour.neighbour.plant(NEIGHBOUR));
        harbour
    }

    /// A machine with a cable to a neighbour, and nobody on it.
    pub fn empty(name: &str) -> Harbour {
        let (stage, neighbour) = (Stage::machine(name), Stage::new(&format!("{name}-neighbour")));
        neighbour.sh(&format!(
            "ip link add vb type veth peer name va netns {}; ip addr add 10.9.0.2/24 dev vb; ip link set vb up; \
             ip route add 224.0.0.0/4 dev vb",
            stage.pid()
        ));
        // In a place for programs, as people have it: those for temporary files are a finding.
        let binary = env!("CARGO_BIN_EXE_portreeve");
        stage.sh(&format!(
            "ip addr add 10.9.0.1/24 dev va; ip link set va up; \
             mount -t tmpfs -o mode=755 none /usr/local/sbin; install -m 755 /dev/null {PROGRAM}; mount --bind {binary} {PROGRAM}"
        ));
        Harbour { service: None, planters: Vec::new(), streams: None, neighbour, stage }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.stage.home.0.join(name)
    }

    /// Starts the service, and waits until it watches.
    pub fn serve(&mut self) {
        self.serve_with("");
    }

    /// The same with more of `[api]`.
    pub fn serve_with(&mut self, more: &str) {
        let [history, tokens] = ["history", "tokens.json"].map(|name| self.place(name));
        let settings = format!(
            "[watch]\ninterfaces = [\"va\"]\n[history]\nfolder = {history:?}\n\
             [decoy]\nports = \"425-427\"\nlevel = \"accept\"\n[api]\nlisten = \"127.0.0.1:7420\"\ntokens = {tokens:?}\n\
             requests-per-second = 10000\n{more}"
        );
        let settings = self.stage.home.file("portreeve.toml", &settings).display().to_string();
        let policy = self.stage.home.file("policy.toml", "").display().to_string();
        fs::create_dir_all(self.place("run")).unwrap();
        let words = [PROGRAM, "serve", "--config", &settings, "--policy", &policy];
        let mut command = self.stage.home.at_home(self.stage.command(&words));
        command.env("RUNTIME_DIRECTORY", self.place("run")).env_remove("NOTIFY_SOCKET");
        let mut service = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(service.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let Some(line) = lines.next() else { panic!("it ended early: {said:#?}") };
            let line = line.unwrap();
            if line.starts_with("portreeve: watching ") {
                break;
            }
            said.push(line);
        }
        std::thread::spawn(move || lines.for_each(drop));
        self.service = Some(service);
    }

    /// Ends the service as a service manager does.
    pub fn end_service(&mut self) {
        let mut service = self.service.take().unwrap();
        let inside = child_of(u64::from(service.id())).to_string();
        assert!(Command::new("kill").args(["-TERM", &inside]).status().unwrap().success());
        assert!(service.wait().unwrap().success());
    }

    /// A new token of this scope.
    pub fn token(&self, scope: &str) -> String {
        let tokens = self.place("portreeve.toml").display().to_string();
        let words = [PROGRAM, "token", "new", scope, "--scope", scope, "--config", &tokens];
        let output = self.stage.home.at_home(self.stage.command(&words)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let token = text.split_whitespace().find(|word| word.starts_with("ptr_"));
        token.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
    }

    /// Waits until the streams have been seen, each with what it carries.
    pub fn wait_for_streams(&self, browser: &Browser) {
        browser.open("/streams");
        browser.until("['video', 'audio', 'ancillary'].every((it) => document.querySelector('main').innerText.toLowerCase().includes(it))");
    }
}

impl Drop for Harbour {
    fn drop(&mut self) {
        for child in self.service.iter_mut().chain(&mut self.streams) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The address of the pages.
pub fn address() -> SocketAddr {
    ADDRESS.into()
}
