use super::*;

fn lease() -> Lease {
    Lease {
        form: FORM,
        fence: 3,
        holder: "host/7/0a1b".to_owned(),
        seconds: 20,
        until: String::new(),
        renewed: 7,
        is_released: false,
    }
}

#[test]
fn a_lease_counts_to_less_than_anybody_does() {
    let most = Lease { fence: NUMBER_MAX - 1, renewed: NUMBER_MAX - 1, ..lease() };
    assert_eq!(Lease::read(&most.bytes(), "a").unwrap(), most);
    // There is room to count on.
    assert_eq!(most.renewed().renewed, NUMBER_MAX);
    for wrong in [Lease { fence: NUMBER_MAX, ..lease() }, Lease { renewed: NUMBER_MAX, ..lease() }]
    {
        let said = Lease::read(&wrong.bytes(), "s3://b/lease").unwrap_err().to_string();
        assert!(
            said.starts_with("s3://b/lease counts to more than anybody did (expected"),
            "{said}"
        );
    }
    let beyond =
        String::from_utf8(lease().bytes()).unwrap().replace(":7,", ":99999999999999999999,");
    assert!(Lease::read(beyond.as_bytes(), "a").unwrap_err().to_string().contains("is no lease"));
}

#[test]
fn a_lease_of_another_form_is_not_taken_for_one() {
    for (bytes, expected) in [
        (&b"nothing"[..], "is no lease"),
        (b"{\"form\":2}", "is of another form (expected 1)"),
        (b"{\"form\":1}", "is no lease"),
    ] {
        let said = Lease::read(bytes, "a").unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_lease_is_shorter_than_what_is_read_of_one_and_the_page_has_both_bounds() {
    let longest = Lease { holder: own_name(), ..lease() }.renewed();
    assert!(longest.bytes().len() * 4 < BYTES_MAX);
    let page = include_str!("../../../../docs/limits.md");
    let row = format!(
        "| `lease::BYTES_MAX`, `NUMBER_MAX` | {BYTES_MAX} bytes of a lease; {NUMBER_MAX}, "
    );
    assert!(page.contains(&row), "mend docs/limits.md: {row}");
}
