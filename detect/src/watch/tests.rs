mod flows;
mod others;
mod rest;

use crate::{
    Finding, Severity,
    testkit::{self, Logs, TODAY, apply, at, engine, rules, says},
};
use baseline::Kind;
use ingest::testkit::{self as raw, Call};
use serde_json::json;

/// A rule on an API's name, and what else it says.
fn rule(name: &str, api: &str, more: &str) -> String {
    format!(
        "title: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\n\
         detection:\n  s: {{eventName: {api}}}\n  condition: s\n{more}\n---\n"
    )
}

/// A correlation; `what` is the rest of its table, on one line.
fn correlation(what: &str) -> String {
    format!("title: together\nname: together\nlevel: high\ncorrelation: {{{what}}}\n")
}

fn logs(text: &str) -> Logs {
    let rules = rules(text);
    Logs::with(|options| options.rules = rules)
}

fn call(api: &str) -> Call {
    raw::call("alice").api(api)
}

fn counting(what: &str) -> Logs {
    logs(&(rule("a", "PutObject", "level: informational") + &correlation(what)))
}

const THREE: &str = "type: event_count, rules: [a], group-by: [userIdentity.arn], timespan: 15m, condition: {gte: 3}";

#[test]
fn a_rule_tells_what_its_author_says() {
    let text = rule(
        "own",
        "PutObject",
        "level: high\ntags: [attack.defense_evasion, attack.t1070.001]\nsentrail:\n  summary: \
         'wrote to {requestParameters.bucketName}'\n  targets: [requestParameters.bucketName]",
    );
    let put = |bucket: &str| call("s3:PutObject").request(json!({"bucketName": bucket}));
    let logs = logs(&text).calls(0, "10:00", 3, |_| put("b")).call(0, "10:20", put("a"));
    let finding = logs.finding("own");
    assert_eq!(finding.summary, "wrote to b; and 1 more like it");
    assert_eq!((finding.severity, finding.count, finding.n_hours), (Severity::High, 4, 1));
    assert_eq!((finding.bits().as_f64(), finding.parts.len()), (16.0, 1));
    assert_eq!(finding.targets, ["b", "a"]);
    assert_eq!(
        (finding.about.impact.name(), &*finding.about.techniques[0]),
        ("evasion", "T1070.001")
    );
    assert_eq!(finding.records.len(), 4);
}

#[test]
fn switches_are_for_rules_too() {
    let text = rule("own", "PutObject", "");
    let one = || call("s3:PutObject");
    let rules = testkit::rules(&text);
    let disabled = Logs::with(|options| {
        options.rules = rules.clone();
        options.detectors.disable.insert("own".into());
    });
    disabled.call(0, "10:00", one()).stays_quiet("own");
    let loud = Logs::with(|options| {
        options.rules = rules.clone();
        options.detectors.severity.insert("own".into(), Severity::Critical);
    });
    assert_eq!(loud.call(0, "10:00", one()).finding("own").severity, Severity::Critical);
}

#[test]
fn an_informational_rule_says_nothing() {
    let text = rule("own", "PutObject", "level: informational");
    let findings = logs(&text).call(0, "10:00", call("s3:PutObject")).all();
    assert!(findings.iter().all(|finding| &*finding.about.id != "own"), "{findings:#?}");
}

fn activate() -> Call {
    call("ssm:CreateActivation").request(json!({"iamRole": "hybrid"}))
}

