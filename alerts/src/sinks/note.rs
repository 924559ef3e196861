//! What people are told of a finding where they talk with each other: a colleague's note, in the words of `replay`
//! and `findings explain`. In: a finding. Out: lines of plain text, which each sink puts into its own form.
//!
//! Whoever calls AWS chooses names, so every text is escaped and cut here. Whatever a chat would take for
//! mark-up is left to the sinks: each has its own.

use super::{Event, InSeries, Occasion, Why, body::json};
use crate::{
    Inputs, escape,
    formats::{day, facts, in_all, origin, span, term},
    report::Report,
};
use baseline::Part;
use detect::{Finding, Severity};
use serde_json::Value;
use std::cmp::Reverse;

/// How much of each text is left until a message fits, one after the other: the last always does. Unit: UTF-16
/// units, by which a character is never counted less than by anybody else.
pub(super) const TEXT_UNITS: [usize; 3] = [600, 200, 60];
/// What was seen and what is usual may take this share of a text, so that five of both fit into a section. Unit:
/// 1/n.
const TERM_SHARE: usize = 3;
/// Terms of the score that are told, the heaviest first. Unit: terms.
pub(super) const TERMS_MAX: usize = 5;
/// Shorter and longer words are no ids of access keys. Unit: characters.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=128;
/// How they begin: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.
const KEY_PREFIXES: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];
/// What is left of them. Unit: characters.
const KEY_CHARS_SHOWN: usize = 4;

/// What is told, and on what occasion.
pub(super) type Told<'a> = (Occasion, &'a Finding, &'a Inputs);

/// A note. Its texts hold no line break and nothing that is hidden.
#[derive(Debug)]
pub(super) struct Note {
    /// How bad, and what.
    pub(super) head: String,
    /// Who did what, against which usual value.
    pub(super) summary: String,
    /// What one asks next, by what it is.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The terms of the score, what to do, how to look closer: of each its lines.
    pub(super) paragraphs: Vec<Vec<String>>,
}

