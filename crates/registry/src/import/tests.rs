//! Documents as IANA writes them, whole, cut and broken.

use model::{Assignment, Status, Transport};

use super::*;
use crate::{Paper, Usage};

const CSV: &str = "\
Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date,Modification Date,\
Reference,Service Code,Unauthorized Use Reported,Assignment Notes\r\n\
,0,tcp,Reserved,[Jon_Postel],[Jon_Postel],,,,,,\r\n\
,4,tcp,Unassigned,,,,,,,,\r\n\
smpte,420,tcp,SMPTE,[Example_Person],[Example_Person],,,,,,\r\n\
newer,421,udp,\"Words, with a comma and a \"\"quotation\"\"\",[A],[B],2026-01-02,2026-03-04,[RFC9999],,\
Known on 421,\"First line\r\n  second line\"\r\n\
x11,6000-6063,tcp,X Window System,,,,,,,,\r\n\
discard,9,dccp,Discard,,,,,[RFC4340],1145656131,,\r\n\
,1023,,Reserved,,,,,,,,\r\n\
,5-6,,Unassigned,,,,,,,,\r\n\
loose,,udp,No port,,,,,,,,\r\n";

const XML: &str = r#"<?xml version='1.0' encoding='UTF-8'?>
<!-- a comment -->
<registry xmlns="http://www.iana.org/assignments" id="service-names-port-numbers">
  <title>Service Name and Transport Protocol Port Number Registry</title>
  <updated>2026-11-01</updated>
  <note>Not part of a record: &lt;ignored&gt;</note>
  <registry id="inner">
    <record>
      <xref type="person" data="Jon_Postel"/>
      <protocol>tcp</protocol><description>Reserved</description><number>0</number>
    </record>
    <record date="2026-01-02" updated="2026-03-04">
      <name>newer</name>
      <protocol>udp</protocol>
      <assignee><xref type="person" data="A"/></assignee>
      <contact><xref type="person" data="B"/></contact>
      <description>Words, R&amp;D&#33; <![CDATA[<raw>]]></description>
      <number>421</number>
      <xref type="rfc" data="rfc9999"/>
      <unauthorized>Known on 421</unauthorized>
      <note>First note</note>
      <note>Second, see <xref type="draft" data="draft-x-00"/></note>
    </record>
    <record><name>x11</name><protocol>tcp</protocol><number>6000-6063</number><description/></record>
  </registry>
  <people><person id="Jon_Postel"><name>Jon Postel</name></person></people>
</registry>
"#;

fn import(document: &str) -> Paper {
    Paper::from_table(parse(document.as_bytes()).unwrap()).unwrap()
}

#[test]
fn the_csv_gives_every_field() {
    let paper = import(CSV);
    assert!(paper.source().imported);
    assert_eq!(paper.source().date, "2026-03-04");
    assert_eq!(paper.source().rows, 9);
    let standing = paper.standing(Transport::Udp, 421);
    assert!(matches!(standing.usage, Usage::Silent(reason) if reason.starts_with("assigned in 2026;")));
    let wanted = Assignment {
        name: "newer",
        first: Some(421),
        last: Some(421),
        transport: Some(Transport::Udp),
        status: Status::Assigned,
        description: "Words, with a comma and a \"quotation\"",
        assignee: "[A]",
        contact: "[B]",
        registered: "2026-01-02",
        modified: "2026-03-04",
        reference: "[RFC9999]",
        unauthorised: "Known on 421",
        notes: "First line\n  second line",
    };
    assert_eq!(standing.assignment, Some(wanted));
    assert_eq!(paper.standing(Transport::Tcp, 6042).assignment.unwrap().name, "x11");
    assert_eq!(paper.standing(Transport::Sctp, 1023).status, Status::Reserved);
    assert_eq!(paper.standing(Transport::Dccp, 9).assignment.unwrap().notes, "Service code: 1145656131");
    assert_eq!(paper.standing(Transport::Tcp, 22).status, Status::Unassigned, "the import is all there is");
    assert_eq!(paper.by_name("loose").next().unwrap().first, None);
}