#[test]
fn a_known_api_makes_it_low() {
    const ID: &str = "ssm-activation-made";
    let cold = Logs::new().call(0, "10:00", activate()).finding(ID);
    assert_eq!(cold.severity, Severity::Medium);
    says(&cold, &["usual: not known yet"]);
    let lists = || call("s3:ListBuckets");
    let stranger = Logs::new().habit(10, 2, lists).call(0, "10:00", activate()).finding(ID);
    assert_eq!(stranger.severity, Severity::Medium);
    says(&stranger, &["usual: never calls ssm:CreateActivation in its 10 days"]);
    let bob = || raw::call("bob").api("s3:ListBuckets");
    let newcomer = Logs::new().habit(10, 2, bob).call(0, "10:00", activate()).finding(ID);
    assert_eq!(newcomer.severity, Severity::Medium);
    let known = Logs::new().daily(10, "9:00", |_| activate()).call(0, "10:00", activate());
    let known = known.today(ID).unwrap();
    assert_eq!(known.severity, Severity::Low);
    says(&known, &["usual: calls ssm:CreateActivation on at least 5 of its 10 days"]);
}

#[test]
fn what_somebody_does_every_day_alerts_only_from_a_stranger() {
    const ID: &str = "lambda-code-overwritten";
    let replace = || {
        let request = json!({"functionName": "shop-orders", "publish": false});
        call("lambda:UpdateFunctionCode20150331v2").request(request)
    };
    let cold = Logs::new().call(0, "10:00", replace()).finding(ID);
    assert_eq!(cold.severity, Severity::Low);
    let lists = || call("s3:ListBuckets");
    let stranger = Logs::new().habit(10, 2, lists).call(0, "10:00", replace()).finding(ID);
    assert_eq!(stranger.severity, Severity::Medium);
    says(&stranger, &["usual: never calls lambda:UpdateFunctionCode in its 10 days"]);
    let bob = || raw::call("bob").api("s3:ListBuckets");
    let newcomer = Logs::new().habit(10, 2, bob).call(0, "10:00", replace()).finding(ID);
    assert_eq!(newcomer.severity, Severity::Medium);
    let known = Logs::new().daily(10, "9:00", |_| replace()).call(0, "10:00", replace());
    assert_eq!(known.today(ID).unwrap().severity, Severity::Low);
}

#[test]
fn a_day_with_a_match_teaches_less() {
    const ID: &str = "ssm-activation-made";
    let mut logs = Logs::new().habit(12, 2, || call("s3:ListBuckets"));
    for day in -8..1 {
        logs = logs.call(day, "10:00", activate());
    }
    let medium = logs.findings(ID).into_iter().filter(|one| one.severity == Severity::Medium);
    let days: Vec<_> = medium.map(|one| one.day.0 - TODAY.0).collect();
    // Four eighths make it known: of the days to -5, so from -3 on.
    assert_eq!(days, [-8, -7, -6, -5, -4]);
}

#[test]
fn a_habit_makes_it_low() {
    const ID: &str = "admin-policy-given-to-user";
    let give = || {
        let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
        let request = json!({"userName": "bob", "policyArn": policy});
        call("iam:AttachUserPolicy").request(request)
    };
    let logs = Logs::new().daily(20, "9:00", |_| give()).call(0, "10:00", give());
    let finding = logs.today(ID).unwrap();
    assert_eq!(finding.severity, Severity::Low);
    says(&finding, &["usual: done on at least"]);
    let reader = call("iam:AttachUserPolicy")
        .request(json!({"userName": "bob", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}));
    let reads = Logs::new().daily(20, "9:00", |_| reader.clone()).call(0, "10:00", give());
    assert_eq!(reads.finding(ID).severity, Severity::High);
}

#[test]
fn users_rules_change_nothing_that_is_learned() {
    let text = rule("own", "ListBuckets", "level: critical");
    let mut own = crate::Engine::new(
        crate::Options { rules: rules(&text), ..crate::Options::default() },
        ingest::enrich::Enrich::built_in(),
    );
    let mut plain = engine();
    for engine in [&mut own, &mut plain] {
        for day in -10..0 {
            engine.advance(at(day, "0:0")).unwrap();
            apply(engine, &[call("s3:ListBuckets").at_ms(at(day, "10:00")).raw()]);
        }
        engine.advance(at(13, "0:0")).unwrap();
    }
    assert_eq!(own.take_findings().len(), 10);
    assert!(own.memory() == plain.memory());
}

