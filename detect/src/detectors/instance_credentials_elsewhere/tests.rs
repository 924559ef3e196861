use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::{
    flow::{Call, address},
    testkit::{self as raw, call},
};
use serde_json::{Value, json};

const ID: &str = "instance-credentials-elsewhere";
const OWN: &str = "i-0123456789abcdef0";
const OTHER: &str = "i-0fedcba9876543210";

/// A call with credentials of an instance.
fn by(instance: &str, from: &str) -> raw::Call {
    raw::by(raw::instance_role("web", instance)).api("s3:ListBuckets").from_ip(from)
}

/// What the agent on an instance says of its address.
fn agent(instance: &str, address: &str) -> raw::Call {
    let request = json!({"instanceId": instance, "iPAddress": address});
    by(instance, "18.192.0.1").api("ssm:UpdateInstanceInformation").request(request)
}

/// What an interface of that address called.
fn seen(interface: &str, own: &str) -> Call {
    let one = flow(interface, ([198, 51, 100, 9].into(), 443), at(0, "9:00"));
    Call { own: address(own.parse().unwrap()), ..one }
}

/// Two instances, each with its address.
fn two() -> Logs {
    let logs = Logs::new().call(0, "8:00", agent(OWN, "10.0.0.1"));
    logs.call(0, "8:00", agent(OTHER, "10.0.0.2"))
}

#[test]
fn credentials_at_another_instance_are_told() {
    let logs = two().flow(seen("eni-2", "10.0.0.2")).call(0, "10:00", by(OWN, "10.0.0.2"));
    let finding = logs.finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::High, 1));
    says(&finding, &[OWN, "from 10.0.0.2", OTHER, "(eni-2)", "its own: 10.0.0.1"]);
    assert_eq!(&*finding.records[0].call.api, "s3:ListBuckets");
    assert_eq!(finding.flow.unwrap().interface, "eni-2");
    assert_eq!(finding.targets, [OWN, OTHER]);
}

#[test]
fn own_and_unknown_addresses_stay_quiet() {
    for from in ["10.0.0.1", "10.0.0.9", "18.236.0.1", "8.8.8.8", "ec2.amazonaws.com"] {
        two().call(0, "10:00", by(OWN, from)).stays_quiet(ID);
    }
    // Nobody knows where the instance is, or whose the other address is.
    let other = Logs::new().call(0, "8:00", agent(OTHER, "10.0.0.2"));
    other.call(0, "10:00", by(OWN, "10.0.0.2")).stays_quiet(ID);
    let alone = Logs::new().call(0, "8:00", agent(OWN, "10.0.0.1")).flow(seen("eni-2", "10.0.0.2"));
    alone.call(0, "10:00", by(OWN, "10.0.0.2")).stays_quiet(ID);
    // A person's session is nobody's instance.
    let person = raw::by(raw::sso_user("Admin", "ada@example.com")).from_ip("10.0.0.2");
    two().call(0, "10:00", person).stays_quiet(ID);
}

#[test]
fn an_address_that_two_have_is_nobodys() {
    let stolen = || by(OWN, "10.0.0.2");
    let third = agent("i-00000000000000003", "10.0.0.2");
    two().call(0, "8:00", third).call(0, "10:00", stolen()).stays_quiet(ID);
    let twins = two().flow(seen("eni-2", "10.0.0.2")).flow(seen("eni-3", "10.0.0.2"));
    twins.call(0, "10:00", stolen()).stays_quiet(ID);
    // Who had it days ago does not matter any more.
    let before = two().call(-3, "8:00", agent("i-00000000000000003", "10.0.0.2"));
    before.call(0, "10:00", stolen()).finding(ID);
}

