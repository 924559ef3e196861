//! What stands around a detection.

use super::{
    Document, HEAD, Level, Logs, Usual, Whose, detection, documents, read, refuses, rule, sound,
};
use crate::rules::{self, Why, sigma::Unused};
use proptest::prelude::*;

/// A sound rule with more attributes, which begin in line 6.
fn with(attributes: &str) -> String {
    rule("s: {a: b}", "s") + attributes
}

#[track_caller]
fn refused(attributes: &str, fault: &str) {
    refuses(&with(attributes), &[fault]);
}

#[test]
fn what_is_left_out_has_a_meaning() {
    let head = detection(&with("")).head;
    assert_eq!((head.level, head.uuid, head.name), (Level::Medium, None, None));
    assert_eq!((head.description.as_str(), head.tags.len(), head.samples.len()), ("", 0, 0));
    assert_eq!((head.notes.usual, head.notes.summary), (Usual::Never, None));
}

#[test]
fn an_attribute_with_nothing_behind_it_is_left_out() {
    let empty = "author:\ndate: ~\ndescription:\nfalsepositives:\nid:\nlevel: null\nname:\n\
                 references:\nrelated:\nsentrail:\nstatus:\ntags:\ntaxonomy:\ntests:\n";
    assert_eq!(detection(&with(empty)), detection(&with("")));
    for (key, fault) in [
        ("title", "1: title is nothing (expected a text)"),
        ("logsource", "1: logsource is nothing (expected a mapping)"),
        ("detection", "1: detection is nothing (expected a mapping)"),
    ] {
        let others = ["title: T", "logsource: {service: cloudtrail, product: aws}"];
        let others = others.iter().filter(|line| !line.starts_with(key));
        let others: Vec<_> = others.copied().collect();
        let detection =
            if key == "detection" { "" } else { "detection: {s: {a: b}, condition: s}" };
        refuses(&format!("{key}:\n{}\n{detection}\n", others.join("\n")), &[fault]);
    }
    refused("levle:\n", "6: attribute \"levle\"; did you mean \"level\"?");
    let within = with("").replace("{a: b}", "");
    refuses(&within, &["4: value \"\" (expected a keyword)"]);
}

#[test]
fn levels_are_five() {
    for (word, level) in [
        ("informational", Level::Informational),
        ("low", Level::Low),
        ("medium", Level::Medium),
        ("high", Level::High),
        ("critical", Level::Critical),
    ] {
        assert_eq!(detection(&with(&format!("level: {word}\n"))).head.level, level);
    }
    refused("level: hihg\n", "6: no level \"hihg\"; did you mean \"high\"?");
    refused("level: [high]\n", "6: level is a list (expected a text)");
}

#[test]
fn titles_names_and_ids() {
    let text = |title: &str| with("").replace("title: T", title);
    refuses(
        &text("titel: T"),
        &["1: attribute \"titel\"; did you mean \"title\"?", "1: document has no"],
    );
    refuses(&text("title:"), &["1: title is nothing (expected a text)"]);
    refuses(&text("title: ' '"), &["1: title is empty (expected a text)"]);
    refuses(
        &text(&format!("title: {}", "x".repeat(257))),
        &["1: title of 257 characters (expected"],
    );
    assert!(documents(&text(&format!("title: {}", "ä".repeat(256)))).1.is_empty());
    for id in ["x", "929a690e-bef0-4204-a928-ef5e620d6fc", "929a690ebef04204a928ef5e620d6fcc", "5"]
    {
        refused(&format!("id: {id}\n"), &format!("6: id \"{id}\" (expected a UUID)"));
    }
    refused("tags: [attack]\n", "6: tag \"attack\" (expected one as attack.t1078)");
    refused(
        "tags:\n- attack.t1078\n- attack.lateral movement\n",
        "8: tag \"attack.lateral movement\"",
    );
    refused("taxonomy: ecs\n", "6: taxonomy \"ecs\" (expected \"sigma\")");
}

#[test]
fn attributes_of_ones_own_are_fine_and_slips_are_not() {
    assert!(documents(&with("created: 2024\nx-mine: {a: [1]}\nversion: 3\n")).1.is_empty());
    for (slip, word) in [
        ("falsepositive", "falsepositives"),
        ("detections", "detection"),
        ("false-positives", "falsepositives"),
        ("reference", "references"),
        ("Level", "level"),
        ("test", "tests"),
        ("log-source", "logsource"),
        ("tag", "tags"),
    ] {
        refused(
            &format!("{slip}: x\n"),
            &format!("6: attribute \"{slip}\"; did you mean \"{word}\"?"),
        );
    }
    refused(
        "action: global\n",
        "6: \"action\" (not supported since Sigma 2: write each document out)",
    );
    refused("timeframe: 5m\n", "6: \"timeframe\" (not supported: use a correlation with");
    refused("generate: true\n", "6: a detection has no \"generate\"");
}

