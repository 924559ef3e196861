use super::{
    DEPTH_MAX, DOCUMENT_CHARS_MAX, FILE_BYTES_MAX, Fault, Kind, Node, Value, documents, last_line,
};
use crate::rules::sigma::Line;
use proptest::prelude::*;

/// A tree without its lines: `{"a":[1,text]}`, texts as they are.
fn shape(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.value {
            Value::Null => "null".into(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => format!("f{value}"),
            Value::Text => format!("{:?}", scalar.text),
        },
        Kind::Sequence(nodes) => {
            format!("[{}]", nodes.iter().map(shape).collect::<Vec<_>>().join(","))
        }
        Kind::Mapping(entries) => {
            let entries = entries.iter().map(|(key, node)| format!("{}:{}", key.text, shape(node)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

#[track_caller]
fn reads(text: &str, shapes: &[&str]) {
    let found: Vec<_> = documents(text).iter().map(|node| shape(node.as_ref().unwrap())).collect();
    assert_eq!(found, shapes);
}

#[track_caller]
fn refuses(text: &str, line: u32, words: &str) {
    let faults: Vec<_> = documents(text).into_iter().filter_map(Result::err).collect();
    let [Fault { line: found, what }] = faults.as_slice() else { panic!("{faults:?}") };
    assert!(*found == Line(line) && what.contains(words), "{found:?} {what}");
}

#[test]
fn plain_scalars_are_typed_by_the_core_schema() {
    for (text, value) in [
        ("null", "null"),
        ("~", "null"),
        ("true", "true"),
        ("FALSE", "false"),
        ("yes", "\"yes\""),
        ("No", "\"No\""),
        ("12", "12"),
        ("-12", "-12"),
        ("+12", "12"),
        ("012345678901", "12345678901"),
        ("0o17", "15"),
        ("0xfF", "255"),
        ("0x", "\"0x\""),
        ("-0x1", "\"-0x1\""),
        ("0x+1", "\"0x+1\""),
        ("1.5", "f1.5"),
        (".5", "f0.5"),
        ("5.", "f5"),
        ("1e3", "f1000"),
        ("1e", "\"1e\""),
        ("e3", "\"e3\""),
        (".", "\".\""),
        ("1.2.3", "\"1.2.3\""),
        ("1_000", "\"1_000\""),
        ("-.inf", "f-inf"),
        (".nan", "fNaN"),
        ("99999999999999999999", "f100000000000000000000"),
        ("2024-01-31", "\"2024-01-31\""),
        ("10.0.0.0/8", "\"10.0.0.0/8\""),
    ] {
        reads(&format!("a: {text}"), &[&format!("{{a:{value}}}")]);
        reads(&format!("a: '{text}'"), &[&format!("{{a:{text:?}}}")]);
        reads(&format!("a: \"{text}\""), &[&format!("{{a:{text:?}}}")]);
    }
}

#[test]
fn mappings_keep_their_order_and_blocks_their_text() {
    reads("b: 1\na: [x, {c: 2}]\n'null':\n", &["{b:1,a:[\"x\",{c:2}],null:null}"]);
    reads("a: |\n  one\n  two\nb: >\n  one\n  two\n", &["{a:\"one\\ntwo\\n\",b:\"one two\\n\"}"]);
    reads("a: 'it''s'\nb: \"tab\\t\"\n# no more\n", &["{a:\"it's\",b:\"tab\\t\"}"]);
}

#[test]
fn a_file_holds_several_documents_and_empty_ones_are_none() {
    reads("a: 1\n---\nb: 2\n", &["{a:1}", "{b:2}"]);
    reads("---\n---\n# nothing\n---\na: 1\n...\n---\n", &["{a:1}"]);
    reads("", &[]);
    reads("\u{feff}a: 1\r\nb: 2\r\n", &["{a:1,b:2}"]);
}

#[test]
fn nodes_know_their_lines() {
    let node =
        documents("# first\n\na: 1\nb:\n  - x\n  -\n    c: 2\nd:\n\n\ne: 3\n").remove(0).unwrap();
    let Kind::Mapping(entries) = &node.kind else { panic!() };
    let lines: Vec<_> = entries.iter().map(|(key, node)| (key.line.0, node.line.0)).collect();
    assert_eq!(lines, [(3, 3), (4, 5), (8, 8), (11, 11)]);
    let Kind::Sequence(nodes) = &entries[1].1.kind else { panic!() };
    assert_eq!(nodes[1].line, Line(7));
}

#[test]
fn the_last_line_is_the_last_with_anything() {
    for (text, line) in [
        ("", 1),
        ("a", 1),
        ("a\n", 1),
        ("a\nb", 2),
        ("a\r\nb\r\n\r\n", 2),
        ("a\rb", 2),
        ("\n\na", 3),
    ] {
        assert_eq!(last_line(text), Line(line), "{text:?}");
    }
}

#[test]
fn what_may_expand_is_refused_in_its_line() {
    refuses("a: &x 1\n", 1, "anchor");
    refuses("a: &x [1]\nb: *x\n", 1, "anchor");
    refuses("a: 1\nb: *x\n", 2, "unknown anchor");
    refuses("a: 1\nb: !!str 2\n", 2, "tag");
    refuses("a: 1\nb: !mine {}\n", 2, "tag");
    refuses("a: 1\n<<: {b: 2}\n", 2, "merge key");
    reads("'a': '<<'\n", &["{a:\"<<\"}"]);
}

#[test]
fn keys_are_texts_and_stand_once() {
    refuses("a: 1\nb: 2\na: 3\n", 3, "key \"a\" a second time");
    refuses("x:\n  a: 1\n  'a': 3\n", 3, "key \"a\" a second time");
    refuses("? [a, b]\n: 1\n", 1, "key that is a list");
    refuses("? {a: b}\n: 1\n", 1, "key that is a list");
}

#[test]
fn one_bad_document_leaves_the_others() {
    let found = documents("a: 1\na: 2\n---\nb: 1\n");
    assert!(found[0].is_err());
    assert_eq!(shape(found[1].as_ref().unwrap()), "{b:1}");
}

#[test]
fn what_is_not_yaml_ends_the_file() {
    let found = documents("a: 1\n---\nb: [1\n---\nc: 1\n");
    assert_eq!(shape(found[0].as_ref().unwrap()), "{a:1}");
    assert!(found[1].as_ref().unwrap_err().what.starts_with("not YAML: "));
    assert_eq!(found.len(), 2);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(documents(&nested(DEPTH_MAX))[0].is_ok());
    refuses(&nested(DEPTH_MAX + 1), 1, "nested deeper than 32 levels");
    // So deep, the crate itself gives up first.
    refuses(&"[".repeat(FILE_BYTES_MAX), 1, "recursion limit");
    let mappings =
        |depth: usize| (0..depth).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n");
    assert!(documents(&mappings(DEPTH_MAX))[0].is_ok());
    refuses(&mappings(DEPTH_MAX + 1), 33, "nested deeper than 32 levels");
}

#[test]
fn size_is_bounded() {
    let long = "x".repeat(DOCUMENT_CHARS_MAX - 3);
    reads(&format!("a: {long}"), &[&format!("{{a:\"{long}\"}}")]);
    refuses(&format!("a: {long}x"), 1, "document longer than 524288 characters");
    let found = documents(&format!("a: {long}x\n---\nb: 1\n"));
    assert_eq!((found.len(), found[1].is_ok()), (2, true));
    refuses(&"#".repeat(FILE_BYTES_MAX + 1), 1, "file of 1048577 bytes");
}

proptest! {
    #[test]
    fn never_panics(text in "(?s).{0,200}") {
        documents(&text);
    }

    #[test]
    fn never_panics_on_marks(text in "[-?:,\\[\\]{}#&*!|>'\"%@`<~ \\n\\ta0.]{0,120}") {
        for node in documents(&text).into_iter().flatten() {
            shape(&node);
        }
    }

    #[test]
    fn quoted_texts_come_back(text in "[ -~äß\u{2014}]{0,40}") {
        let quoted = format!("a: '{}'", text.replace('\'', "''"));
        reads(&quoted, &[&format!("{{a:{text:?}}}")]);
    }
}
