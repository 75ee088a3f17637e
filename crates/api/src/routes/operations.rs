//! Every operation of the API, as the OpenAPI document lists it; a test asks the server for each.

/// A parameter of a path or a query: name, type, what it is.
pub(crate) type Parameter = (&'static str, &'static str, &'static str);

/// One operation.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What it gives, or does.
    pub(crate) summary: &'static str,
    /// The scope that it needs.
    pub(crate) scope: &'static str,
    pub(crate) query: &'static [Parameter],
    /// The form of the body that it takes.
    pub(crate) takes: Option<&'static str>,
    /// The form of what it gives; `text/…` and `image/…` are as they are.
    pub(crate) gives: &'static str,
}

const fn read(
    path: &'static str,
    gives: &'static str,
    query: &'static [Parameter],
    summary: &'static str,
) -> Operation {
    Operation { method: "get", path, summary, scope: "read", query, takes: None, gives }
}

const fn change(
    path: &'static str,
    takes: Option<&'static str>,
    gives: &'static str,
    scope: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { method: "post", path, summary, scope, query: &[], takes, gives }
}

const CURSOR: Parameter = ("cursor", "string", "Where the page begins: the `next` of an earlier one.");
const LIMIT: Parameter = ("limit", "limit", "How many at most, from 1 to 1000; 100 where it is left out.");
const TRANSPORT: Parameter = ("transport", "tcp|udp|sctp|dccp", "Only this transport.");
const PORT: Parameter = ("port", "port", "Only this port.");
const PROGRAM: Parameter =
    ("program", "string", "Only what this program has: the file name of its executable.");
const STATE: Parameter = ("state", "string", "Only in this state.");
const PROTOCOL: Parameter = ("protocol", "string", "Only where this protocol was recognised.");