#[test]
fn logs_are_named_in_many_ways() {
    for service in ["vpcflow", "vpc-flow-logs", "vpcflowlogs", "vpc_flow", "flowlogs"] {
        assert_eq!(detection(&with("").replace("cloudtrail", service)).logs, Logs::Flow);
    }
    let source = |text: &str| with("").replace("{product: aws, service: cloudtrail}", text);
    for text in [
        "{service: cloudtrail}",
        "{product: AWS, service: CloudTrail}",
        "{product: aws, service: cloudtrail, category: audit}",
        "{category: cloud, service: CLOUDTRAIL, definition: any}",
    ] {
        assert_eq!(detection(&source(text)).logs, Logs::CloudTrail, "{text}");
    }
    assert_eq!(detection(&source("{service: VPCFlow}")).logs, Logs::Flow);
    let fault = "2: sentrail does not read these logs: ";
    for (text, said) in [
        ("{product: aws}", "product \"aws\""),
        ("{product: aws, service: cloudtrial}", "product \"aws\", service \"cloudtrial\""),
        ("{product: asw, service: cloudtrail}", "product \"asw\", service \"cloudtrail\""),
        ("{service: cloudtrial}", "service \"cloudtrial\""),
        ("{definition: any}", "no product"),
    ] {
        refuses(&source(text), &[&format!("{fault}{said} (expected service \"cloudtrail\"")]);
    }
    refuses(&source("aws"), &["2: logsource is a text (expected a mapping)"]);
    refuses(&source("{product: [aws]}"), &["2: product is a list (expected a text)"]);
    refuses(
        "title: T\ndetection: {s: {a: b}, condition: s}",
        &["1: document has no \"logsource\""],
    );
}

#[test]
fn other_logs_are_nobodys_fault() {
    for (source, logs) in [
        ("{product: windows, service: security}", "windows"),
        ("{category: process_creation}", "process_creation"),
        ("{product: aws, service: guardduty}", "aws guardduty"),
        ("{product: AWS, service: WAF, category: webserver}", "aws waf"),
        ("{product: gcp, service: vpcflow}", "gcp"),
        ("{service: okta}", "okta"),
    ] {
        // What stands in it besides is not looked at.
        let text = with("levle: extreme\n").replace("{product: aws, service: cloudtrail}", source);
        let errors = rules::check("a.yml", &text);
        assert_eq!(
            errors[0].to_string(),
            format!("a.yml:2: sentrail does not read these logs: {logs}")
        );
        assert_eq!((errors[0].why(), errors.len()), (&Why::OtherLogs(logs.to_owned()), 1));
    }
}

#[test]
fn of_other_people_what_can_be_understood_is_used() {
    let theirs = |text: &str| {
        let (mut documents, errors) = read(&"a.yml".into(), text, Whose::Others);
        let errors: Vec<_> =
            errors.into_iter().map(|error| (error.to_string(), error.why)).collect();
        (documents.remove(0), errors)
    };
    let used = |text: &str, told: &[&str]| match theirs(text) {
        (Document::Detection(found), errors) => {
            let told = told.iter().map(|what| ((*what).to_owned(), Why::Tolerated));
            assert_eq!(errors, told.collect::<Vec<_>>());
            found.head
        }
        other => panic!("{other:?}"),
    };
    let head =
        used(&with("level: High\n"), &["a.yml:6: no level \"High\"; did you mean \"high\"?"]);
    assert_eq!((head.level, head.whose), (Level::High, Whose::Others));
    let head = used(&with("id: Det-04\n"), &["a.yml:6: id \"Det-04\" (expected a UUID)"]);
    assert_eq!((head.uuid.as_deref(), head.name.as_deref()), (Some("det-04"), Some("Det-04")));
    let head = used(&with("id: x\nname: y\n"), &["a.yml:6: id \"x\" (expected a UUID)"]);
    assert_eq!((head.uuid.as_deref(), head.name.as_deref()), (Some("x"), Some("y")));
    let slip = "a.yml:6: attribute \"reference\"; did you mean \"references\"?";
    used(&with("reference: x\n"), &[slip]);
    used(&with("generate: true\n"), &["a.yml:6: a detection has no \"generate\""]);
    let unused = rule("s: {a: b}\nt: {c: d}", "s");
    let told = "a.yml:5: selection \"t\" is not in the condition (expected it there, or a name with _ in front)";
    used(&unused, &[told]);
    for (fault, what) in [
        ("action: global\n", "\"action\" (not supported since Sigma 2: write each document out)"),
        (
            "level: extreme\n",
            "no level \"extreme\"; expected one of informational, low, medium, high, critical",
        ),
    ] {
        let (document, errors) = theirs(&with(fault));
        assert!(matches!(document, Document::Unused(Unused { why: Why::Fault, .. })));
        assert_eq!(errors, [(format!("a.yml:6: {what}"), Why::Fault)]);
    }
}

