//! What the number says against who holds it: silent-port-in-use, unassigned-port-in-use, reserved-port-in-use,
//! unexpected-holder, misuse-history.

use model::{Code, Confidence, Evidence, Reason, Severity, Status, Transport};
use registry::program::{self, Class, SensitiveKind};
use registry::{Standing, Usage as PaperUsage};

use crate::docket::{Docket, Draft, Many, evidence};
use crate::judge::{Bench, Listener};
use crate::known::{Known, shell, who_all};
use crate::rules::paper::{self, purpose, service};
use crate::usage::Usage;

type Weight = (Severity, Confidence);

pub(crate) fn judge<'a>(bench: &Bench<'a>, listener: &Listener<'_, 'a>, docket: &mut Docket<'a>) {
    if is_ones_own(listener) {
        return;
    }
    let standing = bench.facts.paper.standing(listener.transport, listener.port);
    let system = listener.is_system_port();
    if !system && (standing.status == Status::Dynamic || listener.is_ephemeral()) {
        return;
    }
    let registered = standing.assignment.map(|row| row.name).filter(|name| !name.is_empty());
    let serves = |program| program::serves(program, listener.transport, listener.port, registered);
    let expected =
        listener.activated.is_some_and(serves) || listener.holders.iter().any(|holder| holder.is(serves));
    let common = program::commonly_seen(listener.transport, listener.port);
    let ordinary = matches!(standing.usage, PaperUsage::Ordinary(_)) || common.is_some();
    if expected {
        if system && ordinary {
            stranger_by_place(bench, listener, &standing, docket);
        }
        return;
    }
    if ordinary {
        unexpected(bench, listener, &standing, common, docket);
    } else if system {
        empty_chair(bench, listener, &standing, docket);
    } else if without_explanation(listener) {
        suspicious(bench, listener, &standing, docket);
    }
}

/// Whether only programs that the map does not know hold a user port that is no database's: such a port belongs to
/// whoever comes first, and no rule here says anything, whatever the registry says. Most sockets of a machine with many
/// are such, so this is asked before the registry is.
fn is_ones_own(listener: &Listener<'_, '_>) -> bool {
    let stranger = |holder: &&Known<'_>| holder.program().is_none() && holder.odd.is_none();
    !listener.is_system_port()
        && !listener.holders.is_empty()
        && listener.holders.iter().all(stranger)
        && !guards_database(listener)
}

fn guards_database(listener: &Listener<'_, '_>) -> bool {
    program::sensitive(listener.transport, listener.port)
        .is_some_and(|door| door.kind == SensitiveKind::Database)
}

/// A system port whose number promises nobody that we know.
fn empty_chair<'a>(
    bench: &Bench<'a>,
    listener: &Listener<'_, 'a>,
    standing: &Standing<'_>,
    docket: &mut Docket<'a>,
) {
    let code = match (standing.status, standing.usage) {
        (Status::Assigned, _) => Code::SilentPortInUse,
        (Status::Reserved, _) => Code::ReservedPortInUse,
        (Status::Unassigned | Status::Dynamic, _) => Code::UnassignedPortInUse,
    };
    // bindresvport(3): RPC servers, and the kernel's own, take any free port from 512 to 1023.
    let mut weight = (Severity::Warning, Confidence::Medium);
    if listener.is_beyond_loopback() {
        weight.1 = Confidence::High;
    }
    if listener.port >= 512 {
        if listener.holders.iter().any(|holder| holder.calls_from_reserved_ports()) {
            return;
        }
        if listener.holders.is_empty() && listener.socket.holders_missing == Some(Reason::KernelOwned) {
            weight = (Severity::Note, Confidence::Low);
        }
    }
    let used = bench.facts.used.of(listener.transport, listener.port);
    if weight.0 > Severity::Note && used.is_some_and(|used| used.is_long() && used.is_new(bench.facts.today))
    {
        // Empty for a month on this very machine: that its number is silent here is seen, not only believed.
        weight.1 = Confidence::High;
    }
    docket.raise(code, weight, listener.cause(), listener.subject(), || {
        let after = match code {
            Code::SilentPortInUse => {
                format!(
                    ": assigned to {}, not in ordinary use; held by {}",
                    purpose(standing),
                    held(listener)
                )
            }
            Code::ReservedPortInUse => format!(" is held back by IANA; held by {}", held(listener)),
            _ => format!(" is assigned to nobody; held by {}", held(listener)),
        };
        let mut facts = vec![paper(bench, listener, standing)];
        if let Some(reason) = standing.usage.reason() {
            facts.push(evidence(format!("Not in ordinary use: {reason}"), "silence table"));
        }
        facts.extend(used.map(|used| use_here(&used, bench.facts.today)));
        facts.push(reach(listener));
        facts.extend(history(listener));
        let many = (code == Code::SilentPortInUse).then(|| silent_ports(listener, standing));
        Draft {
            before: String::new(),
            after,
            evidence: facts,
            next_step: find_out(listener),
            many,
            named: None,
        }
    });
}

