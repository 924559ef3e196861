//! # Microsoft Teams
//!
//! Each finding is an Adaptive Card, sent to the URL of a workflow ("Send webhook alerts to a channel" and its like;
//! the older connectors are gone): the same note that Slack gets.
//!
//! ## Sends
//!
//! A message with one attachment, whose text stands in `TextRun`s. Unlike a `TextBlock`, in which `[here](https://...)`
//! of a log would become a link, these know no Markdown. Cards know dates, `{{DATE(...)}}`, wherever they are: two
//! braces in a row get a space between them. Nobody is mentioned: that takes entities, which a card of ours has none of.
//!
//! ## Limits
//!
//! Teams takes 28 KB of a message with all that it adds to it, and was seen to refuse 21 KB: a body is less than
//! 20,000 bytes. Beyond four requests a second it refuses them: it gets one at a time, and the next a quarter of a second
//! after the answer.
//!
//! ## Answers
//!
//! Those of a webhook. A workflow answers 202 before it does anything: whether the card has come into the channel is
//! seen in the history of its runs only.

use super::{
    body::json as json_text,
    note::{Note, Told, fitting},
};
use detect::Severity;
use serde_json::{Value, json};

/// Unit: bytes.
pub(super) const BODY_BYTES_MAX: usize = 20_000;
/// Four requests a second. Unit: milliseconds from an answer to the next message.
pub(super) const GAP_MS: i64 = 250;

/// The body of a message.
pub(super) fn body(told: Told<'_>) -> String {
    let (_, finding, _) = told;
    fitting(told, BODY_BYTES_MAX, |note| message(note, colour(finding.severity)))
}

/// The body of a message that is about no finding.
pub(super) fn of(note: &Note, severity: Severity) -> String {
    json_text(&message(note, colour(severity)))
}

fn message(note: &Note, colour: &str) -> Value {
    let title = json!({
        "type": "TextRun", "text": inert(&note.head), "size": "large", "weight": "bolder", "color": colour,
    });
    let head = [block("default", &[title]), block("default", &[run(&note.summary)])];
    let facts = note.facts.iter().map(|(what, text)| {
        let what = json!({"type": "TextRun", "text": format!("{what}: "), "weight": "bolder"});
        block("small", &[what, run(text)])
    });
    let lines = note.paragraphs.iter().flat_map(|lines| {
        let spacing = std::iter::once("medium").chain(std::iter::repeat("none"));
        lines.iter().zip(spacing).map(|(line, spacing)| block(spacing, &[run(line)]))
    });
    let body: Vec<_> = head.into_iter().chain(facts).chain(lines).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": body,
            },
        }],
    })
}

/// A line of a card: in a run line breaks mean nothing.
fn block(spacing: &str, inlines: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "spacing": spacing, "inlines": inlines})
}

fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": inert(text)})
}

/// No two braces in a row.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '{' && inert.ends_with('{') {
            inert.push(' ');
        }
        inert.push(c);
    }
    inert
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "default",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "attention",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        sample,
        sinks::{
            Occasion,
            note::tests::{full_of, largest_of, texts},
        },
    };
    use detect::Finding;
    use proptest::prelude::*;

    #[track_caller]
    fn told(finding: &Finding) -> Value {
        check(&body((Occasion::NEW, finding, &sample::inputs())))
    }

    /// Whether Teams takes it, and knows nothing but text in it.
    #[track_caller]
    pub(in crate::sinks) fn check(body: &str) -> Value {
        assert!(body.len() < BODY_BYTES_MAX, "{}", body.len());
        let value: Value = serde_json::from_str(body).unwrap();
        let blocks = card(&value)["body"].as_array().unwrap();
        assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"));
        let runs = blocks.iter().flat_map(|block| block["inlines"].as_array().unwrap());
        for run in runs {
            assert_eq!(run["type"], "TextRun");
            let text = run["text"].as_str().unwrap();
            assert!(!text.is_empty() && !text.contains("{{"), "{text}");
        }
        value
    }

    /// What a workflow posts.
    fn card(message: &Value) -> &Value {
        assert_eq!(message["type"], "message");
        let attachment = &message["attachments"][0];
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        assert_eq!(attachment.get("contentUrl"), Some(&Value::Null));
        let card = &attachment["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        card
    }

    #[test]
    fn a_card_is_the_note() {
        let finding = sample::finding("s3-mass-reencryption");
        let value = told(&finding);
        let title = &card(&value)["body"][0]["inlines"][0];
        assert_eq!(title["text"], format!("CRITICAL: {}", finding.about.title));
        assert_eq!(title["color"], "attention");
        let all = texts(&value);
        for words in [
            "when: ",
            "2026-03-12 Thursday (UTC), 14:03 - 14:41",
            "21.01 bits  objects-reencrypted: 120",
            "usual: 0 in an hour",
            &format!("sentrail findings explain {} --in STATE", finding.id),
        ] {
            assert!(all.contains(&words), "{words}: {all:?}");
        }
    }

    #[test]
    fn the_largest_card_fits() {
        for wide in ["\u{e0041}", "\u{1f600}", "\"", "\\", "W", "東", "{"] {
            let value = told(&largest_of(&wide.repeat(5_000)));
            assert!(texts(&value).iter().any(|text| text.ends_with("...")));
        }
    }

    #[test]
    fn what_cards_obey_stands_where_they_obey_nothing() {
        let hostile =
            "[x](https://x.example) **b** <at>all</at> {{DATE(2017-02-14T06:00:00Z)}} {{{";
        let value = told(&full_of(hostile));
        let shown =
            "[x](https://x.example) **b** <at>all</at> { {DATE(2017-02-14T06:00:00Z)}} { { {";
        assert!(texts(&value).iter().any(|text| text.contains(shown)), "{value}");
        assert_eq!(card(&value)["msteams"], json!({"width": "Full"}));
        told(&sample::hostile());
        told(&sample::flow());
    }

    proptest! {
        #[test]
        fn any_text_fits(text in "\\PC{0,300}|.{0,300}|[{}]{0,300}", times in 1_usize..40) {
            told(&full_of(&text.repeat(times)));
        }
    }
}
