//! The tables of `docs/detection-quality.md`.

use std::fmt::Write as _;

use testdata::story::STORIES;

use crate::{
    Result, SEEDS,
    board::{Board, Found, Line},
};

const BEGIN: &str = "<!-- scoreboard -->\n";
const END: &str = "<!-- /scoreboard -->";

const ATTACKS: &str = "| attack | found | by | records needed | minutes | counter found | counter records | counter minutes |\n|---|---|---|---|---|---|---|---|\n";
const HARMLESS: &str = "| harmless | flagged | by | counter flagged |\n|---|---|---|---|\n";
const FALSE: &str = "| about no story | alerts | per 1,000 identity-days | per 100,000 records |\n|---|---|---|---|\n";
const BY_DETECTOR: &str = "| detector | findings about no story |\n|---|---|\n";

/// `page` with new tables between its markers.
pub(crate) fn renewed(page: &str, tables: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).ok_or("the page has no marker of a beginning")?;
    let (_, after) = rest.split_once(END).ok_or("the page has no marker of an end")?;
    Ok(format!("{before}{BEGIN}{tables}{END}{after}"))
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
    let n_seeds = SEEDS.len();
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
    for (what, n) in
        [("sentrail", board.others.values().sum()), ("novelty counter", board.n_novelty_false)]
    {
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
    out.push_str(BY_DETECTOR);
    for (detector, n) in &board.others {
        writeln!(out, "| {detector} | {n} |")?;
    }
    Ok(())
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
    use crate::{DAYS, SIZE};

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
        let [first, .., last] = SEEDS;
        // `Size { accounts: 2, ... }`
        let size = format!("{SIZE:?}");
        let size = size.trim_start_matches("Size { ").trim_end_matches(" }");
        let told = format!("(seeds {first} to {last}; {size}) live {DAYS} days");
        let words: Vec<&str> = PAGE.split_whitespace().collect();
        assert!(words.join(" ").contains(&told), "expected: {told}");
    }

    #[test]
    fn what_is_missed_or_flagged_has_its_cause_and_nothing_else_has() {
        let causes = PAGE.split("\n## What is missed or flagged, and why\n").nth(1).unwrap();
        let causes = causes.split("\n## ").next().unwrap();
        let has_cause = |name: &str| causes.contains(&format!("\n* **{name}**"));
        for (name, n) in rows(ATTACKS) {
            assert_eq!(has_cause(name), n < SEEDS.len(), "{name}: found {n} times");
        }
        for (name, n) in rows(HARMLESS) {
            assert_eq!(has_cause(name), n > 0, "{name}: flagged {n} times");
        }
    }

    #[test]
    fn tables_go_between_the_markers() {
        let page = format!("before\n{BEGIN}old\n{END}\nafter");
        let new = renewed(&page, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}new\n{END}\nafter"));
        assert!(renewed("no markers", "new").is_err());
    }
}
