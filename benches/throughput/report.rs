//! The results as Markdown: what was to reach beside what was measured, then everything behind it.

use std::fmt::Write;

use crate::contenders::Contender;
use crate::findings::Findings;
use crate::plan::{Cell, Plan};
use crate::stats::Spread;

/// A figure that is told and judged by nobody.
const REPORTED: &str = "told";

/// A row of the table of targets.
struct Row {
    measure: String,
    target: &'static str,
    measured: String,
    reached: Option<bool>,
}

/// The whole page.
pub(crate) fn markdown(plan: &Plan, findings: &Findings) -> String {
    let mut page = String::from("# How fast\n\n");
    let machine: Vec<String> =
        findings.machine.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    line(&mut page, &format!("`{}`, on one machine with RabbitMQ and Redis.\n", plan.called.trim()));
    line(&mut page, &format!("{}.\n", machine.join("; ")));
    line(&mut page, "| measure | to reach | measured | |\n|---|---|---|---|");
    for row in targets(plan, findings) {
        let reached = match row.reached {
            Some(true) => "reached",
            Some(false) => "**not reached**",
            None => "",
        };
        line(&mut page, &format!("| {} | {} | {} | {reached} |", row.measure, row.target, row.measured));
    }
    line(&mut page, "\n![Recipients a second of each contender](results.svg)\n");
    side_by_side(&mut page, findings);
    busy(&mut page, plan, findings);
    lists(&mut page, findings);
    if !findings.troubles.is_empty() {
        line(&mut page, "\n## Not measured\n");
        for trouble in &findings.troubles {
            line(&mut page, &format!("- {trouble}"));
        }
    }
    page
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a String takes text");
}

fn targets(plan: &Plan, findings: &Findings) -> Vec<Row> {
    let (cell, large) = (plan.main_cell(), *plan.lists.last().expect("there is a list"));
    let mut rows = Vec::new();
    let mut row = |measure: String, target, found: Option<(String, bool)>| {
        let reached = found.as_ref().filter(|_| target != REPORTED).map(|(_, reached)| *reached);
        let measured = found.map_or_else(|| "not measured".to_owned(), |(measured, _)| measured);
        rows.push(Row { measure, target, measured, reached });
    };
    for (other, target, least) in [
        (Contender::Limit, "≥ 0.90", 0.9),
        (Contender::Direct, "≥ 3", 3.0),
        (Contender::Script, "≥ 20", 20.0),
    ] {
        let ratio = findings.ratio(cell, (Contender::Suppressd, large), (other, large));
        let found = ratio.map(|(ratio, pairs)| (of_pairs(ratio, pairs), ratio >= least));
        let measure = format!("suppressd ÷ {}, {}, {} list", other.name(), cell_name(cell), short(large));
        row(measure, target, found);
    }
    let core = findings.core.map(|core| (format!("{core:.2} M recipients/s"), core >= 2.0));
    row(
        format!("core, three identifiers a recipient, {} list, one core", short(large)),
        "≥ 2 M recipients/s",
        core,
    );
    let small = plan.lists[0];
    let lengths = findings.ratio(cell, (Contender::Suppressd, large), (Contender::Suppressd, small));
    let lengths = lengths.filter(|_| small != large);
    let lengths = lengths.map(|(ratio, pairs)| (of_pairs(ratio, pairs), ratio >= 0.9));
    row(format!("throughput with {} against {} identifiers", short(large), short(small)), "≥ 0.9", lengths);
    let costs = findings.lists.iter().find(|costs| costs.list == large);
    let bytes = |bytes: f64, most: f64| (format!("{bytes:.1} bytes"), bytes <= most);
    let at = |what: &str| format!("{what}, {} list", short(large));
    row(at("worker memory an identifier"), "≤ 40 bytes", costs.map(|costs| bytes(costs.worker_bytes, 40.0)));
    row(at("Redis memory an identifier"), "≤ 48 bytes", costs.map(|costs| bytes(costs.redis_bytes, 48.0)));
    let cold = costs.map(|costs| costs.cold_start.as_secs_f64());
    row(at("cold start until ready"), "≤ 10 s", cold.map(|cold| (format!("{cold:.1} s"), cold <= 10.0)));
    let import = costs.map(|costs| {
        let (read, applied) = (rate(costs.lines, costs.imported), rate(costs.lines, costs.applied));
        (format!("{read:.0} lines/s; {applied:.0} lines/s until a worker has them"), applied >= 20_000.0)
    });
    row("import, three identifiers a line, ledger included".into(), "≥ 20,000 events/s", import);
    let addresses = findings
        .addresses
        .map(|speed| (format!("{speed:.0} lines/s until a worker has them"), speed >= 20_000.0));
    row("import, an address a line, ledger included".into(), "≥ 20,000 events/s", addresses);
    let effects = findings.in_force.as_ref().map(|effects| {
        let (acknowledged, published) = (effects.acknowledged, effects.published);
        let measured = format!(
            "p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms (from publishing: {:.1}, {:.1} and {:.1})",
            acknowledged.p50, acknowledged.p99, acknowledged.max, published.p50, published.p99, published.max
        );
        (measured, acknowledged.p99 <= 50.0 && effects.broken == 0)
    });
    row(
        "opt-out acknowledged by RabbitMQ → in force and its receipt there, while jobs run at full speed"
            .into(),
        "p99 ≤ 50 ms",
        effects,
    );
    let parted = findings.partitions.as_ref().and_then(|parted| {
        let (one, two) = (Spread::of(parted.one.iter().copied())?, Spread::of(parted.two.iter().copied())?);
        let measured = format!("{:.2} ({} and {})", two.median / one.median, speed(two), speed(one));
        Some((measured, true))
    });
    row("two workers on a core each ÷ one on one core".into(), REPORTED, parted);
    rows
}

