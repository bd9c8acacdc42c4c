//! The results in words: tables of percentages.

use super::rivals::Rule;
use super::runner::{Cell, Effort, Table};
use super::tally::Event;
use std::fmt::Write;

/// A table of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub intro: &'static str,
    /// Names of the columns; the first one names the rows.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// Every sheet that the cells fill.
#[must_use]
pub fn sheets(cells: &[Cell]) -> Vec<Sheet> {
    let mut sheets = vec![worst(cells)];
    let by_n = [
        (
            Table::FalseClaims,
            Event::ModerateOrBetter,
            "Equal arms: `moderate` or better",
            "Every claim is false. Promised: at most 5 %. MISLABELLED rows are outside of the \
             promise: there the user's label lies. From 24 workers many sessions establish parity, \
             which comes first: there the next table says more.",
        ),
        (
            Table::FalseClaims,
            Event::OnePercent,
            "Equal arms: the evidence of `strong`, margin aside",
            "p, adjusted p, CI99 and n as `strong` asks for, without what the margin and the A/A \
             noise floor ask for. Promised: at most 1 %. 6 units can't reach it.",
        ),
        (
            Table::FalseClaims,
            Event::Strong,
            "Equal arms: `strong`",
            "As shipped, with a margin of 1 %. Promised: at most 1 %.",
        ),
        (
            Table::FalseClaims,
            Event::Miss,
            "Equal arms: the CI95 misses the truth",
            "Nominal: 5 %. Promised: at most 6 %, except in one process, where the interval speaks of \
             that process and not of the arms.",
        ),
        (
            Table::Shapes,
            Event::Miss,
            "Equal means, other shape of the candidate: the CI95 misses the truth",
            "A rare slow state that was not drawn makes the candidate look better than it is; no \
             interval repairs that. Promised: at most 11 %.",
        ),
        (
            Table::Shapes,
            Event::ModerateOrBetter,
            "Equal means, other shape of the candidate: `moderate` or better",
            "That the arms differ is true; that their means differ is not.",
        ),
        (
            Table::Shapes,
            Event::OnePercent,
            "Equal means, other shape of the candidate: the evidence of `strong`, margin aside",
            "As above.",
        ),
        (
            Table::Power,
            Event::ModerateOrBetter,
            "Differences found as `moderate` or better",
            "Effects in standard deviations of the units, a margin of .01 %.",
        ),
        (
            Table::Power,
            Event::OnePercent,
            "Differences found with the evidence of `strong`, margin aside",
            "The same.",
        ),
        (
            Table::PowerPercent,
            Event::Strong,
            "Differences found as `strong`",
            "As shipped, with a margin of 1 %. Quiet: units scatter by .5 %; noisy: by 3 %.",
        ),
        (
            Table::PowerPercent,
            Event::ModerateOrBetter,
            "Differences found as `moderate` or better",
            "The same machines.",
        ),
        (
            Table::Parity,
            Event::Parity,
            "Parity claimed",
            "Units scatter by half the margin. At the margin every parity is false (promised: at \
             most 6.5 %); of equal arms it is true.",
        ),
    ];
    for (table, event, title, intro) in by_n {
        sheets.push(sheet_by_n(cells, table, event, title, intro));
    }
    sheets.push(rivals(
        cells,
        Table::FalseClaims,
        "Equal arms, 12 workers: other tools' rules",
    ));
    sheets.push(rivals(
        cells,
        Table::PowerPercent,
        "Differences found with 12 workers: other tools' rules",
    ));
    sheets.push(families(cells));
    sheets.push(sequential(cells));
    sheets.retain(|sheet| !sheet.rows.is_empty());
    sheets
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}", 100.0 * share))
}

fn of(cells: &[Cell], table: Table) -> impl Iterator<Item = &Cell> + Clone {
    cells.iter().filter(move |c| c.table == table)
}

fn unit_numbers<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<u32> {
    let mut numbers: Vec<u32> = cells.map(|c| c.n).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn rows<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<&'a str> {
    let mut rows = Vec::new();
    for cell in cells {
        if !rows.contains(&cell.row.as_str()) {
            rows.push(&cell.row);
        }
    }
    rows
}

