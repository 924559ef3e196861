//! Selections and the condition over them.

use super::{documents, line, means, refuses, rule};
use crate::rules::sigma::condition::{BYTES_MAX, NESTED_MAX};
use proptest::prelude::*;
use std::fmt::Write;

const ABC: &str = "a: {x: 1}\nb: {x: 2}\nc: {x: 3}";

#[track_caller]
fn refused(condition: &str, fault: &str) {
    refuses(&rule(ABC, condition), &[&format!("7: {fault}")]);
}

#[test]
fn mappings_want_all_lists_want_one() {
    means("s: {a: 1, b: [2, 3]}", "s", "(a=#1 & b=#2,#3)");
    means("s:\n  - {a: 1, b: 2}\n  - {c: 3}", "s", "((a=#1 & b=#2) | c=#3)");
    means("s: [one, 2, true]", "s", "=one,2,true");
    means("s: [one, {a: 1}, two]", "s", "(=one,two | a=#1)");
    means("s: one*", "s", "=one[*]");
    means("s:\n  '|all': [one, two]", "s", "=one+two");
    means("s:\n  '|re': o.e", "s", "~o.e");
    means("s:\n  '|contains|cased': One", "s", "==[*]One[*]");
}

#[test]
fn not_binds_closest_then_and_then_or() {
    means(ABC, "a or b and not c", "(x=#1 | (x=#2 & !x=#3))");
    means(ABC, "(a or b) and not c", "((x=#1 | x=#2) & !x=#3)");
    means(ABC, "not (a or b) and c", "(!(x=#1 | x=#2) & x=#3)");
    means(ABC, "not not a and b and c", "(!!x=#1 & x=#2 & x=#3)");
    means(ABC, "((a)) and not(b or(c))", "(x=#1 & !(x=#2 | x=#3))");
    means(ABC, "a AND NOT b OR c", "((x=#1 & !x=#2) | x=#3)");
    means(ABC, "a or\n    b or\n    c", "(x=#1 | x=#2 | x=#3)");
}

#[test]
fn some_of_selections() {
    let selections = "s_a: {x: 1}\ns_b: {x: 2}\nf_a: {x: 3}\n_f: {x: 4}";
    means(selections, "1 of them", "(x=#1 | x=#2 | x=#3)");
    means(selections, "all of them", "(x=#1 & x=#2 & x=#3)");
    means(selections, "1 of s_* and not 1 of f_*", "((x=#1 | x=#2) & !x=#3)");
    means(selections, "all of *_* and f_a", "((x=#1 & x=#2 & x=#3 & x=#4) & x=#3)");
    means(selections, "all of s_* and 1 of f_a", "((x=#1 & x=#2) & x=#3)");
    means(selections, "any of s_* and f_a and _f", "((x=#1 | x=#2) & x=#3 & x=#4)");
    means(selections, "1 of *a or 1 of s*b and _f", "((x=#1 | x=#3) | (x=#2 & x=#4))");
    means("a: {x: 1}\na-a: {x: 2}", "1 of a*a and a", "(x=#2 & x=#1)");
}

#[test]
fn a_list_of_conditions_is_one_of_them() {
    means(ABC, "\n    - a and b\n    - c", "((x=#1 & x=#2) | x=#3)");
    refuses(&rule(ABC, "\n    - a or b or c\n    - d"), &["9: no selection \"d\"; "]);
    refuses(&rule(ABC, "[]"), &["7: condition is an empty list"]);
}

#[test]
fn what_is_no_condition() {
    refused("a or b or cc", "no selection \"cc\"; did you mean \"c\"?");
    refused("a or b or 1 of d*", "no selection \"d*\"; ");
    refused("2 of them", "\"2 of\" (expected \"1 of\" or \"all of\")");
    refused("a b c", "\"b\" (expected \"and\", \"or\" or the end)");
    refused("a or b or c)", "\")\" (expected \"and\", \"or\" or the end)");
    refused("(a or b or c", "the end of the condition (expected \")\")");
    refused("a or b or", "the end of the condition (expected a selection)");
    refused("a and or b", "\"or\" (expected a selection)");
    refused("()", "\")\" (expected a selection)");
    refused("not", "the end of the condition (expected a selection)");
    refused("1 of", "the end of the condition (expected \"them\" or a pattern)");
    refused("1 of (a)", "\"(\" (expected \"them\" or a pattern)");
    refused("a or b or c*", "\"c*\" in the condition (expected \"1 of\" in front)");
    refused("a or b or c | count() > 5", "\"|\" in the condition (not supported: use a corr");
    refused("a | near b and c", "\"|\" in the condition (not supported: use a correlation)");
    refused("a & b & c", "\"&\" in the condition (expected names, and, or, not, brackets)");
    refused("", "condition is nothing (expected a text)");
    refused("'  '", "condition is empty (expected a text)");
    refused("{a: b}", "condition is a mapping (expected a text)");
    refuses(&rule("_a: {x: 1}", "1 of them"), &["5: \"them\" without selections"]);
}

