//! What one whole look saw and what it could not, and whether packets can be read.

use model::{Area, Gap};

use super::{Facts, Row, State};

const AREAS: [(Area, &str); 7] = [
    (Area::Sockets, "sockets of every kind and namespace"),
    (Area::Holders, "which processes have each socket"),
    (Area::Processes, "executable, command line and rights of holders"),
    (Area::Namespaces, "networks of containers"),
    (Area::Forwards, "ports that nftables or iptables publish without a socket"),
    (Area::Packages, "which package an executable belongs to, and whether it was changed"),
    (Area::Containers, "units and containers of holders"),
];

pub(super) fn rows(facts: &Facts, rows: &mut Vec<Row>) {
    for (area, purpose) in AREAS {
        let gaps: Vec<&Gap> =
            facts.gaps.iter().filter(|gap| gap.area == area && gap.count != Some(0)).collect();
        let name = area.code();
        let Some(first) = gaps.first() else {
            let why = match area {
                Area::Sockets => format!("{} seen", facts.sockets.0),
                Area::Holders if facts.sockets.1 > 0 => {
                    let why = format!("of {} sockets the holder is not seen", facts.sockets.1);
                    rows.push(
                        Row::new(name, purpose, State::Limited, why)
                            .advise("portreeve list says for each why, and what would help"),
                    );
                    continue;
                }
                _ => String::from("nothing was missing in a look just now"),
            };
            rows.push(Row::new(name, purpose, State::Ok, why));
            continue;
        };
        let why: Vec<String> =
            gaps.iter().map(|gap| format!("{} ({})", gap.what, gap.reason.words())).collect();
        rows.push(Row::new(name, purpose, State::Limited, why.join("; ")).advise(first.help()));
    }
    let purpose = "what is on the wire: watch, media, serve";
    rows.push(match (&facts.means.packets_fault, &facts.interfaces) {
        (Some(fault), _) => Row::new("packets", purpose, State::No, fault.as_str())
            .advise("run with CAP_NET_RAW, or pipe a capture into portreeve read -"),
        (None, Ok(names)) if names.is_empty() => {
            Row::new("packets", purpose, State::Limited, "no interface is up").advise("ip link set lo up")
        }
        (None, Ok(names)) => Row::new("packets", purpose, State::Ok, format!("of {}", names.join(", "))),
        (None, Err(why)) => Row::new("packets", purpose, State::Unknown, format!("interfaces: {why}")),
    });
}
