//! The night of the eleventh day: a leaked access key, a second key, a bucket held for ransom, and
//! the credentials of an instance used from elsewhere.

mod instance;
mod ransom;

use super::cast::{BROWSER_ON_WINDOWS, INTRUDER, INTRUDER_TOOL, TRAIL};
use super::truth::Title;
use super::work::{self, SignIn};
use super::{ACCOUNT, GLOBAL, HOME, START_S, Story};
use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::clock::{DAY_S, HOUR_S, MINUTE_S, in_words};
use crate::json::Json;
use crate::object;

/// Midnight of the eleventh day, an afternoon in Washington State. Unit: seconds since the epoch.
const NIGHT_S: i64 = START_S + 10 * DAY_S;
/// From here on only one trail writes. Unit: seconds since the Unix epoch.
pub(super) const TRAIL_STOPPED_S: i64 = NIGHT_S + 48 * MINUTE_S;

/// When the credentials of the billing instance are taken. Unit: seconds since the Unix epoch.
pub(super) const INSTANCE_ROBBED_S: i64 = NIGHT_S + 2 * HOUR_S + 5 * MINUTE_S;

/// What the intruder tries, and is refused.
const TRIED: [(&str, &str, &str); 20] = [
    (GLOBAL, "iam", "ListRoles"),
    (GLOBAL, "iam", "ListPolicies"),
    (GLOBAL, "iam", "GetAccountAuthorizationDetails"),
    (GLOBAL, "iam", "ListAttachedUserPolicies"),
    (GLOBAL, "iam", "ListGroups"),
    (GLOBAL, "iam", "CreateUser"),
    (GLOBAL, "iam", "AttachUserPolicy"),
    (GLOBAL, "iam", "PutUserPolicy"),
    (GLOBAL, "iam", "CreateLoginProfile"),
    (GLOBAL, "iam", "GetCredentialReport"),
    (GLOBAL, "organizations", "DescribeOrganization"),
    (GLOBAL, "organizations", "ListAccounts"),
    (HOME, "kms", "ListKeys"),
    (HOME, "kms", "CreateKey"),
    (HOME, "guardduty", "ListDetectors"),
    (HOME, "rds", "DescribeDBSnapshots"),
    (HOME, "dynamodb", "ListTables"),
    (HOME, "ssm", "DescribeParameters"),
    (HOME, "sts", "AssumeRole"),
    (HOME, "sts", "GetSessionToken"),
];

pub(super) fn tell(story: &mut Story) {
    let leaked = story.cast.marisol.with_key(&story.cast.marisol_key);
    let intruder = Caller::new(leaked, INTRUDER, INTRUDER_TOOL);
    owner_at_home(story);
    look_around(story, &intruder);
    try_everything(story, &intruder);
    let new_key = create_key(story, &intruder);
    read_secrets(story, &intruder);
    enter_console(story);
    ransom::unblock(story, &intruder);
    stop_trail(story, &intruder);
    ransom::tell(story, &intruder.moved(INTRUDER, INTRUDER_TOOL), &new_key);
    instance::tell(story);
    start_trail(story);
}

/// Marisol, whose key it is.
fn marisol(story: &Story, name: &'static str, technique: &'static str) -> Title {
    Title { name, entity: story.cast.marisol.arn(), technique }
}

/// Marisol works on at home, every few minutes, while her key is used from Singapore.
fn owner_at_home(story: &mut Story) {
    for minute in [7, 19, 29, 39, 53] {
        work::use_command_line(story, NIGHT_S + minute * MINUTE_S);
    }
}

fn look_around(story: &mut Story, intruder: &Caller) {
    let mut events = Vec::new();
    for (wait_s, region, service, name) in [
        (0, HOME, "sts", "GetCallerIdentity"),
        (35, HOME, "s3", "ListBuckets"),
        (70, GLOBAL, "iam", "ListUsers"),
        (95, HOME, "secretsmanager", "ListSecrets"),
    ] {
        let time_s = NIGHT_S + 18 * MINUTE_S + wait_s;
        let mut call = Call::new(time_s, region, service, name);
        if service == "s3" {
            call.host = format!("s3.{region}.amazonaws.com").into();
            call.request = object! { "Host": call.host.clone() };
        }
        events.push((time_s, story.tell(intruder, call)));
    }
    let title = marisol(story, "a leaked key is used from Singapore", "T1078.004");
    story.truth.attack(title, &events);
}

