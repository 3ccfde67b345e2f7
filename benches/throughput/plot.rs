//! The plot: bars from left to right, a group for each kind of job, readable on light and on dark pages.
//!
//! Drawn by hand, so that there is no dependency. Lengths are to scale from zero; a thin line spans the smallest
//! and the largest measurement. Colours follow the reader's own setting, the text is text.

use std::fmt::Write;

use crate::contenders::Contender;
use crate::findings::Findings;
use crate::report::short;
use crate::stats::Spread;

const WIDTH: f64 = 860.0;
/// Where bars begin; names stand before.
const LEFT: f64 = 120.0;
/// Room for numbers behind the longest bar.
const RIGHT: f64 = 90.0;
const BAR: f64 = 18.0;
const BAR_STEP: f64 = 23.0;
const TITLE: f64 = 62.0;
const GROUP_HEAD: f64 = 30.0;
const GROUP_GAP: f64 = 14.0;

const STYLE: &str = "text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.head{font-weight:600}.title{font-size:16px;font-weight:600}.soft{fill:#59636e}\
.grid{stroke:#d1d9e0;stroke-width:1}.span{stroke:#1f2328;stroke-width:1.5}\
.page{fill:#ffffff}.b0{fill:#8c959f}.b1{fill:#1a7f37}.b2{fill:#bf6a02}.b3{fill:#3572b0}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#3d444d}\
.span{stroke:#e6edf3}.page{fill:#0d1117}.b0{fill:#6e7681}.b1{fill:#3fb950}.b2{fill:#d29922}.b3{fill:#58a6ff}}";

struct Bar {
    contender: Contender,
    speed: Spread,
}

/// Draws the longest list of every kind of job.
pub(crate) fn svg(findings: &Findings) -> String {
    let mut groups = Vec::new();
    for cell in findings.cells() {
        let Some(list) = findings.lists_of(cell).last().copied() else { continue };
        let bars = Contender::ALL.into_iter().filter_map(|contender| {
            findings.speed(cell, contender, list).map(|speed| Bar { contender, speed })
        });
        let head = format!(
            "{} recipients a message, {}, {} identifiers on the list",
            cell.recipients,
            cell.channel.as_str(),
            short(list)
        );
        groups.push((head, bars.collect::<Vec<_>>()));
    }
    draw(&groups)
}

fn draw(groups: &[(String, Vec<Bar>)]) -> String {
    let bars: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
    let height = TITLE + groups.len() as f64 * (GROUP_HEAD + GROUP_GAP) + bars as f64 * BAR_STEP + 30.0;
    let largest = groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.speed.max).fold(1.0, f64::max);
    let step = round_step(largest / 4.0);
    let scale = (WIDTH - LEFT - RIGHT) / largest;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Recipients a second of each contender\">\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    text(&mut svg, (16.0, 26.0), "title", "", "Recipients a second, one process each");
    text(&mut svg, (16.0, 46.0), "soft", "", "Bar: median. Line: smallest to largest. Longer is better.");
    let bottom = height - 26.0;
    let mut mark = 0.0;
    while mark <= largest {
        let x = LEFT + mark * scale;
        write(&mut svg, &format!("<path class=\"grid\" d=\"M{x:.1} {TITLE}V{bottom:.1}\"/>\n"));
        text(&mut svg, (x, height - 10.0), "soft", "middle", &thousands(mark));
        mark += step;
    }
    let mut y = TITLE;
    for (head, bars) in groups {
        text(&mut svg, (16.0, y + 18.0), "head", "", head);
        y += GROUP_HEAD;
        for bar in bars {
            draw_bar(&mut svg, bar, y, scale);
            y += BAR_STEP;
        }
        y += GROUP_GAP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_bar(svg: &mut String, bar: &Bar, y: f64, scale: f64) {
    let (middle, class) = (y + BAR / 2.0, bar.contender as usize);
    let end = |speed: f64| LEFT + speed * scale;
    text(svg, (LEFT - 8.0, middle + 4.5), "", "end", bar.contender.name());
    let width = (bar.speed.median * scale).max(1.0);
    write(
        svg,
        &format!(
            "<rect class=\"b{class}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\n\
             <path class=\"span\" d=\"M{:.1} {middle:.1}H{:.1}\"/>\n",
            end(bar.speed.min),
            end(bar.speed.max)
        ),
    );
    text(svg, (end(bar.speed.max) + 6.0, middle + 4.5), "", "", &thousands(bar.speed.median));
}

fn write(svg: &mut String, text: &str) {
    svg.write_str(text).expect("a String takes text");
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, words: &str) {
    let anchor = if anchor.is_empty() { "start" } else { anchor };
    write(
        svg,
        &format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>\n"
        ),
    );
}

/// 1, 2 or 5 times a power of ten.
fn round_step(about: f64) -> f64 {
    let power = 10f64.powf(about.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| *step >= about).unwrap_or(steps[3])
}

fn thousands(speed: f64) -> String {
    match speed {
        0.0 => "0".into(),
        small if small < 100_000.0 => format!("{:.1} k", small / 1e3),
        large if large < 1_000_000.0 => format!("{:.0} k", large / 1e3),
        larger => format!("{:.2} M", larger / 1e6),
    }
}
