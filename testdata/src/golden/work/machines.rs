//! The billing instance, the ledger function, the pipeline, AWS Config and CloudTrail itself.

use super::super::cast::{
    ARTIFACTS, EXPORTS, FUNCTION_ADDRESSES, FUNCTION_SDK, INSTANCE, INSTANCE_ADDRESS, INVOICES,
    LEDGER, LOG_BUCKET, RUNNER_SDK, RUNNERS, WORKER_SDK,
};
use super::super::truth::Title;
use super::super::{ACCOUNT, HOME, START_S, Story, at, attack};
use crate::aws::call::{Call, Encryption, Kind, Transfer};
use crate::aws::caller::{Caller, Role, Session};
use crate::clock::{HOUR_S, folder, in_words};
use crate::json::Json;
use crate::object;

/// The metadata service renews the credentials of an instance. Unit: seconds.
const KEY_LIFE_S: i64 = 4 * HOUR_S;
/// AWS Config looks at the buckets every third day.
const SCAN_DAYS: [i64; 4] = [1, 4, 7, 10];
/// Fridays: the pipeline removes what it built before.
const CLEAN_UP_DAYS: [i64; 2] = [5, 12];
const REPOSITORY: &str = "repo:rivermill/platform:ref:refs/heads/main";

pub(super) fn run(story: &mut Story, day: i64) {
    for hour in (0..24).step_by(4) {
        let time_s = at(day, hour, 0) + story.rng.between(0, 20);
        work_on_invoices(story, time_s);
        export_ledger(story, time_s + 40);
        check_log_bucket(story, time_s + 70);
        if hour == 4 && SCAN_DAYS.contains(&day) {
            scan_configuration(story, time_s + 80);
        }
    }
    refused_parameter(story, at(day, 6, 1));
}

