use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use baseline::Kind;
use ingest::{
    flow::{Call, address},
    testkit::{self as raw, call},
};
use serde_json::{Value, json};

const ID: &str = "opened-then-entered";
const ENI: &str = "eni-0123456789abcdef0";
const HOME: &str = "203.0.113.7";

fn permission(network: &str, (from, to): (u16, u16)) -> Value {
    let (set, name) =
        if network.contains(':') { ("ipv6Ranges", "cidrIpv6") } else { ("ipRanges", "cidrIp") };
    json!({"groupId": "sg-1", "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": from, "toPort": to, set: {"items": [{name: network}]}}]}})
}

fn opens(from: &str, request: Value) -> raw::Call {
    call("alice").api("ec2:AuthorizeSecurityGroupIngress").from_ip(from).request(request)
}

/// A session at `port` from `peer`.
fn visit(day: i32, clock: &str, (peer, port): (&str, u16)) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, clock));
    Call { is_inbound: true, is_answered: true, bytes: (30_000, 200_000), ..one }
}

/// Port 22 is opened for the caller's address at 10:00.
fn opened() -> Logs {
    Logs::new().call(0, "10:00", opens(HOME, permission("203.0.113.7/32", (22, 22))))
}

#[test]
fn who_opens_a_port_for_himself_and_comes_in_is_told() {
    let finding = opened().flow(visit(0, "10:20", (HOME, 22))).finding(ID);
    assert_eq!((finding.severity, finding.entity.kind), (Severity::Medium, Kind::Interface));
    says(&finding, &["entered at port 22 from 203.0.113.7", "user/alice", "sg-1", "did not"]);
    let flow = finding.flow.as_ref().unwrap();
    assert_eq!((flow.peers.as_slice(), flow.ports.as_slice()), (&[HOME.to_owned()][..], &[22][..]));
    assert_eq!(finding.records.len(), 1);
    assert_eq!(&*finding.records[0].call.api, "ec2:AuthorizeSecurityGroupIngress");
    assert_eq!(finding.targets, ["sg-1"]);
}

#[test]
fn ranges_the_world_the_other_call_and_ipv6_are_understood() {
    let all = json!({"groupId": "sg-1", "ipPermissions": {"items": [
        {"ipProtocol": "-1", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}});
    let alone = json!({"groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432,
        "cidrIp": "203.0.113.0/24"});
    for request in [all, alone, permission("203.0.113.7/32", (5000, 6000))] {
        let logs = Logs::new().call(0, "10:00", opens(HOME, request));
        logs.flow(visit(0, "10:20", (HOME, 5432))).finding(ID);
    }
    let six = "2001:db8::7";
    let changed = json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule": {
        "SecurityGroupRule": {"CidrIpv6": "2001:db8::/64", "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp"},
        "SecurityGroupRuleId": "sgr-1", "tag": 1}}});
    let modify = opens(six, changed).api("ec2:ModifySecurityGroupRules");
    let own = address("2001:db8:1::1".parse().unwrap());
    for call in [modify, opens(six, permission("2001:db8::7/128", (22, 22)))] {
        let visit = Call { own, ..visit(0, "10:20", (six, 22)) };
        says(&Logs::new().call(0, "10:00", call).flow(visit).finding(ID), &["from 2001:db8::7"]);
    }
}

#[test]
fn other_addresses_ports_and_calls_stay_quiet() {
    opened().stays_quiet(ID);
    opened().flow(visit(0, "10:20", ("203.0.113.8", 22))).stays_quiet(ID);
    opened().flow(visit(0, "10:20", (HOME, 3389))).stays_quiet(ID);
    // For others than the caller; ICMP; what fails; the web.
    let quiet = |call: raw::Call, port: u16| {
        Logs::new().call(0, "10:00", call).flow(visit(0, "10:20", (HOME, port))).stays_quiet(ID);
    };
    quiet(opens(HOME, permission("198.51.100.0/24", (22, 22))), 22);
    let ping = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "icmp",
        "fromPort": -1, "toPort": -1, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}});
    quiet(opens(HOME, ping), 22);
    quiet(opens(HOME, permission("203.0.113.7/32", (22, 22))).error("AccessDenied"), 22);
    quiet(opens(HOME, permission("0.0.0.0/0", (443, 443))), 443);
    quiet(opens("ec2.amazonaws.com", permission("0.0.0.0/0", (22, 22))), 22);
}