#[test]
fn filters_change_nothing_that_is_learned() {
    let filter = "title: z\nlogsource: {product: aws, service: cloudtrail}\nfilter:\n  rules: any\n  \
                  alice: {userIdentity.userName: alice}\n  condition: not alice\n";
    let with = |text: &str| {
        let options = crate::Options { rules: rules(text), ..crate::Options::default() };
        crate::Engine::new(options, ingest::enrich::Enrich::built_in())
    };
    let key = || {
        let request =
            json!({"userName": "bob", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
        call("iam:AttachUserPolicy").request(request)
    };
    let (mut filtered, mut plain) = (with(filter), with(&rule("own", "None", "")));
    for engine in [&mut filtered, &mut plain] {
        for day in -12..0 {
            engine.advance(at(day, "0:0")).unwrap();
            let calls = [call("s3:ListBuckets"), activate(), key()];
            let calls = calls.map(|call| call.at_ms(at(day, "10:00")).raw());
            apply(engine, &calls);
        }
        engine.advance(at(13, "0:0")).unwrap();
    }
    let told = |engine: &mut crate::Engine| -> Vec<String> {
        engine.take_findings().iter().map(|finding| finding.about.id.clone()).collect()
    };
    assert!(filtered.memory() == plain.memory());
    let (filtered, plain) = (told(&mut filtered), told(&mut plain));
    let by_rules = |told: &[String]| {
        told.iter()
            .filter(|id| *id == "ssm-activation-made" || *id == "admin-policy-given-to-user")
            .count()
    };
    assert_eq!((by_rules(&filtered), by_rules(&plain)), (0, 24));
}

#[test]
fn filters_take_matches_from_correlations_too() {
    let filter = "---\ntitle: z\nlogsource: {product: aws, service: cloudtrail}\nfilter:\n  rules: \
                  [ssm-session]\n  one: {requestParameters.target: i-0}\n  condition: not one\n";
    let session = |n: u32| call("ssm:StartSession").request(json!({"target": format!("i-{n}")}));
    let id = "ssm-sessions-to-several-instances";
    let logs = || logs(&(rule("own", "None", "") + filter));
    logs().calls(0, "10:00", 3, session).stays_quiet(id);
    let finding = logs().calls(0, "10:00", 4, session).finding(id);
    assert_eq!((finding.count, finding.targets.len()), (3, 3));
}

#[test]
fn a_window_slides_in_steps_of_five_minutes() {
    let put = || call("s3:PutObject");
    let two = |clock: &str| counting(THREE).calls(0, "10:04", 1, |_| put()).call(0, clock, put());
    let finding = two("10:05").call(0, "10:14", put()).finding("together");
    assert_eq!((finding.severity, finding.count), (Severity::High, 3));
    says(&finding, &["had 3 matches of \"a\" in about 15 minutes, at least 3 are told"]);
    // As far apart as the timespan: never missed. Farther, where the slots happen to hold them.
    two("10:05").call(0, "10:19", put()).finding("together");
    two("10:05").call(0, "10:20", put()).stays_quiet("together");
    two("10:05").stays_quiet("together");
}

#[test]
fn a_window_may_begin_the_day_before() {
    let put = || call("s3:PutObject");
    let logs = counting(THREE).call(-1, "23:56", put()).call(0, "0:01", put());
    let finding = logs.clone().call(0, "0:06", put()).finding("together");
    assert_eq!((finding.day, finding.count), (TODAY, 3));
    logs.call(0, "0:15", put()).stays_quiet("together");
}

#[test]
fn a_long_window_outlives_the_close_of_its_days() {
    for (timespan, day, inside, outside) in
        [("1d", 1, "10:00", "10:05"), ("7d", 7, "10:00", "10:05")]
    {
        let what = format!(
            "type: event_count, rules: [a], group-by: [userIdentity.arn], timespan: {timespan}, condition: {{gte: 2}}"
        );
        let first = counting(&what).call(0, "10:00", call("s3:PutObject"));
        let found = first.clone().call(day, inside, call("s3:PutObject")).findings("together");
        assert_eq!(found.iter().map(|one| one.count).collect::<Vec<_>>(), [2], "{timespan}");
        first.call(day, outside, call("s3:PutObject")).stays_quiet("together");
    }
}

#[test]
fn what_no_window_can_reach_is_forgotten() {
    let what = "type: event_count, rules: [a], timespan: 7d, condition: {gte: 2}";
    let text = rule("a", "PutObject", "level: informational") + &correlation(what);
    let options = crate::Options { rules: rules(&text), ..crate::Options::default() };
    let mut engine = crate::Engine::new(options, ingest::enrich::Enrich::built_in());
    apply(&mut engine, &[call("s3:PutObject").at_ms(at(0, "10:00")).raw()]);
    let mut plain = testkit::engine();
    apply(&mut plain, &[call("s3:PutObject").at_ms(at(0, "10:00")).raw()]);
    for (day, is_forgotten) in [(8, false), (10, true)] {
        engine.advance(at(day, "0:0")).unwrap();
        plain.advance(at(day, "0:0")).unwrap();
        assert_eq!(engine.memory() == plain.memory(), is_forgotten, "{day}");
    }
}

#[test]
fn a_late_record_counts_in_the_oldest_open_day() {
    let text = rule("own", "PutObject", "");
    let options = crate::Options { rules: rules(&text), ..crate::Options::default() };
    let mut engine = crate::Engine::new(options, ingest::enrich::Enrich::built_in());
    engine.advance(at(0, "12:00")).unwrap();
    apply(&mut engine, &[call("s3:PutObject").at_ms(at(-9, "10:00")).raw()]);
    engine.finish().unwrap();
    let findings = engine.take_findings();
    assert_eq!(findings.iter().map(|one| one.day.0 - TODAY.0).collect::<Vec<_>>(), [-1]);
}

#[test]
fn whom_a_correlation_is_about_follows_from_its_groups() {
    let group = |fields: &str| {
        counting(&format!(
            "type: event_count, rules: [a], {fields} timespan: 1h, condition: {{gte: 4}}"
        ))
    };
    let by = |n: u32| raw::call(["alice", "bob"][n as usize % 2]).api("s3:PutObject");
    let two = |logs: Logs| logs.calls(0, "10:00", 4, |n| by(n).from_ip("203.0.113.7"));
    two(group("group-by: [userIdentity.arn],")).stays_quiet("together");
    let finding = two(group("group-by: [sourceIPAddress],")).finding("together");
    assert_eq!((finding.entity.kind, &*finding.entity.key), (Kind::Source, "203.0.113.7"));
    let finding = two(group("")).finding("together");
    assert_eq!((finding.entity.kind, &*finding.entity.key), (Kind::Account, raw::ACCOUNT));
    // Two accounts are two groups, whatever the fields.
    let accounts = ["111122223333", "444455556666"];
    let apart = group("group-by: [sourceIPAddress],");
    let apart = apart.calls(0, "10:00", 6, |n| by(0).account(accounts[n as usize % 2]));
    apart.stays_quiet("together");
}

#[test]
fn sources_and_accounts_are_no_entities_with_a_profile() {
    let what = "type: event_count, rules: [a], timespan: 1h, condition: {gte: 1}";
    let text = rule("a", "PutObject", "level: informational") + &correlation(what);
    let options = crate::Options { rules: rules(&text), ..crate::Options::default() };
    let mut engine = crate::Engine::new(options, ingest::enrich::Enrich::built_in());
    apply(&mut engine, &[call("s3:PutObject").at_ms(at(0, "10:00")).raw()]);
    assert_eq!(engine.intake().n_entities, 1);
    engine.finish().unwrap();
    assert_eq!(engine.take_findings().len(), 1);
}

fn secrets(n: u32, bound: u32) -> Vec<Finding> {
    let what = format!(
        "type: value_count, rules: [a], group-by: [userIdentity.arn], timespan: 1h, condition: \
         {{field: requestParameters.key, gte: {bound}}}"
    );
    let put = |n: u32| call("s3:PutObject").request(json!({"key": format!("k{n}")}));
    let logs = counting(&what).calls(0, "10:00", n, put).calls(0, "10:20", n, put);
    logs.findings("together")
}

#[test]
fn values_are_exact_up_to_the_bound_and_estimated_beyond() {
    assert_eq!(secrets(63, 64).len(), 0);
    let exact = &secrets(64, 64)[0];
    says(exact, &["had 64 different values of requestParameters.key in matches of \"a\""]);
    let many = &secrets(400, 200)[0];
    says(many, &["had about "]);
    assert_eq!(secrets(100, 400).len(), 0);
}

#[test]
fn a_count_below_a_bound_is_told_too() {
    let what = "type: event_count, rules: [a], timespan: 1h, condition: {gt: 1, lt: 3}";
    let put = |n: u32| counting(what).calls(0, "10:00", n, |_| call("s3:PutObject"));
    put(1).stays_quiet("together");
    assert_eq!(put(2).finding("together").count, 2);
    put(3).stays_quiet("together");
    let page = put(2).finding("together").about.page.clone();
    assert!(page.contains("when the day has closed"), "{page}");
}

fn steps(kind: &str, names: &[&str]) -> Logs {
    let rules: Vec<_> = names.iter().map(|name| rule(name, name, "level: informational")).collect();
    let names = names.join(", ");
    let what =
        format!("type: {kind}, rules: [{names}], group-by: [userIdentity.arn], timespan: 10m");
    logs(&(rules.concat() + &correlation(&what)))
}

#[test]
fn what_was_done_to_what_is_told_of_correlations() {
    let base = |more: &str| rule("a", "PutObject", &format!("level: informational\n{more}"));
    let own = "sentrail: {targets: [requestParameters.key]}\n";
    let of_rule = "sentrail: {targets: [requestParameters.bucketName]}";
    let put = |n: u32| {
        let key = format!("k{}", n % 5);
        call("s3:PutObject").request(json!({"bucketName": "b", "key": key}))
    };
    let told = |text: String| logs(&text).calls(0, "10:00", 6, put).finding("together");
    let finding = told(base("") + &correlation(THREE) + own);
    assert_eq!(finding.targets, ["k0", "k1", "k2", "k3", "k4"]);
    says(&finding, &["are told: k0, k1, k2 and 2 more"]);
    assert_eq!(told(base(of_rule) + &correlation(THREE)).targets, ["b"]);
    assert_eq!(told(base(of_rule) + &correlation(THREE) + own).targets.len(), 5);
    let none = told(base("") + &correlation(THREE));
    assert_eq!(none.parts[0].observed, "6 matches in about 15 minutes");
    assert!(none.summary.ends_with("are told"), "{}", none.summary);
    let named = "sentrail: {targets: [requestParameters.bucketName], summary: 'wrote to \
                 {requestParameters.bucketName}'}";
    assert_eq!(told(base("") + &correlation(THREE) + named).summary, "wrote to b");
}

#[test]
fn the_match_that_has_the_values_says_what_was_done() {
    let rules = rule("A", "A", "level: informational") + &rule("B", "B", "level: informational");
    let what = "type: temporal, rules: [A, B], timespan: 10m";
    let summary = "sentrail: {summary: 'took {requestParameters.key}'}";
    let two = logs(&(rules + &correlation(what) + summary)).call(0, "10:00", call("s3:A"));
    let b = call("s3:B");
    let named = two.clone().call(0, "10:01", b.clone().request(json!({"key": "k"})));
    assert_eq!(named.finding("together").summary, "took k");
    says(&two.call(0, "10:01", b).finding("together"), &["matched \"A\" and \"B\""]);
}

#[test]
fn parts_say_over_what_time_they_count() {
    let text = rule("own", "PutObject", "");
    let hours = (9..12)
        .fold(logs(&text), |logs, hour| logs.call(0, &format!("{hour}:00"), call("s3:PutObject")));
    let finding = hours.finding("own");
    assert_eq!((finding.count, &*finding.parts[0].observed), (3, "1 match in the hour"));
    // Two windows of an hour overlap: each holds three, both together six.
    let many = counting(THREE).calls(0, "10:00", 3, |_| call("s3:PutObject"));
    let many = many.calls(0, "10:40", 3, |_| call("s3:PutObject")).finding("together");
    assert_eq!((many.count, &*many.parts[0].observed), (6, "3 matches in about 15 minutes"));
}

#[test]
fn a_person_from_host_to_host_alerts_only_where_others_are_known() {
    const ID: &str = "ssm-sessions-by-person";
    let ada = || {
        let issuer = json!({"type": "Role", "arn": "arn:aws:iam::111122223333:role/Ops",
            "principalId": "AROAOPS", "accountId": raw::ACCOUNT, "userName": "Ops"});
        raw::by(json!({"type": "AssumedRole", "principalId": "AROAOPS:ada@example.com",
            "arn": "arn:aws:sts::111122223333:assumed-role/Ops/ada@example.com",
            "accountId": raw::ACCOUNT, "sessionContext": {"sessionIssuer": issuer}}))
    };
    let session =
        |n: u32| ada().api("ssm:StartSession").request(json!({"target": format!("i-{n}")}));
    let cold = Logs::new().calls(0, "10:00", 3, session).finding(ID);
    assert_eq!(cold.severity, Severity::Low);
    let lists = || ada().api("s3:ListBuckets");
    let stranger = Logs::new().habit(10, 2, lists).calls(0, "10:00", 3, session).finding(ID);
    assert_eq!(stranger.severity, Severity::Medium);
    says(&stranger, &["i-0, i-1, i-2", "usual: not done in its 10 days"]);
}

#[test]
fn an_order_matters_where_it_is_asked_for() {
    let ab = ["A", "B"];
    let [a, b] = [call("s3:A"), call("s3:B")];
    for kind in ["temporal", "temporal_ordered"] {
        let first = steps(kind, &ab).call(0, "10:01", a.clone());
        let finding = first.clone().call(0, "10:09", b.clone()).finding("together");
        assert_eq!(finding.count, 2, "{kind}");
        first.clone().call(0, "10:11", b.clone()).finding("together");
        first.clone().call(0, "10:15", b.clone()).stays_quiet("together");
        first.stays_quiet("together");
    }
    let turned = |kind| steps(kind, &ab).call(0, "10:01", b.clone()).call(0, "10:02", a.clone());
    assert_eq!(turned("temporal").findings("together").len(), 1);
    turned("temporal_ordered").stays_quiet("together");
}

#[test]
fn one_record_is_no_two_steps() {
    let rules = rule("x", "A", "level: informational") + &rule("y", "A", "level: informational");
    let what = "type: temporal_ordered, rules: [x, y], timespan: 10m";
    let logs = logs(&(rules + &correlation(what)));
    logs.clone().call(0, "10:01", call("s3:A")).stays_quiet("together");
    let finding = logs.calls(0, "10:01", 2, |_| call("s3:A")).finding("together");
    says(&finding, &["matched \"x\", then \"y\" within about 10 minutes"]);
}

#[test]
fn steps_of_one_second_have_no_order_to_miss() {
    let same = |api: &str, id: &str| call(api).id(id);
    for ids in [["1", "2"], ["2", "1"]] {
        let logs = steps("temporal_ordered", &["A", "B"]);
        let logs = logs.call(0, "10:01", same("s3:A", ids[0]));
        logs.call(0, "10:01", same("s3:B", ids[1])).finding("together");
    }
}

#[test]
fn nobodys_correlation_silences_a_rule_that_ships_with_the_program() {
    let text = correlation(
        "type: event_count, rules: [ssm-activation-made], group-by: [userIdentity.arn], timespan: \
         1h, condition: {gte: 1000}",
    );
    logs(&text).call(0, "10:00", activate()).finding("ssm-activation-made");
}

#[test]
fn a_full_slot_keeps_the_order_of_two_rules_and_may_lose_a_third() {
    let many = u32::try_from(super::matched::RECORDS_MAX).unwrap();
    // Before A, so many of B; after it B, C and B again.
    let world = |names: &[&str], n: u32| {
        let logs = steps("temporal_ordered", names);
        let logs = logs.calls(0, "10:00", n, |_| call("s3:B")).call(0, "10:01", call("s3:A"));
        let logs = logs.call(0, "10:02", call("s3:B")).call(0, "10:03", call("s3:C"));
        logs.call(0, "10:04", call("s3:B")).findings("together").len()
    };
    assert_eq!(world(&["A", "B"], many), 1);
    assert_eq!(world(&["A", "B", "C"], many - 1), 1);
    assert_eq!(world(&["A", "B", "C"], many), 0);
}

#[test]
fn groups_beyond_the_bound_are_counted_whatever_the_order() {
    let what = "type: event_count, rules: [a], group-by: [userIdentity.arn, requestParameters.key], \
                timespan: 1h, condition: {gte: 2}";
    let text = rule("a", "PutObject", "level: informational") + &correlation(what);
    let rules = rules(&text);
    let n_groups = super::memory::GROUPS_MAX + 100;
    // Every group twice, which is what the correlation asks for.
    let raw: Vec<_> = (0..2 * n_groups)
        .map(|n| {
            let call = call("s3:PutObject").request(json!({"key": format!("k{}", n % n_groups)}));
            call.at_ms(at(0, "10:00") + i64::try_from(n).unwrap()).raw()
        })
        .collect();
    let run = |raw: &[&String]| {
        let options = crate::Options { rules: rules.clone(), ..crate::Options::default() };
        let mut engine = crate::Engine::new(options, ingest::enrich::Enrich::built_in());
        raw.chunks(99).for_each(|raw| apply(&mut engine, raw));
        assert_eq!(engine.intake().n_matches_dropped, 200);
        engine
    };
    let mut up = run(&raw.iter().collect::<Vec<_>>());
    let mut down = run(&raw.iter().rev().collect::<Vec<_>>());
    assert!(up.memory() == down.memory());
    up.finish().unwrap();
    down.finish().unwrap();
    let findings = up.take_findings();
    assert_eq!(findings[0].count, 2 * u64::try_from(super::memory::GROUPS_MAX).unwrap());
    assert_eq!(findings, down.take_findings());
}

#[test]
fn a_silent_author_is_spoken_for() {
    let page = |more: &str| {
        let rules = rules(&rule("own", "PutObject", more));
        rules.catalogue().find("own").unwrap().page.clone()
    };
    let plain = page("");
    for heading in ["# own", "## Fires when", "## Quiet when", "## Misses", "## Triage"] {
        assert!(plain.contains(heading), "{plain}");
    }
    assert!(!plain.contains("## References"));
    let told = page(
        "description: Someone writes.\nfalsepositives: [backups]\nreferences: ['https://example.com']\n\
         sentrail: {usual: api, misses: reads, triage: ask, quiet-when: it is night}",
    );
    for text in [
        "Someone writes.",
        "backups",
        "called the API on earlier days",
        "reads",
        "ask",
        "it is night",
        "https",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
}
