//! Expressions that must be read, refused with the right words, compiled within the kernel's limits, and run.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::check::{check_parse, check_run, check_text};
use super::program::code;
use super::*;
use crate::LinkType;

fn services(name: &str, transport: Transport) -> Option<u16> {
    match (name, transport) {
        ("http", Transport::Tcp) => Some(80),
        ("domain", Transport::Tcp | Transport::Udp) => Some(53),
        ("twice", Transport::Tcp) => Some(1),
        ("twice", Transport::Udp) => Some(2),
        _ => None,
    }
}

fn refusal(text: &str) -> String {
    parse_with(text, &services).unwrap_err().to_string()
}

/// A TCP segment from port 420 to port 1023, with the tags of 802.1Q given.
fn frame(tags: &[u16]) -> Vec<u8> {
    let mut bytes = alloc::vec![0, 0, 0x5e, 0, 0x53, 1, 0, 0, 0x5e, 0, 0x53, 2];
    for tag in tags {
        bytes.extend([0x81, 0]);
        bytes.extend(tag.to_be_bytes());
    }
    bytes.extend([8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7]);
    bytes.extend([1, 164, 3, 255, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]);
    bytes
}

fn passes(text: &str, bytes: &[u8]) -> bool {
    let length = u32::try_from(bytes.len()).unwrap();
    compile(&parse_with(text, &services).unwrap(), LinkType::ETHERNET).unwrap().matches(bytes, length)
}

#[test]
fn an_error_says_where_and_what_to_write() {
    for (text, said) in [
        ("port 420 and hots 1.2.3.4", "unknown word 'hots' at column 14; did you mean 'host'?"),
        ("TCP", "unknown word 'TCP' at column 1; did you mean 'tcp'?"),
        (
            "host example.org",
            "names are not looked up, and so nothing is known of 'example.org' at column 6; write the address in numbers",
        ),
        ("port smpte", "no port is known for the name 'smpte' at column 6; write the port in numbers"),
        ("udp port http", "no udp port is known for the name 'http' at column 10; write the port in numbers"),
        ("port twice", "'twice' is several ports at column 6; write 'tcp', 'udp' or 'sctp' before 'port'"),
        ("port 20-21", "'20-21' is several ports at column 6; write 'portrange 20-21'"),
        ("port 70000", "there is no port 70000 at column 6; write at most 65535"),
        ("1.2.3.4", "'1.2.3.4' does not say what it is at column 1; write 'host 1.2.3.4'"),
        ("tcp or 443", "the number 443 alone does not say what it is at column 8; write 'port 443'"),
        (
            "tcp 443",
            "'443' after 'tcp' without a word that says what it is at column 5; write 'tcp port 443'",
        ),
        (
            "ip 1.2.3.4",
            "'1.2.3.4' after 'ip' without a word that says what it is at column 4; write 'ip host 1.2.3.4'",
        ),
        (
            "tcp host 1.2.3.4",
            "this protocol has no addresses of IPv4 at column 10; join two tests, as in 'tcp and host 192.0.2.1'",
        ),
        (
            "net 10.1.0.0/8",
            "the address has bits outside of its mask at column 5; write 10.0.0.0 with this mask",
        ),
        ("net 2001:db8::1/32", "the address has bits outside of its mask at column 5; write '2001:db8::/32'"),
        ("src 10.0.0.0/8", "a host has no mask at column 5; write 'net' before the address"),
        (
            "ip broadcast",
            "'ip broadcast' needs the network mask of an interface, which a filter does not know at column 1; write 'dst host' and the broadcast address, or 'ether broadcast'",
        ),
        (
            "ip6 protochain 6",
            "'protochain' is not supported at column 5; a filter in the kernel cannot loop over headers; test one header with 'ip6 proto'",
        ),
        (
            "tcp and",
            "the expression ends too early at column 8; write a test, such as 'host 192.0.2.1' or 'tcp port 420'",
        ),
        ("(tcp", "no ')' at column 5; close the parenthesis"),
        ("tcp)", "')' is not expected at column 4; write 'and' or 'or' between two tests"),
        ("tcp udp", "'udp' is not expected at column 5; write 'and' or 'or' between two tests"),
        ("port 22,80", "',' is not expected at column 8; write 'and' or 'or' between two tests"),
        ("ether[0:3] = 1", "'3' is not expected at column 9; write how many bytes: 1, 2 or 4"),
        ("ip[0]", "no comparison after 'ip[0]' at column 6; write one of < > <= >= = != and a value"),
        ("len-4 > 5", "unknown word 'len-4' at column 1; write a space on both sides of '-'"),
        ("ip[0] / 0 = 1", "'/ 0' has no result at column 7; divide by something else"),
        ("ip[0] << 32 = 1", "'<< 32' has no result at column 7; shift by at most 31 bits"),
        ("vlan 4096", "a VLAN has no number 4096 at column 6; write at most 4095"),
        (
            "port 08",
            "'08' begins with 0 and so is octal, but has a digit above 7 at column 6; write it without the 0 before it",
        ),
        ("host 1.2.3.256", "'1.2.3.256' is no IPv4 address at column 6; each of its numbers is at most 255"),
        (
            "host 1::2::3",
            "'1::2::3' is neither an IPv6 nor a hardware address at column 6; write it as in 2001:db8::1 or 00:00:5e:00:53:01",
        ),
        ("tcp ; udp", "the sign ';' means nothing here at column 5; take it out"),
        ("gateway x", "'gateway' is not supported at column 1; write 'ether host MAC and not host ADDRESS'"),
        (
            "ether",
            "'ether' alone is true for every frame at column 1; write 'ether host', 'ether proto' or 'ether[0]'",
        ),
        ("src host or dst host 1.2.3.4", "'or' is not expected at column 10; write an address"),
        (
            "esp[0] = 1",
            "the bytes of 'esp' cannot be named at column 1; count from a header below, as in 'ip[20]'",
        ),
    ] {
        assert_eq!(refusal(text), said);
    }
}