#[test]
fn a_try_and_a_refusal_are_no_visit() {
    let short = Call { bytes: (4_000, 4_000), ..visit(0, "10:20", (HOME, 22)) };
    opened().flow(short.clone()).stays_quiet(ID);
    let lasting = Some(ingest::flow::Lasting { port: 40_000, covered_s: 280 });
    opened().flow(Call { lasting, ..short }).finding(ID);
    let refused = Call { is_answered: false, ..visit(0, "10:20", (HOME, 22)) };
    opened().flow(refused).stays_quiet(ID);
}

#[test]
fn what_was_there_before_was_not_let_in() {
    let before = || opened().flow(visit(0, "9:30", (HOME, 22)));
    before().stays_quiet(ID);
    before().flow(visit(0, "10:20", (HOME, 22))).stays_quiet(ID);
}

#[test]
fn a_day_later_nobody_asks_any_more() {
    opened().flow(visit(1, "9:30", (HOME, 22))).finding(ID);
    opened().flow(visit(1, "10:30", (HOME, 22))).stays_quiet(ID);
    let shorter = |logs: Logs| logs.with_settings(|all| all.opened_then_entered.hours_max = 1);
    shorter(opened().flow(visit(0, "10:55", (HOME, 22)))).finding(ID);
    shorter(opened().flow(visit(0, "11:20", (HOME, 22)))).stays_quiet(ID);
}

#[test]
fn a_habit_and_a_pipeline_are_low() {
    let today = |logs: Logs| logs.flow(visit(0, "10:20", (HOME, 22))).finding(ID);
    let opens_at_home = || opens(HOME, permission("203.0.113.7/32", (22, 22)));
    let usual = today(opened().daily(2, "9:00", |_| opens_at_home()));
    assert_eq!(usual.severity, Severity::Low);
    says(&usual, &["usual: opened ports for its own address on 2 days before"]);
    // Yesterday has taught nothing yet, and others' habits are not one's own.
    let yesterday = today(opened().call(-1, "9:00", opens_at_home()));
    assert_eq!(yesterday.severity, Severity::Medium);
    let bob = |_| call("bob").api("ec2:AuthorizeSecurityGroupIngress").from_ip(HOME);
    let bob = |day| bob(day).request(permission("0.0.0.0/0", (22, 22)));
    assert_eq!(today(opened().daily(2, "9:00", bob)).severity, Severity::Medium);
    let pipeline = raw::by(raw::role_session("deploy", "GitHubActions"));
    let pipeline = pipeline.api("ec2:AuthorizeSecurityGroupIngress").from_ip(HOME);
    let pipeline = pipeline.request(permission("203.0.113.7/32", (22, 22)));
    assert_eq!(today(Logs::new().call(0, "10:00", pipeline)).severity, Severity::Low);
}

#[test]
fn other_accounts_open_nothing() {
    let other = opens(HOME, permission("0.0.0.0/0", (22, 22))).account("444455556666");
    Logs::new().call(0, "10:00", other).flow(visit(0, "10:20", (HOME, 22))).stays_quiet(ID);
}

#[test]
fn who_was_there_already_when_a_port_was_opened_again_came_by_the_first() {
    let by = |name: &'static str, port: u16| {
        let call = call(name).api("ec2:AuthorizeSecurityGroupIngress").from_ip(HOME);
        call.request(permission("203.0.113.7/32", (port, port)))
    };
    let logs = opened().call(0, "10:30", by("bob", 22)).call(0, "10:35", by("bob", 3389));
    let small = Call { bytes: (20_000, 20_000), ..visit(0, "10:50", (HOME, 3389)) };
    let finding = logs.flow(visit(0, "10:20", (HOME, 22))).flow(small).finding(ID);
    says(&finding, &["entered at port 22", "user/alice"]);
    let who: Vec<_> = finding.records.iter().filter_map(|one| one.call.actor.as_deref()).collect();
    assert!(who.len() == 2 && who[0].ends_with("alice") && who[1].ends_with("bob"));
}

#[test]
fn who_comes_every_day_was_not_let_in_by_an_opening() {
    let daily = (-12..-2).fold(opened(), |logs, day| logs.flow(visit(day, "9:30", (HOME, 22))));
    daily.flow(visit(1, "9:30", (HOME, 22))).stays_quiet(ID);
    let other = |day| visit(day, "9:30", ("203.0.113.8", 22));
    let others = (-12..-2).fold(opened(), |logs, day| logs.flow(other(day)));
    others.flow(visit(1, "9:30", (HOME, 22))).finding(ID);
}
