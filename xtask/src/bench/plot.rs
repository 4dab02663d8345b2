//! Recall against queries a second as an SVG: two panels, one legend.
//!
//! The picture is written by hand, as it is small, and has neither background nor style sheet:
//! greys and colours are of a middle lightness that can be read on white and on black.

use std::fmt::Write;

/// One line of a panel.
pub(super) struct Series {
    pub(super) name: String,
    /// Which of the colours, marks and dashes: the same name has the same in all panels.
    pub(super) style: usize,
    /// Recall and queries a second, by rising recall.
    pub(super) points: Vec<(f64, f64)>,
}

/// One set of queries.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) series: Vec<Series>,
}

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 46.0;
const LEGEND_LINE: f64 = 20.0;
const LEGEND_COLUMNS: usize = 3;
/// Recall at the left edge and at the right one.
const RECALL: (f64, f64) = (0.90, 1.0);
const GREY: &str = "#858b94";
const COLOURS: [&str; 9] = [
    "#e5484d", "#e5484d", "#3b82f6", "#0e9f6e", "#c2820a", "#a855f7", "#0891b2", "#b45f8d",
    "#7c8b1f",
];
const MARKS: [char; 9] = ['o', 's', 'o', 's', 't', 'd', 't', 'o', 's'];

/// The picture.
pub(super) fn svg(panels: &[Panel], source: &str) -> String {
    let names = names(panels);
    let lines = names.len().div_ceil(LEGEND_COLUMNS);
    let width = WIDTH * panels.len() as f64;
    let height = HEIGHT + LEGEND_LINE * lines as f64 + 34.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"{GREY}\" role=\"img\">\n\
         <title>Recall against queries a second, one thread</title>\n"
    );
    let range = speeds(panels);
    for (number, panel) in panels.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate({},0)\">", WIDTH * number as f64);
        axes(&mut out, &panel.title, range);
        // Ours come last, and so lie over the others.
        for series in panel.series.iter().rev() {
            line(&mut out, series, range);
        }
        out.push_str("</g>\n");
    }
    for (number, (name, style)) in names.iter().enumerate() {
        let column = width / LEGEND_COLUMNS as f64;
        let x = 20.0 + column * (number % LEGEND_COLUMNS) as f64;
        let y = HEIGHT + 14.0 + LEGEND_LINE * (number / LEGEND_COLUMNS) as f64;
        let _ = write!(out, "{}", stroke(*style, &format!("M{x} {y}h28")));
        out.push_str(&mark(*style, x + 14.0, y));
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{}</text>", x + 36.0, y + 4.0, escape(name));
    }
    let _ = writeln!(
        out,
        "<text x=\"20\" y=\"{}\" font-size=\"11\">{}</text>\n</svg>",
        height - 8.0,
        escape(source)
    );
    out
}

/// Each name once, in the order of its style.
fn names(panels: &[Panel]) -> Vec<(&str, usize)> {
    let series = panels.iter().flat_map(|panel| &panel.series);
    let mut names: Vec<_> = series.map(|one| (one.name.as_str(), one.style)).collect();
    names.sort_by_key(|(_, style)| *style);
    names.dedup();
    names
}

/// The axis of speeds: whole steps of 1, 2 and 5 around all that is drawn.
fn speeds(panels: &[Panel]) -> (f64, f64) {
    let points = panels.iter().flat_map(|panel| &panel.series).flat_map(|one| &one.points);
    let seen = points.filter(|(recall, _)| *recall >= RECALL.0).map(|(_, qps)| *qps);
    let (low, high) = seen.fold((f64::MAX, 1.0f64), |(low, high), q| (low.min(q), high.max(q)));
    let ticks = ticks(0, 8);
    let below = ticks.iter().rev().find(|tick| **tick <= low).copied().unwrap_or(1.0);
    (below, ticks.into_iter().find(|tick| *tick >= high).unwrap_or(high))
}

/// 1, 2, 5, 10, 20 and so on.
fn ticks(from: i32, to: i32) -> Vec<f64> {
    (from..to).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power))).collect()
}

fn x(recall: f64) -> f64 {
    LEFT + (recall - RECALL.0) / (RECALL.1 - RECALL.0) * (WIDTH - LEFT - RIGHT)
}

fn y(qps: f64, (low, high): (f64, f64)) -> f64 {
    let share = (qps / low).ln() / (high / low).ln();
    HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
}