#[test]
fn the_xml_gives_every_field() {
    let paper = import(XML);
    assert_eq!(paper.source().date, "2026-11-01");
    assert_eq!(paper.source().rows, 3);
    let row = paper.standing(Transport::Udp, 421).assignment.unwrap();
    assert_eq!((row.name, row.description), ("newer", "Words, R&D! <raw>"));
    assert_eq!((row.assignee, row.contact, row.reference), ("[A]", "[B]", "[RFC9999]"));
    assert_eq!((row.registered, row.modified), ("2026-01-02", "2026-03-04"));
    assert_eq!((row.unauthorised, row.notes), ("Known on 421", "First note\nSecond, see [draft-x-00]"));
    let zero = paper.standing(Transport::Tcp, 0).assignment.unwrap();
    assert_eq!((zero.assignee, zero.contact), ("[Jon_Postel]", "[Jon_Postel]"));
    assert_eq!(paper.standing(Transport::Tcp, 6063).assignment.unwrap().name, "x11");
}

/// The built-in table as IANA's CSV.
fn as_csv(paper: &Paper) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(CSV.lines().next().unwrap().split(',')).unwrap();
    for row in paper.rows() {
        let number = number(&row);
        let transport = row.transport.map_or("", Transport::name);
        let (name, date, changed) = (row.name, row.registered, row.modified);
        let fields = [name, &number, transport, row.description, row.assignee, row.contact, date, changed];
        let last = [row.reference, "", row.unauthorised, row.notes];
        writer.write_record(fields.into_iter().chain(last)).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The built-in table as IANA's XML.
fn as_xml(paper: &Paper) -> String {
    let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
    let mut out = String::from("<registry><title>t</title><updated>2026-07-01</updated>\n");
    for row in paper.rows() {
        out.push_str(&format!(
            "<record date=\"{}\" updated=\"{}\">",
            escape(row.registered),
            escape(row.modified)
        ));
        let transport = row.transport.map_or("", Transport::name);
        for (element, text) in [
            ("name", row.name),
            ("protocol", transport),
            ("number", &number(&row)),
            ("description", row.description),
            ("assignee", row.assignee),
            ("contact", row.contact),
            ("unauthorized", row.unauthorised),
            ("note", row.notes),
        ] {
            match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                Some(person) if element != "note" && !person.contains(['[', '"', '<', '&']) => {
                    out.push_str(&format!(
                        "<{element}><xref type=\"person\" data=\"{person}\"/></{element}>"
                    ));
                }
                _ => out.push_str(&format!("<{element}>{}</{element}>", escape(text))),
            }
        }
        out.push_str(&format!("<reference>{}</reference></record>\n", escape(row.reference)));
    }
    out.push_str("</registry>\n");
    out
}

fn number(row: &Assignment<'_>) -> String {
    match (row.first, row.last) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first}-{last}"),
        _ => String::new(),
    }
}

#[test]
fn the_whole_registry_out_and_in_again_gives_the_same_answers() {
    let builtin = Paper::builtin();
    for document in [as_csv(&builtin), as_xml(&builtin)] {
        let imported = import(&document);
        assert_eq!(imported.source().rows, builtin.source().rows);
        for (mine, theirs) in builtin.rows().zip(imported.rows()) {
            assert_eq!(mine, theirs);
        }
        for transport in Transport::ALL {
            for port in 0..=u16::MAX {
                let (mine, theirs) = (builtin.standing(transport, port), imported.standing(transport, port));
                assert!(mine == theirs, "{transport:?} {port}: {mine:?} {theirs:?}");
            }
        }
    }
}

