//! The rules that clocks are held to (IEEE 1588, ST 2059-2, AES67, IEEE C37.238).

use model::media::StreamRule;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident: $kebab:literal, $clause:literal;)+) => {
        $($(#[doc = $doc])+
        pub static $name: StreamRule = StreamRule { name: $kebab, clause: $clause, text: first(&[$($doc),+]) };)+
    };
}

const fn first(lines: &'static [&'static str]) -> &'static str {
    match lines {
        [line, ..] => line.trim_ascii(),
        [] => "",
    }
}

rules! {
    /// A message, or an extension of one, is not what it claims.
    MALFORMED: "ptp-malformed", "IEEE 1588-2008 §13.3";
    /// A message has a type that does not exist.
    RESERVED: "ptp-reserved", "IEEE 1588-2008 §13.3.2.2";
    /// A message came to the port of the other kind.
    PORT: "ptp-port", "IEEE 1588-2008 §D.2";
    /// A Sync that promises a Follow_Up got none.
    FOLLOW_UP_MISSING: "ptp-follow-up-missing", "IEEE 1588-2008 §9.5.10";
    /// Sequence numbers were left out.
    SEQUENCE: "ptp-sequence", "IEEE 1588-2008 §7.3.7";
    /// Two ports are master of one domain at the same time.
    TWO_MASTERS: "ptp-two-masters", "IEEE 1588-2008 §9.3";
    /// A port is master although another announces a better clock.
    NOT_BEST: "ptp-not-best", "IEEE 1588-2008 §9.3.4";
    /// Messages come at another interval than they state, by more than 30 percent.
    INTERVAL: "ptp-interval", "IEEE 1588-2008 §7.7.2.1";
    /// One port speaks from several addresses.
    SENDERS: "ptp-senders", "IEEE 1588-2008 §7.5.2";
    /// The announced time is not that of PTP.
    TIMESCALE: "ptp-timescale", "ST 2059-2:2015 §6";
    /// The domain is outside the range of the profile.
    DOMAIN: "ptp-domain", "ST 2059-2:2015 §6";
    /// The interval of Announce is outside the range of the profile.
    ANNOUNCE_INTERVAL: "ptp-announce-interval", "ST 2059-2:2015 §6";
    /// The interval of Sync is outside the range of the profile.
    SYNC_INTERVAL: "ptp-sync-interval", "ST 2059-2:2015 §6";
    /// The interval of requests is outside the range of the profile.
    REQUEST_INTERVAL: "ptp-request-interval", "ST 2059-2:2015 §6";
    /// Messages travel in a way that the profile does not allow.
    TRANSPORT: "ptp-transport", "ST 2059-2:2015 §7";
    /// The master sends no synchronisation metadata.
    METADATA: "ptp-metadata", "ST 2059-2:2015 §9";
    /// An interval is outside the range of the media profile.
    MEDIA_INTERVAL: "ptp-media-interval", "AES67-2018 §A.2";
    /// Messages do not travel as the power profile demands.
    POWER_TRANSPORT: "ptp-power-transport", "IEEE C37.238-2011 §5";
}
