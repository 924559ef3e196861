//! Two engineers behind IAM Identity Center, one IAM user, and once the root user.

use super::super::cast::{
    BROWSER, COMMAND_LINE, CONSOLE, EXPORTS, Engineer, LEDGER, MARISOL_HOME, OFFICE,
};
use super::super::truth::Title;
use super::super::{ACCOUNT, DAYS, GLOBAL, HOME, Story, at, midnight};
use crate::aws::call::{Call, Encryption, Kind, Transfer};
use crate::aws::caller::{Caller, Session};
use crate::clock::MINUTE_S;
use crate::json::Json;
use crate::object;

/// The day on which Ines flies from Lisbon to the office in Berlin.
const TRAVEL_DAY: i64 = 9;
/// The day on which a page of Jonas reloads too often.
const THROTTLED_DAY: i64 = 10;
/// Clocks in Washington State go forward on the seventh day.
const SUMMER_TIME_DAY: i64 = 7;

/// What a console page asks for.
const PAGES: [(&str, &str, &str); 16] = [
    (HOME, "ec2", "DescribeInstances"),
    (HOME, "ec2", "DescribeSecurityGroups"),
    (HOME, "ec2", "DescribeVpcs"),
    (HOME, "ec2", "DescribeVolumes"),
    (HOME, "ec2", "DescribeInstanceStatus"),
    (HOME, "monitoring", "DescribeAlarms"),
    (HOME, "logs", "DescribeLogGroups"),
    (HOME, "lambda", "ListFunctions20150331"),
    (HOME, "lambda", "GetFunction20150331v2"),
    (HOME, "rds", "DescribeDBInstances"),
    (HOME, "kms", "ListAliases"),
    (HOME, "cloudtrail", "LookupEvents"),
    (HOME, "secretsmanager", "ListSecrets"),
    (HOME, "s3", "ListBuckets"),
    (GLOBAL, "iam", "ListUsers"),
    (GLOBAL, "health", "DescribeEventAggregates"),
];

/// A sign-in to the console.
pub(in super::super) struct SignIn {
    pub(in super::super) time_s: i64,
    pub(in super::super) caller: Caller,
    /// `MFAIdentifier`; without one the sign-in used no second factor.
    pub(in super::super) mfa: Option<String>,
}

pub(in super::super) fn sign_in(story: &mut Story, sign_in: SignIn) -> String {
    let mut data = vec![
        ("LoginTo", Json::from("https://console.aws.amazon.com/console/home?region=us-west-2")),
        ("MobileVersion", Json::from("No")),
    ];
    let used = if sign_in.mfa.is_some() { "Yes" } else { "No" };
    data.extend(sign_in.mfa.map(|device| ("MFAIdentifier", Json::from(device))));
    data.push(("MFAUsed", Json::from(used)));
    let call = Call::new(sign_in.time_s, GLOBAL, "signin", "ConsoleLogin")
        .of(Kind::SignIn)
        .answered(object! { "ConsoleLogin": "Success" });
    let host = "signin.aws.amazon.com".into();
    story.tell(&sign_in.caller, Call { additional: Some(Json::Object(data)), host, ..call })
}

pub(super) fn engineers(story: &mut Story, day: i64) {
    for engineer in story.cast.engineers.clone() {
        let travels = day == TRAVEL_DAY && engineer.mail.starts_with("ines");
        for (part, address) in
            [(0, engineer.home), (5, if travels { OFFICE } else { engineer.home })]
        {
            let arrive_s = some_time(story, at(day, engineer.first_hour + part, 0));
            let work = engineer_session(story, &engineer, arrive_s, address);
            if travels && part == 5 {
                let title = Title {
                    name: "an engineer flies from Lisbon to the office in Berlin in five hours",
                    entity: story.cast.engineer_role.session_arn(engineer.mail),
                    technique: "T1078.004",
                };
                story.truth.harmless(title, &work);
            }
        }
    }
}

/// Within half an hour of `from_s`, early in a slot of five minutes: what is done at once should
/// come in one object, since every object more costs the archive a kilobyte.
fn some_time(story: &mut Story, from_s: i64) -> i64 {
    from_s + story.rng.between(0, 5) * 5 * MINUTE_S + story.rng.between(1, 60)
}

