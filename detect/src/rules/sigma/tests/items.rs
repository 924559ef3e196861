//! Lines of selections: values, escapes, modifiers.

use super::{documents, item_means, item_refused, means, refuses, rule};

#[test]
fn values_without_modifiers() {
    item_means("a: text", "a=text");
    item_means("a: ''", "a=");
    item_means("a: null", "a=null");
    item_means("a:", "a=null");
    item_means("a: true", "a=true");
    item_means("a: 'true'", "a=true");
    item_means("a: 22", "a=#22");
    item_means("a: -1.5", "a=#-1.5");
    item_means("a: '22'", "a=22");
    item_means("a: [x, 'y', 3]", "a=x,y,#3");
    item_means("a.b.c: x", "a.b.c=x");
    item_means("a: No", "a=No");
}

#[test]
fn wildcards_and_escapes_of_the_specification() {
    for (written, read) in [
        (r"prog?.exe", "prog[?].exe"),
        (r"antivirus_V*.exe", "antivirus_V[*].exe"),
        (r"C:\Windows\System32", r"C:\Windows\System32"),
        (r"C:\\Windows", r"C:\Windows"),
        (r"a\*b", "a*b"),
        (r"a\?b", "a?b"),
        (r"a\\*", r"a\[*]"),
        (r"a\\?b", r"a\[?]b"),
        (r"a\\\*", r"a\*"),
        (r"a\\\b", r"a\\b"),
        (r"a\\\\b", r"a\\b"),
        (r"a\", r"a\"),
        ("**", "[*]"),
        ("?*?", "[?][*][?]"),
    ] {
        item_means(&format!("a: '{written}'"), &format!("a={read}"));
    }
}

#[test]
fn places_are_wildcards() {
    item_means("a|contains: x", "a=[*]x[*]");
    item_means("a|startswith: x*", "a=x[*]");
    item_means(r"a|startswith: 'x\*'", "a=x*[*]");
    item_means("a|endswith: [x, y?]", "a=[*]x,[*]y[?]");
    item_means("a|contains|cased: X", "a==[*]X[*]");
    item_means("a|cased: [X, 1]", "a==X,#1");
    item_means("a|contains|all: [x, y]", "a=[*]x[*]+[*]y[*]");
    item_means("a|all|startswith: [x, y]", "a=x[*]+y[*]");
    item_means("a|contains: 15", "a=[*]15[*]");
    item_means("a|contains: 012", "a=[*]012[*]");
    item_refused("a|contains: null", "value \"null\" (expected a text or a number");
    item_refused("a|contains: true", "value \"true\" (expected a text or a number");
    item_refused("a|contains: ''", "empty text, which these modifiers find everywhere");
}

#[test]
fn numbers_that_lose_digits_want_quotes() {
    for number in ["012345678901", "1.10", "0x1f", "+5", "1e3", "9007199254740993", ".inf", "-0"] {
        let fault = format!("number \"{number}\" (expected quotes around it)");
        item_refused(&format!("a: {number}"), &fault);
        item_means(&format!("a: '{number}'"), &format!("a={number}"));
    }
    item_means("a: 9007199254740992", "a=#9007199254740992");
    item_means("a: 123456789012", "a=#123456789012");
}

#[test]
fn comparisons_want_one_number() {
    item_means("a|lt: 5", "a<#5");
    item_means("a|lte: 5.5", "a<=#5.5");
    item_means("a|gt: -5", "a>#-5");
    item_means("a|gte: 1e3", "a>=#1000");
    item_refused("a|gt: '5'", "value \"5\" (expected a number without quotes for \"gt\")");
    item_refused("a|lt: .nan", "value \".nan\" (expected a number");
    item_refused("a|gte: [1, 2]", "list of values for \"gte\" (expected one)");
    item_refused("a|gte|lt: 1", "modifier \"lt\" does not go with \"gte\"");
}

#[test]
fn other_than() {
    item_means("a|neq: x", "!a=x");
    item_means("a|neq: [x, 2]", "!a=x,#2");
    item_means("a|cased|neq: X", "!a==X");
    item_means("a|neq|fieldref: b", "!a=$b");
    item_refused("a|neq|contains: x", "modifier \"neq\" does not go with \"contains\"");
    item_refused("a|all|neq: [x, y]", "modifier \"neq\" does not go with \"all\"");
}

#[test]
fn existence_is_true_or_false() {
    item_means("a|exists: true", "a is there: true");
    item_means("a|exists: false", "a is there: false");
    item_refused("a|exists: 'true'", "value \"true\" (expected true or false for \"exists\")");
    item_refused("a|exists: [true, false]", "list of values for \"exists\"");
    item_refused("a|exists|contains: x", "modifier \"contains\" does not go with \"exists\"");
}

#[test]
fn expressions_keep_their_source() {
    item_means(r"a|re: '^\d+\\\*$'", r"a~^\d+\\\*$");
    item_means("a|re|i: x", "a~(?i)x");
    item_means("a|re|s|i|m: x", "a~(?ims)x");
    item_means("a|re: [x, y]", "a~x,y");
    item_means("a|re|all: [x, y]", "a~x+y");
    item_refused("a|i: x", "modifier \"i\" (expected \"re\" before it)");
    item_refused("a|re|contains: x", "modifier \"contains\" does not go with \"re\"");
    item_refused("a|re|cased: x", "modifier \"cased\" does not go with \"re\"");
    item_refused("a|re: ''", "value \"\" (expected a regular expression");
}

#[test]
fn networks_have_nothing_after_their_prefix() {
    item_means("a|cidr: 10.0.0.0/8", "a in 10.0.0.0/8");
    item_means("a|cidr: [192.0.2.7, '2001:db8::/32']", "a in 192.0.2.7/32,2001:db8::/32");
    item_means("a|cidr: '::/0'", "a in ::/0");
    item_means("a|cidr: 0.0.0.0/0", "a in 0.0.0.0/0");
    item_refused("a|cidr: 10.0.0.1/8", "network \"10.0.0.1/8\" with bits set after its prefix");
    item_refused("a|cidr: '2001:db8::1/64'", "network \"2001:db8::1/64\" with bits set");
    for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "'::/129'", "x/8", "10"] {
        item_refused(&format!("a|cidr: {text}"), "value \"");
    }
    item_refused("a|cidr|contains: 10.0.0.0/8", "modifier \"contains\" does not go with \"cidr\"");
}

