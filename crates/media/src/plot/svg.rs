//! A drawing as SVG: themes by style sheet, nothing fetched, no script, text escaped.

use core::fmt::Write as _;

use super::drawing::{Anchor, Drawing, INKS, Place, Shape, Theme};

/// What is read as markup becomes what is read as text.
fn escape(text: &str, to: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            other => to.push(other),
        }
    }
}

/// A number with at most two digits behind the point.
fn number(value: f64, to: &mut String) {
    let rounded = (value * 100.0).round() / 100.0;
    // Not a number, and numbers without end, are no places; and a zero has no sign.
    let _ = write!(to, "{}", if rounded.is_finite() && rounded != 0.0 { rounded } else { 0.0 });
}

fn places(places: &[Place], to: &mut String) {
    for (index, (x, y)) in places.iter().enumerate() {
        if index > 0 {
            to.push(' ');
        }
        number(*x, to);
        to.push(',');
        number(*y, to);
    }
}

fn variables(theme: Theme, to: &mut String) {
    let [red, green, blue] = theme.paper();
    let _ = write!(to, "--paper:#{red:02x}{green:02x}{blue:02x}");
    for row in &INKS {
        let [red, green, blue, cover] = row.colour(theme);
        let _ = write!(to, ";--{}:#{red:02x}{green:02x}{blue:02x}", row.name);
        if cover < 255 {
            let _ = write!(to, "{cover:02x}");
        }
    }
}

/// Colours by what the reader prefers, or by what the page says (`data-theme`).
fn style(to: &mut String) {
    to.push_str("<style>.portreeve-plot{");
    variables(Theme::Light, to);
    to.push_str("}@media(prefers-color-scheme:dark){.portreeve-plot{");
    variables(Theme::Dark, to);
    to.push_str("}}[data-theme=light] .portreeve-plot{");
    variables(Theme::Light, to);
    to.push_str("}[data-theme=dark] .portreeve-plot{");
    variables(Theme::Dark, to);
    // Paper is light.
    to.push_str("}@media print{.portreeve-plot{");
    variables(Theme::Light, to);
    to.push_str("}}.portreeve-plot text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-variant-numeric:tabular-nums}</style>");
}

/// The drawing as one element that stands in a page or in a file by itself.
pub fn render(drawing: &Drawing) -> String {
    let mut to = String::with_capacity(4096);
    to.push_str(r#"<svg xmlns="http://www.w3.org/2000/svg" class="portreeve-plot" role="img" viewBox="0 0 "#);
    number(drawing.width, &mut to);
    to.push(' ');
    number(drawing.height, &mut to);
    to.push_str(r#"" width=""#);
    number(drawing.width, &mut to);
    to.push_str(r#"" height=""#);
    number(drawing.height, &mut to);
    to.push_str(r#"" style="max-width:100%;height:auto" aria-label=""#);
    escape(&drawing.title, &mut to);
    to.push_str(". ");
    escape(&drawing.description, &mut to);
    to.push_str("\"><title>");
    escape(&drawing.title, &mut to);
    to.push_str("</title><desc>");
    escape(&drawing.description, &mut to);
    to.push_str("</desc>");
    style(&mut to);
    to.push_str(r#"<rect width="100%" height="100%" fill="var(--paper)"/>"#);
    for shape in &drawing.shapes {
        element(shape, &mut to);
    }
    to.push_str("</svg>\n");
    to
}

fn element(shape: &Shape, to: &mut String) {
    match shape {
        Shape::Stroke { through, ink, width, dashed } => {
            to.push_str(r#"<polyline points=""#);
            places(through, to);
            let _ = write!(to, r#"" fill="none" stroke="var(--{})" stroke-width=""#, ink.name());
            number(*width, to);
            to.push_str(r#"" stroke-linejoin="round""#);
            if *dashed {
                to.push_str(r#" stroke-dasharray="6 4""#);
            }
            to.push_str("/>");
        }
        Shape::Area { around, ink } => {
            to.push_str(r#"<polygon points=""#);
            places(around, to);
            let _ = write!(to, r#"" fill="var(--{})"/>"#, ink.name());
        }
        Shape::Bar { x, y, width, height, ink } => {
            to.push_str("<rect");
            for (name, value) in [("x", x), ("y", y), ("width", width), ("height", height)] {
                let _ = write!(to, " {name}=\"");
                number(*value, to);
                to.push('"');
            }
            let _ = write!(to, r#" fill="var(--{})"/>"#, ink.name());
        }
        Shape::Text { at: (x, y), anchor, size, ink, bold, text } => {
            to.push_str("<text x=\"");
            number(*x, to);
            to.push_str("\" y=\"");
            number(*y, to);
            to.push_str("\" font-size=\"");
            number(*size, to);
            let _ = write!(to, r#"" fill="var(--{})""#, ink.name());
            to.push_str(match anchor {
                Anchor::Start => "",
                Anchor::Middle => r#" text-anchor="middle""#,
                Anchor::End => r#" text-anchor="end""#,
            });
            to.push_str(if *bold { r#" font-weight="600">"# } else { ">" });
            escape(text, to);
            to.push_str("</text>");
        }
    }
}