fn engineer_session(
    story: &mut Story,
    engineer: &Engineer,
    arrive_s: i64,
    address: &str,
) -> Vec<(i64, String)> {
    verify_second_factor(story, engineer, arrive_s, address);
    let key = format!("ASIA{}", story.rng.capitals(16));
    let session = Session { name: engineer.mail, key: &key, since_s: arrive_s + 15 };
    let identity = story.cast.engineer_role.session(session, &[]);
    let browser = Caller::new(identity.clone(), address, engineer.browser).in_console();
    // Identity Center asks for the second factor itself: the console does not know of it.
    let enter = SignIn { time_s: arrive_s + 16, caller: browser, mfa: None };
    let mut work = vec![(arrive_s + 16, sign_in(story, enter))];
    let caller = Caller::new(identity, address, CONSOLE).in_console();
    work.extend(browse(story, &caller, arrive_s + 30));
    if story.rng.one_in(3) {
        let back_s = arrive_s + story.rng.between(7, 18) * 5 * MINUTE_S;
        work.extend(browse(story, &caller, back_s));
    }
    if story.rng.one_in(3) {
        let time_s = arrive_s + 90;
        let call = Call::new(time_s, HOME, "logs", "PutRetentionPolicy").asking(object! {
            "logGroupName": "/aws/lambda/ledger-export", "retentionInDays": 90,
        });
        work.push((time_s, story.tell(&caller, call)));
    }
    work
}

fn verify_second_factor(story: &mut Story, engineer: &Engineer, time_s: i64, address: &str) {
    let identity = object! {
        "type": "IdentityCenterUser", "accountId": ACCOUNT,
        "onBehalfOf": object! {
            "userId": &engineer.store_id,
            "identityStoreArn": format!("arn:aws:identitystore::{ACCOUNT}:identitystore/d-92670a1b2c"),
        },
        "credentialId": story.rng.hex(32),
    };
    let caller = Caller::new(identity, address, engineer.browser);
    let workflow = story.rng.uuid();
    for (wait_s, kind) in [(0, "PASSWORD"), (6, "TOTP")] {
        let call = Call::new(time_s + wait_s, HOME, "signin", "CredentialVerification");
        let additional = object! { "AuthWorkflowID": &workflow, "CredentialType": kind };
        let details = object! { "CredentialVerification": "Success" };
        let (additional, details) = (Some(additional), Some(details));
        story.tell(&caller, Call { additional, details, ..call.of(Kind::Service) });
    }
}

/// One look at a few pages: a dozen calls in half a minute.
fn browse(story: &mut Story, caller: &Caller, from_s: i64) -> Vec<(i64, String)> {
    let mut seen = Vec::new();
    let mut time_s = from_s;
    for _ in 0..story.rng.between(8, 12) {
        time_s += story.rng.between(0, 4);
        let Some(&(region, service, name)) = story.rng.pick(&PAGES) else { continue };
        let mut call = Call::new(time_s, region, service, name).asking(question(name));
        if service == "s3" {
            call.host = format!("s3.{region}.amazonaws.com").into();
        }
        if name == "LookupEvents" && story.rng.one_in(6) {
            call = call.refused("ThrottlingException", "Rate exceeded");
        }
        seen.push((time_s, story.tell(caller, call)));
    }
    seen
}

fn question(name: &str) -> Json {
    match name {
        "DescribeInstances" => object! {
            "maxResults": 1000, "instancesSet": object! {}, "filterSet": object! {},
        },
        "DescribeVolumes" => object! { "volumeSet": object! {}, "filterSet": object! {} },
        "DescribeSecurityGroups" => object! {
            "maxResults": 1000, "securityGroupSet": object! {}, "filterSet": object! {},
        },
        "DescribeVpcs" => object! { "vpcSet": object! {}, "filterSet": object! {} },
        "DescribeAlarms" => object! { "maxRecords": 100 },
        "LookupEvents" => object! { "maxResults": 25 },
        "ListBuckets" => object! { "Host": "s3.us-west-2.amazonaws.com" },
        "GetFunction20150331v2" => object! { "functionName": "ledger-export" },
        _ => Json::Null,
    }
}