#[test]
fn ways_out_for_many_and_habits_are_low() {
    let third = |day| by("i-00000000000000003", "10.0.0.2").id(&raw::uuid(&format!("third {day}")));
    let fourth = by("i-00000000000000004", "10.0.0.2");
    let logs = || two().call(0, "10:00", by(OWN, "10.0.0.2")).call(0, "11:00", third(0));
    assert_eq!(logs().finding(ID).severity, Severity::High);
    let shared = logs().call(0, "11:00", fourth).finding(ID);
    assert_eq!(shared.severity, Severity::Low);
    let usual = two().call(-4, "10:00", by(OWN, "10.0.0.2")).call(0, "10:00", by(OWN, "10.0.0.2"));
    assert_eq!(usual.finding(ID).severity, Severity::Low);
    let sharers =
        |n| logs().with_settings(|all| all.instance_credentials_elsewhere.sharers_min = n);
    assert_eq!(sharers(1).finding(ID).severity, Severity::Low);
}

#[test]
fn answers_tell_addresses_of_both_versions() {
    let items = |item: Value| json!({"items": [item]});
    let started = |id: &str, interface: &str, four: &str, six: &str| {
        let interface = json!({"networkInterfaceId": interface, "privateIpAddress": four,
            "ipv6AddressesSet": items(json!({"ipv6Address": six}))});
        let set = items(json!({"instanceId": id, "networkInterfaceSet": items(interface)}));
        call("bob").api("ec2:RunInstances").response(json!({"instancesSet": set}))
    };
    let logs = |from: &str| {
        let logs = Logs::new().call(0, "7:00", started(OWN, "eni-1", "10.0.0.1", "2001:db8::1"));
        let logs = logs.call(0, "7:00", started(OTHER, "eni-2", "10.0.0.2", "2001:db8::2"));
        logs.call(0, "10:00", by(OWN, from))
    };
    says(&logs("2001:db8::2").finding(ID), &["from 2001:db8::2", OTHER]);
    says(&logs("10.0.0.2").finding(ID), &["from 10.0.0.2", "10.0.0.1, 2001:db8::1"]);
    logs("2001:db8::1").stays_quiet(ID);
}

#[test]
fn elastic_addresses_belong_to_whom_they_were_given() {
    let allocated = json!({"publicIp": "18.192.0.9", "allocationId": "eipalloc-1"});
    let allocated = || call("bob").api("ec2:AllocateAddress").response(allocated.clone());
    let given = |to: Value| call("bob").api("ec2:AssociateAddress").request(to);
    let stolen = |logs: Logs| logs.call(0, "10:00", by(OWN, "18.192.0.9"));
    let to_other = json!({"allocationId": "eipalloc-1", "instanceId": OTHER});
    let logs = || two().call(0, "7:00", allocated());
    stolen(logs().call(0, "7:10", given(to_other.clone()))).finding(ID);
    let old = json!({"publicIp": "18.192.0.9", "instanceId": OTHER});
    stolen(two().call(0, "7:10", given(old))).finding(ID);
    let to_own = json!({"allocationId": "eipalloc-1", "instanceId": OWN});
    stolen(logs().call(0, "7:10", given(to_own.clone()))).stays_quiet(ID);
    stolen(logs().call(0, "7:10", given(to_own)).call(0, "7:20", given(to_other))).stays_quiet(ID);
    let gateway = call("bob")
        .api("ec2:CreateNatGateway")
        .request(json!({"CreateNatGatewayRequest": {"AllocationId": "eipalloc-1"}}))
        .response(json!({"CreateNatGatewayResponse": {"natGateway": {"natGatewayId": "nat-1"}}}));
    stolen(logs().call(0, "7:10", gateway)).stays_quiet(ID);
}

#[test]
fn where_addresses_were_left_out_nobody_is_the_only_one_that_has_one() {
    let many = |n: u32| {
        let pods = (0..n).map(|n| seen("eni-9", &format!("10.1.{}.{}", n >> 8, n & 255)));
        pods.fold(two(), Logs::flow).call(0, "10:00", by(OWN, "10.0.0.2"))
    };
    many(4_000).finding(ID);
    many(4_096).stays_quiet(ID);
}
