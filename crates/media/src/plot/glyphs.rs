//! Letters as strokes, made for this: a plot in PNG needs no font.
//!
//! A letter is strokes through places, each place two digits: to the right (0 to 8), and down (0 to D). Capitals reach
//! from 0 to A, small letters from 3 to A.

/// Height of a capital in the units of a letter.
pub const CAPITAL: f64 = 10.0;

/// Room between letters.
const BETWEEN: f64 = 2.6;

/// The strokes of a letter, with spaces between them; a box for one that is not known.
fn strokes(letter: char) -> &'static str {
    match letter {
        ' ' | '\u{a0}' | '\u{202f}' => "",
        '!' => "1017 191A",
        '"' => "1013 3033",
        '#' => "200A 503A 0363 0767",
        '%' => "102031332414030110 701A 667687897A6A595766",
        '&' => "6A021030410507192A3A67",
        '\'' => "1013",
        '(' => "3012183A",
        ')' => "1032381A",
        '*' => "3237 1355 1553",
        '+' => "0666 3339",
        ',' => "191A0C",
        '-' => "0646",
        '.' => "191A",
        '/' => "500B",
        '0' => "3020110307192A4A596763514030",
        '1' => "12303A 1A5A",
        '2' => "02112040516264550A6A",
        '3' => "02112040516263544525 45566768594A2A1908",
        '4' => "4A400767",
        '5' => "601005143444566768594A2A1908",
        '6' => "514020110307192A4A59675645251607",
        '7' => "00602A",
        '8' => "302011031425455463514030 25160708192A4A5968675645",
        '9' => "192A4A5967635140201103041525455463",
        ':' => "1415 191A",
        ';' => "1415 191A0C",
        '<' => "530659",
        '=' => "0464 0868",
        '>' => "035609",
        '?' => "0211204051623437 393A",
        'A' => "0A306A 1757",
        'B' => "0A0040516263544505 45566768594A0A",
        'C' => "62514020110307192A4A5968",
        'D' => "000A3A596763513000",
        'E' => "60000A6A 0555",
        'F' => "60000A 0555",
        'G' => "62514020110307192A4A59676636",
        'H' => "000A 606A 0565",
        'I' => "101A",
        'J' => "5057493A2A1908",
        'K' => "000A 6006 246A",
        'L' => "000A5A",
        'M' => "0A0037606A",
        'N' => "0A006A60",
        'O' => "3020110307192A4A596763514030",
        'P' => "0A0040516264554606",
        'Q' => "3020110307192A4A596763514030 476B",
        'R' => "0A0040516264554606 366A",
        'S' => "62514020110203142545566768594A2A1908",
        'T' => "0060 303A",
        'U' => "0007192A4A596760",
        'V' => "003A60",
        'W' => "002A426A80",
        'X' => "006A 600A",
        'Y' => "003560 353A",
        'Z' => "00600A6A",
        '[' => "30101A3A",
        ']' => "10303A1A",
        '_' => "0B6B",
        'a' => "535A 544323140508192A3A4958",
        'b' => "000A 05142333445558493A2A1908",
        'c' => "544323140508192A3A4958",
        'd' => "505A 544323140508192A3A4958",
        'e' => "075755443323140508192A3A4A59",
        'f' => "403021232A 0343",
        'g' => "535B4C3D1D0C 544323140508192A3A4958",
        'h' => "000A 0514233344555A",
        'i' => "131A 1011",
        'j' => "232B1C0D 2021",
        'k' => "000A 5308 265A",
        'l' => "101A",
        'm' => "030A 05142333444A 45546373848A",
        'n' => "030A 0514233344555A",
        'o' => "23140508192A3A495855443323",
        'p' => "030D 05142333445558493A2A1908",
        'q' => "535D 544323140508192A3A4958",
        'r' => "030A 05142343",
        's' => "5443130405164657594A1A09",
        't' => "2028394A 0343",
        'u' => "0308192A3A4958 535A",
        'v' => "033A63",
        'w' => "032A456A83",
        'x' => "035A 530A",
        'y' => "033A 632D1D",
        'z' => "03530A5A",
        '|' => "101B",
        '°' => "102031332414030110",
        'µ' => "030D 0308192A3A4958 535A",
        '·' => "1516",
        '×' => "0448 4408",
        'μ' => "030D 0308192A3A4958 535A",
        '–' => "0666",
        '—' => "0686",
        '’' => "1013",
        '…' => "191A 393A 595A",
        '↑' => "3A30 123052",
        '→' => "0666 446648",
        '−' => "0666",
        '∞' => "462414050718284664748587786846",
        '≤' => "520558 0A5A",
        '≥' => "025508 0A5A",
        _ => "02525A0A02",
    }
}

/// The strokes of a letter as places.
pub fn letter(letter: char) -> impl Iterator<Item = impl Iterator<Item = (f64, f64)>> {
    let digit = |octet: u8| (octet as char).to_digit(16).map_or(0.0, f64::from);
    let place = move |pair: &[u8; 2]| (digit(pair[0]), digit(pair[1]));
    strokes(letter).split(' ').map(move |stroke| stroke.as_bytes().as_chunks::<2>().0.iter().map(place))
}

/// How far the next letter is.
pub fn advance(of: char) -> f64 {
    // Digits are as wide as each other, so that numbers below each other line up.
    if of.is_ascii_digit() {
        return 6.0 + BETWEEN;
    }
    let widest = letter(of).flatten().map(|(x, _)| x).fold(0.0, f64::max);
    if widest == 0.0 { 4.0 } else { widest + BETWEEN }
}

/// How wide a text is, in the units of a letter.
pub fn width(text: &str) -> f64 {
    text.chars().map(advance).sum::<f64>() - BETWEEN
}
