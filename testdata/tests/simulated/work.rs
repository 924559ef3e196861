//! What machines, pipelines and services do in the month of `facts`, beside what is known of them.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Line, START_S, lines, quantiles, share, within};
use testdata::clock::{DAY_S, HOUR_S};

/// Whether a pipeline calls: people have Terraform too, on their laptops.
fn is_pipeline(line: &Line) -> bool {
    line.caller.contains("deploy-")
}

/// Terraform's runs: the calls of one key from one address, one soon after the other.
fn runs() -> Vec<Vec<&'static Line>> {
    let mut by_job: BTreeMap<(&str, &str), Vec<&Line>> = BTreeMap::new();
    let terraform =
        |line: &&Line| line.agent.contains("HashiCorp/1.0 Terraform/") && is_pipeline(line);
    for line in lines().filter(terraform) {
        by_job.entry((&line.key, &line.address)).or_default().push(line);
    }
    let mut runs = Vec::new();
    for mut calls in by_job.into_values() {
        calls.sort_by_key(|line| line.time_s);
        // A second trail tells the same record again.
        let mut seen = BTreeSet::new();
        calls.retain(|line| seen.insert(line.id));
        for run in calls.chunk_by(|one, next| next.time_s - one.time_s < 60) {
            runs.push(run.to_vec());
        }
    }
    runs
}

fn time_of_day_s(run: &[&Line]) -> i64 {
    (run[0].time_s - START_S).rem_euclid(DAY_S)
}

#[test]
fn a_run_of_terraform_is_as_measured() {
    // 20 to 200 records in 10 to 30 s, one identity, one address, one user agent (invictus, and
    // Terraform's runs in `bootstrap_account`).
    let runs = runs();
    assert!(runs.len() > 100, "{} runs", runs.len());
    for run in &runs {
        let different =
            |of: fn(&Line) -> &str| run.iter().map(|line| of(line)).collect::<BTreeSet<_>>().len();
        assert_eq!(different(|line| &line.caller), 1);
        assert_eq!(different(|line| &line.agent), 1);
        // Each run asks once who it is: none goes on from a second address.
        let asked = run.iter().filter(|line| line.name == "GetCallerIdentity").count();
        assert_eq!(asked, 1);
    }
    let n = runs.iter().map(|run| i64::try_from(run.len()).unwrap()).collect();
    let [least, p50, most] = quantiles(n, [0, 500, 1_000]);
    within("records of the smallest run", least as f64, 20.0..=40.0);
    within("records of a run", p50 as f64, 40.0..=160.0);
    within("records of the largest run", most as f64, 120.0..=200.0);
    let seconds = runs.iter().map(|run| run[run.len() - 1].time_s - run[0].time_s).collect();
    let [least, p50, most] = quantiles(seconds, [0, 500, 1_000]);
    within("seconds of the shortest run", least as f64, 8.0..=15.0);
    within("seconds of a run", p50 as f64, 14.0..=26.0);
    within("seconds of the longest run", most as f64, 25.0..=30.0);
}

#[test]
fn a_tenth_of_what_terraform_asks_fails_and_most_of_that_is_throttled() {
    // 10 % in an hour of Terraform, Throttling first (invictus: 232 of 2,309 records, 102 of them).
    let runs = runs();
    let calls = || runs.iter().flatten();
    let failed = calls().filter(|line| !line.error.is_empty()).count() as f64;
    within("errors of Terraform", failed / calls().count() as f64, 0.08..=0.13);
    let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
    for line in calls().filter(|line| !line.error.is_empty()) {
        let is_throttled =
            line.error.contains("Throttling") || line.error.contains("LimitExceeded");
        let code = if is_throttled { "throttled" } else { line.error.as_str() };
        *codes.entry(code).or_default() += 1;
    }
    let (code, n) = codes.iter().max_by_key(|(_, n)| **n).unwrap();
    assert_eq!(*code, "throttled", "{codes:?}");
    within("throttled among the errors", f64::from(*n) / failed, 0.4..=0.95);
}

#[test]
fn four_fifths_of_what_a_deployment_asks_are_reads_and_of_a_check_all() {
    // 0.80 to 0.81 in an hour full of Terraform.
    let (checks, deployments): (Vec<_>, Vec<_>) =
        runs().into_iter().partition(|run| time_of_day_s(run) < 4 * HOUR_S);
    let reads = |runs: &[Vec<&Line>]| {
        let n = runs.iter().flatten().count();
        runs.iter().flatten().filter(|line| line.read_only).count() as f64 / n as f64
    };
    within("reads of deployments", reads(&deployments), 0.79..=0.82);
    within("reads of nightly checks", reads(&checks), 1.0..=1.0);
    let weekend = |run: &&Vec<&Line>| (run[0].time_s - START_S).div_euclid(DAY_S) % 7 >= 5;
    assert_eq!(deployments.iter().filter(weekend).count(), 0);
    assert!(checks.iter().any(|run| weekend(&run)));
}