/// What the history of this machine says of the number.
fn use_here(used: &Usage, today: i64) -> Evidence {
    let days = match used.watched_days {
        1 => String::from("1 day"),
        days => format!("{days} days"),
    };
    let fact = match (used.first, used.last) {
        _ if used.is_new(today) => format!("Never used on this machine before today, in {days} of history."),
        (Some(first), Some(last)) => format!(
            "Used on this machine since {}, last at {}, in {days} of history.",
            first.rfc3339(),
            last.rfc3339()
        ),
        _ => format!("Never used on this machine, in {days} of history."),
    };
    evidence(fact, "history of this machine")
}

fn silent_ports(listener: &Listener<'_, '_>, standing: &Standing<'_>) -> Many {
    Many {
        label: purpose(standing).to_owned(),
        after: " are assigned, but not in ordinary use; held by ",
        holder: held(listener),
    }
}

/// The port has an ordinary service, and the holder is not known to serve it.
fn unexpected<'a>(
    bench: &Bench<'a>,
    listener: &Listener<'_, 'a>,
    standing: &Standing<'_>,
    common: Option<&str>,
    docket: &mut Docket<'a>,
) {
    let Some(weight) = weigh(listener, standing, common) else { return };
    docket.raise(Code::UnexpectedHolder, weight, listener.cause(), listener.subject(), || {
        let promise = match (service(standing), common) {
            (Some(name), Some(common)) if name != common => format!("{name} (commonly {common})"),
            (Some(name), _) => name.to_owned(),
            (None, common) => common.unwrap_or_default().to_owned(),
        };
        let after = format!(" is ordinarily {promise}; held by {}", held(listener));
        let mut facts = vec![paper(bench, listener, standing)];
        let names: Vec<&str> = program::on_port(listener.transport, listener.port)
            .filter_map(|program| program.names.first().copied())
            .take(5)
            .collect();
        if !names.is_empty() {
            facts.push(evidence(format!("Commonly seen here: {}.", names.join(", ")), "program map"));
        }
        facts.extend(running(listener));
        facts.push(reach(listener));
        if listener.is_system_port() {
            facts.extend(history(listener));
        }
        let many = Some(Many {
            label: promise,
            after: " are ordinarily held by other programs than ",
            holder: held(listener),
        });
        Draft {
            before: String::new(),
            after,
            evidence: facts,
            next_step: find_out(listener),
            many,
            named: None,
        }
    });
}

