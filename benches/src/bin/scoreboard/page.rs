//! The tables of `docs/detection-quality.md`.

use std::{cmp::Reverse, fmt::Write as _};

use testdata::{organisation::Size, story::STORIES};

use crate::{
    LEARNING_DAYS, Result, Scale,
    board::{Board, Found, Line},
};

/// What stands between its markers, `<!-- name -->` and `<!-- /name -->`, is written by the command.
pub(crate) const SCOREBOARD: &str = "scoreboard";
pub(crate) const FULL: &str = "scoreboard-full";
#[cfg(any(feature = "ablation", test))]
pub(crate) const ABLATION: &str = "ablation";

const ATTACKS: &str = "| attack | found | by | records needed | minutes | counter found | counter records | counter minutes |\n|---|---|---|---|---|---|---|---|\n";
const HARMLESS: &str = "| harmless | flagged | by | counter flagged |\n|---|---|---|---|\n";
const FALSE: &str = "| about no story | alerts | per 1,000 identity-days | per 100,000 records |\n|---|---|---|---|\n";
const BY_DETECTOR: &str = "| detector | findings about no story |\n|---|---|\n";
const GOALS: &str = "| goal | must | sentrail | novelty counter |\n|---|---|---|---|\n";
const NOT_AS_MEANT: &str = "| story | in | by | counter in |\n|---|---|---|---|\n";

/// `page` with new tables between the markers of a section.
pub(crate) fn renewed(page: &str, section: &str, tables: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {section} -->\n"), format!("<!-- /{section} -->"));
    let (before, rest) = page.split_once(&begin).ok_or("the page has no marker of a beginning")?;
    let (_, after) = rest.split_once(&end).ok_or("the page has no marker of an end")?;
    Ok(format!("{before}{begin}{tables}{end}{after}"))
}

/// The tables.
pub(crate) fn tables(board: &Board) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ok = write(board, &mut out).is_ok();
    out
}

fn write(board: &Board, out: &mut String) -> std::fmt::Result {
    let lines = || STORIES.iter().zip(&board.lines);
    let n_seeds = board.n_seeds;
    out.push_str(ATTACKS);
    for (story, line) in lines().filter(|(story, _)| !story.is_harmless) {
        let (records, minutes) = when(&line.found);
        let (counter_records, counter_minutes) = when(&line.novelty);
        writeln!(
            out,
            "| {} | {}/{n_seeds} | {} | {records} | {minutes} | {}/{n_seeds} | {counter_records} | {counter_minutes} |",
            story.name,
            line.found.len(),
            detectors(line),
            line.novelty.len(),
        )?;
    }
    write!(out, "\n{HARMLESS}")?;
    for (story, line) in lines().filter(|(story, _)| story.is_harmless) {
        let (name, n, by) = (story.name, line.found.len(), detectors(line));
        writeln!(out, "| {name} | {n}/{n_seeds} | {by} | {}/{n_seeds} |", line.novelty.len())?;
    }
    write!(out, "\n{FALSE}")?;
    for (what, n) in [("sentrail", n_false(board)), ("novelty counter", board.n_novelty_false)] {
        let of = |whole: u64, unit: f64| n as f64 * unit / whole.max(1) as f64;
        let (days, records) = (of(board.n_identity_days, 1e3), of(board.n_records, 1e5));
        writeln!(out, "| {what} | {n} | {days:.2} | {records:.2} |")?;
    }
    writeln!(
        out,
        "\n{} identity-days and {} records of CloudTrail after the learning week. In it sentrail told {} \
         findings about no story.\n",
        board.n_identity_days, board.n_records, board.n_others_learning
    )?;
    by_detector(board, out)
}

fn by_detector(board: &Board, out: &mut String) -> std::fmt::Result {
    out.push_str(BY_DETECTOR);
    let mut others: Vec<(&String, &u64)> = board.others.iter().collect();
    others.sort_by_key(|(_, n)| Reverse(**n));
    others.into_iter().try_for_each(|(detector, n)| writeln!(out, "| {detector} | {n} |"))
}

fn n_false(board: &Board) -> u64 {
    board.others.values().sum()
}

/// How far the goals are, and what falls short.
pub(crate) fn goals(board: &Board, scale: Scale) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ok = write_goals(board, scale, &mut out).is_ok();
    out
}