#[test]
fn pipelines_sign_in_with_a_token_or_have_a_key() {
    let runs = runs();
    let stacks = lines().filter(|line| line.name == "ExecuteChangeSet" && is_pipeline(line));
    let keys: BTreeSet<&str> =
        runs.iter().map(|run| run[0]).chain(stacks).map(|line| line.key.as_str()).collect();
    let (long, short): (Vec<&str>, Vec<&str>) =
        keys.iter().partition(|key| key.starts_with("AKIA"));
    assert_eq!(long.len(), 2, "two of four pipelines have a key: {long:?}");
    // Each run of the others signs in first, with another address each time, mostly.
    let sign_in = |line: &&Line| line.name == "AssumeRoleWithWebIdentity";
    let signed_in: BTreeSet<_> = lines().filter(sign_in).map(|line| line.id).collect();
    assert_eq!(signed_in.len(), short.len());
    let addresses: BTreeSet<_> = runs.iter().map(|run| run[0].address.as_str()).collect();
    assert!(addresses.len() * 10 > runs.len() * 9);
}

#[test]
fn errors_are_those_of_their_kinds() {
    let failed = |line: &Line| !line.error.is_empty();
    // AWS Config: 152 of 358 calls of its role (`config-sandbox`), 9,923 of 23,153
    // (`bootstrap_account`), one for each feature of a bucket that was never set; with its sign-ins and
    // the other services of the sandbox 37 %.
    let config = |line: &Line| line.caller.ends_with("AWSServiceRoleForConfig");
    within("errors of AWS Config", share(failed, config), 0.40..=0.46);
    let sandbox = |line: &Line| config(line) || line.address == "config.amazonaws.com";
    within("errors of AWS Config with its sign-ins", share(failed, sandbox), 0.36..=0.44);
    // A log delivery that nobody ever allowed: nothing but refusals, 37 % of all in `sans504`, an
    // account with little else.
    let refused = |line: &Line| line.caller == "delivery.logs.amazonaws.com";
    within("refused deliveries", share(failed, refused), 1.0..=1.0);
}

#[test]
fn instances_are_started_before_they_call_and_ended_after() {
    let mut spans: BTreeMap<&str, [Option<i64>; 4]> = BTreeMap::new();
    for line in lines() {
        for id in &line.instances {
            let [started, first, last, ended] = spans.entry(id).or_default();
            match line.name.as_str() {
                "RunInstances" => *started = Some(line.time_s),
                "TerminateInstances" => *ended = Some(line.time_s),
                _ => {
                    *first = Some(first.unwrap_or(i64::MAX).min(line.time_s));
                    *last = Some(last.unwrap_or(0).max(line.time_s));
                }
            }
        }
    }
    let both = spans.values().filter(|[started, _, _, ended]| started.is_some() && ended.is_some());
    assert!(both.count() > 50, "groups grow by day and shrink by night");
    let mut n_calling = 0;
    for (id, [started, first, last, ended]) in spans {
        if let (Some(started), Some(first)) = (started, first) {
            n_calling += 1;
            assert!(started < first, "{id} calls before it is there");
        }
        if let (Some(ended), Some(last)) = (ended, last) {
            assert!(last < ended, "{id} calls when it is gone");
        }
    }
    assert!(n_calling > 20, "{n_calling}");
}

#[test]
fn an_agent_does_a_few_things_in_bursts_while_people_work() {
    let agent = |line: &&Line| line.caller.contains(":role/AmazonBedrockAgentCore");
    let mut agents: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines().filter(agent) {
        agents.entry(&line.caller).or_default().push(line);
    }
    assert_eq!(agents.len(), 2);
    for (name, mut calls) in agents {
        calls.sort_by_key(|line| line.time_s);
        let apis: BTreeSet<_> = calls.iter().map(|line| (&line.source, &line.name)).collect();
        assert!((3..=7).contains(&apis.len()), "{name}: {apis:?}");
        let sessions: BTreeSet<_> = calls.iter().map(|line| &line.key).collect();
        within("calls of a conversation", calls.len() as f64 / sessions.len() as f64, 5.0..=60.0);
        let soon = calls.windows(2).filter(|two| two[1].time_s - two[0].time_s <= 10).count();
        within("calls in bursts", soon as f64 / calls.len() as f64, 0.5..=0.95);
        let hour = |line: &Line| (line.time_s - START_S).rem_euclid(DAY_S) / HOUR_S;
        let works = |line: &&&Line| (7..20).contains(&hour(line));
        let at_work = calls.iter().filter(works).count() as f64 / calls.len() as f64;
        within("calls while people work", at_work, 0.85..=1.0);
    }
}

#[test]
fn cloudformation_calls_for_a_pipeline() {
    let made = lines().filter(|line| line.address == "cloudformation.amazonaws.com");
    let (asked, made): (usize, usize) =
        (lines().filter(|line| line.name == "ExecuteChangeSet").count(), made.count());
    assert!(asked > 10 && made > 3 * asked, "{made} calls for {asked} changes");
}