#[test]
fn what_its_author_has_left_behind_is_left_out_of_rules_of_others() {
    for status in ["deprecated", "unsupported"] {
        let text = with(&format!("status: {status}\nlevel: extreme\n"));
        let (documents, errors) = read(&"a.yml".into(), &text, Whose::Others);
        let why = Why::Retired(status.to_owned());
        assert!(matches!(&documents[0], Document::Unused(unused) if unused.why == why));
        let told = format!("a.yml:6: its author has left it behind: status {status}");
        assert_eq!((errors[0].to_string(), &errors[0].why, errors.len()), (told, &why, 1));
        sound(&with(&format!("status: {status}\n")));
    }
    assert_eq!(read(&"a.yml".into(), &with("status: test\n"), Whose::Others).1, []);
}

#[test]
fn notes_have_their_keys() {
    let notes = |text: &str| with(&format!("sentrail:\n  {text}\n"));
    assert_eq!(detection(&notes("usual: match")).head.notes.usual, Usual::Match);
    assert_eq!(detection(&notes("usual: never")).head.notes.usual, Usual::Never);
    refuses(
        &notes("usual: always"),
        &["7: no usual \"always\"; expected one of never, api, match"],
    );
    assert!(detection(&notes("usual: api\n  cold: low")).head.notes.is_low_cold);
    refuses(&notes("usual: api\n  cold: high"), &["8: no cold \"high\"; expected one of low"]);
    let alone = "7: \"cold\" without \"usual\" (expected both)";
    refuses(&notes("cold: low"), &[alone]);
    refuses(&notes("cold: low\n  usual: never"), &[alone]);
    refuses(
        &notes("quiet_when: x"),
        &["7: sentrail has no key \"quiet_when\"; did you mean \"quiet-when\"?"],
    );
    refuses(&notes("summary: a {b"), &["7: summary with \"{\" and no \"}\""]);
    refuses(&notes("summary: a b}"), &["7: summary with \"}\" and no \"{\""]);
    refuses(&notes("summary: a {} b"), &["7: field \"\" (expected one as"]);
    refuses(&notes("summary: a {b c}"), &["7: field \"b c\" (expected one as"]);
    refuses(&notes("targets: []"), &["7: targets is an empty list"]);
    refuses(&notes("targets: ['a..b']"), &["7: field \"a..b\""]);
    refuses(&with("sentrail: x\n"), &["6: sentrail is a text (expected a mapping)"]);
}

