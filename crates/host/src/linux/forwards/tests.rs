//! Rules loaded with the real tools into a namespace of the test's own, and read back.

use std::io::Write;
use std::process::{Command, Stdio};

use model::Transport;

use super::*;
use crate::linux::sandbox;

/// Runs a tool with this input; `None`, said aloud, where it is missing or the kernel refuses.
fn run(tool: &str, arguments: &[&str], input: &str) -> Option<()> {
    let child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: {tool} is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        // Anything but the kernel's refusal is a mistake in the rules of the test.
        let refusals =
            ["not permitted", "not supported", "No such file", "Could not process", "can't initialize"];
        assert!(refusals.iter().any(|refusal| answer.contains(refusal)), "{tool}: {answer}");
        eprintln!("SKIPPED: {tool} {arguments:?}: {answer}");
        return None;
    }
    Some(())
}

/// A row as people would write it.
fn line(forward: &Forward) -> String {
    let any = |addr: Option<std::net::IpAddr>| addr.map_or("*".to_owned(), |addr| addr.to_string());
    let ports = if forward.first == forward.last {
        forward.first.to_string()
    } else {
        format!("{}-{}", forward.first, forward.last)
    };
    let to = forward.to_port.map_or("same".to_owned(), |port| port.to_string());
    format!(
        "{} {} {ports} > {} {to} | {}",
        forward.transport.name(),
        any(forward.addr),
        any(forward.to_addr),
        forward.rule
    )
}

fn lines() -> Vec<String> {
    let (forwards, gaps) = read(5);
    assert_eq!(gaps, Vec::new());
    assert!(forwards.iter().all(|forward| forward.netns == 5));
    forwards.iter().map(line).collect()
}

#[track_caller]
fn assert_lines(expected: &[&str]) {
    assert_eq!(lines(), expected);
}

fn nft(rules: &str) -> Option<()> {
    run("nft", &["-f", "-"], rules)
}

#[test]
fn an_empty_namespace_has_none_and_no_gap() {
    sandbox::run("no rules", || assert_lines(&[]));
}

#[test]
fn plain_rules_of_nftables() {
    sandbox::run("nftables rules", || {
        let rules = "
            table ip nat {
                chain pre {
                    type nat hook prerouting priority dstnat;
                    tcp dport 80 dnat to 10.0.0.2:8080
                    udp dport 5000-5010 dnat to 10.0.0.3
                    ip daddr 192.0.2.1 tcp dport { 443, 8443 } dnat to 10.0.0.4
                    ip daddr 198.51.100.0/24 tcp dport 25 dnat to 10.0.0.5:2525
                    iifname \"eth0\" tcp dport 22 redirect to :2222
                    meta l4proto { tcp, udp } th dport 53 redirect to :5353
                    ip daddr != 127.0.0.0/8 sctp dport 3868 dnat to 10.0.0.6
                    tcp dport != 1-65000 dnat to 10.0.0.7
                    tcp dport 9 accept
                    iif \"lo\" udp dport 10 redirect to :1010
                    tcp dport 81 counter log prefix \"x\" dnat to 10.0.0.8-10.0.0.9:90-99
                    tcp sport 7 tcp dport 82 ip saddr 10.1.1.1 ip daddr 10.1.1.2 dnat to 10.0.0.10
                }
                chain post { type nat hook postrouting priority srcnat; tcp dport 1 snat to 10.0.0.1; }
                chain unreached { tcp dport 2 dnat to 10.0.0.1; }
            }
            table ip filter { chain f { type filter hook input priority 0; tcp dport 3 accept; }; }
            table ip6 nat {
                chain pre {
                    type nat hook prerouting priority dstnat;
                    ip6 daddr 2001:db8::1 tcp dport 80 dnat to [fd00::2]:8080
                    ip6 daddr 2001:db8:1::/48 udp dport 81 dnat to fd00::3
                }
            }";
        if nft(rules).is_none() {
            return;
        }
        assert_lines(&[
            "tcp * 22 > * 2222 | nftables ip nat pre (on eth0)",
            "tcp * 25 > 10.0.0.5 2525 | nftables ip nat pre (for 198.51.100.0-198.51.100.255)",
            "tcp * 53 > * 5353 | nftables ip nat pre",
            "tcp * 80 > 10.0.0.2 8080 | nftables ip nat pre",
            "tcp 2001:db8::1 80 > fd00::2 8080 | nftables ip6 nat pre",
            "tcp * 81 > 10.0.0.8 90 | nftables ip nat pre (one target of several)",
            "tcp 10.1.1.2 82 > 10.0.0.10 same | nftables ip nat pre",
            "tcp 192.0.2.1 443 > 10.0.0.4 same | nftables ip nat pre",
            "tcp 192.0.2.1 8443 > 10.0.0.4 same | nftables ip nat pre",
            "tcp * 65001-65535 > 10.0.0.7 same | nftables ip nat pre",
            "udp * 10 > * 1010 | nftables ip nat pre (on interface 1)",
            "udp * 53 > * 5353 | nftables ip nat pre",
            "udp * 81 > fd00::3 same | nftables ip6 nat pre (for 2001:db8:1::-2001:db8:1:ffff:ffff:ffff:ffff:ffff)",
            "udp * 5000-5010 > 10.0.0.3 same | nftables ip nat pre",
            "sctp * 3868 > 10.0.0.6 same | nftables ip nat pre",
        ]);
    });
}