fn side_by_side(page: &mut String, findings: &Findings) {
    line(page, "## Side by side\n");
    line(page, "Thousand recipients a second: median (smallest to largest). Ratios are of the medians.\n");
    line(
        page,
        "| recipients a message | channel | list | limit | suppressd | peer, direct | peer, script | ÷ limit | ÷ direct | ÷ script |\n\
         |---|---|---|---|---|---|---|---|---|---|",
    );
    for cell in findings.cells() {
        for list in findings.lists_of(cell) {
            let speeds = Contender::ALL
                .map(|contender| findings.speed(cell, contender, list).map_or_else(|| "–".to_owned(), speed));
            let ratios = [Contender::Limit, Contender::Direct, Contender::Script].map(|other| {
                let ratio = findings.ratio(cell, (Contender::Suppressd, list), (other, list));
                ratio.map_or_else(|| "–".to_owned(), |(ratio, _)| format!("{ratio:.2}"))
            });
            let (recipients, channel) = (cell.recipients, cell.channel.as_str());
            let (speeds, ratios) = (speeds.join(" | "), ratios.join(" | "));
            line(page, &format!("| {recipients} | {channel} | {} | {speeds} | {ratios} |", short(list)));
        }
    }
}

/// Who used the processor: what bounds each contender.
fn busy(page: &mut String, plan: &Plan, findings: &Findings) {
    let (cell, large) = (plan.main_cell(), *plan.lists.last().expect("there is a list"));
    line(
        page,
        &format!("\n## Cores that were busy\n\n{}, {} list, medians.\n", cell_name(cell), short(large)),
    );
    line(page, "| | itself | RabbitMQ | Redis |\n|---|---|---|---|");
    for contender in Contender::ALL {
        let cores = [0, 1, 2].map(|n| {
            Spread::of(findings.of(cell, contender, large).map(|sample| sample.cores[n]))
                .map_or_else(|| "–".to_owned(), |cores| format!("{:.2}", cores.median))
        });
        line(page, &format!("| {} | {} |", contender.name(), cores.join(" | ")));
    }
    if let Some(parted) = &findings.partitions {
        for (name, cores) in ["one worker on one core", "two workers on a core each"].iter().zip(parted.cores)
        {
            line(page, &format!("| {name} | {:.2} | {:.2} | {:.2} |", cores[0], cores[1], cores[2]));
        }
    }
    if let Some(effects) = &findings.in_force {
        let Some(first) = effects.first_job else { return };
        line(
            page,
            &format!(
                "\nWhile {} people opted out, one worker filtered {:.0} recipients a second. From publishing an \
                 opt-out until the next of the looked-at jobs came out without that person: p50 {:.1} ms, \
                 p99 {:.1} ms. Of {} outputs looked at, {} named somebody who had opted out before their revision.",
                effects.opt_outs, effects.speed, first.p50, first.p99, effects.probes, effects.broken
            ),
        );
    }
}

fn lists(page: &mut String, findings: &Findings) {
    line(page, "\n## Lists\n");
    line(
        page,
        "| identifiers | lines | imported in | in a worker's list after | cold start, at first | worker, bytes an identifier | Redis, bytes an identifier |\n\
         |---|---|---|---|---|---|---|",
    );
    for costs in &findings.lists {
        let starts = findings.samples.iter().filter(|sample| sample.list == costs.list);
        let starts = Spread::of(starts.filter_map(|sample| sample.ready).map(|ready| ready.as_secs_f64()));
        let later = starts.map_or_else(String::new, |s| {
            format!(" (later {:.1} s, {:.1} to {:.1})", s.median, s.min, s.max)
        });
        line(
            page,
            &format!(
                "| {} | {} | {:.1} s | {:.1} s | {:.1} s{later} | {:.1} | {:.1} |",
                short(costs.list),
                costs.lines,
                costs.imported.as_secs_f64(),
                costs.applied.as_secs_f64(),
                costs.cold_start.as_secs_f64(),
                costs.worker_bytes,
                costs.redis_bytes
            ),
        );
    }
}

fn cell_name(cell: Cell) -> String {
    format!("{} recipients a message, {}", cell.recipients, cell.channel.as_str())
}

/// `10 M`, `0.1 M`.
pub(crate) fn short(identifiers: u64) -> String {
    format!("{} M", identifiers as f64 / 1e6)
}

fn speed(spread: Spread) -> String {
    let digits = usize::from(spread.median < 100_000.0);
    let thousand = |value: f64| format!("{:.digits$}", value / 1e3);
    format!("{} ({} to {})", thousand(spread.median), thousand(spread.min), thousand(spread.max))
}

fn of_pairs(ratio: f64, pairs: Spread) -> String {
    format!("{ratio:.2} (pairs of a round: {:.2}, {:.2} to {:.2})", pairs.median, pairs.min, pairs.max)
}

fn rate(lines: u64, time: std::time::Duration) -> f64 {
    lines as f64 / time.as_secs_f64()
}
