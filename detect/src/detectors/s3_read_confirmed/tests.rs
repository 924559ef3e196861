use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::{
    flow::Call,
    testkit::{self as raw, call},
};
use serde_json::json;

const ID: &str = "s3-read-confirmed";
const ENI: &str = "eni-0123456789abcdef0";
const HOST: &str = "i-0123456789abcdef0";
/// Of S3 in eu-west-1, and of an endpoint inside.
const S3: &str = "52.218.0.1";
const ENDPOINT: &str = "10.0.9.9";
const MIB: u64 = 1 << 20;

/// So many MiB come from a peer.
fn takes(day: i32, clock: &str, (peer, mebibytes): (&str, u64)) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), 443), at(day, clock));
    Call { is_answered: true, bytes: (90_000, mebibytes * MIB), ..one }
}

/// Twenty days on which the host takes some MiB an hour.
fn habit() -> Logs {
    let days = (-22..-2).flat_map(|day| ["9:00", "10:00", "11:00"].map(|clock| (day, clock)));
    days.fold(Logs::new(), |logs, (day, clock)| logs.flow(takes(day, clock, (S3, 20))))
}

/// An object of so many MiB is read from an address.
fn reads(address: &str, mebibytes: u64) -> raw::Call {
    let moved = json!({"bytesTransferredIn": 0, "bytesTransferredOut": mebibytes * MIB});
    call("mallory").api("s3:GetObject").from_ip(address).additional(moved)
}

#[test]
fn what_both_logs_say_is_told_with_both() {
    for peer in [S3, ENDPOINT] {
        let logs = habit().call(0, "10:05", reads("10.0.0.1", 400));
        let logs = logs.call(0, "10:15", reads("10.0.0.1", 500));
        let finding = logs.flow(takes(0, "10:20", (peer, 930))).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &["930 MiB from AWS", "user/mallory read 900 MiB", "from 10.0.0.1"]);
        assert_eq!(finding.flow.unwrap().peers, [peer]);
        assert!(finding.records.iter().all(|one| &*one.call.api == "s3:GetObject"));
    }
}

#[test]
fn credentials_of_the_instance_count_from_wherever_s3_sees_them() {
    let agent = json!({"instanceId": HOST, "iPAddress": "10.0.0.1"});
    let agent = raw::by(raw::instance_role("web", HOST))
        .api("ssm:UpdateInstanceInformation")
        .request(agent);
    let moved = json!({"bytesTransferredOut": 900 * MIB});
    let read = raw::by(raw::instance_role("web", HOST)).api("s3:GetObject").from_ip("52.19.0.7");
    let logs = habit().call(0, "8:00", agent).call(0, "10:05", read.additional(moved));
    says(&logs.flow(takes(0, "10:20", (S3, 930))).finding(ID), &["read 900 MiB", "52.19.0.7"]);
}

#[test]
fn what_one_log_says_alone_is_not_told() {
    let much = takes(0, "10:20", (S3, 930));
    habit().flow(much.clone()).stays_quiet(ID);
    habit().call(0, "10:05", reads("10.0.0.1", 900)).stays_quiet(ID);
    // Somebody elsewhere, at another time, or in vain.
    habit().call(0, "10:05", reads("10.0.0.2", 900)).flow(much.clone()).stays_quiet(ID);
    habit().call(0, "13:05", reads("10.0.0.1", 900)).flow(much.clone()).stays_quiet(ID);
    let refused = reads("10.0.0.1", 900).error("AccessDenied");
    habit().call(0, "10:05", refused).flow(much).stays_quiet(ID);
    // Not from AWS.
    let other = takes(0, "10:20", ("203.0.113.9", 930));
    habit().call(0, "10:05", reads("10.0.0.1", 900)).flow(other).stays_quiet(ID);
}

#[test]
fn less_and_what_is_usual_stay_quiet() {
    let both = |mebibytes: u64| {
        let logs = habit().call(0, "10:05", reads("10.0.0.1", mebibytes));
        logs.flow(takes(0, "10:20", (S3, mebibytes)))
    };
    both(499).stays_quiet(ID);
    both(500).finding(ID);
    both(499).with_settings(|all| all.s3_read_confirmed.mebibytes_min = 499).finding(ID);
    both(600).with_settings(|all| all.s3_read_confirmed.bits_min = 2_000.0).stays_quiet(ID);
    let days = (-22..-2).map(|day| takes(day, "10:00", (S3, 800)));
    let backup = days.fold(Logs::new(), Logs::flow);
    let backup = backup.call(0, "10:05", reads("10.0.0.1", 900));
    backup.flow(takes(0, "10:20", (S3, 900))).stays_quiet(ID);
    let new = Logs::new().call(0, "10:05", reads("10.0.0.1", 900));
    new.flow(takes(0, "10:20", (S3, 900))).stays_quiet(ID);
}