/// Every operation.
pub(crate) const OPERATIONS: &[Operation] = &[
    read("/status", "Status", &[], "How the watching itself goes, and who asks."),
    read(
        "/ports",
        "PortPage",
        &[
            TRANSPORT,
            ("from", "port", "From this port on."),
            ("to", "port", "Up to this port."),
            ("status", "assigned|unassigned|reserved|dynamic", "Only with this standing on paper."),
            ("usage", "ordinary|silent", "Only assigned ports in or out of ordinary use."),
            ("use", "any|open|listening|published|bound|wire|touched|passing|free", "Only used so now."),
            ("verdict", "ok|accepted|unseen|note|warning|alert", "Only judged so."),
            ("text", "string", "Only where a name, a program or the number fits."),
            CURSOR,
            LIMIT,
        ],
        "All ports of TCP and UDP in lines; those of SCTP and DCCP where they are asked for.",
    ),
    read("/ports/paper", "Letters", &[TRANSPORT], "How every port stands on paper, one letter each."),
    read("/ports/{transport}/{port}", "Port", &[], "Everything about one port: the five answers."),
    read(
        "/sockets",
        "SocketPage",
        &[TRANSPORT, PORT, PROGRAM, STATE, CURSOR, LIMIT],
        "Sockets with their holders.",
    ),
    read("/holders", "HolderPage", &[PROGRAM, CURSOR, LIMIT], "Processes that hold sockets."),
    read(
        "/flows",
        "FlowPage",
        &[TRANSPORT, PORT, PROGRAM, STATE, PROTOCOL, CURSOR, LIMIT],
        "Flows that have ended, the newest first.",
    ),
    read(
        "/services",
        "ServicePage",
        &[TRANSPORT, PORT, PROTOCOL, CURSOR, LIMIT],
        "Server endpoints, with the protocol that is spoken there.",
    ),
    read("/sessions", "SessionPage", &[CURSOR, LIMIT], "Uses of ports that were agreed beforehand."),
    read("/streams", "StreamPage", &[CURSOR, LIMIT], "RTP streams, measured."),
    read("/streams/{stream}", "Stream", &[], "One stream."),
    read(
        "/streams/{stream}/picture.png",
        "image/png",
        &[],
        "The latest picture of uncompressed video, no wider than 960; taken when asked, at most every two seconds.",
    ),
    read(
        "/streams/{stream}/levels",
        "Loud",
        &[],
        "How loud sound is now: the first question begins to listen, the next ones hear.",
    ),
    read(
        "/streams/{stream}/levels/events",
        "text/event-stream",
        &[],
        "The same twice a second, as events `levels`.",
    ),
    read("/clocks", "ClockPage", &[CURSOR, LIMIT], "Clocks on the wire: PTP domains."),
    read(
        "/streams/{stream}/legs/{leg}/{plot}",
        "image/svg+xml",
        &[],
        "A plot of one leg: `intervals.svg`, `vrx.svg`, `cinst.svg`.",
    ),
    read(
        "/findings",
        "FindingPage",
        &[
            ("severity", "note|warning|alert", "Only of this severity."),
            ("code", "string", "Only with this code."),
            ("standing", "open|acknowledged|over", "Only standing so."),
            PORT,
            CURSOR,
            LIMIT,
        ],
        "Findings, the gravest first, then those that stand no more.",
    ),
    read("/findings/{id}", "Finding", &[], "One finding."),
    change(
        "/findings/{id}/acknowledge",
        Some("Acknowledgement"),
        "Finding",
        "ack",
        "Notes that somebody knows of a finding, and why it may stand.",
    ),
    change("/findings/{id}/reopen", None, "Finding", "ack", "Takes that back."),
    read(
        "/history",
        "RecordPage",
        &[
            ("since", "seconds", "From then on: seconds since 1970 in UTC."),
            ("until", "seconds", "Before then."),
            TRANSPORT,
            PORT,
            (
                "kinds",
                "string",
                "Only these, with commas between: socket, touch, gap, finding, session, stream.",
            ),
            CURSOR,
            LIMIT,
        ],
        "What was written down, the newest first.",
    ),
    read("/decoys", "Decoys", &[], "Decoys, and who came to them."),
    read(
        "/registry",
        "AssignmentPage",
        &[("text", "text!", "What is looked for: a name, an organisation, a document."), CURSOR, LIMIT],
        "Rows of the registry.",
    ),
    read("/policy", "Policies", &[], "What people wrote down, and what was proposed."),
    change(
        "/policy/validate",
        Some("Written"),
        "Checked",
        "read",
        "Whether a policy is sound, and which findings would go and come with it; changes nothing.",
    ),
    change(
        "/policy/propose",
        Some("Motion"),
        "Waiting",
        "ack",
        "Keeps a sound policy for an administrator, and says how it is taken over; it does not count.",
    ),
    change(
        "/policy/entry",
        Some("Wanted"),
        "Entry",
        "ack",
        "The entry of policy that would accept a finding; changes nothing.",
    ),
    read("/captures", "CapturePage", &[], "Captures that were handed in."),
    Operation {
        method: "post",
        path: "/captures",
        summary: "Hands in a capture: its bytes are the body. It is read in the background.",
        scope: "ack",
        query: &[("name", "string", "What it is called.")],
        takes: Some("application/octet-stream"),
        gives: "Capture",
    },
    read("/captures/{id}", "Capture", &[], "A capture, and what is in it."),
    read(
        "/events",
        "text/event-stream",
        &[
            (
                "kinds",
                "string",
                "Only these, with commas between: socket, flow, found, over, touch, looked, traffic.",
            ),
            (
                "passing",
                "true|false",
                "`false` leaves out sockets that come and go with one conversation: on a port that the kernel chose, and nobody waits there.",
            ),
            ("after", "string", "As the header Last-Event-ID: the id of the last event that was seen."),
        ],
        "What changes, as it changes; an event `missed` says that some are gone.",
    ),
    read("/openapi.json", "application/json", &[], "This document."),
];