/// How much it matters that nobody expected is here; `None` where it is ordinary.
fn weigh(listener: &Listener<'_, '_>, standing: &Standing<'_>, common: Option<&str>) -> Option<Weight> {
    if listener.holders.is_empty() {
        return None;
    }
    // A service that systemd starts and that the map does not know cannot be compared.
    let known_as = |holder: &&Known<'_>| holder.process.exe.value().is_some() && holder.process.pid != 1;
    if !listener.holders.iter().all(known_as) {
        return None;
    }
    let any = |class: Class| listener.holders.iter().any(|holder| holder.class() == Some(class));
    if any(Class::Multiplexer) {
        return None;
    }
    if listener.socket.scope == model::Scope::Group || is_shared(listener) {
        return None;
    }
    let system = listener.is_system_port();
    let beyond = listener.is_beyond_loopback();
    let runtime = any(Class::Runtime);
    let stranger = any(Class::Service) || any(Class::Sniffer);
    let door = program::sensitive(listener.transport, listener.port);
    let guarded = door.is_some();
    let database = door.is_some_and(|door| door.kind == SensitiveKind::Database);
    let web = [service(standing), common].into_iter().flatten().any(is_web);
    let weight = if web && (runtime || !guarded) {
        // Everything speaks HTTP, and most programs of one's own do nothing else.
        match (system, runtime, stranger) {
            (false, ..) | (true, true, _) => None,
            // SSH and VPN servers are put on 443 to pass firewalls: somebody should know of it.
            (true, false, true) => Some((Severity::Warning, Confidence::Medium)),
            (true, false, false) => Some((Severity::Note, Confidence::Low)),
        }
    } else if system {
        match (runtime, beyond) {
            (true, true) => Some((Severity::Warning, Confidence::Medium)),
            (true, false) => Some((Severity::Note, Confidence::Low)),
            (false, _) if stranger => Some((Severity::Warning, Confidence::High)),
            (false, true) => Some((Severity::Warning, Confidence::Medium)),
            (false, false) => Some((Severity::Warning, Confidence::Low)),
        }
    } else if database {
        Some((Severity::Note, if runtime { Confidence::Low } else { Confidence::Medium }))
    } else {
        // A user port belongs to whoever comes first. A program of one's own may take any; a known service on the
        // number of another is worth a word where others can reach it.
        (stranger && beyond).then_some((Severity::Note, Confidence::Low))
    };
    if listener.in_container() {
        // Ports inside a container are its own; only a guarded or system number is worth a word.
        return weight.filter(|_| (system || guarded) && !web).map(|_| (Severity::Note, Confidence::Low));
    }
    weight
}

/// A program with the right name from a place where no installation puts one.
fn stranger_by_place<'a>(
    bench: &Bench<'a>,
    listener: &Listener<'_, 'a>,
    standing: &Standing<'_>,
    docket: &mut Docket<'a>,
) {
    let installed = |holder: &&Known<'_>| {
        let place = holder.path().is_none_or(|path| {
            const PLACES: [&str; 12] = [
                "/usr/",
                "/bin/",
                "/sbin/",
                "/lib",
                "/opt/",
                "/nix/",
                "/gnu/",
                "/snap/",
                "/var/lib/",
                "/app/",
                "/srv/",
                "/run/current-system/",
            ];
            !path.starts_with('/') || PLACES.iter().any(|start| path.starts_with(start))
        });
        place || holder.in_container || holder.odd.is_some() || holder.process.package.value().is_some()
    };
    if listener.holders.iter().any(installed) || listener.holders.is_empty() {
        return;
    }
    let weight = (Severity::Warning, Confidence::Low);
    docket.raise(Code::UnexpectedHolder, weight, listener.cause(), listener.subject(), || {
        let name = service(standing).unwrap_or("a known service");
        let after =
            format!(" is {name}; its holder has the right name in an unusual place: {}", held(listener));
        let mut facts = vec![paper(bench, listener, standing)];
        facts.extend(running(listener));
        let many = Some(Many {
            label: name.to_owned(),
            after: " are held by a program with the right name in an unusual place: ",
            holder: held(listener),
        });
        Draft {
            before: String::new(),
            after,
            evidence: facts,
            next_step: find_out(listener),
            many,
            named: None,
        }
    });
}

/// A user port that nobody ordinarily uses, with a holder that has no ordinary explanation.
fn suspicious<'a>(
    bench: &Bench<'a>,
    listener: &Listener<'_, 'a>,
    standing: &Standing<'_>,
    docket: &mut Docket<'a>,
) {
    let past = history(listener);
    let (code, weight) = if past.is_some() {
        // That some of a thousand numbers was used is chance; a report that names the number is not.
        let grave = listener.is_beyond_loopback() && paper::is_reported(listener.transport, listener.port);
        (Code::MisuseHistory, (if grave { Severity::Warning } else { Severity::Note }, Confidence::Low))
    } else if matches!(standing.usage, PaperUsage::Silent(_)) && listener.is_beyond_loopback() {
        (Code::SilentPortInUse, (Severity::Note, Confidence::Low))
    } else {
        return;
    };
    docket.raise(code, weight, listener.cause(), listener.subject(), || {
        let after = match code {
            Code::MisuseHistory => {
                format!(" has a history of misuse, no ordinary use; held by {}", held(listener))
            }
            _ => format!(
                ": assigned to {}, not in ordinary use; held by {}",
                purpose(standing),
                held(listener)
            ),
        };
        let mut facts = vec![paper(bench, listener, standing)];
        let used = bench.facts.used.of(listener.transport, listener.port);
        facts.extend(used.map(|used| use_here(&used, bench.facts.today)));
        facts.extend(past);
        facts.extend(running(listener));
        facts.push(reach(listener));
        let many = (code == Code::SilentPortInUse).then(|| silent_ports(listener, standing));
        Draft {
            before: String::new(),
            after,
            evidence: facts,
            next_step: find_out(listener),
            many,
            named: None,
        }
    });
}

