//! # Slack
//!
//! Each finding is a message to an incoming webhook of Slack, as a colleague would write it: how bad and what;
//! who did what; who, where, when; where the bits come from; what to do now; what to type to look closer.
//!
//! ## Sends
//!
//! Blocks of plain text only. In those Slack knows no mentions, links, emoji or mark-up, whatever stands there:
//! `@here`, `<!channel>` and `<https://...|here>` of a log are read as they are. What notifications show of it,
//! `text`, holds nothing of a log.
//!
//! ## Limits
//!
//! Slack takes 150 characters of a header, 3,000 of a section, 10 fields of 2,000, and 50 blocks. It refuses
//! messages from about 13,000 characters on (`msg_blocks_too_long`), which it documents nowhere: a body is less than
//! 13,000 bytes. One message a second goes to a sink, as Slack asks for.
//!
//! ## Answers
//!
//! Those of a webhook. Slack says in a word why it refuses (400 `invalid_payload`, 403 `action_prohibited`, 404
//! `no_service`, 410 `channel_is_archived`); the status says enough, and the word is not kept.

use super::{
    body::json as json_text,
    note::{Note, Told, cut, fitting},
};
use serde_json::{Value, json};

/// Unit: bytes.
pub(super) const BODY_BYTES_MAX: usize = 13_000;
/// Slack asks for one message a second. Unit: milliseconds from an answer to the next message.
pub(super) const GAP_MS: i64 = 1_000;

/// Unit of all of these: UTF-16 units, and fields.
const HEADER_UNITS_MAX: usize = 150;
const SECTION_UNITS_MAX: usize = 3_000;
const FIELD_UNITS_MAX: usize = 2_000;
const FIELDS_MAX: usize = 10;

/// The body of a message.
pub(super) fn body(told: Told<'_>) -> String {
    fitting(told, BODY_BYTES_MAX, message)
}

/// The body of a message that is about no finding.
pub(super) fn of(note: &Note) -> String {
    json_text(&message(note))
}

fn message(note: &Note) -> Value {
    let field = |(what, text): &(&str, String)| plain(&format!("{what}\n{text}"), FIELD_UNITS_MAX);
    let fields: Vec<_> = note.facts.iter().take(FIELDS_MAX).map(field).collect();
    let head = [
        json!({"type": "header", "text": plain(&note.head, HEADER_UNITS_MAX)}),
        section(&note.summary),
        json!({"type": "section", "fields": fields}),
    ];
    let blocks = note.paragraphs.iter().map(|lines| section(&lines.join("\n")));
    json!({
        "text": escaped(&note.head),
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": head.into_iter().chain(blocks).collect::<Vec<_>>(),
    })
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": plain(text, SECTION_UNITS_MAX)})
}

fn plain(text: &str, n_max: usize) -> Value {
    json!({"type": "plain_text", "text": cut(text, n_max), "emoji": false})
}

/// The rule of <https://docs.slack.dev/messaging/formatting-message-text>: outside of plain text these three
/// characters begin whatever Slack obeys.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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

    const BLOCKS_MAX: usize = 50;

    #[track_caller]
    fn told(finding: &Finding) -> Value {
        check(&body((Occasion::NEW, finding, &sample::inputs())))
    }

    /// Whether Slack takes it: by the lengths of its pages, and nothing but plain text.
    #[track_caller]
    pub(in crate::sinks) fn check(body: &str) -> Value {
        assert!(body.len() < BODY_BYTES_MAX, "{}", body.len());
        let value: Value = serde_json::from_str(body).unwrap();
        assert!(!value["text"].as_str().unwrap().contains(['<', '>']), "{value}");
        assert_eq!(value["mrkdwn"], false);
        let blocks = value["blocks"].as_array().unwrap();
        assert!(blocks.len() <= BLOCKS_MAX);
        for block in blocks {
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            let fields = block["fields"].as_array();
            assert!(block["text"].is_object() != fields.is_some(), "{block}");
            let fields = fields.into_iter().flatten().map(|field| (field, 2_000));
            let fields: Vec<_> = fields.collect();
            assert!(fields.len() <= 10);
            let own = block.get("text").map(|text| (text, most));
            for (text, most) in own.into_iter().chain(fields) {
                assert_eq!((&text["type"], &text["emoji"]), (&json!("plain_text"), &json!(false)));
                let text = text["text"].as_str().unwrap();
                let n = text.encode_utf16().count();
                assert!((1..=most).contains(&n), "{n}: {text}");
            }
        }
        value
    }

    #[test]
    fn a_message_begins_with_how_bad_and_what() {
        let finding = sample::finding("s3-mass-reencryption");
        let value = told(&finding);
        let head = format!("CRITICAL: {}", finding.about.title);
        assert_eq!(value["blocks"][0]["text"]["text"], head);
        assert_eq!(value["text"], head);
        assert_eq!(
            value["blocks"][2]["fields"][2]["text"],
            "when\n2026-03-12 Thursday (UTC), 14:03 - 14:41"
        );
        let id = finding.id.to_string();
        assert!(texts(&value).iter().any(|text| text.contains(&format!("explain {id}"))));
    }

    #[test]
    fn the_largest_message_fits() {
        for wide in ["\u{e0041}", "\u{1f600}", "\"", "\\", "W", "東", "<"] {
            let value = told(&largest_of(&wide.repeat(5_000)));
            assert!(texts(&value).iter().any(|text| text.ends_with("...")));
        }
    }

    #[test]
    fn a_title_of_a_rule_is_cut_and_escaped() {
        let mut finding = sample::finding("denied-burst");
        let mut about = (*finding.about).clone();
        about.title = "<!channel> & <https://x.example|y> ".repeat(9);
        finding.about = about.into();
        let value = told(&finding);
        let text = value["text"].as_str().unwrap();
        assert!(text.starts_with("CRITICAL: &lt;!channel&gt; &amp; &lt;https"), "{text}");
    }

    #[test]
    fn what_slack_obeys_stands_in_plain_text_only() {
        let hostile =
            "<!channel> @here <@U012AB3CD> <https://x.example|look> *b* `c` :siren: &lt;!here&gt;";
        let value = told(&full_of(hostile));
        assert_eq!(value["mrkdwn"], false);
        assert!(!value["text"].as_str().unwrap().contains("here"), "{value}");
        told(&sample::hostile());
        told(&sample::flow());
    }

    proptest! {
        #[test]
        fn any_text_fits(text in "\\PC{0,300}|.{0,300}", times in 1_usize..40) {
            told(&full_of(&text.repeat(times)));
        }
    }
}