fn axes(out: &mut String, title: &str, range: (f64, f64)) {
    let (left, right, bottom) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut grid = String::new();
    for tick in ticks(0, 8).into_iter().filter(|tick| (range.0..=range.1).contains(tick)) {
        let y = y(tick, range);
        let _ = write!(grid, "M{left} {y:.1}H{right}");
        let label = if tick >= 1000.0 { format!("{}k", tick / 1e3) } else { format!("{tick}") };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 8.0,
            y + 4.0
        );
    }
    for percent in (90..=100).step_by(2).chain([97, 99]) {
        let recall = f64::from(percent) / 100.0;
        let x = x(recall);
        let _ = write!(grid, "M{x:.1} {TOP}V{bottom}");
        // Two digits stand too close to their neighbours for labels of their own at 96 and 98.
        if ![96, 98].contains(&percent) {
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{recall:.2}</text>",
                bottom + 18.0
            );
        }
    }
    let _ = writeln!(
        out,
        "<path d=\"{grid}\" stroke=\"{GREY}\" stroke-opacity=\"0.3\" fill=\"none\"/>\n\
         <text x=\"{}\" y=\"20\" text-anchor=\"middle\" font-size=\"14\" font-weight=\"bold\">{}</text>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">recall@10</text>\n\
         <text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">queries/s, one thread</text>",
        (left + right) / 2.0,
        escape(title),
        (left + right) / 2.0,
        bottom + 38.0,
        f64::midpoint(TOP, bottom),
    );
}

/// A line with its marks; what is left of the panel is cut where it enters.
fn line(out: &mut String, series: &Series, range: (f64, f64)) {
    let mut points = Vec::new();
    for pair in series.points.windows(2) {
        let ((r0, q0), (r1, q1)) = (pair[0], pair[1]);
        if r0 < RECALL.0 && r1 > RECALL.0 {
            let share = (RECALL.0 - r0) / (r1 - r0);
            points.push((RECALL.0, (q0.ln() + share * (q1.ln() - q0.ln())).exp(), false));
        }
        if r1 >= RECALL.0 {
            points.push((r1, q1, true));
        }
    }
    if let Some(&(r, q)) = series.points.first().filter(|(r, _)| *r >= RECALL.0) {
        points.insert(0, (r, q, true));
    }
    let places: Vec<(f64, f64, bool)> =
        points.iter().map(|&(r, q, is_point)| (x(r), y(q, range), is_point)).collect();
    let path: String = places
        .iter()
        .enumerate()
        .map(|(at, (x, y, _))| format!("{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' }))
        .collect();
    out.push_str(&stroke(series.style, &path));
    for (x, y, _) in places.iter().filter(|place| place.2) {
        out.push_str(&mark(series.style, *x, *y));
    }
}

/// The first two styles are ours: wider, the second one dashed.
fn stroke(style: usize, path: &str) -> String {
    let width = if style < 2 { 2.6 } else { 1.6 };
    let dash = if style == 1 { " stroke-dasharray=\"7 4\"" } else { "" };
    let colour = COLOURS[style % COLOURS.len()];
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash}/>\n"
    )
}

fn mark(style: usize, x: f64, y: f64) -> String {
    let colour = COLOURS[style % COLOURS.len()];
    let shape = match MARKS[style % MARKS.len()] {
        's' => format!("<path d=\"M{:.1} {:.1}h7v7h-7z\"", x - 3.5, y - 3.5),
        't' => format!("<path d=\"M{x:.1} {:.1}l4.5 8h-9z\"", y - 5.0),
        'd' => format!("<path d=\"M{x:.1} {:.1}l4.5 4.5l-4.5 4.5l-4.5-4.5z\"", y - 4.5),
        _ => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.6\""),
    };
    format!("{shape} fill=\"{colour}\"/>\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> String {
        let series = |name: &str, style, points: &[(f64, f64)]| Series {
            name: name.into(),
            style,
            points: points.to_vec(),
        };
        let panel = |title: &str| Panel {
            title: title.into(),
            series: vec![
                series("a < b", 0, &[(0.85, 30_000.0), (0.95, 20_000.0), (0.999, 900.0)]),
                series("c", 2, &[(0.5, 7.0), (0.6, 6.0)]),
            ],
        };
        svg(&[panel("one"), panel("two")], "from a & b")
    }

    #[test]
    fn the_axis_covers_what_is_seen_in_whole_steps() {
        let text = picture();
        // 7 and 6 are left of the panel; 900 is above 500, and 20,000 and what enters below 50,000.
        assert!(text.contains(">500</text>") && text.contains(">20k</text>"), "{text}");
        assert!(!text.contains(">200</text>") && !text.contains(">100k</text>"), "{text}");
        assert!(text.contains("a &lt; b") && text.contains("from a &amp; b"));
    }

    #[test]
    fn a_line_enters_at_the_edge_without_a_mark() {
        let text = picture();
        // In two panels two marks each, and one in the legend; of the second only the legend's.
        let marks = |colour: &str| text.matches(&format!("fill=\"{colour}\"/>")).count();
        assert_eq!(marks(COLOURS[0]), 5);
        assert_eq!(marks(COLOURS[2]), 1);
        assert!(text.contains(&format!("d=\"M{LEFT:.1} ")), "{text}");
    }

    #[test]
    fn speeds_are_on_a_logarithmic_axis() {
        let range = (100.0, 10_000.0);
        let (low, middle, high) = (y(100.0, range), y(1_000.0, range), y(10_000.0, range));
        assert!((low - middle - (middle - high)).abs() < 1e-9 && low > high);
    }
}