fn header_by_n(first: &str, numbers: &[u32]) -> Vec<String> {
    let columns = numbers.iter().map(|n| format!("n = {n}"));
    std::iter::once(first.to_owned()).chain(columns).collect()
}

fn sheet_by_n(
    cells: &[Cell],
    table: Table,
    event: Event,
    title: &str,
    intro: &'static str,
) -> Sheet {
    let cells = of(cells, table);
    let numbers = unit_numbers(cells.clone());
    let row = |name: &str| {
        let share = |&n: &u32| {
            let cell = cells.clone().find(|c| c.row == name && c.n == n);
            percent(cell.and_then(|c| c.tally.share(event)))
        };
        std::iter::once(name.to_owned())
            .chain(numbers.iter().map(share))
            .collect()
    };
    Sheet {
        title: title.to_owned(),
        intro,
        header: header_by_n("% of replications", &numbers),
        rows: rows(cells.clone()).into_iter().map(row).collect(),
    }
}

/// The largest and the mean rate of each rule over all honest scenarios.
fn worst(cells: &[Cell]) -> Sheet {
    let honest = of(cells, Table::FalseClaims).filter(|c| c.bound);
    let numbers = unit_numbers(honest.clone());
    let mut events = vec![
        ("**strong**".to_owned(), Event::Strong),
        (
            "**evidence of strong, margin aside**".to_owned(),
            Event::OnePercent,
        ),
        ("**moderate or better**".to_owned(), Event::ModerateOrBetter),
        ("CI95 misses".to_owned(), Event::Miss),
    ];
    for rule in Rule::ALL {
        events.push((format!("{}, our data", rule.name()), Event::Rival(rule)));
    }
    for rule in Rule::ALL {
        events.push((
            format!("{}, as usually run", rule.name()),
            Event::RivalAsRun(rule),
        ));
    }
    let row = |(name, event): (String, Event)| {
        let entry = |&n: &u32| {
            // The interval of one process speaks of that process.
            let counts = |c: &&Cell| event != Event::Miss || !c.row.starts_with("one process");
            let shares = honest.clone().filter(|c| c.n == n).filter(counts);
            let shares: Vec<f64> = shares.filter_map(|c| c.tally.share(event)).collect();
            let largest = shares.iter().copied().reduce(f64::max);
            let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
            format!("{} ({:.1})", percent(largest), 100.0 * mean)
        };
        std::iter::once(name)
            .chain(numbers.iter().map(entry))
            .collect()
    };
    Sheet {
        title: "False claims: the worst honest scenario (and the mean of all)".to_owned(),
        intro: "Equal arms, every label true. The largest of many simulated rates is itself \
                biased upwards by the Monte-Carlo error. \"Our data\": the rule on the workers' \
                means of our session. \"As usually run\": criterion and benchstat in one process, \
                all of the control first; hyperfine with ten processes each, all of the control \
                first; the others interleaved in one process. The highest rates on our data come \
                from \"one process, said so\": we say no more than a hint there; a rule that can't \
                be told what a unit is claims.",
        header: header_by_n("% of replications", &numbers),
        rows: if numbers.is_empty() {
            Vec::new()
        } else {
            events.into_iter().map(row).collect()
        },
    }
}

/// Our classes beside the rivals' rules at the default number of workers.
fn rivals(cells: &[Cell], table: Table, title: &str) -> Sheet {
    let at_default = of(cells, table).filter(|c| c.n == crate::harness::plan::DEFAULT_WORKERS);
    let mut header = vec![
        "% of replications".to_owned(),
        "strong".to_owned(),
        "moderate+".to_owned(),
    ];
    header.extend(Rule::ALL.map(|rule| rule.name().to_owned()));
    let row = |cell: &Cell| {
        let share = |event| percent(cell.tally.share(event));
        let mut row = vec![
            cell.row.clone(),
            share(Event::Strong),
            share(Event::ModerateOrBetter),
        ];
        row.extend(Rule::ALL.map(|rule| {
            format!(
                "{} / {}",
                share(Event::Rival(rule)),
                share(Event::RivalAsRun(rule))
            )
        }));
        row
    };
    Sheet {
        title: title.to_owned(),
        intro: "First number: the rule on our data; second: as usually run.",
        header,
        rows: at_default.map(row).collect(),
    }
}