#[test]
fn another_field() {
    item_means("a|fieldref: b.c", "a=$b.c");
    item_means("a|fieldref|contains: b", "a*$b");
    item_means("a|fieldref|startswith: [b, c]", "a^$b,c");
    item_means("a|endswith|fieldref: b", "a$$b");
    item_refused("a|fieldref: 5", "value \"5\" (expected the name of a field");
    item_refused("a|fieldref: b..c", "field \"b..c\" (expected one as");
    item_refused("a|fieldref|cased: b", "modifier \"cased\" does not go with \"fieldref\"");
    item_refused("a|re|fieldref: b", "modifier \"fieldref\" does not go with \"re\"");
}

#[test]
fn placeholders_stand_alone() {
    item_means("a|expand: '%Servers%'", "a=%Servers%");
    item_means("a|expand: ['%one%', two, '%three%']", "a=%one%,two,%three%");
    item_means(r"a|expand: '\%plain\%'", "a=%plain%");
    item_means("a: '%name%'", "a=%name%");
    item_means("a|cidr|expand: ['%offices%', 10.0.0.0/8]", "a in %offices%,10.0.0.0/8");
    for text in [r"\%plain%name%", "x%name%", "%a%%b%", "%%", "%"] {
        item_refused(
            &format!("a|expand: '{text}'"),
            &format!("value {text:?} (expected one placeholder"),
        );
    }
    item_refused("a|contains|expand: '%x%'", "modifier \"expand\" does not go with \"contains\"");
    refuses(&rule("s:\n  '|expand': '%x%'", "s"), &["5: \"|expand\" without a field in front"]);
}