#[test]
fn what_is_broken_is_refused_with_its_line() {
    let refused = |document: &str, line: usize, word: &str| {
        let fault = parse(document.as_bytes()).unwrap_err();
        assert!(fault.line == line && fault.reason.contains(word), "{fault} for {document:?}");
    };
    let header = CSV.lines().next().unwrap();
    let csv = |rows: &str| format!("{header}\n{rows}");
    refused("", 1, "empty");
    refused("hello\nworld\n", 1, "no column");
    refused(&csv(""), 2, "no rows");
    refused(&csv("a,1,tcp,,,,,,,,,\nb,65536,tcp,,,,,,,,,\n"), 3, "no port");
    refused(&csv("a,9-5,tcp,,,,,,,,,\n"), 2, "no port");
    refused(&csv("a,+5,tcp,,,,,,,,,\n"), 2, "no port");
    refused(&csv("a,5-,tcp,,,,,,,,,\n"), 2, "no port");
    refused(&csv("a,1,ipx,,,,,,,,,\n"), 2, "ipx");
    refused(&csv("a,1,tcp,short\n"), 2, "fields");
    refused(&csv(",,tcp,neither,,,,,,,,\n"), 2, "neither");
    refused(&csv("a,1,tcp,,,,,,,,,\nb,2,tcp,,,,,,,,,\"cut of"), 3, "does not end");
    refused(&csv("a,1,tcp,\"two\nlines\",,,,,,,,\nb,x,tcp,,,,,,,,,\n"), 4, "no port");
    refused(&csv(&format!("a,1,tcp,{},,,,,,,,\n", "x".repeat(70_000))), 2, "longer");
    assert!(parse(b"\xff\xfe").unwrap_err().reason.contains("UTF-8"));

    refused("<html></html>", 1, "registry");
    refused("<registry>\n<record><name>a</name>", 2, "too early");
    refused("<registry>\n<record><name>a</nam></record></registry>", 2, "well-formed");
    refused("<registry>\n\n<record><number>70000</number></record></registry>", 3, "no port");
    refused("<registry>\n<record><name>&nbsp;</name></record></registry>", 2, "entity");
    refused("<registry>\n<record><record/></record></registry>", 2, "in another");
    refused("<registry/><registry/>", 1, "one registry");
    refused("<registry></registry>", 1, "no rows");
    refused(&format!("<registry>{}", "<a>".repeat(100)), 1, "too deep");
}

#[test]
fn one_name_for_many_ports_is_a_table_too() {
    let rows: String = (1..40).map(|port| format!("same,{port},tcp,,,,,,,,,\n")).collect();
    let paper = import(&format!("{}\n{rows}", CSV.lines().next().unwrap()));
    assert_eq!(paper.by_name("SAME").count(), 39);
    assert_eq!(paper.by_name("other").count(), 0);
}

#[test]
fn entities_cannot_grow() {
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n\
                <registry><record><name>&b;</name><number>1</number></record></registry>";
    assert!(parse(bomb.as_bytes()).unwrap_err().reason.contains("entities of its own"));
    let external = "<!DOCTYPE registry SYSTEM \"file:///etc/passwd\">\n<registry><record>\
                    <name>&x;</name><number>1</number></record></registry>";
    assert!(parse(external.as_bytes()).unwrap_err().reason.contains("entity"));
    let attribute = "<registry><record date=\"&x;\"><name>a</name></record></registry>";
    assert!(parse(attribute.as_bytes()).is_err());
}

#[test]
fn bounds_hold() {
    let header = CSV.lines().next().unwrap();
    let many = format!("{header}\n{}", "a,1,tcp,,,,,,,,,\n".repeat(MAX_ROWS + 1));
    let fault = parse(many.as_bytes()).unwrap_err();
    assert_eq!((fault.line, fault.reason.contains("rows")), (MAX_ROWS + 2, true));
    let fault = parse(&vec![b' '; MAX_BYTES + 1]).unwrap_err();
    assert!(fault.reason.contains("MiB"));
    // Ranges that lie over each other must not cost the square of their number.
    let ranges: String = (0..20_000).map(|nth| format!("a,{nth}-{},tcp,,,,,,,,,\n", 65_535 - nth)).collect();
    assert!(parse(format!("{header}\n{ranges}").as_bytes()).unwrap_err().reason.contains("over each other"));
}

#[test]
fn every_prefix_and_many_damaged_copies_are_harmless() {
    for document in [CSV, XML] {
        for length in 0..document.len() {
            let bytes = &document.as_bytes()[..length];
            assert_cheap(bytes);
        }
    }
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for round in 0..4000 {
        let mut bytes = if round % 2 == 0 { CSV } else { XML }.as_bytes().to_vec();
        for _ in 0..1 + next() % 4 {
            let at = usize::try_from(next() % bytes.len() as u64).unwrap();
            match next() % 3 {
                0 => bytes[at] = u8::try_from(next() % 256).unwrap(),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"<>&\",\n-0"[usize::try_from(next() % 8).unwrap()]),
            }
        }
        assert_cheap(&bytes);
    }
    assert_any(CSV.as_bytes());
    assert_any(XML.as_bytes());
}

/// As [`assert_any`], without a walk over every port.
fn assert_cheap(bytes: &[u8]) {
    match parse(bytes) {
        Err(fault) => assert!(fault.line >= 1 && fault.line <= line_of(bytes, bytes.len()), "{fault}"),
        Ok(table) => assert!(Paper::from_table(table).unwrap().source().imported),
    }
}
