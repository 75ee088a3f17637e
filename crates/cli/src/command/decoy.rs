//! `portreeve decoy`: empty ports that tell who comes.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufWriter;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::decoys::{DecoySettings, Decoys};
use engine::evidence::EvidenceFile;
use engine::{Grounds, Outcome, today};
use host::privilege;
use model::{DecoyTouch, Finding, Severity, Subject, Visit};

use super::read::{grounds, lines};
use super::{Status, Stop, until};
use crate::args::{DecoyArgs, OutputArgs};
use crate::document::{
    DecoyCountsDocument, DecoyCoverage, DecoyLine, DecoyTouchDocument, DecoyVisit, SCHEMA_VERSION,
};
use crate::{output, text};

const WAIT: Duration = Duration::from_millis(500);
const JUDGE_EVERY: Duration = Duration::from_millis(500);
/// Evidence beyond this is not written.
const MOST_BYTES: u64 = 1 << 30;

pub(super) fn run(args: &DecoyArgs) -> Status {
    let grounds = grounds(&args.policy)?;
    let mut decoys = Decoys::open(&settings(args)).map_err(|error| Stop::Failed(error.to_string()))?;
    if let Err(error) = privilege::give_up(0, privilege::invoker().as_ref())
        && cfg!(target_os = "linux")
    {
        output::complain(&format!("privileges were kept: {error}"));
    }
    // By the rights that we shall have at the end.
    let evidence = args.write.as_deref().map(Evidence::begin).transpose()?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    until::on_interrupt(move || stop.store(true, Ordering::Relaxed))?;
    let mut teller = Teller {
        args,
        grounds,
        output: OutputArgs { color: args.color, no_header: true, ..OutputArgs::default() },
        evidence,
        said: HashSet::new(),
        reader: true,
        failed: None,
    };
    teller.begin(&decoys)?;
    let begun = Instant::now();
    let mut judged = Instant::now();
    while teller.goes_on()
        && !stopped.load(Ordering::Relaxed)
        && args.duration.is_none_or(|end| begun.elapsed() < end)
    {
        let left = args.duration.map_or(WAIT, |end| end.saturating_sub(begun.elapsed()).min(WAIT));
        decoys
            .wait(left, &mut |touch| teller.touch(&touch))
            .map_err(|error| Stop::Failed(format!("cannot wait for visitors: {error}")))?;
        if judged.elapsed() >= JUDGE_EVERY {
            judged = Instant::now();
            teller.judge(&decoys.news(false))?;
        }
    }
    decoys.end(&mut |touch| teller.touch(&touch));
    teller.judge(&decoys.news(true))?;
    teller.finish(&decoys)
}

fn settings(args: &DecoyArgs) -> DecoySettings {
    let (tcp, udp) = (args.tcp || !args.udp, args.udp || !args.tcp);
    let (v4, v6) = (args.ipv4 || !args.ipv6, args.ipv6 || !args.ipv4);
    let exclude = args.exclude.iter().fold(host::decoy::PortSet::default(), |all, one| all.or(one));
    DecoySettings {
        ports: args.ports.clone(),
        exclude,
        exclude_sources: args.exclude_source.clone(),
        tcp,
        udp,
        v4,
        v6,
        level: args.level,
        netns: args.netns.clone(),
        ways: args.ways.ways(),
        first_bytes: usize::try_from(args.first_bytes).unwrap_or(4096),
        seconds: args.limit,
        connections: usize::from(args.connections),
        connections_per_source: usize::from(args.connections_per_source),
        told_per_minute: args.told_per_minute,
        ..DecoySettings::default()
    }
}

/// Packets made from what came, written as it comes: what is there when we are killed stays.
struct Evidence {
    file: EvidenceFile<BufWriter<File>>,
    bytes: u64,
    left_out: u64,
}

impl Evidence {
    fn begin(path: &Path) -> Result<Evidence, Stop> {
        if path.as_os_str() == "-" {
            return Err(Stop::Usage(String::from("--write needs a file: standard output has the result")));
        }
        let file = File::create(path)
            .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", path.display())))?;
        Ok(Evidence { file: EvidenceFile::new(BufWriter::new(file)), bytes: 0, left_out: 0 })
    }

    fn keep(&mut self, touch: &DecoyTouch) -> std::io::Result<()> {
        if self.bytes >= MOST_BYTES {
            self.left_out += 1;
            return Ok(());
        }
        let mut written = Ok(());
        engine::decoys::packets(touch, &mut |frame, comment| {
            self.bytes += u64::from(frame.wire_bytes) + 32;
            if written.is_ok() {
                written = self.file.write(frame, comment);
            }
        });
        written.and_then(|()| self.file.flush())
    }
}

