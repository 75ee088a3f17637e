//! Agreement with strangers: what we write is what tshark and capinfos read, and they see the packets that we see.

use std::path::PathBuf;
use std::process::Command;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, fs, print};

use model::Timestamp;

use crate::capture::{Reader, Step, Writer};
use crate::{Frame, LinkType, made};

/// A file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, bytes: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("portreeve-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What a program says of a file; `None`, and loudly so, where the program is not installed.
fn ask(program: &str, arguments: &[&str], file: &File) -> Option<String> {
    match Command::new(program).args(arguments).arg(&file.0).env("HOME", std::env::temp_dir()).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            print!("SKIPPED: agreement with {program}: {error}\n");
            None
        }
    }
}

/// Every sample, each on an interface of its link type and with its name as the comment.
fn all_samples(name: &str) -> (File, Vec<made::Sample>) {
    let (samples, mut bytes) = (made::samples(), Vec::new());
    let mut writer = Writer::new("portreeve", &mut bytes);
    for sample in &samples {
        let interface = writer.interface(Some(sample.name), sample.link, 0, &mut bytes);
        writer.frame(interface, &made::frame(sample.link, &sample.bytes), Some(sample.name), &mut bytes);
    }
    (File::new(name, &bytes), samples)
}

#[test]
fn tshark_sees_the_same_datagram_in_every_sample() {
    let (file, samples) = all_samples("tshark.pcapng");
    let fields = ["frame.comment", "udp.srcport", "udp.dstport", "udp.payload"];
    let mut differ: Vec<String> = Vec::new();
    // It goes by port and label where we go by bytes, and has to be told.
    let told = ["vxlan", "vxlan_gpe", "geneve", "gtp", "teredo", "l2tp", "capwap.data", "ip"]
        .map(|name| (name, format!("udp.port==40001,{name}")));
    let pseudo_wires = [("MPLS with Ethernet", "pwethcw"), ("MPLS without control word", "pwethnocw")]
        .map(|(name, how)| (name, format!("mpls.label==32,{how}")));
    for (group, decode_as) in [("", String::new())].into_iter().chain(told).chain(pseudo_wires) {
        let mut arguments: Vec<&str> = Vec::from(["-n", "-T", "fields", "-E", "occurrence=l"]);
        fields.iter().for_each(|field| arguments.extend(["-e", field]));
        if !group.is_empty() {
            arguments.extend(["-d", &decode_as]);
        }
        arguments.push("-r");
        let Some(text) = ask("tshark", &arguments, &file) else { return };
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), samples.len());
        for (line, sample) in lines.iter().zip(&samples) {
            let outermost = sample.tunnels.first().map_or("", |tunnel| tunnel.0);
            let needs = match outermost {
                // It does not know this one, takes another order, and nobody told it how long a cookie is.
                _ if matches!(sample.name, "GUE" | "CAPWAP with 802.11" | "L2TP 3" | "L2TP 3 in IP") => {
                    continue;
                }
                "gue" => "ip",
                "capwap" => "capwap.data",
                "vxlan" if sample.name.starts_with("VXLAN-GPE") => "vxlan_gpe",
                "vxlan" | "geneve" | "gtp" | "teredo" | "l2tp" => outermost,
                "mpls" if sample.name.starts_with("MPLS with") => sample.name,
                _ => "",
            };
            if needs == group && *line != format!("{}\t5004\t420\t7061796c6f6164", sample.name) {
                differ.push(line.to_string());
            }
        }
    }
    assert_eq!(differ, Vec::<String>::new());
}

#[test]
fn capinfos_takes_the_file_as_sound() {
    let (file, samples) = all_samples("capinfos.pcapng");
    let Some(text) = ask("capinfos", &["-M"], &file) else { return };
    let says = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_string()).unwrap_or_default()
    };
    assert_eq!(says("Number of packets"), samples.len().to_string());
    assert_eq!(says("File timestamp precision"), "nanoseconds (9)");
    assert_eq!(says("Capture application"), "portreeve");
    assert!(text.contains(&format!("Number of interfaces in file: {}", samples.len())), "{text}");
}

#[test]
fn what_editcap_writes_in_any_format_reads_the_same() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new("portreeve", &mut bytes);
    let interface = writer.interface(Some("eth0"), LinkType::ETHERNET, 0, &mut bytes);
    let samples: Vec<_> =
        made::samples().into_iter().filter(|sample| sample.link == LinkType::ETHERNET).collect();
    for (sample, index) in samples.iter().zip(0_i64..) {
        let mut frame = made::frame(sample.link, &sample.bytes);
        // Whole microseconds, which every format holds.
        frame.time = Some(Timestamp::from_ns(1_700_000_000_000_000_000 + index * 1_000_001_000));
        frame.wire_bytes += 7;
        writer.frame(interface, &frame, Some(sample.name), &mut bytes);
    }
    let ours = File::new("editcap.pcapng", &bytes);
    let expected = frames(&bytes);
    assert_eq!(expected.len(), samples.len());
    for format in ["pcap", "nsecpcap", "modpcap", "pcapng"] {
        let theirs = File::new(format, &[]);
        let output = Command::new("editcap").args(["-F", format]).arg(&ours.0).arg(&theirs.0).output();
        let Ok(output) = output else {
            print!("SKIPPED: agreement with editcap, which is not installed\n");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = fs::read(&theirs.0).unwrap();
        assert_eq!(frames(&theirs), expected, "{format}");
    }
}

/// Every frame of a capture without a fault.
fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    let (mut found, mut reader) = (Vec::new(), Reader::new());
    loop {
        let at = usize::try_from(reader.position()).unwrap();
        match reader.read(&bytes[at..], true).unwrap() {
            Step::Frame { frame, .. } => found.push(frame),
            Step::Skipped { .. } => {}
            Step::End => return found,
            other => panic!("{other:?}"),
        }
    }
}