/// Whether nothing ordinary explains the holder: an odd executable, or nobody where somebody should be seen.
fn without_explanation(listener: &Listener<'_, '_>) -> bool {
    if listener.holders.is_empty() {
        return listener.activated.is_none()
            && matches!(listener.socket.holders_missing, None | Some(Reason::InFlight | Reason::Unknown));
    }
    listener.holders.iter().any(|holder| holder.odd.is_some())
}

/// Ports of discovery and media, which every program that takes part binds: SSDP, WS-Discovery, RTP, mDNS, SAP.
fn is_shared(listener: &Listener<'_, '_>) -> bool {
    listener.transport == Transport::Udp && [1900, 3702, 5004, 5005, 5353, 9875].contains(&listener.port)
}

pub(crate) fn is_web(name: &str) -> bool {
    name.contains("http") || name.contains("web")
}

fn paper(bench: &Bench<'_>, listener: &Listener<'_, '_>, standing: &Standing<'_>) -> Evidence {
    paper::says(&bench.paper, listener.transport, listener.port, standing)
}

/// What the history of the listener's port says, where it is enough to be worth a word.
pub(crate) fn history(listener: &Listener<'_, '_>) -> Option<Evidence> {
    paper::history(listener.transport, listener.port)
}

fn reach(listener: &Listener<'_, '_>) -> Evidence {
    let words = match listener.socket.scope {
        model::Scope::Loopback => "this machine only",
        model::Scope::Link => "one link",
        model::Scope::Interface => "one address or interface",
        model::Scope::Group => "a multicast group",
        model::Scope::Any => "every address",
    };
    evidence(format!("Bound to {}: reachable through {words}.", listener.socket.local), "socket table")
}

fn running(listener: &Listener<'_, '_>) -> Option<Evidence> {
    let holder = listener.holders.first()?;
    let exe = holder.process.exe.value()?;
    let odd = holder.odd.map(|odd| format!(", which {}", odd.words())).unwrap_or_default();
    Some(evidence(format!("The holder runs {}{odd}.", exe.path), format!("/proc/{}/exe", holder.process.pid)))
}

fn held(listener: &Listener<'_, '_>) -> String {
    match &listener.socket.activation {
        Some(activation) => format!("systemd for {}", activation.service),
        None => who_all(listener.holders, listener.socket.holders_missing),
    }
}

/// The command that tells more about the holder.
fn find_out(listener: &Listener<'_, '_>) -> String {
    let port = listener.port;
    if let Some(activation) = &listener.socket.activation {
        return format!(
            "systemctl status -- {} {}",
            shell(&activation.socket_unit),
            shell(&activation.service)
        );
    }
    let Some(holder) = listener.holders.first() else {
        let reason = listener.socket.holders_missing.unwrap_or(Reason::Unknown);
        return format!("{}; then: portreeve {port}", reason.help());
    };
    let allow = "if it is meant to be there, allow it in policy.toml with a reason";
    let process = holder.process;
    match (process.unit.value(), process.container.value()) {
        (_, Some(container)) => {
            let id: String = container.id.chars().take(12).collect();
            format!("portreeve {port}; {} inspect {}; {allow}", container.runtime.name(), shell(&id))
        }
        (Some(unit), None) if unit.name.ends_with(".service") => {
            format!("systemctl status -- {}; {allow}", shell(&unit.name))
        }
        _ => format!("ps -o pid,ppid,user,lstart,args -p {}; {allow}", process.pid),
    }
}