fn write_goals(board: &Board, scale: Scale, out: &mut String) -> std::fmt::Result {
    let Board { n_seeds, n_identity_days, n_records, .. } = board;
    let Scale { size, days, .. } = scale;
    // Every day but those of the learning week, of every organisation.
    let n_days = *n_seeds * u64::try_from(days - LEARNING_DAYS).unwrap_or(0);
    writeln!(
        out,
        "Seeds 1 to {n_seeds}; {}; {days} days. After the learning week {n_identity_days} identity-days ({} \
         identities a day) and {n_records} records of CloudTrail.\n",
        size_in_words(size),
        n_identity_days / n_days.max(1),
    )?;
    out.push_str(GOALS);
    let share = |is_harmless: bool, found: fn(&Line) -> usize| {
        let lines = STORIES.iter().zip(&board.lines);
        let lines = lines.filter(|(story, _)| story.is_harmless == is_harmless);
        let (n, of) = lines.fold((0, 0), |(n, of), (_, line)| (n + found(line), of + n_seeds));
        format!("{n} of {of}, {:.1} %", n as f64 * 100.0 / of.max(1) as f64)
    };
    let by_program = |line: &Line| line.found.len();
    let by_counter = |line: &Line| line.novelty.len();
    let rate = |n: u64| format!("{:.2}", n as f64 * 1e3 / (*n_identity_days).max(1) as f64);
    let goals = [
        ("attacks found", "100 %", share(false, by_program), share(false, by_counter)),
        (
            "alerts about no story, of 1,000 identity-days",
            "at most 1",
            rate(n_false(board)),
            rate(board.n_novelty_false),
        ),
        (
            "harmless stories flagged",
            "at most 5 %",
            share(true, by_program),
            share(true, by_counter),
        ),
    ];
    for (goal, must, told, counter) in goals {
        writeln!(out, "| {goal} | {must} | {told} | {counter} |")?;
    }
    write!(
        out,
        "\nAttacks that were missed at least once, harmless stories that were flagged:\n\n{NOT_AS_MEANT}"
    )?;
    for (story, line) in STORIES.iter().zip(&board.lines) {
        let (n, n_counter) = (line.found.len(), line.novelty.len());
        let is_as_meant = n as u64 == if story.is_harmless { 0 } else { *n_seeds };
        if !is_as_meant {
            let (verb, by) = (if story.is_harmless { "flagged" } else { "found" }, detectors(line));
            writeln!(
                out,
                "| {} | {verb} {n}/{n_seeds} | {by} | {n_counter}/{n_seeds} |",
                story.name
            )?;
        }
    }
    out.push('\n');
    by_detector(board, out)
}

/// `accounts: 2, people: 28, ...`
fn size_in_words(size: Size) -> String {
    let size = format!("{size:?}");
    size.trim_start_matches("Size { ").trim_end_matches(" }").to_owned()
}

fn detectors(line: &Line) -> String {
    let names: Vec<&str> = line.detectors.iter().map(String::as_str).collect();
    names.join(", ")
}

/// The median and the most of records, and of minutes; of an even number the lower middle.
fn when(found: &[Found]) -> (String, String) {
    let told = |mut values: Vec<i64>, unit: f64| {
        values.sort_unstable();
        let middle = values.get(values.len().saturating_sub(1) / 2);
        let digits = usize::from(unit > 1.0);
        middle.zip(values.last()).map_or_else(String::new, |(middle, most)| {
            let [middle, most] = [*middle, *most].map(|value| value as f64 / unit);
            format!("{middle:.digits$} (max {most:.digits$})")
        })
    };
    let records = found.iter().filter_map(|found| i64::try_from(found.n_records).ok());
    let minutes = found.iter().map(|found| found.after_ms);
    (told(records.collect(), 1.0), told(minutes.collect(), 60_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ORDINARY;

    const PAGE: &str = include_str!("../../../../docs/detection-quality.md");

    /// Name and number of seeds, of the rows of the table under `header`.
    fn rows(header: &str) -> Vec<(&str, usize)> {
        let table = PAGE.split(header).nth(1).expect("the page has the table");
        let row = |line: &'static str| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let (name, of) = (cells.next().unwrap(), cells.next().unwrap());
            (name, of.split('/').next().unwrap().parse().unwrap())
        };
        table.lines().take_while(|line| line.starts_with('|')).map(row).collect()
    }

    #[test]
    fn the_page_has_every_story_in_its_place() {
        for (header, is_harmless) in [(ATTACKS, false), (HARMLESS, true)] {
            let shown: Vec<&str> = rows(header).iter().map(|(name, _)| *name).collect();
            let stories = STORIES.iter().filter(|story| story.is_harmless == is_harmless);
            let told: Vec<&str> = stories.map(|story| story.name).collect();
            assert_eq!(shown, told, "run `make scoreboard`");
        }
        assert!(PAGE.contains(FALSE) && PAGE.contains(BY_DETECTOR), "run `make scoreboard`");
    }

    #[test]
    fn the_page_tells_the_size_that_is_measured() {
        let Scale { n_seeds, size, days } = ORDINARY;
        let told = format!("(seeds 1 to {n_seeds}; {}) live {days} days", size_in_words(size));
        let words: Vec<&str> = PAGE.split_whitespace().collect();
        assert!(words.join(" ").contains(&told), "expected: {told}");
    }

    #[test]
    fn what_is_missed_or_flagged_has_its_cause_and_nothing_else_has() {
        let causes = PAGE.split("\n## What is missed or flagged, and why\n").nth(1).unwrap();
        let causes = causes.split("\n## ").next().unwrap();
        let has_cause = |name: &str| causes.contains(&format!("\n* **{name}**"));
        let n_seeds = usize::try_from(ORDINARY.n_seeds).unwrap();
        for (name, n) in rows(ATTACKS) {
            assert_eq!(has_cause(name), n < n_seeds, "{name}: found {n} times");
        }
        for (name, n) in rows(HARMLESS) {
            assert_eq!(has_cause(name), n > 0, "{name}: flagged {n} times");
        }
    }

    #[test]
    fn tables_go_between_the_markers() {
        let page = "before\n<!-- a -->\nold\n<!-- /a -->\nafter\n<!-- b -->\nb\n<!-- /b -->";
        let new = renewed(page, "a", "new\n").unwrap();
        assert_eq!(new, page.replace("old", "new"));
        assert!(renewed(page, "c", "new").is_err());
        for section in [SCOREBOARD, FULL, ABLATION] {
            assert!(renewed(PAGE, section, "").is_ok(), "{section}");
        }
    }
}
