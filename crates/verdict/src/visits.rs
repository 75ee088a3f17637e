//! Who came to decoys, to findings: one for each source.

use model::Visit;
use registry::Paper;

use crate::Judgement;
use crate::docket::{Docket, Ground};
use crate::policy::Policy;
use crate::rules::{paper, visit};
use crate::traffic::Consent;

/// Who came to so many empty ports looks for open ones.
pub const SCAN_PORTS: u32 = 5;

/// Judges who came to decoys. The same facts give the same findings in the same order.
///
/// Policy accepts by `port`, `transport`, `address` (that of the source) and `code`. `today` is the day, counted since
/// 1970-01-01 in UTC: entries of policy expire.
pub fn judge_visits(visits: &[Visit], paper: &Paper, policy: &Policy, today: i64) -> Judgement {
    let mut docket = Docket::new(Ground::default(), policy);
    let mut consent = Consent::of(policy, today);
    let bench = visit::Bench { paper, cited: paper::cited(paper) };
    for one in visits {
        visit::judge(&bench, one, &mut consent, &mut docket);
    }
    docket.turn_to(&[], &[]);
    consent.close(&mut docket);
    docket.close()
}
