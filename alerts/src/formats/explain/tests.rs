use super::*;
use crate::{Run, escape::is_hidden, sample};
use baseline::Day;
use detect::{Mark, Nature};
use unicode_width::UnicodeWidthStr;

const PLAIN: Style = Style { colour: false, width: 80 };

/// Writes what is explained on the day of the samples.
fn explain(kept: &Kept, style: Style, out: &mut Vec<u8>) -> io::Result<()> {
    super::explain(kept, kept.finding.day, style, out)
}

fn kept(finding: Finding) -> Kept {
    let settings = serde_json::to_value(detect::Settings::default()).unwrap();
    let settings = settings[&finding.about.id].as_object().cloned().unwrap_or_default();
    let command = ["replay", "--config", "it's mine.toml", "logs"].map(str::to_owned);
    let run = Run { inputs: sample::inputs(), command: command.to_vec() };
    Kept { finding, run, settings, mark: None, suppressed: None }
}

fn written(write: fn(&Kept, Style, &mut Vec<u8>) -> io::Result<()>, kept: &Kept) -> String {
    let mut out = Vec::new();
    write(kept, PLAIN, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The finding of a detector with what was counted in its last part.
fn counted(detector: &str, observed: &str) -> Kept {
    let mut finding = sample::finding(detector);
    finding.parts[1].observed = observed.into();
    kept(finding)
}

/// `text` without the breaks of its lines.
fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_parts_stand_with_their_sum() {
    let text = written(explain, &counted("s3-mass-reencryption", "120 in 60 minutes"));
    let (_, sum) = text.split_once("Where the bits come from\n").unwrap();
    let (sum, rest) = sum.split_once("\n\n").unwrap();
    let numbers: Vec<f64> =
        sum.lines().filter_map(|line| line.split_once(" bits  ")?.0.trim().parse().ok()).collect();
    assert_eq!(numbers, [16.33, 21.01, 37.34]);
    assert!(sum.contains("new\n               usual: nobody of 4 has it\n"), "{sum}");
    assert!(
        rest.contains("judged by 9 days of its own history and 12 days of its group"),
        "{rest}"
    );
    let rest = unfolded(rest);
    assert!(
        rest.contains("First records, 5 of 120 2026-03-12T14:03:11Z s3:CopyObject, from 203.0")
    );
    assert!(
        rest.contains("sentrail replay --config 'it'\\''s mine.toml' logs | grep 0000"),
        "{rest}"
    );
}

#[test]
fn thresholds_tell_how_far_they_are() {
    let text = unfolded(&written(explain, &counted("s3-mass-reencryption", "120 in 60 minutes")));
    assert!(text.contains("It is quiet when "), "{text}");
    assert!(text.contains("objects-min = 20: Fewer are never reported"), "{text}");
    assert!(text.contains("Unit: objects in 60 minutes. Here: 120, 100 more."), "{text}");
    assert!(text.contains("Unit: bits. Here: 37.34 bits, "), "{text}");
    assert!(text.contains("[detectors.s3-mass-reencryption] objects-min = 121 "), "{text}");
    let mut cold = counted("s3-mass-deletion", "500 in 60 minutes");
    cold.finding.parts.iter_mut().for_each(|part| part.bits = Bits::ZERO);
    let text = unfolded(&written(explain, &cold));
    assert!(text.contains("Here: 0.00 bits, which is less, and did not keep it quiet."), "{text}");
    assert!(text.contains("calls-min = 501 calls-min-cold = 501"), "{text}");
}

#[test]
fn what_a_part_does_not_say_is_not_compared() {
    // Peers, or ports of one peer: the number is of one of them.
    let text = unfolded(&written(explain, &counted("port-scan", "40 in 60 minutes")));
    assert!(text.contains("targets-min = ") && text.contains("ports-min = "), "{text}");
    assert!(!text.contains("Here: 40") && !text.contains("only more than this"), "{text}");
    let text = unfolded(&written(explain, &counted("impossible-travel", "9000 km in 2 hours")));
    assert!(text.contains("distance-min-km = 500.0: ") && !text.contains("only more"), "{text}");
}

#[test]
fn snippets_are_configuration() {
    let rules = detect::Rules::built_in();
    for about in rules.catalogue().iter() {
        for snippet in snippets(&counted(&about.id, "40 in 60 minutes")) {
            let table: toml::Table = snippet.parse().unwrap();
            let detectors = table["detectors"].clone();
            detectors.try_into::<detect::Settings>().unwrap_or_else(|e| panic!("{e}: {snippet}"));
        }
    }
    assert_eq!(toml_key("a b\"c"), "\"a b\\\"c\"");
}

#[test]
fn nothing_hostile_comes_through() {
    let mut hostile = kept(sample::hostile());
    let mark = Mark { nature: Nature::Benign, day: Day(20_000) };
    hostile.mark = Some(KeptMark { mark, reason: "\u{1b}[31mred\r\n\u{202e}".into() });
    hostile.run.command.push("\u{1b}]0;x".into());
    for write in [show, explain] {
        let text = written(write, &hostile);
        assert!(!text.lines().any(|line| line.chars().any(is_hidden)), "{text:?}");
        assert!(text.contains("marked benign on 2024-10-04: \\u{1b}[31mred\\r\\n"), "{text}");
        let wide = text.lines().filter(|line| line.width() > PLAIN.width);
        assert!(wide.count() <= 2, "only the command and an entry's key may be wider");
    }
}

#[test]
fn every_record_is_shown() {
    let text = written(show, &kept(sample::finding("s3-mass-reencryption")));
    assert!(text.contains("\nFirst records, 30 of 120\n"), "{text}");
    let n = text.matches("event\n").count() + text.matches(" event 0a1b2c3d").count();
    assert_eq!(n, 30, "{text}");
    // Flow logs have none.
    let text = written(show, &kept(sample::flow()));
    assert!(!text.contains("First records"), "{text}");
}

#[test]
fn what_an_hour_had_to_carry_is_told_with_its_reason() {
    let explained = |bound| {
        let mut finding = sample::finding("anomalous-persistence");
        finding.threshold = Some(Threshold { bits: 36.5, bound });
        unfolded(&written(explain, &kept(finding)))
    };
    let text = explained(Bound::Budget);
    let budget = "threshold 36.5 bits, which keeps within the alert budget, setting alerts-per-day. \
                  Here: 37.34 bits, 0.84 more.";
    assert!(text.contains(budget), "{text}");
    let text = explained(Bound::Kind);
    assert!(text.contains("threshold 36.5 bits, where it is unusual for its kind. Here"), "{text}");
}
