//! What rules say about themselves, in the form of a detector's page. Where the author is silent a plain
//! sentence stands.

use super::{Wanted, Whom, severity, words};
use crate::{
    about::About,
    detector::Impact,
    rules::{
        rule::{Correlation, Rule},
        sigma::{Head, Usual},
    },
};

/// ATT&CK tactics and what they stand for here. "Stealth" and "defense impairment" are the halves of
/// what was "defense evasion" before ATT&CK 18.
const TACTICS: &[(&str, Impact)] = &[
    ("persistence", Impact::Persistence),
    ("privilege-escalation", Impact::Privilege),
    ("defense-evasion", Impact::Evasion),
    ("defense-impairment", Impact::Evasion),
    ("stealth", Impact::Evasion),
    ("credential-access", Impact::Credential),
    ("discovery", Impact::Discovery),
    ("reconnaissance", Impact::Discovery),
    ("exfiltration", Impact::Exfiltration),
    ("collection", Impact::Exfiltration),
    ("impact", Impact::Destruction),
    ("initial-access", Impact::Access),
    ("execution", Impact::Access),
    ("lateral-movement", Impact::Access),
    ("command-and-control", Impact::Access),
    ("resource-development", Impact::Access),
];

/// The page of a rule about single records.
pub(super) fn of_rule(rule: &Rule) -> About {
    let fires = described(&rule.head, "a record meets the conditions of the rule.");
    about(&rule.id, &rule.head, (&fires, ""))
}

/// The page of a correlation, which says what is counted, over what, and what the bounds can hide.
pub(super) fn of_correlation(
    correlation: &Correlation,
    rules: &[&Rule],
    (wanted, whom): (&Wanted, Whom),
) -> About {
    let document = &correlation.document;
    let titles =
        |between| words::titles(rules.iter().map(|rule| rule.head.title.as_str()), between);
    let what = match wanted {
        Wanted::One => titles(", "),
        Wanted::Events(bounds) => {
            format!("{} matches of {}", words::bounds(bounds), titles(" or "))
        }
        Wanted::Values(what, bounds) => {
            let (bounds, of) = (words::bounds(bounds), titles(" or "));
            format!("{bounds} different values of {what} in matches of {of}")
        }
        Wanted::All => format!("matches of {}", titles(" and ")),
        Wanted::InOrder => format!("matches of {}", titles(", then ")),
    };
    let names: Vec<String> = document.group_by.iter().map(ToString::to_string).collect();
    let whose = match whom {
        Whom::Identity => "one identity",
        Whom::Interface => "one interface",
        Whom::Source => "one source address",
        Whom::Account => "one account",
    };
    let within = words::timespan(super::n_slots(document.timespan_ms));
    let together =
        if names.is_empty() { String::new() } else { format!(" with equal {}", names.join(", ")) };
    let counted = format!(
        "Told are {what} by {whose}{together}, within {within}. As windows are whole slots of 5 minutes, \
         what is up to 10 minutes further apart may count too."
    );
    let fires =
        format!("{}\n{counted}", described(&document.head, "what is counted comes together."));
    about(&correlation.id, &document.head, (&fires, limits(wanted)))
}

/// What the bounds of a correlation can hide.
fn limits(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::Events(bounds) | Wanted::Values(_, bounds) if !words::only_grows(bounds) => {
            "Whether a count stays below a bound is known when the day has closed: it is told then, and \
             judged in each window that ends with a match."
        }
        Wanted::Values(..) => "Above 64, the number of different values is an estimate.",
        Wanted::InOrder => {
            "Of each 5 minutes and rule the order of the first 32 matches and of the last is known: \
             three rules or more may hide behind more than that."
        }
        _ => "",
    }
}

fn described(head: &Head, otherwise: &str) -> String {
    let description = head.description.trim();
    if description.is_empty() { otherwise.to_owned() } else { description.to_owned() }
}

fn about(id: &str, head: &Head, (fires, limits): (&str, &str)) -> About {
    About {
        id: id.to_owned(),
        uuid: head.uuid.clone(),
        title: head.title.clone(),
        severity: severity(head.level),
        impact: impact(&head.tags),
        techniques: techniques(&head.tags),
        guardduty: head.notes.guardduty.clone(),
        page: page(head, fires, limits),
    }
}

/// What the first tactic stands for.
fn impact(tags: &[String]) -> Impact {
    let tactics = tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
    let mut tactics = tactics.map(|tactic| tactic.replace('_', "-"));
    let known = tactics.find_map(|tactic| TACTICS.iter().find(|(name, _)| *name == tactic));
    known.map_or(Impact::Access, |(_, impact)| *impact)
}

/// `attack.t1078.004` as `T1078.004`.
fn techniques(tags: &[String]) -> Vec<String> {
    let is_technique = |name: &&str| {
        let digits = name.strip_prefix('t').unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let names = tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
    names.filter(is_technique).map(str::to_uppercase).collect()
}

fn page(head: &Head, fires: &str, limits: &str) -> String {
    let notes = &head.notes;
    let text =
        |text: &Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let mut quiet: Vec<String> = vec![text(&notes.quiet_when)];
    quiet.extend(match notes.usual {
        Usual::Never => None,
        Usual::Api => Some(
            "The finding is low where the identity has called the API on earlier days.".to_owned(),
        ),
        Usual::Match => {
            Some("The finding is low where the identity does this as a habit.".to_owned())
        }
    });
    let cold = "It is low, too, while nobody has history yet.";
    quiet.extend(notes.is_low_cold.then(|| cold.to_owned()));
    if !head.false_positives.is_empty() {
        let cases = head.false_positives.iter().map(|case| case.trim().trim_end_matches('.'));
        quiet.push(format!("It can be harmless: {}.", cases.collect::<Vec<_>>().join("; ")));
    }
    let quiet = joined(quiet, "the conditions of the rule are not met.");
    let misses = joined(
        vec![text(&notes.misses), limits.to_owned()],
        "what its conditions do not name; the rule itself says no more of it.",
    );
    let triage = joined(
        vec![text(&notes.triage)],
        "Look at the records, and ask whoever is behind the entity whether it was meant.",
    );
    let mut page = format!("# {}\n\n## Fires when\n{fires}\n", head.title);
    for (heading, text) in [("Quiet when", quiet), ("Misses", misses), ("Triage", triage)] {
        page.extend(["\n## ", heading, "\n", &text, "\n"]);
    }
    if !head.references.is_empty() {
        page.extend(["\n## References\n", &head.references.join("\n"), "\n"]);
    }
    page
}

fn joined(sentences: Vec<String>, otherwise: &str) -> String {
    let said: Vec<_> = sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect();
    if said.is_empty() { otherwise.to_owned() } else { said.join("\n") }
}