struct Teller<'a> {
    args: &'a DecoyArgs,
    grounds: Grounds,
    output: OutputArgs,
    evidence: Option<Evidence>,
    /// Findings that were told, by whom they are about and how grave they are.
    said: HashSet<(IpAddr, bool, Severity)>,
    reader: bool,
    failed: Option<Stop>,
}

impl Teller<'_> {
    /// Whether there is still a reader, and nothing went wrong.
    fn goes_on(&self) -> bool {
        self.reader && self.failed.is_none()
    }

    fn begin(&mut self, decoys: &Decoys) -> Result<(), Stop> {
        let state = decoys.state();
        if self.args.json {
            let coverage = DecoyCoverage::of(&state);
            self.reader = lines(&[DecoyLine::Begin { schema_version: SCHEMA_VERSION, coverage }])?;
        } else {
            output::complain(&text::decoy_coverage(&state));
        }
        Ok(())
    }

    fn touch(&mut self, touch: &DecoyTouch) {
        if let Some(evidence) = &mut self.evidence
            && let Err(error) = evidence.keep(touch)
        {
            self.failed = Some(Stop::Failed(format!("cannot write what came: {error}")));
        }
        if self.args.only_findings || !self.goes_on() {
            return;
        }
        let told = if self.args.json {
            let touch = DecoyTouchDocument::of(touch);
            lines(&[DecoyLine::Touch { schema_version: SCHEMA_VERSION, touch }])
        } else {
            let mut out = String::new();
            text::decoy_touch_line(&mut out, touch, output::form(&self.output));
            output::write_on(out.as_bytes()).map_err(Stop::from)
        };
        match told {
            Ok(reader) => self.reader = reader,
            Err(stop) => self.failed = Some(stop),
        }
    }

    fn findings(&self, visits: &[Visit]) -> Vec<Finding> {
        verdict::judge_visits(visits, &self.grounds.paper, &self.grounds.policy, today()).findings
    }

    /// Tells of findings that are new, or graver than they were.
    fn judge(&mut self, visits: &[Visit]) -> Result<(), Stop> {
        if visits.is_empty() {
            return Ok(());
        }
        for finding in self.findings(visits) {
            let Some(source) = source(&finding) else { continue };
            let scans =
                visits.iter().any(|visit| visit.source == source && visit.ports() >= verdict::SCAN_PORTS);
            if !self.said.insert((source, scans, finding.severity)) || !self.reader {
                continue;
            }
            self.reader = if self.args.json {
                let shown = crate::document::Finding::of_traffic(&finding);
                lines(&[DecoyLine::Finding { schema_version: SCHEMA_VERSION, source, finding: shown }])?
            } else {
                let mut out = String::new();
                text::finding_line(&mut out, &finding, output::form(&self.output));
                output::write_on(out.as_bytes())?
            };
        }
        Ok(())
    }

    fn finish(mut self, decoys: &Decoys) -> Status {
        if let Some(stop) = self.failed.take() {
            return Err(stop);
        }
        let visits = decoys.visits();
        let findings = self.findings(&visits);
        let threshold = self.args.fail_on.threshold();
        let fails = findings.iter().any(|finding| threshold.reached_by(finding.severity));
        let status = if fails { Outcome::Findings } else { Outcome::Accounted }.exit_status();
        let (state, counts) = (decoys.state(), decoys.counts());
        if self.args.json {
            let summary = DecoyLine::Summary {
                schema_version: SCHEMA_VERSION,
                coverage: DecoyCoverage::of(&state),
                counts: DecoyCountsDocument::of(&counts),
                visits: visits.iter().map(DecoyVisit::of).collect(),
                findings: findings.iter().map(crate::document::Finding::of_traffic).collect(),
                exit_status: status,
            };
            lines(&[summary])?;
        } else {
            let mut out = String::from("\n");
            text::decoy_summary(&mut out, &findings, &counts, output::form(&self.output));
            output::write(out.as_bytes())?;
        }
        if let Some(evidence) = self.evidence {
            let packets = evidence.file.packets;
            output::complain(&format!("{packets} packets written"));
            if evidence.left_out > 0 {
                output::complain(&format!(
                    "{} touches came later than what could be kept",
                    evidence.left_out
                ));
            }
        }
        Ok(status)
    }
}

/// Whom a finding is about.
fn source(finding: &Finding) -> Option<IpAddr> {
    finding.subjects.iter().find_map(|subject| match subject {
        Subject::Visitor(source) => Some(*source),
        _ => None,
    })
}
