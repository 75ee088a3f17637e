//! What the keys do.

/// Keys, and what they do.
pub(super) const KEYS: [(&str, &str); 17] = [
    ("1 … 5, Tab, Shift-Tab", "ports, holders, flows, findings, streams"),
    ("↑ ↓, k j", "one row up or down"),
    ("PgUp PgDn, Ctrl-B Ctrl-F", "one screen up or down"),
    ("Home End, g G", "the first or the last row"),
    ("Enter, →", "everything about this row"),
    ("Esc, ←", "back; Esc at last ends"),
    ("s", "sort by the next column that is shown"),
    ("r", "sort the other way round"),
    ("/", "filter: words, and KEY=VALUE"),
    ("", "  of ports, holders: as in list (scope=any port=1-1023)"),
    ("", "  elsewhere: titles of columns (severity=alert)"),
    ("Space, f", "freeze; what comes is taken in behind"),
    ("? h", "this"),
    ("Ctrl-L", "draw everything anew"),
    ("Ctrl-Z", "stop; fg goes on"),
    ("q, Ctrl-C", "end"),
    ("", "? after a name: by the number alone. *: new this minute."),
];

/// The keys that stand in the last line, the most needed first.
pub(super) const FOOT: [(&str, &str); 9] = [
    ("q", "quit"),
    ("?", "help"),
    ("Enter", "details"),
    ("/", "filter"),
    ("s", "sort"),
    ("r", "reverse"),
    ("Space", "freeze"),
    ("1-5", "tabs"),
    ("↑↓", "rows"),
];

/// The same where details are shown.
pub(super) const FOOT_OF_DETAILS: [(&str, &str); 5] =
    [("Esc", "back"), ("↑↓", "scroll"), ("Space", "freeze"), ("?", "help"), ("q", "quit")];