#[test]
fn a_link_type_that_cannot_answer_is_told_with_the_place_in_the_text() {
    for (text, link, said) in [
        (
            "tcp and ether host 1:2:3:4:5:6",
            LinkType::RAW,
            "a hardware address cannot be asked of raw IP at column 20; take this test out for this capture",
        ),
        (
            "vlan",
            LinkType::LINUX_SLL,
            "a VLAN tag cannot be asked of Linux cooked capture at column 1; take this test out for this capture",
        ),
        (
            "mpls and arp",
            LinkType::ETHERNET,
            "nothing says whether ether type 0x0806 follows an MPLS label at column 10; only IPv4 and IPv6 can be asked for behind 'mpls'",
        ),
        (
            "mpls and vlan",
            LinkType::ETHERNET,
            "no VLAN tag follows an MPLS label at column 10; write 'vlan' before 'mpls'",
        ),
        (
            "inbound",
            LinkType::ETHERNET,
            "a capture of Ethernet does not say the direction at column 1; write 'ether src' and the address of the machine",
        ),
        (
            "tcp",
            LinkType::IEEE802_11,
            "frames of link type 105 cannot be filtered at column 1; possible are Ethernet, Linux cooked, raw IP, loopback and PPP",
        ),
    ] {
        assert_eq!(compile(&parse(text).unwrap(), link).unwrap_err().to_string(), said);
    }
}