impl Note {
    /// A note with texts of at most `n_max` UTF-16 units.
    pub(super) fn new(
        Occasion { event, series }: Occasion,
        (finding, report): (&Finding, &Report<'_>),
        n_max: usize,
    ) -> Self {
        let shown = |text: &str| shown(text, n_max);
        let when = format!("{}, {}", day(finding, report), span(finding));
        let known = [
            ("who", Some(report.who())),
            ("where", origin(report)),
            ("when", Some(when)),
            ("rests on", Some(facts(report))),
            ("how much is known", Some(report.confidence.note.clone())),
            ("finding", Some(report.id.clone())),
            ("told before", (event == Event::Updated).then(|| "as less severe".to_owned())),
            ("series", series.and_then(in_series)),
        ];
        let known = known.into_iter().filter_map(|(what, text)| Some((what, shown(&text?))));
        let do_now = (finding.severity >= Severity::Medium)
            .then(|| vec![shown(&format!("do now: {}", report.what_to_do))]);
        let paragraphs = [Some(terms(finding, report, n_max / TERM_SHARE)), do_now];
        Self {
            head: shown(&format!("{}: {}", report.severity.label.to_uppercase(), report.title)),
            summary: shown(&report.summary),
            facts: known.collect(),
            paragraphs: paragraphs.into_iter().flatten().chain([commands(&report.id)]).collect(),
        }
    }
}

/// What a finding is to those of its series before it.
fn in_series(InSeries { opened, why, .. }: InSeries) -> Option<String> {
    match why? {
        Why::Opened => None,
        Why::Risen => Some(format!("more severe than any before, since finding {opened}")),
        Why::Reminder => Some(format!("goes on, since finding {opened}")),
    }
}

/// Where the bits come from, the heaviest first.
fn terms(finding: &Finding, report: &Report<'_>, n_max: usize) -> Vec<String> {
    let mut parts: Vec<&Part> = finding.parts.iter().collect();
    parts.sort_by_key(|part| Reverse(part.bits));
    let n_more = parts.len().saturating_sub(TERMS_MAX);
    let lines = parts.into_iter().take(TERMS_MAX).flat_map(term);
    let more = (n_more > 0).then(|| format!("and {n_more} more"));
    let lines = lines.chain(more).chain([in_all(report)]);
    // They are set in columns for a terminal.
    let lines = lines.map(|line| shown(line.trim_start(), n_max));
    std::iter::once("Where the bits come from".to_owned()).chain(lines).collect()
}

/// What to type next.
fn commands(id: &str) -> Vec<String> {
    vec![
        format!("sentrail findings explain {id} --in STATE"),
        format!("sentrail findings mark {id} benign|malicious --in STATE --reason TEXT"),
    ]
}

/// The message that `form` makes of a note, whose texts are cut until it has less than `bytes_max` bytes.
pub(super) fn fitting(
    (occasion, finding, inputs): Told<'_>,
    bytes_max: usize,
    form: impl Fn(&Note) -> Value,
) -> String {
    let report = Report::new(finding, inputs);
    let of = |n_max| json(&form(&Note::new(occasion, (finding, &report), n_max)));
    let [others @ .., last] = TEXT_UNITS;
    let fits = others.into_iter().map(of).find(|body| body.len() < bytes_max);
    fits.unwrap_or_else(|| of(last))
}

/// What people may read of a text: nothing hidden, no access key, and no more than they would read.
pub(super) fn shown(text: &str, n_max: usize) -> String {
    cut(&masked(&escape(text)), n_max)
}

/// The first `n_max` UTF-16 units of a text, of which the last three say that there was more.
pub(super) fn cut(text: &str, n_max: usize) -> String {
    if text.encode_utf16().count() <= n_max {
        return text.to_owned();
    }
    let mut n = "...".len();
    let fits = text.chars().take_while(|c| {
        n += c.len_utf16();
        n <= n_max
    });
    fits.chain("...".chars()).collect()
}

/// A text in which of access keys the last characters are left: a chat is read by more people than logs are.
fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_ascii_alphanumeric();
        let end = rest.find(|c: char| c.is_ascii_alphanumeric() != is_word).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_key = KEY_CHARS.contains(&word.len())
            && KEY_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
            && !word.bytes().any(|byte| byte.is_ascii_lowercase());
        let last = word.len().saturating_sub(KEY_CHARS_SHOWN);
        match word.get(last..).filter(|_| is_key) {
            Some(last) => {
                masked.push_str("...");
                masked.push_str(last);
            }
            None => masked.push_str(word),
        }
        rest = after;
    }
    masked
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{escape::is_hidden, sample};
    use detect::FindingId;
    use proptest::prelude::*;

    /// A finding of which every text that a log may hold is `text`, and there are as many as can be.
    pub(crate) fn full_of(text: &str) -> Finding {
        let mut finding = sample::hostile();
        finding.severity = Severity::Critical;
        finding.summary = text.to_owned();
        finding.entity.key = text.into();
        finding.entity.account = text.into();
        finding.targets = vec![text.to_owned(); 100];
        finding.parts = vec![finding.parts[0].clone(); 100];
        for part in &mut finding.parts {
            (part.observed, part.usual) = (text.to_owned(), text.to_owned());
        }
        for record in &mut finding.records {
            let call = std::sync::Arc::make_mut(&mut record.call);
            call.address = Some(text.into());
            (call.access_key, call.region) = (Some(text.into()), Some(text.into()));
        }
        finding.flow = Some(detect::FlowSeen {
            interface: text.to_owned(),
            peers: vec![text.to_owned(); 100],
            ports: vec![65_535; 10_000],
            has_all_peers: false,
        });
        finding
    }

    /// The same of a rule whose own texts are that long, too.
    pub(crate) fn largest_of(text: &str) -> Finding {
        let mut finding = full_of(text);
        let mut about = (*finding.about).clone();
        about.title = text.to_owned();
        about.page = format!("# Rule\n\n## Triage\n{text}\n");
        finding.about = about.into();
        finding
    }

    /// Everything that people read of a value.
    pub(crate) fn texts(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(values) => values.iter().flat_map(texts).collect(),
            Value::Object(fields) => fields.values().flat_map(texts).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        }
    }

    fn note(event: Event, finding: &Finding) -> Note {
        let inputs = sample::inputs();
        let occasion = Occasion { event, series: None };
        Note::new(occasion, (finding, &Report::new(finding, &inputs)), TEXT_UNITS[0])
    }

    #[test]
    fn a_note_says_what_a_colleague_would() {
        let Note { head, summary, facts, paragraphs } =
            note(Event::Created, &sample::finding("s3-mass-reencryption"));
        assert!(head.starts_with("CRITICAL: "), "{head}");
        assert!(summary.starts_with("hedda@example.com (AWSReservedSSO_Engineer) wrote 120"));
        let facts: Vec<_> = facts.iter().map(|(what, text)| (*what, &**text)).collect();
        assert_eq!(
            facts,
            [
                ("who", "hedda@example.com (AWSReservedSSO_Engineer), account 111122223333"),
                ("where", "from 203.0.113.0 and 29 more, key ...MPLE, in us-west-2"),
                ("when", "2026-03-12 Thursday (UTC), 14:03 - 14:41"),
                (
                    "rests on",
                    "s3-mass-reencryption, 120 records in 2 clock hours, 37.34 bits, confidence high"
                ),
                (
                    "how much is known",
                    "judged by 9 days of its own history and 12 days of its group"
                ),
                ("finding", "0000000000000000000000000a1b2c3d"),
            ]
        );
        let [terms, do_now, commands] = &paragraphs[..] else { panic!("{paragraphs:?}") };
        assert_eq!(
            terms[1..],
            [
                "21.01 bits  objects-reencrypted: 120",
                "usual: 0 in an hour",
                "16.33 bits  objects-reencrypted: new",
                "usual: nobody of 4 has it",
                "37.34 bits  in all",
            ]
        );
        assert!(do_now[0].starts_with("do now: "), "{do_now:?}");
        assert!(commands[0].starts_with("sentrail findings explain 00000000"), "{commands:?}");
    }

    #[test]
    fn what_has_grown_more_severe_is_told_as_such_and_what_is_low_asks_for_nothing() {
        let mut finding = sample::flow();
        finding.severity = Severity::Low;
        let Note { facts, paragraphs, .. } = note(Event::Updated, &finding);
        assert_eq!(facts.last().unwrap(), &("told before", "as less severe".to_owned()));
        assert_eq!(paragraphs.len(), 2);
        assert!(
            facts
                .iter()
                .any(|(what, text)| (*what, &**text) == ("where", "to 10.0.1.7, ports 22 3389"))
        );
    }

    #[test]
    fn what_goes_on_names_the_finding_it_began_with() {
        let (finding, inputs) = (sample::flow(), sample::inputs());
        let of = |why| InSeries { opened: FindingId(0x0a1b), ..InSeries::of(&finding, why) };
        let told = |why| in_series(of(why));
        assert_eq!(told(Why::Opened), None);
        let began = "since finding 00000000000000000000000000000a1b";
        assert_eq!(told(Why::Risen), Some(format!("more severe than any before, {began}")));
        let occasion = Occasion { event: Event::Created, series: Some(of(Why::Reminder)) };
        let note = Note::new(occasion, (&finding, &Report::new(&finding, &inputs)), 600);
        assert_eq!(note.facts.last(), Some(&("series", format!("goes on, {began}"))));
    }

    #[test]
    fn of_many_terms_the_heaviest_are_told() {
        let mut finding = sample::finding("s3-mass-reencryption");
        finding.parts = (0..TERMS_MAX + 3).map(|_| finding.parts[0].clone()).collect();
        let Note { paragraphs, .. } = note(Event::Created, &finding);
        assert_eq!(paragraphs[0].len(), 1 + 2 * TERMS_MAX + 2);
        assert_eq!(paragraphs[0][1 + 2 * TERMS_MAX], "and 3 more");
    }

    #[test]
    fn of_access_keys_the_last_characters_are_told() {
        for (text, shown) in [
            ("key AKIAIOSFODNN7EXAMPLE, and", "key ...MPLE, and"),
            ("ASIAIOSFODNN7EXAMPLE", "...MPLE"),
            ("AROAIOSFODNN7EXAMPLE", "AROAIOSFODNN7EXAMPLE"),
            ("AKIA of Asia, ASIAtic", "AKIA of Asia, ASIAtic"),
            ("AKIAiosfodnn7example", "AKIAiosfodnn7example"),
            ("東AKIAIOSFODNN7EXAMPLE京", "東...MPLE京"),
            ("", ""),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    proptest! {
        #[test]
        fn texts_are_as_long_as_they_may_be(text in any::<String>(), n_max in 3_usize..80) {
            let cut = cut(&text, n_max);
            prop_assert!(cut.encode_utf16().count() <= n_max);
            prop_assert!(cut == text || cut.ends_with("..."));
        }

        #[test]
        fn nothing_hidden_is_told(text in any::<String>()) {
            let note = note(Event::Created, &full_of(&text));
            let facts = note.facts.iter().map(|(_, text)| text);
            let lines = facts.chain(note.paragraphs.iter().flatten()).chain([&note.summary]);
            for line in lines {
                prop_assert!(!line.chars().any(is_hidden), "{:?}", line);
            }
        }
    }
}
