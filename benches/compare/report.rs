//! The figures of all rows: as a table for people, as JSON, and as a picture.

use serde::Serialize;

use crate::support::{Failure, Spread};

/// What the ratio has to be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// One figure of the gateway's, beside one server's.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    path: String,
    figure: &'static str,
    base: &'static str,
    gateway: Spread,
    of_base: Spread,
    /// The gateway's as a part of the other's, round by round.
    ratio: Spread,
    target: Target,
    is_met: bool,
}

impl Row {
    /// One figure a round of each.
    pub(crate) fn new(
        path: &str,
        figure: &'static str,
        base: &'static str,
        ours: Vec<f64>,
        theirs: Vec<f64>,
        target: Target,
    ) -> Row {
        let ratio = Spread::of(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs));
        let is_met = match target {
            Target::AtMost(most) => ratio.median <= most,
            Target::AtLeast(least) => ratio.median >= least,
        };
        let (gateway, of_base) = (Spread::of(ours), Spread::of(theirs));
        Row { path: path.to_owned(), figure, base, gateway, of_base, ratio, target, is_met }
    }
}

/// As many digits as say something.
fn text(spread: &Spread) -> String {
    spread.text(match spread.median {
        median if median >= 1_000.0 => 0,
        median if median >= 100.0 => 1,
        _ => 2,
    })
}

/// All rows, each told as it comes.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        if self.rows.is_empty() {
            println!(
                "{:56}{:17}{:>28}  {:12}{:>28}{:>20}   target",
                "path", "figure", "gateway", "beside", "", "ratio"
            );
        }
        let target = match row.target {
            Target::AtMost(most) => format!("≤ {most}"),
            Target::AtLeast(least) => format!("≥ {least}"),
        };
        println!(
            "{:56}{:17}{:>28}  {:12}{:>28}{:>20}   {target}{}",
            row.path,
            row.figure,
            text(&row.gateway),
            row.base,
            text(&row.of_base),
            text(&row.ratio),
            if row.is_met { "" } else { "  missed" }
        );
        self.rows.push(row);
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn missed(&self) -> usize {
        self.rows.iter().filter(|row| !row.is_met).count()
    }

    pub(crate) fn json(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Each ratio as a part of what it may be at most: the line is the target, shorter is better.
    pub(crate) fn svg(&self) -> String {
        let height = ROW * (self.rows.len() + 2);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{TARGET_AT}\" y=\"14\" text-anchor=\"middle\" fill=\"#444\">target</text>\n"
        );
        for (row, y) in self.rows.iter().zip((1..).map(|place| place * ROW)) {
            let (part, target) = match row.target {
                Target::AtMost(most) => (row.ratio.median / most, format!("≤ {most}")),
                Target::AtLeast(least) => (least / row.ratio.median, format!("≥ {least}")),
            };
            let bar = (part * (TARGET_AT - BARS_AT) as f64).clamp(1.0, (WIDTH - BARS_AT - NUMBERS) as f64);
            let color = if row.is_met { "#3a8f5c" } else { "#d08a2e" };
            let (text_y, label_x, numbers_x) = (y + 12, BARS_AT - 8, WIDTH - 4);
            let Row { path, figure, base, .. } = row;
            svg += &format!(
                "<text x=\"{label_x}\" y=\"{text_y}\" text-anchor=\"end\">{path}: {figure} / {base}</text>\n\
                 <rect x=\"{BARS_AT}\" y=\"{y}\" width=\"{bar:.0}\" height=\"{BAR}\" fill=\"{color}\"/>\n\
                 <text x=\"{numbers_x}\" y=\"{text_y}\" text-anchor=\"end\">{:.2} ({target})</text>\n",
                row.ratio.median
            );
        }
        let bottom = height - ROW;
        svg + &format!(
            "<line x1=\"{TARGET_AT}\" y1=\"{ROW}\" x2=\"{TARGET_AT}\" y2=\"{bottom}\" stroke=\"#444\"/>\n</svg>\n"
        )
    }
}

const WIDTH: usize = 960;
const ROW: usize = 18;
const BAR: usize = 14;
const BARS_AT: usize = 480;
/// Where a bar ends that is just as long as it may be.
const TARGET_AT: usize = 680;
const NUMBERS: usize = 110;
