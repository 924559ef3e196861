use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::{
    flow::{Call, address},
    testkit::{self as raw, call},
};
use serde_json::{Value, json};

const ID: &str = "egress-after-session";
const ENI: &str = "eni-0123456789abcdef0";
const HOST: &str = "i-0123456789abcdef0";
const STRANGER: &str = "203.0.113.9";
/// Of a network of rented servers.
const RENTED: &str = "5.9.1.1";

fn sends(day: i32, clock: &str, peer: &str) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), 443), at(day, clock));
    Call { is_answered: true, bytes: (90_000, 9_000), ..one }
}

/// Ten days on which the host calls one peer.
fn habit() -> Logs {
    (-12..-2).fold(Logs::new(), |logs, day| logs.flow(sends(day, "9:00", "198.51.100.9")))
}

fn agent() -> raw::Call {
    let identity = raw::instance_role("web", HOST);
    let request = json!({"instanceId": HOST, "iPAddress": "10.0.0.1"});
    raw::by(identity).api("ssm:UpdateInstanceInformation").request(request)
}

fn session() -> raw::Call {
    call("mallory").api("ssm:StartSession").request(json!({"target": HOST}))
}

/// A session at 10:00 on the host that calls.
fn on_host() -> Logs {
    habit().call(0, "8:00", agent()).call(0, "10:00", session())
}

#[test]
fn a_stranger_that_is_called_after_a_session_is_told() {
    let finding = on_host().flow(sends(0, "10:20", STRANGER)).finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    says(&finding, &["88 KiB to 203.0.113.9", "ssm:StartSession", "user/mallory", HOST]);
    assert_eq!(finding.flow.unwrap().peers, [STRANGER]);
    assert_eq!(&*finding.records[0].call.api, "ssm:StartSession");
    let six =
        Call { own: address("2001:db8:1::1".parse().unwrap()), ..sends(0, "10:20", "2001:db8::9") };
    says(&on_host().flow(six).finding(ID), &["2001:db8::9"]);
}

#[test]
fn every_way_to_a_host_counts() {
    let ways: [(&str, Value); 6] = [
        ("ssm:SendCommand", json!({"instanceIds": [HOST]})),
        ("ssm:SendCommand", json!({"targets": [{"key": "InstanceIds", "values": ["i-1", HOST]}]})),
        ("ec2-instance-connect:SendSSHPublicKey", json!({"instanceId": HOST})),
        ("ec2-instance-connect:SendSerialConsoleSSHPublicKey", json!({"instanceId": HOST})),
        ("ec2-instance-connect:OpenTunnel", json!({"privateIpAddress": "10.0.0.1"})),
        ("ec2-instance-connect:OpenTunnel", json!({"networkInterfaceId": ENI})),
    ];
    for (api, request) in ways {
        let logs = habit().call(0, "8:00", agent());
        let logs = logs.call(0, "10:00", call("mallory").api(api).request(request));
        says(&logs.flow(sends(0, "10:20", STRANGER)).finding(ID), &[api]);
    }
}

#[test]
fn instances_are_known_by_how_they_were_started() {
    let items = |item: Value| json!({"items": [item]});
    let interface = json!({"networkInterfaceId": ENI, "privateIpAddress": "10.0.0.1"});
    let started = json!({"instancesSet": items(json!({"instanceId": HOST,
        "networkInterfaceSet": items(interface)}))});
    let started = call("bob").api("ec2:RunInstances").response(started);
    let attached = json!({"networkInterfaceId": ENI, "instanceId": HOST});
    let attached = call("bob").api("ec2:AttachNetworkInterface").request(attached);
    for told in [started, attached] {
        let logs = |clock: &str| habit().call(0, clock, told.clone()).call(0, "10:00", session());
        logs("8:00").flow(sends(0, "10:20", STRANGER)).finding(ID);
        // What is told late is known all the same.
        logs("12:00").flow(sends(0, "10:20", STRANGER)).finding(ID);
    }
}