#[test]
fn base64_as_elsewhere() {
    item_means("a|base64: foobar", "a=Zm9vYmFy");
    item_means("a|base64: [f, fo, foo]", "a=Zg==,Zm8=,Zm9v");
    item_means("a|base64|contains: foo", "a=[*]Zm9v[*]");
    item_means("a|utf16le|base64: cmd", "a=YwBtAGQA");
    item_means("a|wide|base64: cmd", "a=YwBtAGQA");
    item_means("a|utf16be|base64: cmd", "a=AGMAbQBk");
    item_means("a|utf16|base64: cmd", "a=//5jAG0AZAA=");
    item_means(r"a|base64: 'a\*'", "a=YSo=");
    // "foo" behind 0, 1 and 2 other bytes.
    item_means("a|base64offset|contains: foo", "a=[*]Zm9v[*],[*]Zvb[*],[*]mb2[*]");
    item_refused(
        "a|base64offset: foo",
        "modifier \"base64offset\" (expected \"contains\" after it)",
    );
    item_refused("a|contains|base64offset: foo", "modifier \"base64offset\" after wildcards");
    item_refused("a|base64: f*o", "modifier \"base64\" after wildcards");
    item_refused("a|contains|base64: foo", "modifier \"base64\" after wildcards");
    item_refused("a|base64|base64offset|contains: x", "modifier \"base64offset\" does not go with");
    item_refused("a|wide: x", "UTF-16 without Base64");
    item_refused("a|wide|contains: x", "modifier \"contains\" after UTF-16");
    item_refused("a|base64|wide: x", "modifier \"wide\" after another encoding");
    item_refused("a|wide|utf16be|base64: x", "modifier \"utf16be\" does not go with \"wide\"");
    item_refused("a|base64: true", "value \"true\" (expected a text or a number");
}

#[test]
fn base64_offsets_stand_in_any_surroundings() {
    let encode = |text: &str| super::super::glob::base64(text.as_bytes());
    for n_before in 0..4 {
        for n_after in 0..4 {
            for word in ["x", "secret", "secrets", "secretss"] {
                let text = format!("{}{word}{}", "<".repeat(n_before), "é".repeat(n_after));
                let [a, b, c] = super::super::glob::base64_offsets(word.as_bytes());
                let piece = [a, b, c][n_before % 3].clone();
                assert!(encode(&text).contains(&piece), "{piece} {text}");
            }
        }
    }
}

#[test]
fn flags_in_every_guise() {
    item_means("a|windash: x -n", "a=x -n,x /n,x –n,x —n,x ―n");
    item_means("a|windash|contains: '/f'", "a=[*]-f[*],[*]/f[*],[*]–f[*],[*]—f[*],[*]―f[*]");
    item_means("a|contains|windash: '-f'", "a=[*]-f[*],[*]/f[*],[*]–f[*],[*]—f[*],[*]―f[*]");
    item_means("a|windash: a-b", "a=a-b");
    item_means("a|windash|contains: [' - ', 'x-']", "a=[*] - [*],[*]x-[*]");
    // Of a list under `all`, each value in one of its guises.
    means("s:\n  a|windash|all: [-x, y]", "s", "(a=-x,/x,–x,—x,―x & a=y)");
    let text = rule("s:\n  a|windash: -a -b -c", "s");
    assert!(documents(&text).1.is_empty());
    item_refused("a|windash: -a -b -c -d", "modifier \"windash\" of a text with more than three");
    item_refused("a|base64|windash: -a", "modifier \"windash\" after an encoding");
}

#[test]
fn modifiers_that_are_none() {
    item_refused("a|contain: x", "no modifier \"contain\"; did you mean \"contains\"?");
    item_refused("a|frobnicate: x", "no modifier \"frobnicate\"; expected one of all, base64,");
    item_refused("a|: x", "\"|\" with no modifier behind it");
    item_refused("a|CONTAINS: x", "no modifier \"CONTAINS\"; did you mean \"contains\"?");
    item_refused("a|hour: 5", "modifier \"hour\" (not supported: parts of dates)");
    item_refused("a|contains|contains: x", "modifier \"contains\" a second time");
    item_refused("a|contains|endswith: x", "modifier \"endswith\" does not go with \"contains\"");
    item_refused("a|all: x", "modifier \"all\" with one value (expected a list of more)");
    item_refused("a|all: [x]", "modifier \"all\" with one value");
}

#[test]
fn values_that_are_none() {
    item_refused("a: []", "a is an empty list");
    item_refused("a: {b: c}", "value of \"a\" is a mapping (expected a value; fields within");
    item_refused("a: [[b]]", "value of \"a\" is a list");
    item_refused("a|all: [b, null]", "null under \"all\" (expected a selection of its own");
    item_refused("a[0]: x", "field \"a[0]\" (expected one as requestParameters.userName)");
    item_refused("a{}.b: x", "field \"a{}.b\" (expected one as");
    item_refused("a..b: x", "field \"a..b\" (expected one as requestParameters.userName)");
    item_refused("'a b': x", "field \"a b\"");
    item_refused("a.'b': x", "field \"a.'b'\"");
    item_refused(&format!("{}: x", "a".repeat(257)), "field \"aaa");
    refuses(&rule("s:\n  a:\n    - x\n    - {b: c}", "s"), &["7: value of \"a\" is a mapping"]);
}