#[test]
fn an_expression_is_written_so_that_it_reads_the_same() {
    for (text, written) in [
        ("", ""),
        ("  tcp\tand\nudp ", "tcp and udp"),
        ("tcp port 80 or http or 20", "(tcp port 80 or tcp port 80 or tcp port 20)"),
        ("port http", "tcp port 80"),
        ("port domain", "port 53"),
        ("portrange 90-80", "portrange 80-90"),
        (
            "host 10.0.0.1 and (port 1 or 2) or 10.0.0.2",
            "host 10.0.0.1 and (port 1 or port 2) or host 10.0.0.2",
        ),
        ("net 10 or 192.168", "(net 10.0.0.0/8 or net 192.168.0.0/16)"),
        ("net 0.0.0.1 mask 0.0.0.255", "net 0.0.0.1 mask 0.0.0.255"),
        ("src or dst net 2001:db8::/32", "net 2001:db8::/32"),
        ("not not tcp", "tcp"),
        ("inbound", "not outbound"),
        ("! ! ! (tcp or ip)", "not (tcp or ip)"),
        ("ip proto \\udp", "ip proto 17"),
        ("proto 6", "tcp"),
        ("ether proto 0x800", "ip"),
        ("ether proto 0x88cc", "ether proto 0x88cc"),
        ("tcp[tcpflags]&(tcp-syn|tcp-fin)!=0", "(tcp[13] & (2 | 1)) != 0"),
        ("ip[2:2]-4>5 and len<=9", "(ip[2 : 2] - 4) > 5 and len <= 9"),
        ("less 64", "len <= 64"),
        ("ether[-1] = - len", "ether[(0 - 1)] = (0 - len)"),
        ("7 % 4 + 1 = 2", "(7 % (4 + 1)) = 2"),
        ("vlan (5) and mpls and pppoes 0x10", "vlan 5 and mpls and pppoes 16"),
    ] {
        assert_eq!(parse_with(text, &services).unwrap().to_string(), written);
        check_parse(text.as_bytes());
    }
}

#[test]
fn every_prefix_of_an_expression_is_read_or_refused() {
    let text = r"not (tcp port 80 or http or portrange 20-25) && src and dst net 10.0.0.0/8 or ip6 host 2001:db8::1
        and ether host 00:00:5e:00:53:01 or ip[2:2] - ((ip[0] & 0xf) << 2) >= 0x10 and proto \igmp or vlan 5 and mpls";
    for end in 0..=text.len() {
        let prefix = text.get(..end).unwrap();
        check_parse(prefix.as_bytes());
        check_text(prefix, LinkType::ETHERNET, &frame(&[5]));
    }
}

