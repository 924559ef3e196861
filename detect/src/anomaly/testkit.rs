//! A person at work, and one who is not.

use crate::{
    Finding, Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{Call, call};

fn alice(api: &str) -> Call {
    call("alice").api(api).from_ip("81.2.69.142").agent("aws-cli/2.15.30 os/linux")
}

fn working() -> Logs {
    Logs::new().habit(20, 8, || alice("s3:GetBucketLocation"))
}

/// Somebody with Alice's key calls `apis`, from a Tor exit, with a script.
pub(crate) fn intrusion(apis: &[&str]) -> Logs {
    let n = u32::try_from(apis.len()).unwrap();
    working().calls(0, "10:00", n, |i| {
        let stranger = alice(apis[i as usize]).from_ip("185.220.101.1");
        stranger.agent("python-requests/2.31.0")
    })
}

/// Somebody with Alice's key looks around before he calls `api`, while Alice works on.
pub(crate) fn look_and(api: &str) -> Logs {
    let stranger = |api: &str| alice(api).from_ip("185.220.101.1").agent("python-requests/2.31.0");
    let logs =
        working().call(0, "10:00", alice(api)).call(0, "10:10", stranger("ec2:DescribeRegions"));
    logs.calls(0, "10:20", 3, |_| stranger(api))
}

/// Somebody with Alice's key calls many APIs that begin with `verb`, in many regions.
pub(crate) fn sweep(verb: &str) -> Logs {
    working().calls(0, "10:00", 120, |i| {
        let stranger = alice(&format!("{verb}Thing{}", i % 60)).from_ip("185.220.101.1");
        stranger.region(&format!("eu-test-{}", i % 12)).agent("python-requests/2.31.0")
    })
}

/// Alice calls `api` today, as on other days.
pub(crate) fn habit(api: &str) -> Logs {
    working().daily(20, "10:00", |_| alice(api)).call(0, "10:05", alice(api))
}

/// That `finding` says what is new of both, and rests on the stranger's calls alone.
#[track_caller]
pub(crate) fn looks_like_an_intruder(finding: &Finding, least: Severity) {
    assert!(finding.severity >= least, "{finding:?}");
    says(finding, &["UNSEEN by it, its peers and the account", "network new: AS60729"]);
    assert!(!finding.records.is_empty());
    for record in &finding.records {
        assert_eq!(record.call.address.as_deref(), Some("185.220.101.1"), "{record:?}");
    }
}

/// Somebody with Alice's key makes users as she does every day, from a Tor exit, with a script.
pub(crate) fn old_deed_from_elsewhere() -> Logs {
    let stranger = || alice("iam:CreateUser").from_ip("185.220.101.1");
    working().daily(20, "10:00", |_| alice("iam:CreateUser")).call(
        0,
        "10:05",
        stranger().agent("python-requests/2.31.0"),
    )
}

/// Somebody with Alice's key looks around from a Tor exit, and then calls `api` by a console whose
/// servers hide his address.
pub(crate) fn look_and_hide(api: &str) -> Logs {
    let hidden = || alice(api).from_ip("AWS Internal").agent("AWS Internal");
    let look = alice("ec2:DescribeRegions").from_ip("185.220.101.1");
    working().call(0, "10:10", look).calls(0, "10:20", 3, |_| hidden())
}
