use super::*;
use proptest::prelude::*;

fn list(text: &str) -> List {
    List::parse("bad", text, false).unwrap()
}

fn error(text: &str) -> String {
    List::parse("bad.txt", text, false).unwrap_err().to_string()
}

#[track_caller]
fn check(list: &List, held: &[&str], free: &[&str]) {
    for address in held {
        assert!(list.holds(address.parse().unwrap()), "{address}");
    }
    for address in free {
        assert!(!list.holds(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn plain_lists_have_an_address_or_network_a_line() {
    let list =
        list("# exits\n198.51.100.7\n\n10.0.0.0/8 ; inside\r\n2001:db8::/32 # v6\n10.1.0.0/16");
    let held = ["198.51.100.7", "10.0.0.0", "10.255.255.255", "2001:db8::1", "::ffff:10.2.3.4"];
    check(&list, &held, &["198.51.100.8", "11.0.0.0", "9.255.255.255", "2001:db9::"]);
}

#[test]
fn csv_is_read_by_the_column_that_is_named_or_the_first() {
    let named = list(
        "first_seen,\"dst_ip\",port\n2025-01-01,\"198.51.100.7\",443\n\"a, b\",10.0.0.1,1\n,,\n",
    );
    check(&named, &["198.51.100.7", "10.0.0.1"], &["10.0.0.2"]);
    check(&list("198.51.100.7,malware\n10.0.0.1,scanner"), &["198.51.100.7", "10.0.0.1"], &[]);
    check(&list("host,label\n10.0.0.1,x"), &["10.0.0.1"], &[]);
    check(&list("ip\n10.0.0.1"), &["10.0.0.1"], &[]);
}

#[test]
fn bundles_are_read_by_their_indicators() {
    let indicator = |pattern: &str| serde_json::json!({ "type": "indicator", "pattern": pattern });
    let bundle = serde_json::json!({ "type": "bundle", "objects": [
        { "type": "identity", "pattern": "[ipv4-addr:value = '192.0.2.1']" },
        indicator("[ipv4-addr:value = '198.51.100.7']"),
        indicator("[ipv4-addr:value ISSUBSET '10.0.0.0/8' OR ipv6-addr:value='2001:db8::1']"),
        indicator("[domain-name:value = 'example.org']"),
        indicator("[ipv4-addr:value = '192.0.2.2' AND network-traffic:dst_port = 22]"),
    ] });
    let held = ["198.51.100.7", "10.9.9.9", "2001:db8::1"];
    check(&list(&bundle.to_string()), &held, &["192.0.2.1", "192.0.2.2"]);
}

#[test]
fn errors_name_the_list_and_the_line() {
    assert_eq!(
        error("10.0.0.1\n\nexample.org\n"),
        "bad.txt:3: expected an address or a network such as 10.0.0.0/8, found `example.org`"
    );
    assert!(error("10.0.0.1\n10.0.0.0/33").starts_with("bad.txt:2:"));
    assert_eq!(error("{\"objects\":["), "bad.txt: expected a bundle of STIX 2.1 with `objects`");
    let broken = r#"{"objects":[{"type":"indicator","pattern":"[ipv4-addr:value = '1.2.3']"}]}"#;
    assert_eq!(error(broken), "bad.txt: object 1: expected an address, found `1.2.3`");
}

#[test]
fn too_many_entries_are_refused() {
    let many = "10.0.0.1\n".repeat(10);
    assert!(List::parse_within(10, ("bad", &many), false).is_ok());
    let error_within = |text: &str| List::parse_within(10, ("bad", text), false).unwrap_err();
    let told = error_within(&format!("{many}10.0.0.2")).to_string();
    assert!(told.contains("at most 1000000 entries"), "{told}");
    assert!(error(&"#".repeat(BYTES_MAX + 1)).contains("67108864 bytes"));
}

#[test]
fn a_trusted_list_wins() {
    let lists = Lists::new(vec![
        List::parse("bad", "10.0.0.0/8", false).unwrap(),
        List::parse("office", "10.1.0.0/16", true).unwrap(),
        List::parse("worse", "10.0.0.0/7", false).unwrap(),
    ]);
    let holding = |text: &str| lists.holding(text.parse().unwrap()).collect::<Vec<_>>();
    assert!(holding("10.1.2.3").is_empty());
    let trusting = |text: &str| lists.trusting(text.parse().unwrap()).collect::<Vec<_>>();
    assert_eq!((trusting("10.1.2.3"), trusting("10.2.2.3")), (vec!["office"], vec![]));
    assert_eq!(holding("10.2.2.3"), ["bad", "worse"]);
    assert_eq!(holding("11.2.2.3"), ["worse"]);
    assert!(holding("12.0.0.1").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_list_holds_what_any_of_its_networks_holds(
        networks in proptest::collection::vec((any::<u8>(), 24_u8..=32), 0..20),
        last in any::<u8>(),
    ) {
        let text: String = {
            let lines: Vec<_> = networks.iter().map(|(byte, n)| format!("192.0.2.{byte}/{n}")).collect();
            lines.join("\n")
        };
        let address: u32 = 0xc000_0200 | u32::from(last);
        let is_in = |(byte, n): &(u8, u8)| {
            let mask = u32::MAX << (32 - n);
            (0xc000_0200 | u32::from(*byte)) & mask == address & mask
        };
        prop_assert_eq!(list(&text).holds(IpAddr::V4(address.into())), networks.iter().any(is_in));
    }

    #[test]
    fn any_text_is_answered(text in r##"[0-9a-f.:/,"#\n{}\[\] a-z']{0,120}"##) {
        let told = List::parse("bad", &text, false).map_err(|error| error.to_string());
        prop_assert!(told.is_ok() || told.is_err_and(|told| told.starts_with("bad:")));
    }
}