#[test]
fn what_is_deep_or_long_is_refused_and_nothing_worse() {
    let deep = |depth: usize| format!("{}tcp{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&deep(50)).is_ok());
    assert!(refusal(&deep(51)).contains("parentheses in each other"));
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(
        parse(&format!("{}tcp", "not ".repeat(100_001))).is_ok_and(|found| found.to_string() == "not tcp")
    );
    assert!(refusal(&format!("{}1 = 1", "- ".repeat(1000))).contains("64 operations"));
    assert!(refusal(&format!("1{} = 1", " + 1".repeat(1000))).contains("64 operations"));
    assert!(refusal(&format!("{}1", "ip[".repeat(1000))).contains("64 operations"));
    assert!(refusal(&format!("{}1{} = 1", "(".repeat(201), ")".repeat(201))).contains("200 parentheses"));
    // What is just short enough stays so when it is written with all its parentheses.
    check_parse(format!("{}len = 1", "- ".repeat(64)).as_bytes());
    check_parse(format!("{}len = 1", "len ^ ".repeat(64)).as_bytes());
    // Sixteen cells are enough for sixteen numbers that wait for what stands right of them.
    let waiting = |numbers: usize| {
        let text = format!("{}len{} = 1", "len * (len + ".repeat(numbers), ")".repeat(numbers));
        compile(&parse(&text).unwrap(), LinkType::ETHERNET)
    };
    assert!(waiting(7).is_ok());
    assert!(waiting(9).unwrap_err().to_string().contains("more than 16 numbers at once at column 1"));
    let left = format!("len{} = 1", " + len * 2 - ip[0]".repeat(15));
    assert!(compile(&parse(&left).unwrap(), LinkType::ETHERNET).is_ok());

    let many = |joint: &str, count: u32| {
        let ports: Vec<String> = (0..count).map(|port| format!("port {port}")).collect();
        parse(&ports.join(joint)).unwrap()
    };
    // A list of ports looks at each end once for each of them; tests that are joined by `and` stand for themselves.
    let program = compile(&many(" or ", 900), LinkType::ETHERNET).unwrap();
    assert!(program.instructions().len() < 4096);
    assert!(program.instructions().iter().any(|instruction| instruction.code == code::JA));
    let error = compile(&many(" or ", 2000), LinkType::ETHERNET).unwrap_err().to_string();
    assert!(error.contains("more than 4096 instructions"), "{error}");
    assert!(compile(&many(" and ", 5000), LinkType::ETHERNET).is_err());
}

#[test]
fn jumps_that_are_too_far_for_a_byte_still_arrive() {
    let ports: Vec<String> = (0..400).map(|port| format!("port {}", port * 7)).collect();
    let lists = ports.join(" or ");
    for text in [lists.clone(), format!("not ({lists})"), format!("tcp and not ({lists}) or host 10.0.0.1")] {
        let program = compile(&parse(&text).unwrap(), LinkType::ETHERNET).unwrap();
        for port in 0..2900_u16 {
            let mut bytes = frame(&[]);
            bytes[34..36].copy_from_slice(&port.to_be_bytes());
            bytes[36..38].copy_from_slice(&3000_u16.to_be_bytes());
            let listed = port % 7 == 0 && port < 2800;
            assert_eq!(program.matches(&bytes, 54), listed != text.contains("not"), "{port}");
        }
    }
}

#[test]
fn a_small_program_is_as_short_as_it_should_be() {
    let length =
        |text: &str| compile(&parse(text).unwrap(), LinkType::ETHERNET).unwrap().instructions().len();
    for (text, most) in [
        ("", 1),
        ("ip", 4),
        ("tcp", 12),
        ("port 80", 24),
        ("port 80 or 443", 28),
        ("host 1.2.3.4", 14),
        ("tcp[13] & 2 != 0", 11),
        ("1 = 1", 1),
    ] {
        assert!(length(text) <= most, "{text}: {}", length(text));
    }
}

#[test]
fn a_tag_is_found_in_the_frame_and_where_the_kernel_put_it() {
    let program = |text: &str| compile_for_socket(&parse(text).unwrap()).unwrap();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    for (text, tags, passes) in [
        ("vlan", &[][..], false),
        ("vlan", &[5], true),
        ("vlan 5", &[5], true),
        ("vlan 5", &[0x6005], true),
        ("vlan 6", &[5], false),
        ("vlan 5 and tcp port 420", &[5], true),
        ("vlan 5 and vlan 6 and tcp port 420", &[5, 6], true),
        ("vlan 5 and vlan 6 and tcp port 420", &[5], false),
        ("vlan 6 or port 420", &[5], true),
        ("not vlan", &[5], false),
        ("not vlan and port 420", &[], false),
    ] {
        let whole = frame(tags);
        assert_eq!(program(text).matches(&whole, length(&whole)), passes, "{text} in {tags:?}");
        if let Some((outer, inner)) = tags.split_first() {
            // What `vlan` moved in the frame, it does not move where the tag is gone.
            let bytes = frame(inner);
            assert_eq!(
                program(text).matches_tagged(&bytes, length(&bytes), *outer),
                passes,
                "{text} from {outer}"
            );
        }
    }
    // Without the word nobody asks, and a frame passes whose tag is gone.
    assert!(program("port 420").matches_tagged(&frame(&[]), 54, 5));
    assert!(!program("port 420").instructions().iter().any(|instruction| instruction.k >= 0xffff_f000));
    assert!(compile_for_socket(&parse("inbound").unwrap()).is_ok());
}

#[test]
fn loopback_is_read_in_either_order() {
    let program = compile(&parse("ip6").unwrap(), LinkType::NULL).unwrap();
    for family in [24_u32, 28, 30] {
        assert!(program.matches(&family.to_be_bytes(), 4) && program.matches(&family.to_le_bytes(), 4));
    }
    assert!(!program.matches(&2_u32.to_le_bytes(), 4));
}

#[test]
fn a_missing_byte_lets_nothing_pass_even_behind_not() {
    let whole = frame(&[]);
    for text in ["tcp port 420", "not udp", "not port 1", "ip[33] = 2", "not ip[33] = 3", "host 192.0.2.1"] {
        assert!(passes(text, &whole[..52]), "{text}");
        assert!(!passes(text, &whole[..13]), "{text}");
        for end in 0..whole.len() {
            check_text(text, LinkType::ETHERNET, &whole[..end]);
        }
    }
    assert!(!passes("ip[0] / ip[1] = 1", &whole) && !passes("not ip[0] / ip[1] = 1", &whole));
    assert!(passes("ip[0] << (ip[0] + 0) = 0", &whole));
}

#[test]
fn only_programs_that_the_kernel_takes_are_taken() {
    let one = |code: u16, jt: u8, jf: u8, k: u32| Instruction { code, jt, jf, k };
    let end = one(code::RET, 0, 0, 0);
    for (instructions, what) in [
        (alloc::vec![], "a program has 1 to 4096 instructions"),
        (alloc::vec![end; 4097], "a program has 1 to 4096 instructions"),
        (alloc::vec![one(code::LD_H, 0, 0, 12)], "a program ends with a return"),
        (alloc::vec![one(code::JEQ, 0, 1, 0), end], "a jump out of the program"),
        (alloc::vec![one(code::JA, 0, 0, u32::MAX), end], "a jump out of the program"),
        (alloc::vec![one(code::LD_MEM, 0, 0, 0), end], "nothing was stored there"),
        (alloc::vec![one(code::ST, 0, 0, 16), end], "there are 16 cells"),
        (alloc::vec![one(code::ALU | code::DIV, 0, 0, 0), end], "a division by 0"),
        (alloc::vec![one(code::ALU | code::LSH, 0, 0, 32), end], "a shift by more than 31 bits"),
        (alloc::vec![one(0xff, 0, 0, 0), end], "an unknown instruction"),
        // Stored on one of two ways only.
        (
            alloc::vec![one(code::JEQ, 1, 0, 0), one(code::ST, 0, 0, 3), one(code::LD_MEM, 0, 0, 3), end],
            "nothing was stored there",
        ),
    ] {
        assert_eq!(Program::check(instructions).unwrap_err().what, what);
    }
    let program =
        alloc::vec![one(code::LDX_MSH, 0, 0, 14), one(code::TXA, 0, 0, 0), one(code::RET_A, 0, 0, 0)];
    assert!(Program::check(program).unwrap().matches(&frame(&[]), 54));
}

/// Tests of every kind; any of them may follow any other on Ethernet.
const TESTS: [&str; 60] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "icmp6",
    "stp",
    "ipx",
    "atalk",
    "iso",
    "ether proto 6",
    "proto 44",
    "ip6 proto 17",
    "ip proto 6",
    "host 10.0.0.1",
    "src host 192.0.2.1",
    "src and dst host 10.0.0.1 or 1.2.3.4",
    "dst net 10.0.0.0/8 or 192.0.2.0/24",
    "arp net 10",
    "net 0.0.0.1 mask 0.0.0.255",
    "net 0.0.0.0/0",
    "host ::1",
    "src net 2001:db8::/32",
    "src and dst net 2001:db8::/33 or ::/1",
    "ether host 0:0:5e:0:53:1",
    "ether src and dst 0:0:5e:0:53:2",
    "port 420",
    "src port 420 or 80",
    "dst portrange 1000-1100 or http",
    "src and dst port 5 or portrange 400-2000",
    "udp port domain",
    "sctp port 1",
    "tcp portrange 0-65535",
    "broadcast",
    "multicast",
    "ip multicast",
    "ip6 multicast",
    "less 60",
    "greater 60",
    "vlan",
    "vlan 5",
    "pppoed",
    "ip[0] = 0x45",
    "ip[8] & 0xf0 != 0",
    "ip[9] << ip[8] = 0",
    "ip[2:2] - ((ip[0] & 0xf) << 2) > 10",
    "ip[9] / ip[1] >= 1",
    "ip[9] % (ip[8] - 3) < 5",
    "tcp[tcpflags] & tcp-syn != 0",
    "tcp[(tcp[12] >> 4) * 4 : 4] = 0",
    "udp[0:2] = udp[2:2]",
    "icmp6[0] = 128",
    "ip6[6] + 0 = 17",
    "arp[7] = ether[0] ^ 1",
    "ether[len - 30] < 5",
    "ether[ip[9] * 3] > 0",
    "1 = 1",
    "5 < 4",
    "len = 58",
];