#[test]
fn known_peers_aws_and_other_hosts_stay_quiet() {
    on_host().stays_quiet(ID);
    on_host().flow(sends(0, "10:20", "198.51.100.9")).stays_quiet(ID);
    on_host().flow(sends(0, "10:20", "52.94.5.1")).stays_quiet(ID);
    on_host().flow(sends(0, "10:20", "10.0.0.9")).stays_quiet(ID);
    let little = Call { bytes: (4_000, 9_000), ..sends(0, "10:20", STRANGER) };
    on_host().flow(little).stays_quiet(ID);
    let other = call("mallory").api("ssm:StartSession").request(json!({"target": "i-1"}));
    let elsewhere = habit().call(0, "8:00", agent()).call(0, "10:00", other);
    elsewhere.flow(sends(0, "10:20", STRANGER)).stays_quiet(ID);
    let refused =
        habit().call(0, "8:00", agent()).call(0, "10:00", session().error("AccessDenied"));
    refused.flow(sends(0, "10:20", STRANGER)).stays_quiet(ID);
    let unknown = habit().call(0, "10:00", session());
    unknown.flow(sends(0, "10:20", STRANGER)).stays_quiet(ID);
}

#[test]
fn who_was_called_before_or_is_called_later_stays_quiet() {
    on_host().flow(sends(0, "9:50", STRANGER)).stays_quiet(ID);
    let again = on_host().flow(sends(0, "8:50", STRANGER)).flow(sends(0, "10:20", STRANGER));
    again.stays_quiet(ID);
    on_host().flow(sends(0, "11:00", STRANGER)).finding(ID);
    on_host().flow(sends(0, "11:10", STRANGER)).stays_quiet(ID);
    let longer = on_host().with_settings(|all| all.egress_after_session.minutes_max = 120);
    longer.flow(sends(0, "11:10", STRANGER)).finding(ID);
}

#[test]
fn a_session_before_midnight_reaches_over_it() {
    let logs = habit().call(0, "8:00", agent()).call(0, "23:50", session());
    logs.flow(sends(1, "0:20", STRANGER)).finding(ID);
}

#[test]
fn a_young_host_and_one_that_calls_everybody_stay_quiet() {
    let young = Logs::new().flow(sends(-4, "9:00", "198.51.100.9")).call(0, "8:00", agent());
    young.call(0, "10:00", session()).flow(sends(0, "10:20", STRANGER)).stays_quiet(ID);
    let crawler = (-12..-2).fold(on_host(), |logs, day| {
        let peers = (0..8).map(|n| format!("198.18.{}.{n}", day + 50));
        peers.fold(logs, |logs, peer| logs.flow(sends(day, "9:00", &peer)))
    });
    crawler.flow(sends(0, "10:20", STRANGER)).stays_quiet(ID);
}

#[test]
fn a_habit_of_sessions_is_low_unless_servers_are_rented() {
    let usual = || on_host().daily(3, "14:00", |_| session());
    let low = usual().flow(sends(0, "10:20", STRANGER)).finding(ID);
    assert_eq!(low.severity, Severity::Low);
    let rented = usual().flow(sends(0, "10:20", RENTED)).finding(ID);
    assert_eq!(rented.severity, Severity::Medium);
}

#[test]
fn two_interfaces_with_one_address_are_nobodys() {
    let twin =
        Call { interface: "eni-0fedcba9876543210".into(), ..sends(0, "9:00", "198.51.100.9") };
    on_host().flow(twin).flow(sends(0, "10:20", STRANGER)).stays_quiet(ID);
}

/// A command that is told apart from others by its time.
fn command(clock: &str) -> raw::Call {
    let request = json!({"instanceIds": [HOST]});
    call("mallory").api("ssm:SendCommand").request(request).id(&raw::uuid(clock))
}

#[test]
fn a_second_command_does_not_make_the_tool_of_the_first_known() {
    let tool = Call { bytes: (5_000, 9_000), ..sends(0, "10:05", STRANGER) };
    let logs = habit().call(0, "8:00", agent()).call(0, "10:00", command("10:00")).flow(tool);
    let logs = logs.call(0, "10:10", command("10:10")).flow(sends(0, "10:15", STRANGER));
    let finding = logs.finding(ID);
    says(&finding, &["to 203.0.113.9", "ssm:SendCommand"]);
    assert_eq!(finding.records.len(), 2);
}

#[test]
fn many_commands_in_the_morning_leave_room_for_the_evening() {
    let morning = (0..40).map(|n| format!("8:{n:02}")).fold(habit(), |logs, clock| {
        let command = command(&clock);
        logs.call(0, &clock, command)
    });
    let logs = morning.call(0, "7:00", agent()).call(0, "20:00", command("20:00"));
    let logs = logs.call(0, "20:20", command("20:20")).call(0, "20:50", command("20:50"));
    let finding = logs.flow(sends(0, "21:40", STRANGER)).finding(ID);
    // Of an hour the first and the last are kept.
    assert_eq!(finding.records.len(), 2);
}