#[test]
fn what_is_no_selection() {
    refuses(&rule(ABC, "a or b"), &["6: selection \"c\" is not in the condition (expected it"]);
    means("a: {x: 1}\n_b: {x: 2}", "a", "x=#1");
    refuses(&rule("a: {}", "a"), &["4: selection \"a\" is empty"]);
    refuses(&rule("a: []", "a"), &["4: selection \"a\" is an empty list"]);
    refuses(&rule("a: [{}]", "a"), &["4: selection \"a\" is empty"]);
    refuses(&rule("a: [[x]]", "a"), &["4: selection \"a\" is a list (expected a mapping)"]);
    refuses(&rule("a:", "a"), &["4: value \"\" (expected a keyword)"]);
    refuses(&rule("a: [x, null]", "a"), &["4: value \"null\" (expected a keyword)"]);
    refuses(&rule("a b: {x: 1}", "a"), &["4: selection \"a b\" (expected a name of"]);
    refuses(&rule("Them: {x: 1}", "Them"), &["4: selection \"Them\" (expected a name of"]);
    refuses(&rule("a: {x: 1}\ntimeframe: 5m", "a"), &["5: \"timeframe\" (not supported: use a"]);
    refuses(&rule("a:\n  '|cidr': 10.0.0.0/8", "a"), &["5: \"|cidr\" without a field in front"]);
    // Every selection with a fault is told, and the condition is not blamed for them.
    refuses(&rule("a: {}\nb: {x|y: 1}", "a"), &["4: selection", "5: no modifier \"y\""]);
}

#[test]
fn depth_is_bounded() {
    let brackets = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    let negations = |n: usize| "not ".repeat(n) + "a";
    for deep in [brackets, negations] {
        assert!(documents(&rule("a: {x: 1}", &deep(NESTED_MAX))).1.is_empty());
        let text = rule("a: {x: 1}", &deep(NESTED_MAX + 1));
        refuses(&text, &["5: condition nested deeper than 32 levels"]);
    }
}

#[test]
fn size_is_bounded() {
    let text =
        |n: usize| rule(&format!("a: {{x: {}}}", "y".repeat(9_965)), &vec!["a"; n].join(" or "));
    // 10 000 bytes each: the text, 16 for the value, 17 for the field and 2 more.
    let n_max = BYTES_MAX / (9_965 + 16 + 17);
    assert!(documents(&text(n_max)).1.is_empty());
    refuses(&text(n_max + 1), &["5: condition over more than 1048576 bytes of selections"]);
}

#[test]
fn messages_are_bounded() {
    let mut selections = String::new();
    for n in 0..100 {
        writeln!(selections, "s{n:060}: {{x: 1}}").unwrap();
    }
    let (_, errors) = documents(&rule(&selections, &format!("a or {}", "y".repeat(10_000))));
    assert!(errors[0].starts_with("104: no selection \"a\"; expected one of s000"));
    assert!(errors[0].ends_with("024, ...") && errors[0].len() < 2_000, "{}", errors[0]);
}

/// A condition over `a`, `b`, `c`, and how it is read.
fn conditions() -> impl Strategy<Value = (String, String)> {
    let leaf = prop_oneof![
        Just(("a".to_owned(), "x=#1".to_owned())),
        Just(("b".to_owned(), "x=#2".to_owned())),
        Just(("c".to_owned(), "x=#3".to_owned())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let join = |inner: Vec<(String, String)>, word: &str, sign: &str| {
            let (texts, lines): (Vec<_>, Vec<_>) = inner.into_iter().unzip();
            (format!("({})", texts.join(word)), format!("({})", lines.join(sign)))
        };
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(move |all| join(all, " and ", " & ")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(move |any| join(any, " or ", " | ")),
            inner.prop_map(|(text, line)| (format!("not {text}"), format!("!{line}"))),
        ]
    })
}

proptest! {
    #[test]
    fn conditions_come_back((text, expected) in conditions()) {
        let text = rule("_a: 0\na: {x: 1}\nb: {x: 2}\nc: {x: 3}", &format!("({text}) or (a or b or c)"));
        let (found, errors) = documents(&text);
        prop_assert!(errors.is_empty(), "{errors:?}");
        let super::Document::Detection(found) = &found[0] else { panic!() };
        prop_assert_eq!(line(&found.condition), format!("({expected} | (x=#1 | x=#2 | x=#3))"));
    }

    #[test]
    fn never_panics(condition in "[ab_* ()|]{0,12}( (and|or|not|1 of|all of|them) [ab*()]{0,3}){0,6}") {
        let mut text = rule("a: {x: 1}\nb: {x: 2}", "|");
        write!(text, "\n    {condition}").unwrap();
        documents(&text);
    }
}