/// A service hands out credentials of `role`; answers the new key.
fn assume(story: &mut Story, service: &str, role: &Role, (session, time_s): (&str, i64)) -> String {
    let key = format!("ASIA{}", story.rng.capitals(16));
    let call = Call::new(time_s, HOME, "sts", "AssumeRole")
        .asking(object! { "roleArn": role.arn(), "roleSessionName": session })
        .answered(object! {
            "credentials": object! {
                "accessKeyId": &key, "sessionToken": story.rng.base64(64),
                "expiration": in_words(time_s + 6 * HOUR_S),
            },
        });
    let resource = object! { "accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role.arn() };
    story.tell(&Caller::service(service), Call { resources: vec![resource], ..call });
    key
}

fn work_on_invoices(story: &mut Story, time_s: i64) {
    if (time_s - START_S) % KEY_LIFE_S < HOUR_S {
        let role = story.cast.worker.clone();
        let key = assume(story, "ec2.amazonaws.com", &role, (INSTANCE, time_s));
        story.instance_key = (key, time_s);
    }
    if time_s < attack::INSTANCE_ROBBED_S {
        story.stolen_key = story.instance_key.clone();
    }
    let (key, since_s) = story.instance_key.clone();
    let caller = Caller::new(story.cast.instance(&key, since_s), INSTANCE_ADDRESS, WORKER_SDK);
    for (wait_s, name, place) in
        [(4, "GetObject", "inbox"), (6, "GetObject", "inbox"), (9, "PutObject", "done")]
    {
        let number = story.rng.between(10_000, 99_999);
        let key = format!("{place}/{}/invoice-{number}.pdf", folder(time_s));
        transfer(story, &caller, (name, time_s + wait_s), (INVOICES, &key));
    }
}

fn export_ledger(story: &mut Story, time_s: i64) {
    let role = story.cast.ledger.clone();
    let key = assume(story, "lambda.amazonaws.com", &role, ("ledger-export", time_s));
    let session = Session { name: "ledger-export", key: &key, since_s: time_s };
    let function = format!("arn:aws:lambda:{HOME}:{ACCOUNT}:function:ledger-export");
    let scope = object! { "issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": function };
    let identity = role.session(session, &[("inScopeOf", scope)]);
    let address = story.rng.pick(&FUNCTION_ADDRESSES).copied().unwrap_or_default();
    let caller = Caller::new(identity, address, FUNCTION_SDK);
    let secret = Call::new(time_s + 1, HOME, "secretsmanager", "GetSecretValue")
        .asking(object! { "secretId": "rivermill/ledger/database" });
    story.tell(&caller, secret);
    let number = story.rng.between(1_000, 9_999);
    let key = format!("{}/ledger-{number}.csv", folder(time_s));
    transfer(story, &caller, ("PutObject", time_s + 4), (LEDGER, &key));
}

fn transfer(
    story: &mut Story,
    caller: &Caller,
    (name, time_s): (&'static str, i64),
    object: (&str, &str),
) -> String {
    let bytes = story.rng.between(8_000, 240_000);
    let call = Call::new(time_s, HOME, "s3", name);
    let (in_bytes, out_bytes, answer) = match name {
        "PutObject" => (bytes, 0, object! { "x-amz-server-side-encryption": "AES256" }),
        "DeleteObject" => (0, 0, Json::Null),
        _ => (0, bytes, Json::Null),
    };
    let encryption = if name == "DeleteObject" { Encryption::None } else { Encryption::Default };
    let moved = Transfer { in_bytes, out_bytes, encryption };
    let call = call.answered(answer).on_object(ACCOUNT, object, moved, &mut story.rng);
    story.tell(caller, call)
}

fn check_log_bucket(story: &mut Story, time_s: i64) {
    let caller = Caller::service("cloudtrail.amazonaws.com");
    let host = format!("{LOG_BUCKET}.s3.{HOME}.amazonaws.com");
    let call = Call::new(time_s, HOME, "s3", "GetBucketAcl")
        .asking(object! { "bucketName": LOG_BUCKET, "Host": host, "acl": "" })
        .on_bucket(ACCOUNT, LOG_BUCKET, &mut story.rng);
    story.tell(&caller, call);
}

/// AWS Config asks each bucket for features that nobody switched on: an error each.
fn scan_configuration(story: &mut Story, time_s: i64) {
    let key = format!("ASIA{}", story.rng.capitals(16));
    let session = Session { name: "AWSConfig-Describe", key: &key, since_s: time_s };
    let invoked = ("invokedBy", Json::from("config.amazonaws.com"));
    let identity = story.cast.config.session(session, &[invoked]);
    let caller = Caller::new(identity, "config.amazonaws.com", "config.amazonaws.com");
    for bucket in [INVOICES, LEDGER, EXPORTS, ARTIFACTS] {
        for (wait_s, name, error) in [
            (0, "GetBucketVersioning", ""),
            (0, "GetBucketLifecycle", "NoSuchLifecycleConfiguration"),
            (1, "GetBucketCors", "NoSuchCORSConfiguration"),
            (1, "GetBucketTagging", "NoSuchTagSet"),
        ] {
            let mut call = Call::new(time_s + wait_s, HOME, "s3", name)
                .asking(object! { "bucketName": bucket })
                .on_bucket(ACCOUNT, bucket, &mut story.rng);
            if !error.is_empty() {
                call = call.refused(error, "The configuration does not exist");
            }
            story.tell(&caller, call);
        }
    }
}

/// A parameter that the ledger function was never allowed to read: refused once a day.
fn refused_parameter(story: &mut Story, time_s: i64) {
    let role = story.cast.ledger.clone();
    let key = format!("ASIA{}", story.rng.capitals(16));
    let session = Session { name: "ledger-export", key: &key, since_s: time_s - 30 };
    let address = story.rng.pick(&FUNCTION_ADDRESSES).copied().unwrap_or_default();
    let caller = Caller::new(role.session(session, &[]), address, FUNCTION_SDK);
    let message = format!(
        "User: {} is not authorized to perform: ssm:GetParameter on resource: \
         arn:aws:ssm:{HOME}:{ACCOUNT}:parameter/ledger/feature-flags because no identity-based \
         policy allows the ssm:GetParameter action",
        role.session_arn("ledger-export")
    );
    let call = Call::new(time_s, HOME, "ssm", "GetParameter")
        .asking(object! { "name": "/ledger/feature-flags", "withDecryption": false })
        .refused("AccessDenied", message);
    story.tell(&caller, call);
}

/// The pipeline takes a role by its token, puts a build in place and updates the function.
pub(super) fn deploy(story: &mut Story, day: i64) {
    let time_s = at(day, 15, story.rng.between(6, 8));
    let address = story.rng.pick(&RUNNERS).copied().unwrap_or_default();
    let role = story.cast.deploy.clone();
    let caller = take_role_by_token(story, &role, (address, time_s));
    let build = format!("builds/platform-{}.zip", story.rng.hex(8));
    transfer(story, &caller, ("GetObject", time_s + 4), (ARTIFACTS, "state/platform.json"));
    transfer(story, &caller, ("PutObject", time_s + 9), (ARTIFACTS, &build));
    let function = object! { "functionName": "ledger-export" };
    let update = object! {
        "functionName": "ledger-export", "s3Bucket": ARTIFACTS, "s3Key": &build,
        "publish": true, "dryRun": false,
    };
    for (wait_s, service, name, request) in [
        (2, "sts", "GetCallerIdentity", Json::Null),
        (11, "lambda", "GetFunction20150331v2", function.clone()),
        (12, "lambda", "UpdateFunctionCode20150331v2", update),
        (15, "lambda", "GetFunctionConfiguration20150331v2", function),
        (18, "cloudformation", "DescribeStacks", object! { "stackName": "rivermill-web" }),
        (20, "cloudformation", "UpdateStack", object! { "stackName": "rivermill-web" }),
    ] {
        story.tell(&caller, Call::new(time_s + wait_s, HOME, service, name).asking(request));
    }
    transfer(story, &caller, ("PutObject", time_s + 24), (ARTIFACTS, "state/platform.json"));
    if CLEAN_UP_DAYS.contains(&day) {
        clean_up(story, &caller, time_s + 30);
    }
}

fn take_role_by_token(story: &mut Story, role: &Role, (address, time_s): (&str, i64)) -> Caller {
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let web = object! {
        "type": "WebIdentityUser",
        "principalId": format!("{provider}:sts.amazonaws.com:{REPOSITORY}"),
        "userName": REPOSITORY, "identityProvider": &provider,
    };
    let key = format!("ASIA{}", story.rng.capitals(16));
    let session = "GitHubActions";
    let call = Call::new(time_s, HOME, "sts", "AssumeRoleWithWebIdentity")
        .asking(object! {
            "roleArn": role.arn(), "roleSessionName": session, "durationSeconds": 3600,
        })
        .answered(object! {
            "credentials": object! {
                "accessKeyId": &key, "sessionToken": story.rng.base64(64),
                "expiration": in_words(time_s + HOUR_S),
            },
            "subjectFromWebIdentityToken": REPOSITORY,
            "assumedRoleUser": object! {
                "assumedRoleId": format!("{}:{session}", role.principal),
                "arn": role.session_arn(session),
            },
            "provider": &provider, "audience": "sts.amazonaws.com",
        });
    let resource = object! { "accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role.arn() };
    let call = Call { resources: vec![resource], ..call.of(Kind::Api) };
    story.tell(&Caller::new(web, address, RUNNER_SDK), call);
    let federation = object! { "federatedProvider": provider, "attributes": object! {} };
    let session = Session { name: session, key: &key, since_s: time_s };
    let identity = role.session(session, &[("webIdFederationData", federation)]);
    Caller::new(identity, address, RUNNER_SDK)
}

fn clean_up(story: &mut Story, caller: &Caller, from_s: i64) {
    let mut removed = Vec::new();
    for n in 0..40 {
        let (time_s, key) = (from_s + n / 2, format!("builds/platform-{}.zip", story.rng.hex(8)));
        let id = transfer(story, caller, ("DeleteObject", time_s), (ARTIFACTS, &key));
        removed.push((time_s, id));
    }
    let title = Title {
        name: "the pipeline removes 40 old builds, as every Friday",
        entity: story.cast.deploy.session_arn("GitHubActions"),
        technique: "T1485",
    };
    story.truth.harmless(title, &removed);
}