fn families(cells: &[Cell]) -> Sheet {
    let columns = [
        ("strong", Event::Strong),
        ("moderate+", Event::ModerateOrBetter),
        ("evidence of strong", Event::OnePercent),
        ("maxT", Event::MaxT),
        ("directional+", Event::DirectionalOrBetter),
        ("percentile CI95", Event::AnyPercentile),
    ];
    let row = |cell: &Cell| {
        let shared = cell.row.contains("rho");
        let share = |(_, event)| match event {
            Event::MaxT if !shared => "-".to_owned(),
            _ => percent(cell.tally.share(event)),
        };
        std::iter::once(format!("{}, n = {}", cell.row, cell.n))
            .chain(columns.map(share))
            .collect()
    };
    Sheet {
        title: "Families of equal arms: any false claim".to_owned(),
        intro: "Promised: at most 5 % for classes (Holm over the session) and for maxT.",
        header: std::iter::once("% of replications")
            .chain(columns.map(|(name, _)| name))
            .map(str::to_owned)
            .collect(),
        rows: of(cells, Table::Families).map(row).collect(),
    }
}

fn sequential(cells: &[Cell]) -> Sheet {
    let row = |cell: &Cell| {
        let units = cell.tally.share(Event::UnitsUsed).unwrap_or(0.0);
        vec![
            cell.row.clone(),
            percent(cell.tally.share(Event::Claimed)),
            format!("{units:.1}"),
        ]
    };
    Sheet {
        title: "Stop rules at 5 %".to_owned(),
        intro: "At 0 sd every claim is false (promised: at most 5 %); elsewhere it is power. \
                Open-ended rules give up at 60 units.",
        header: ["rule; shape, effect", "claims, %", "mean units"]
            .map(str::to_owned)
            .to_vec(),
        rows: of(cells, Table::Sequential).map(row).collect(),
    }
}

/// The sheets as Markdown.
#[must_use]
pub fn markdown(cells: &[Cell], effort: Effort, command: &str, verdict: &str) -> String {
    let mut out = String::from("# Simulations\n\n");
    let _ = writeln!(
        out,
        "Made by `{command}`; the same command makes the same page. Do not edit.\n\n\
         Every replication draws a real plan and its schedule, simulates every slot on a machine \
         with a known truth, and hands both to the classifier as shipped. {}\n\n{verdict}\n",
        monte_carlo(effort)
    );
    for sheet in sheets(cells) {
        let _ = writeln!(out, "## {}\n\n{}\n", sheet.title, sheet.intro);
        let _ = writeln!(out, "| {} |", sheet.header.join(" | "));
        let _ = writeln!(out, "|---{}|", "|---:".repeat(sheet.header.len() - 1));
        for row in &sheet.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The sheets for a terminal.
#[must_use]
pub fn human(cells: &[Cell], effort: Effort, verdict: &str) -> String {
    let mut out = String::new();
    for sheet in sheets(cells) {
        let _ = writeln!(out, "{}", sheet.title.replace(['*', '`'], ""));
        let plain = |text: &String| text.replace("**", "");
        let columns = sheet.header.len();
        let width = |column: usize| {
            let all = sheet.rows.iter().chain([&sheet.header]);
            all.map(|row| plain(&row[column]).chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in [&sheet.header].into_iter().chain(&sheet.rows) {
            let mut line = format!("  {:<1$}", plain(&row[0]), widths[0]);
            for (text, width) in row.iter().zip(&widths).skip(1) {
                let _ = write!(line, "  {:>width$}", plain(text));
            }
            let _ = writeln!(out, "{line}");
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{}\n{verdict}", monte_carlo(effort));
    out
}

/// What the numbers can't tell.
fn monte_carlo(effort: Effort) -> String {
    let error = |rate: f64| 196.0 * (rate * (1.0 - rate) / effort.replications as f64).sqrt();
    format!(
        "{} replications a cell (half of them where n is above 24, a quarter for stop rules and \
         families of 20), seed {}. Monte-Carlo error (95 %) of a rate of 5 %: {:.1} \
         points; of 1 %: {:.1} points.",
        effort.replications,
        effort.seed,
        error(0.05),
        error(0.01)
    )
}
