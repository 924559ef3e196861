use super::*;

const REGION: &str = "p/AWSLogs/111122223333/CloudTrail/eu-west-1/";
const HIVE: &str =
    "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/";

fn ms(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

fn asked(from: Option<&str>, until: Option<&str>) -> Filter {
    let (from_ms, until_ms) = (from.map(ms), until.map(ms));
    Filter { from_ms, until_ms, ..Filter::default() }
}

#[test]
fn a_folder_is_what_its_key_says() {
    for (folder, expected) in [
        ("", Level::Outside),
        ("logs/2025/", Level::Outside),
        ("AWSLogs/", Level::Choice),
        ("o-a1b2c3d4e5/AWSLogs/o-a1b2c3d4e5/", Level::Choice),
        ("AWSLogs/o-a1b2c3d4e5/111122223333/", Level::Choice),
        ("AWSLogs/111122223333/CloudTrail/", Level::Choice),
        (REGION, Level::Days),
        (HIVE, Level::Days),
        ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/", Level::Deep),
        ("AWSLogs/111122223333/CloudTrail/2025/", Level::Deep),
        ("AWSLogs/mine/CloudTrail/eu-west-1/", Level::Deep),
    ] {
        assert_eq!(level(folder), expected, "{folder}");
    }
}

#[test]
fn folders_that_the_filter_excludes_are_not_looked_into() {
    let filter = Filter {
        accounts: vec!["111122223333".to_owned()],
        regions: vec!["eu-west-1".to_owned()],
        ..Filter::default()
    };
    for (folder, expected) in [
        ("AWSLogs/111122223333/", None),
        ("AWSLogs/o-a1b2c3d4e5/", None),
        ("AWSLogs/444455556666/", Some(Skip::Account)),
        ("AWSLogs/111122223333/CloudTrail/", None),
        ("AWSLogs/111122223333/CloudTrail-NetworkActivity/", None),
        ("AWSLogs/111122223333/CloudTrail-Digest/", Some(Skip::Digest)),
        ("AWSLogs/111122223333/CloudTrail-Insight/", Some(Skip::Insight)),
        ("AWSLogs/111122223333/Config/", Some(Skip::OtherService)),
        (REGION, None),
        (HIVE, None),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/", Some(Skip::Region)),
        ("logs/.trash/", Some(Skip::Hidden)),
        ("logs/2025/", None),
    ] {
        assert_eq!(unwanted(folder, &filter), expected, "{folder}");
    }
}

#[test]
fn a_few_days_are_listed_apart_and_with_the_normal_lateness() {
    let filter = asked(Some("2025-02-27T00:00:00Z"), Some("2025-03-01T00:00:00Z"));
    let prefixes: Vec<String> =
        spans(REGION, &filter).into_iter().map(|span| span.prefix).collect();
    // The minute before midnight may be that of an object stamped on the day before.
    let days = ["02/26", "02/27", "02/28", "03/01"];
    assert_eq!(prefixes, days.map(|day| format!("{REGION}2025/{day}/")));
    let hive = spans(HIVE, &asked(Some("2025-02-27T12:00:00Z"), Some("2025-02-27T13:00:00Z")));
    assert_eq!(
        hive.into_iter().map(|span| span.prefix).collect::<Vec<_>>(),
        ["27", "28"].map(|day| format!("{HIVE}year=2025/month=02/day={day}/"))
    );
}

#[test]
fn many_days_are_one_stretch_and_no_bound_is_none() {
    let apart = asked(Some("2025-01-01T12:00:00Z"), Some("2025-01-30T13:00:00Z"));
    assert_eq!(spans(REGION, &apart).len(), DAYS_APART_MAX);
    let many = asked(Some("2025-01-01T12:00:00Z"), Some("2025-01-31T13:00:00Z"));
    let key = |day: &str| Some(format!("{REGION}2025/{day}/"));
    let span = |after, until| vec![Span { prefix: REGION.to_owned(), after, until }];
    assert_eq!(spans(REGION, &many), span(key("01/01"), key("02/02")));
    assert_eq!(spans(REGION, &asked(Some("2025-01-01T12:00:00Z"), None)), span(key("01/01"), None));
    assert_eq!(
        spans(REGION, &asked(None, Some("2025-12-30T12:00:00Z"))),
        span(None, Some(format!("{REGION}2026/01/01/")))
    );
    assert_eq!(spans(REGION, &Filter::default()), span(None, None));
}
