use super::*;
use crate::rules::testkit::glob;
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    Pattern::of(&glob(text), false)
}

/// By the definition, one way after the other.
fn slowly(pattern: &[char], text: &[char], is_cased: bool) -> bool {
    let same = |a: char, b: char| if is_cased { a == b } else { fold(a) == fold(b) };
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            slowly(rest, text, is_cased)
                || text.split_first().is_some_and(|(_, text)| slowly(pattern, text, is_cased))
        }
        (['?', rest @ ..], [_, text @ ..]) => slowly(rest, text, is_cased),
        ([a, rest @ ..], [b, text @ ..]) => same(*a, *b) && slowly(rest, text, is_cased),
        _ => false,
    }
}

#[test]
fn texts_match_whole_and_at_their_ends_whatever_their_case() {
    for (wanted, text, is) in [
        ("AccessDenied", "accessdenied", true),
        ("AccessDenied", "AccessDeniedException", false),
        ("AccessDenied*", "AccessDeniedException", true),
        ("*.UnauthorizedOperation", "Client.UnauthorizedOperation", true),
        ("*kali*", "aws-cli/2 linux/5.10-KALI9-amd64", true),
        ("*kali*", "aws-cli/2 linux/5.10-kal", false),
        ("a*b?d*", "A--B-Dx", true),
        ("a*b?d", "abbd", true),
        ("", "", true),
        ("", "x", false),
        ("*", "", true),
        ("?*", "", false),
    ] {
        assert_eq!(pattern(wanted).matches(text), is, "{wanted} {text}");
    }
}

#[test]
fn case_counts_where_it_is_asked_for() {
    let cased = Pattern::of(&glob("*Kali"), true);
    assert!(cased.matches("a Kali") && !cased.matches("a kali"));
}

#[test]
fn case_folds_beyond_ascii() {
    for (wanted, text) in
        [("ÄÖ*", "äöß"), ("*straße", "STRAßE"), ("kelvin", "\u{212a}elvin"), ("ΣΑΣ", "σας")]
    {
        assert!(pattern(wanted).matches(text), "{wanted} {text}");
    }
    assert!(!pattern("ä").matches("a"));
}

#[test]
fn values_match_by_what_they_say_not_by_their_type() {
    let json = |text| Value::Json(Text(text));
    assert!(Matcher::Bool(true).matches(json("true")) && !Matcher::Bool(true).matches(json("1")));
    assert!(Matcher::Number(5.0).matches(json("5")) && Matcher::Number(5.0).matches(json("5.0")));
    assert!(!Matcher::Number(5.0).matches(json("5x")) && !Matcher::Number(5.0).matches(json("")));
    assert!(Matcher::Number(443.0).matches(Value::Integer(443)));
    assert!(
        !Matcher::Less(5.0).matches(json("inf")) && !Matcher::Greater(5.0).matches(json("nan"))
    );
    assert!(Matcher::GreaterOrEqual(-1.5).matches(json("-1.5")));
    assert!(Matcher::LessOrEqual(7.0).matches(json("7")) && !Matcher::Less(7.0).matches(json("7")));
    assert!(Matcher::Pattern(pattern("TRUE")).matches(json("true")));
    assert!(Matcher::Pattern(pattern("22")).matches(Value::Integer(22)));
}

#[test]
fn escapes_are_undone_before_texts_are_compared() {
    assert!(Matcher::Pattern(pattern("a\"b*")).matches(Value::Json(Text(r#"a\"b\\"#))));
    assert!(Matcher::regex("^é$").unwrap().matches(Value::Json(Text(r"\u00e9"))));
}

#[test]
fn networks_hold_addresses_and_smaller_networks() {
    let range = |text| Matcher::Range(Range::parse(text).unwrap());
    let plain = Value::Plain;
    for (network, value, is) in [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "10.1.0.0/16", true),
        ("10.0.0.0/8", "0.0.0.0/0", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false),
        ("198.51.100.7", "198.51.100.7", true),
        ("10.0.0.0/8", "s3.amazonaws.com", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ] {
        assert_eq!(range(network).matches(plain(value)), is, "{network} {value}");
    }
    assert_eq!(Range::parse("10.0.0.0/33"), None);
    assert_eq!(Range::parse("10.0.0/8"), None);
}

#[test]
fn an_address_is_equal_however_it_is_written() {
    let address = Value::Address("2001:db8::1".parse().unwrap());
    assert!(Matcher::Pattern(pattern("2001:0db8:0::1")).matches(address));
    assert!(Matcher::Pattern(pattern("2001:db8:*")).matches(address));
}

#[test]
fn regular_expressions_are_bounded_and_errors_say_what_is_wrong() {
    let error = |source| Matcher::regex(source).unwrap_err();
    assert!(error("(").contains("unclosed group"), "{}", error("("));
    assert!(error("(?=x)").contains("look-around"), "{}", error("(?=x)"));
    assert!(error(r"\w{1000}{1000}").contains("1048576 bytes"), "{}", error(r"\w{1000}{1000}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_pattern_agrees_with_the_definition(
        wanted in "[abAB*?äÄkK\u{212a}]{0,8}",
        text in "[abABäÄkK\u{212a}]{0,10}",
        is_cased in any::<bool>(),
    ) {
        let of = |text: &str| text.chars().collect::<Vec<_>>();
        let fast = Pattern::of(&glob(&wanted), is_cased).matches(&text);
        prop_assert_eq!(fast, slowly(&of(&wanted), &of(&text), is_cased));
    }

    #[test]
    fn a_text_that_is_escaped_matches_as_the_text_does(text in "[ab\"\\\\é]{0,8}", wanted in "[ab\"\\\\é*]{0,5}") {
        let quoted = serde_json::to_string(&text).unwrap();
        let inner = quoted.get(1..quoted.len() - 1).unwrap();
        let pattern = pattern(&wanted);
        prop_assert_eq!(pattern.matches_value(Value::Json(Text(inner))), pattern.matches(&text));
    }

    #[test]
    fn a_network_holds_what_its_bits_say(bits in any::<u32>(), other in any::<u32>(), n in 0_u8..=32) {
        let range = Range::of(IpAddr::V4(bits.into()), n);
        let mask = u32::MAX.checked_shl(32 - u32::from(n)).unwrap_or(0);
        let value = Value::Address(IpAddr::V4(other.into()));
        prop_assert_eq!(range.holds_value(value), bits & mask == other & mask);
    }
}
