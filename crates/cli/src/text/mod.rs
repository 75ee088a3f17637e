//! Results as text for people.

pub(crate) mod cells;
mod census;
mod comments;
mod decoy;
mod doctor;
mod event;
mod findings;
mod history;
mod list;
mod media;
mod page;
mod paper;
mod sessions;
pub(crate) mod table;
mod traffic;

pub(crate) use census::{
    by_interest as census_by_interest, census, holders as census_holders, who as census_who,
    words as census_words,
};
pub(crate) use decoy::{decoy_coverage, decoy_summary, decoy_touch_line};
pub(crate) use doctor::doctor;
pub(crate) use event::event_line;
pub(crate) use findings::{changes, check, subject_words, write_finding, write_one};
pub(crate) use history::{finding, findings, port_history, record_words, records, statistics};
pub(crate) use list::{gaps, judged, list, plural};
pub(crate) use media::{
    media_foot, media_list, media_page, media_probe, media_ptp, media_received, media_sent, media_table,
    rate, session_name, verdict_of, what,
};
pub(crate) use page::{Beyond, page, write_holder};
pub(crate) use paper::{assignments, field, heading};
pub(crate) use traffic::{
    bytes, clock, finding_line, flow_line, flows, gaps_of_traffic, recognised, traffic, traffic_of_ports,
    write_finding as write_traffic_finding, write_flow, write_service,
};

use crate::style::Style;

/// How text is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Columns of the terminal; `None` for no limit.
    pub(crate) width: Option<usize>,
    /// Colours.
    pub(crate) style: Style,
    /// Headings and summary.
    pub(crate) headings: bool,
}