#[test]
fn maps_sets_and_jumps_of_nftables() {
    sandbox::run("nftables maps", || {
        let rules = "
            table inet t {
                set ports { type inet_service; flags interval; elements = { 1000-1010, 2000, 65000-65535 }; }
                map to { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.2, 81 : 10.0.0.3 }; }
                map both { type inet_service : ipv4_addr . inet_service;
                    elements = { 90 : 10.0.0.4 . 9090, 91 : 10.0.0.5 . 9191 }; }
                map keyed { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;
                    elements = { 192.0.2.1 . tcp . 443 : 10.0.0.6 . 8443, 192.0.2.1 . udp . 444 : 10.0.0.7 . 8444 }; }
                map spans { type inet_service : ipv4_addr; flags interval;
                    elements = { 3000-3009 : 10.0.0.8, 3010-3019 : 10.0.0.9 }; }
                chain pre {
                    type nat hook prerouting priority dstnat;
                    dnat ip to tcp dport map @to
                    dnat ip to udp dport map @both
                    dnat ip to ip daddr . meta l4proto . th dport map @keyed
                    dnat ip to tcp dport map @spans
                    tcp dport @ports jump more
                    tcp dport vmap { 7 : jump seven, 8-9 : goto eight, 10 : accept }
                    udp dport != @ports udp dport 1990-2010 dnat ip6 to fd00::1
                    return
                    tcp dport 12 redirect
                }
                chain out { type nat hook output priority -100; jump eight; tcp dport 11 redirect to :1111; }
                chain more { meta nfproto ipv6 meta l4proto tcp dnat ip6 to [fd00::2]:22; }
                chain seven { ip daddr 10.7.7.7 meta l4proto tcp redirect to :77; }
                chain eight { tcp dport 8-9 redirect to :88; }
            }";
        if nft(rules).is_none() {
            return;
        }
        assert_lines(&[
            "tcp 10.7.7.7 7 > * 77 | nftables inet t seven",
            "tcp * 8-9 > * 88 | nftables inet t eight",
            "tcp * 11 > * 1111 | nftables inet t out (own packets only)",
            "tcp * 80 > 10.0.0.2 same | nftables inet t pre",
            "tcp * 81 > 10.0.0.3 same | nftables inet t pre",
            "tcp 192.0.2.1 443 > 10.0.0.6 8443 | nftables inet t pre",
            "tcp * 1000-1010 > fd00::2 22 | nftables inet t more",
            "tcp * 2000 > fd00::2 22 | nftables inet t more",
            "tcp * 3000-3009 > 10.0.0.8 same | nftables inet t pre",
            "tcp * 3010-3019 > 10.0.0.9 same | nftables inet t pre",
            "tcp * 65000-65535 > fd00::2 22 | nftables inet t more",
            "udp * 90 > 10.0.0.4 9090 | nftables inet t pre",
            "udp * 91 > 10.0.0.5 9191 | nftables inet t pre",
            "udp 192.0.2.1 444 > 10.0.0.7 8444 | nftables inet t pre",
            "udp * 1990-1999 > fd00::1 same | nftables inet t pre",
            "udp * 2001-2010 > fd00::1 same | nftables inet t pre",
        ]);
    });
}