/// Console in the morning, command line in the afternoon.
pub(super) fn marisol(story: &mut Story, day: i64) {
    let first_hour = if day < SUMMER_TIME_DAY { 17 } else { 16 };
    let user = story.cast.marisol.clone();
    let arrive_s = some_time(story, at(day, first_hour, 0));
    let caller = Caller::new(user.signing_in(), MARISOL_HOME, BROWSER);
    let device = format!("arn:aws:iam::{ACCOUNT}:mfa/marisol-phone");
    sign_in(story, SignIn { time_s: arrive_s, caller, mfa: Some(device) });
    let key = format!("ASIA{}", story.rng.capitals(16));
    let identity = user.in_session(&key, arrive_s, true);
    let caller = Caller::new(identity, MARISOL_HOME, CONSOLE).in_console();
    browse(story, &caller, arrive_s + 30);
    for hour in [first_hour + 3, first_hour + 8] {
        let from_s = some_time(story, at(day, hour, 10));
        if from_s < midnight(DAYS + 1) {
            use_command_line(story, from_s);
        }
    }
}

pub(in super::super) fn use_command_line(story: &mut Story, from_s: i64) {
    let identity = story.cast.marisol.with_key(&story.cast.marisol_key);
    let caller = Caller::new(identity, MARISOL_HOME, COMMAND_LINE);
    let mut time_s = from_s;
    let calls = [
        ("sts", "GetCallerIdentity", Json::Null),
        ("s3", "ListBuckets", question("ListBuckets")),
        ("ec2", "DescribeInstances", question("DescribeInstances")),
        ("cloudformation", "DescribeStacks", object! { "stackName": "rivermill-web" }),
        ("logs", "FilterLogEvents", object! { "logGroupName": "/aws/lambda/ledger-export" }),
    ];
    for (service, name, request) in calls {
        time_s += story.rng.between(3, 20);
        let mut call = Call::new(time_s, HOME, service, name).asking(request);
        if service == "s3" {
            call.host = format!("s3.{HOME}.amazonaws.com").into();
        }
        story.tell(&caller, call);
    }
    for bucket in [EXPORTS, LEDGER] {
        time_s += story.rng.between(3, 20);
        let key = format!("2026/monthly/report-{:02}.csv", story.rng.between(1, 40));
        let out_bytes = story.rng.between(20_000, 400_000);
        let moved = Transfer { in_bytes: 0, out_bytes, encryption: Encryption::Default };
        let call = Call::new(time_s, HOME, "s3", "GetObject");
        let call = call.on_object(ACCOUNT, (bucket, &key), moved, &mut story.rng);
        story.tell(&caller, call);
    }
}

pub(super) fn throttled_engineer(story: &mut Story) {
    let [jonas, _] = story.cast.engineers.clone();
    let since_s = at(THROTTLED_DAY, jonas.first_hour + 3, 10);
    let key = format!("ASIA{}", story.rng.capitals(16));
    let session = Session { name: jonas.mail, key: &key, since_s };
    let identity = story.cast.engineer_role.session(session, &[]);
    let caller = Caller::new(identity, jonas.home, CONSOLE).in_console();
    let mut refused = Vec::new();
    for call_s in (0..40).map(|n| since_s + MINUTE_S + n) {
        let call = Call::new(call_s, HOME, "cloudtrail", "LookupEvents")
            .refused("ThrottlingException", "Rate exceeded");
        refused.push((call_s, story.tell(&caller, call)));
    }
    let title = Title {
        name: "a page of the console reloads: 40 throttled calls",
        entity: story.cast.engineer_role.session_arn(jonas.mail),
        technique: "T1580",
    };
    story.truth.harmless(title, &refused);
}

pub(super) fn root_in_the_office(story: &mut Story) {
    let arn = format!("arn:aws:iam::{ACCOUNT}:root");
    let identity = object! {
        "type": "Root", "principalId": ACCOUNT, "arn": &arn, "accountId": ACCOUNT,
        "accessKeyId": "",
    };
    let time_s = at(DAYS, 9, 41);
    let caller = Caller::new(identity, OFFICE, BROWSER);
    let device = format!("arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device");
    let id = sign_in(story, SignIn { time_s, caller, mfa: Some(device) });
    let title = Title {
        name: "root signs in from the office with its second factor: worth a word, no part of the attack",
        entity: arn,
        technique: "T1078.004",
    };
    story.truth.harmless(title, &[(time_s, id)]);
}