fn try_everything(story: &mut Story, intruder: &Caller) {
    let mut events = Vec::new();
    let mut time_s = NIGHT_S + 21 * MINUTE_S;
    for (region, service, name) in TRIED.into_iter().chain(TRIED) {
        time_s += story.rng.between(2, 9);
        let message = format!(
            "User: {} is not authorized to perform: {service}:{name} because no identity-based \
             policy allows the {service}:{name} action",
            story.cast.marisol.arn()
        );
        let code = match service {
            "kms" | "guardduty" | "dynamodb" | "ssm" | "organizations" => "AccessDeniedException",
            _ => "AccessDenied",
        };
        let call = Call::new(time_s, region, service, name).refused(code, message);
        events.push((time_s, story.tell(intruder, call)));
    }
    let title = marisol(story, "40 calls are refused within minutes", "T1580");
    story.truth.attack(title, &events);
}

fn create_key(story: &mut Story, intruder: &Caller) -> String {
    let time_s = NIGHT_S + 31 * MINUTE_S;
    let key = format!("AKIA{}", story.rng.capitals(16));
    let name = story.cast.legacy.name.clone();
    let call = Call::new(time_s, GLOBAL, "iam", "CreateAccessKey")
        .asking(object! { "userName": &name })
        .answered(object! {
            "accessKey": object! {
                "userName": &name, "accessKeyId": &key, "status": "Active",
                "createDate": in_words(time_s),
            },
        });
    let id = story.tell(intruder, call);
    let title = marisol(story, "a key is created for another user", "T1098.001");
    story.truth.attack(title, &[(time_s, id)]);
    key
}

fn read_secrets(story: &mut Story, intruder: &Caller) {
    let mut events = Vec::new();
    let mut time_s = NIGHT_S + 34 * MINUTE_S;
    for service in ["billing", "ledger", "mail", "shop", "search", "payments"] {
        for part in ["database", "api-token", "signing-key", "webhook", "smtp"] {
            time_s += story.rng.between(3, 9);
            let arn = format!(
                "arn:aws:secretsmanager:{HOME}:{ACCOUNT}:secret:rivermill/{service}/{part}-{}",
                story.rng.suffix(6)
            );
            let call = Call::new(time_s, HOME, "secretsmanager", "GetSecretValue")
                .asking(object! { "secretId": arn });
            events.push((time_s, story.tell(intruder, call)));
        }
    }
    let title = marisol(story, "30 secrets are read", "T1555.006");
    story.truth.attack(title, &events);
}

fn enter_console(story: &mut Story) {
    let time_s = NIGHT_S + 41 * MINUTE_S;
    let identity = story.cast.marisol.signing_in();
    let caller = Caller::new(identity, INTRUDER, BROWSER_ON_WINDOWS);
    let id = work::sign_in(story, SignIn { time_s, caller, mfa: None });
    let title = marisol(story, "a console sign-in without second factor", "T1078.004");
    story.truth.attack(title, &[(time_s, id)]);
}

fn stop_trail(story: &mut Story, intruder: &Caller) {
    let arn = format!("arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/{TRAIL}");
    let call = Call::new(TRAIL_STOPPED_S, HOME, "cloudtrail", "StopLogging")
        .asking(object! { "name": arn });
    let id = story.tell(intruder, call);
    let title = marisol(story, "one of two trails is stopped", "T1562.008");
    story.truth.attack(title, &[(TRAIL_STOPPED_S, id)]);
}

/// Jonas finds the trail stopped in the morning after.
fn start_trail(story: &mut Story) {
    let [jonas, _] = story.cast.engineers.clone();
    let time_s = NIGHT_S + DAY_S + 8 * HOUR_S + 40 * MINUTE_S;
    let key = format!("ASIA{}", story.rng.capitals(16));
    let session = crate::aws::caller::Session {
        name: jonas.mail,
        key: &key,
        since_s: time_s - 20 * MINUTE_S,
    };
    let identity = story.cast.engineer_role.session(session, &[]);
    let caller = Caller::new(identity, jonas.home, super::cast::CONSOLE).in_console();
    let arn = format!("arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/{TRAIL}");
    let call = Call::new(time_s, HOME, "cloudtrail", "StartLogging")
        .asking(object! { "name": arn })
        .answered(Json::Null);
    story.tell(&caller, call);
}