#[test]
fn a_dormant_table_publishes_nothing() {
    sandbox::run("dormant table", || {
        let rules = "table ip t { flags dormant; chain pre { type nat hook prerouting priority -100; tcp dport 1 redirect to :2; }; }";
        if nft(rules).is_some() {
            assert_lines(&[]);
        }
    });
}

/// What a container runtime and an administrator write, once per tool.
const PUBLISHED: &[&str] = &[
    "-N DOCKER",
    "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    "-A DOCKER -i docker0 -j RETURN",
    "-A DOCKER ! -i docker1 -j RETURN",
    "-A DOCKER -m limit --limit 1/s -j RETURN",
    "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
    "-A DOCKER -d 192.0.2.7/32 ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.3:53",
    "-A PREROUTING -p tcp -m multiport --dports 25,110:112 -j DNAT --to-destination 10.0.0.2",
    "-A PREROUTING -p tcp -m multiport ! --dports 1:65533 -j REDIRECT",
    "-A PREROUTING -i eth+ -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443",
    "-A PREROUTING -p sctp -m sctp --dport 3868 -j DNAT --to-destination 10.0.0.3",
    "-A PREROUTING -p dccp -m dccp --dport 5004:5005 -j DNAT --to-destination 10.0.0.3:6000",
    "-A PREROUTING -p tcp -m tcp ! --dport 2:65535 -j DNAT --to-destination 10.0.0.4-10.0.0.5",
    "-A PREROUTING -p udp -m udp --dport 7 -m comment --comment \"a comment\" -m limit --limit 1/s -j REDIRECT --to-ports 9",
    "-A OUTPUT -p tcp -m tcp --dport 6 -j REDIRECT --to-ports 60-69",
    "-A POSTROUTING -p tcp -m tcp --dport 5 -j SNAT --to-source 10.0.0.9",
    "-A PREROUTING -d 203.0.113.9/32 -j DNAT --to-destination 10.0.0.6",
];

fn expected(rule: &str) -> Vec<String> {
    [
        "tcp * 1 > 10.0.0.4 same | {} PREROUTING (one target of several)",
        "tcp 203.0.113.9 1-65535 > 10.0.0.6 same | {} PREROUTING",
        "tcp * 6 > * 60 | {} OUTPUT (one target of several, own packets only)",
        "tcp * 25 > 10.0.0.2 same | {} PREROUTING",
        "tcp * 110-112 > 10.0.0.2 same | {} PREROUTING",
        "tcp * 443 > * 8443 | {} PREROUTING (on eth{+})",
        "tcp * 8080 > 172.17.0.2 80 | {} DOCKER",
        "tcp * 65534-65535 > * same | {} PREROUTING",
        "udp 203.0.113.9 1-65535 > 10.0.0.6 same | {} PREROUTING",
        "udp * 7 > * 9 | {} PREROUTING",
        "udp 192.0.2.7 53 > 172.17.0.3 53 | {} DOCKER",
        "sctp * 3868 > 10.0.0.3 same | {} PREROUTING",
        "dccp * 5004-5005 > 10.0.0.3 6000 | {} PREROUTING",
    ]
    .map(|line| line.replace("{}", rule).replace("{+}", if rule.starts_with("nftables") { "*" } else { "+" }))
    .to_vec()
}