/// Frames of several kinds for those tests.
fn frames() -> Vec<Vec<u8>> {
    let addresses =
        |ethertype: [u8; 2]| [&[0, 0, 0x5e, 0, 0x53, 1, 0, 0, 0x5e, 0, 0x53, 2][..], &ethertype].concat();
    let mut ip6 = alloc::vec![0x60, 0, 0, 0, 0, 12, 17, 64];
    ip6.extend([
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1,
    ]);
    ip6.extend([1, 164, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
    let mut arp =
        alloc::vec![0, 1, 8, 0, 6, 4, 0, 2, 1, 2, 3, 4, 5, 6, 10, 0, 0, 1, 6, 5, 4, 3, 2, 1, 1, 2, 3, 4];
    arp.resize(46, 0);
    let service =
        alloc::vec![0xaa, 0xaa, 3, 8, 0, 7, 0x80, 0x9b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
    alloc::vec![
        frame(&[]),
        frame(&[5]),
        frame(&[5, 6]),
        [addresses([0x86, 0xdd]), ip6.clone()].concat(),
        [addresses([0x81, 0]), alloc::vec![0, 5, 0x86, 0xdd], ip6.clone()].concat(),
        [addresses([8, 6]), arp].concat(),
        [addresses([0, 22]), service].concat(),
        [addresses([0x88, 0x47]), alloc::vec![0, 0, 0x50, 64, 0, 0, 0x61, 64], ip6.clone()].concat(),
        [addresses([0x88, 0x64]), alloc::vec![0x11, 0, 0, 5, 0, 60, 0, 0x57], ip6].concat(),
    ]
}

#[test]
fn sound_expressions_are_answered_as_the_slow_reading_answers_them() {
    let mut seed = 7_u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let frames = frames();
    for _ in 0..4000 {
        let mut text = String::new();
        let mut open = 0;
        for index in 0..=next(5) {
            text.push_str(["", " and ", " or "][if index == 0 { 0 } else { 1 + next(2) }]);
            text.push_str(["", "", "not "][next(3)]);
            if next(4) == 0 {
                text.push('(');
                open += 1;
            }
            text.push_str(TESTS[next(TESTS.len())]);
            if open > 0 && next(3) == 0 {
                text.push(')');
                open -= 1;
            }
        }
        text.push_str(&")".repeat(open));
        text.push_str(
            ["", " and mpls and ip6", " or mpls 5 and mpls 6 and port 53", " or pppoes and udp"][next(4)],
        );
        let mut bytes = frames[next(frames.len())].clone();
        for _ in 0..next(4) {
            let at = next(bytes.len());
            bytes[at] = u8::try_from(next(256)).unwrap();
        }
        if next(3) == 0 {
            bytes.truncate(next(70));
        }
        let expression = parse_with(&text, &services).unwrap();
        assert!(compile(&expression, LinkType::ETHERNET).is_ok(), "{text}");
        check_text(&text, LinkType::ETHERNET, &bytes);
    }
}

#[test]
fn random_expressions_are_answered_as_the_slow_reading_answers_them() {
    let mut seed = 420_u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let byte = |number: usize| u8::try_from(number).unwrap();
    for _ in 0..6000 {
        let mut input = alloc::vec![byte(next(11))];
        for _ in 0..next(9) {
            input.push(byte(next(140)));
        }
        input.push(u8::MAX);
        let mut bytes = frame(&[5, 6][..next(3)]);
        for _ in 0..next(5) {
            let at = next(bytes.len());
            bytes[at] = byte(next(256));
        }
        bytes.truncate(next(80));
        input.extend(bytes);
        check_run(&input);
    }
}