#[test]
fn tests_hold_records() {
    let fires = |test: &str| with(&format!("tests:\n  fires:\n  - {test}\n"));
    let records = |text: &str| detection(&fires(text)).head.samples.remove(0).records;
    assert_eq!(
        records("{name: n, record: {a: {b: [c, [1, -2.50e3, 0.5]]}}}"),
        [r#"{"a":{"b":["c",[1,-2.50e3,0.5]]}}"#]
    );
    assert_eq!(
        records("{name: n, records: [{a: ~, b: FALSE}, ' {\"c\": 1} ']}"),
        [r#"{"a":null,"b":false}"#, r#"{"c": 1}"#]
    );
    for (test, fault) in [
        ("{record: {a: 1}}", "test has no \"name\""),
        ("{name: n}", "test with neither or both of \"record\" and \"records\""),
        ("{name: n, record: {a: 1}, records: [{a: 1}]}", "test with neither or both"),
        ("{name: n, records: {a: 1}}", "records is a mapping (expected a list, or \"record\""),
        ("{name: n, records: []}", "records is an empty list"),
        ("{name: n, record: [1]}", "record is a list (expected a mapping, or a text that is"),
        ("{name: n, record: x}", "record is a text (expected a mapping, or a text"),
        ("{name: n, reocrd: {a: 1}}", "test has no key \"reocrd\"; did you mean \"record\"?"),
        ("x", "test is a text (expected a mapping)"),
    ] {
        refuses(&fires(test), &[&format!("8: {fault}")]);
    }
    for number in ["012345678901", ".5", "5.", "+1", "0x10", ".inf", "-.5"] {
        let test = format!("{{name: n, record: {{a: {number}}}}}");
        refuses(&fires(&test), &[&format!("8: number \"{number}\" (expected quotes around it)")]);
    }
    refused("tests: {fire: [x]}\n", "6: tests has no key \"fire\"; did you mean \"fires\"?");
    refused("tests: {fires: []}\n", "6: fires is an empty list");
}

#[test]
fn a_document_is_one_of_three() {
    refuses(HEAD, &["1: document without \"detection\", \"correlation\" or \"filter\""]);
    refused("filter: {}\n", "1: document with more than one of \"detection\", ");
    refuses("- a\n- b\n", &["1: document is a list (expected a mapping)"]);
    refuses("text", &["1: document is a text (expected a mapping)"]);
    refuses("a: 1\nb: |\n  c\nlo", &["4: not YAML: "]);
    refuses("a: 1\na: 2\n", &["2: key \"a\" a second time"]);
}

#[test]
fn every_fault_is_told_and_the_other_documents_are_read() {
    let bad =
        "title:\nlevel: x\nlogsource: {product: aws}\ndetection: {s: {a|b: c}, condition: s}\n";
    let (found, errors) =
        documents(&format!("{}---\n{bad}---\n{}", with(""), with("name: last\n")));
    let names = found.iter().map(|document| match document {
        Document::Detection(detection) => detection.head.name.as_deref(),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), [None, Some("last")]);
    let lines: Vec<_> = errors.iter().map(|error| error.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["7", "8", "9", "10"]);
}

#[test]
fn errors_name_file_and_line() {
    let errors = rules::check("pack/a.yml", "title: T\n");
    assert_eq!(
        errors[0].to_string(),
        "pack/a.yml:1: document without \"detection\", \"correlation\" or \"filter\""
    );
    assert!(rules::check("a.yml", &with("")).is_empty());
    // What is hostile in a file is escaped in what is told of it.
    let errors = rules::check("a.yml", &with("level: \"\\e[31m\\n\"\n"));
    assert!(errors[0].to_string().contains(r#"no level "\u{1b}[31m\n""#), "{}", errors[0]);
}

#[test]
fn documents_of_one_file_may_refer_to_each_other() {
    let text = format!(
        "title: Many\ncorrelation: {{type: event_count, rules: [one], timespan: 10m, condition: {{gte: 10}}}}\n---\n{}name: one\n",
        with("")
    );
    assert_eq!(documents(&text).0.len(), 2);
    sound(&with("# nothing follows\n---\n"));
}

proptest! {
    /// Pieces of rules in any order: mostly wrong, never a panic.
    #[test]
    fn never_panics(pieces in prop::collection::vec(0..PIECES.len(), 0..12)) {
        let text: String = pieces.into_iter().map(|n| PIECES[n]).collect();
        documents(&text);
    }

    #[test]
    fn never_panics_on_values(key in "[a.|]{0,4}(contains|re|windash|base64offset|cidr|expand|all)?", value in "\\PC{0,20}") {
        let value = value.replace('\'', "''");
        documents(&rule(&format!("s:\n  '{}': ['{value}', 'x']", key.replace('\'', "")), "s"));
    }
}

const PIECES: [&str; 20] = [
    "title: T\n",
    "id: 929a690e-bef0-4204-a928-ef5e620d6fcc\n",
    "logsource: {product: aws, service: cloudtrail}\n",
    "detection:\n",
    "  s: {a|contains: b}\n",
    "  s2: [{a: 1}, x]\n",
    "  condition: 1 of s*\n",
    "correlation:\n",
    "  type: event_count\n",
    "  rules: [x]\n",
    "  timespan: 5m\n",
    "  condition: {gte: 5}\n",
    "  aliases: {a: {x: y}}\n",
    "filter:\n",
    "---\n",
    "level: high\n",
    "sentrail: {summary: '{a} {{', targets: [a]}\n",
    "tests:\n  fires:\n",
    "  - {name: n, record: {a: [1, {}]}}\n",
    "[",
];