fn restore(tool: &str, rules: &[&str]) -> Option<()> {
    run(tool, &[], &format!("*nat\n{}\nCOMMIT\n", rules.join("\n")))
}

#[test]
fn rules_that_iptables_writes_into_nftables() {
    sandbox::run("iptables over nftables", || {
        if restore("iptables-nft-restore", PUBLISHED).is_some() {
            assert_eq!(lines(), expected("nftables ip nat"));
        }
    });
}

#[test]
fn rules_of_the_old_iptables() {
    sandbox::run("old iptables", || {
        if restore("iptables-legacy-restore", PUBLISHED).is_some() {
            assert_eq!(lines(), expected("iptables nat"));
        }
    });
}

#[test]
fn rules_for_ipv6_of_both() {
    let rules = [
        "-N MINE",
        "-A PREROUTING -j MINE",
        "-A MINE -d 2001:db8::9/128 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00::2]:8080",
        "-A MINE -d 2001:db8::/32 -p udp -m udp --dport 81 -j REDIRECT --to-ports 82",
    ];
    for (tool, rule) in [("ip6tables-nft-restore", "nftables ip6"), ("ip6tables-legacy-restore", "ip6tables")]
    {
        sandbox::run(tool, || {
            if restore(tool, &rules).is_some() {
                let end = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff";
                assert_eq!(
                    lines(),
                    [
                        format!("tcp 2001:db8::9 80 > fd00::2 8080 | {rule} nat MINE"),
                        format!("udp * 81 > * 82 | {rule} nat MINE (for 2001:db8::-{end})"),
                    ]
                );
            }
        });
    }
}

#[test]
fn without_privilege_there_is_a_gap_for_each_rule_set() {
    sandbox::run("rules without privilege", || {
        let rules = ["-A PREROUTING -p tcp --dport 80 -j REDIRECT"];
        let old = restore("iptables-legacy-restore", &rules).is_some();
        sandbox::without(rustix::thread::CapabilitySet::NET_ADMIN);
        let (forwards, gaps) = read(0);
        assert_eq!(forwards, []);
        let what: Vec<&str> = gaps.iter().map(|gap| gap.what.as_str()).collect();
        let expected = ["nftables rules", "old iptables rules for IPv4"];
        // A table that is not there is known to be not there, without privilege too.
        assert_eq!(what, expected[..1 + usize::from(old)]);
        assert!(gaps.iter().all(|gap| (gap.area, gap.reason) == (Area::Forwards, Reason::NoPermission)));
    });
}

#[test]
fn looking_makes_no_old_table() {
    sandbox::run("no old table is made", || {
        assert_lines(&[]);
        let names = fs::read("/proc/thread-self/net/ip_tables_names").unwrap_or_default();
        assert!(!iptables::has_nat(&names));
    });
}

#[test]
fn many_rules_are_read_whole() {
    sandbox::run("many rules", || {
        let mut rules = String::from("table ip t {\nchain p {\ntype nat hook prerouting priority -100;\n");
        for port in 1..=5000 {
            rules.push_str(&format!("udp dport {port} dnat to 10.0.0.1:{port}\n"));
        }
        let elements: Vec<String> = (1..=20_000).map(|port| format!("{port} : 10.0.0.2 . {port}")).collect();
        rules
            .push_str("dnat to tcp dport map @m\n}\nmap m { type inet_service : ipv4_addr . inet_service;\n");
        rules.push_str(&format!("elements = {{ {} }};\n}}\n}}\n", elements.join(", ")));
        if nft(&rules).is_none() {
            return;
        }
        let (forwards, gaps) = read(1);
        assert!(gaps.is_empty(), "{gaps:?}");
        for (transport, count) in [(Transport::Udp, 5000), (Transport::Tcp, 20_000)] {
            let found: Vec<_> = forwards.iter().filter(|forward| forward.transport == transport).collect();
            assert_eq!(found.len(), count);
            assert!(found.iter().all(|row| row.first == row.last && row.to_port == Some(row.first)));
        }
    });
}
