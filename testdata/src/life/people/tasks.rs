//! What each team does: how often, what it changes in the console, and which commands it types.

use super::Task;
use crate::aws::api::console::{AUDIT, COMPUTE, IDENTITY, LOGS, STORAGE, Things};
use crate::aws::api::{At, analytics, ec2, findings, iam, lambda, network, s3, sts, systems};
use crate::aws::call::Call;
use crate::organisation::Team;
use crate::rng::Rng;

/// Makes a call about things of an account.
pub(super) type Tell = fn(At<'_>, &Things<'_>, &mut Rng) -> Call;

/// How often people of a team sit down for what on a working day, on average, when they open the
/// console so often.
pub(super) fn usual(team: Team, sessions_a_day: f64) -> [(Task, f64); 4] {
    let [shell, notebook, terraform] = match team {
        Team::Engineering => [0.8, 0.0, 0.0],
        Team::Platform => [1.2, 0.0, 0.4],
        Team::Data => [0.5, 0.9, 0.0],
        Team::Security => [0.7, 0.0, 0.0],
        Team::Finance => [0.0, 0.0, 0.0],
    };
    let busy = sessions_a_day.min(2.0);
    [
        (Task::Console, sessions_a_day),
        (Task::Shell, shell * busy),
        (Task::Notebook, notebook * busy),
        (Task::Terraform, terraform * busy),
    ]
}

/// Pages of the console that a team opens, the usual ones first.
pub(super) fn topics(team: Team) -> &'static [&'static [&'static str]] {
    match team {
        Team::Engineering => &[COMPUTE, LOGS, STORAGE, IDENTITY],
        Team::Platform => &[COMPUTE, IDENTITY, AUDIT, STORAGE],
        Team::Data => &[STORAGE, LOGS, COMPUTE],
        Team::Security => &[AUDIT, IDENTITY, COMPUTE],
        Team::Finance => &[COMPUTE, STORAGE],
    }
}

/// What a team changes in the console.
pub(super) fn changes(team: Team) -> &'static [Tell] {
    match team {
        Team::Engineering => &[
            |at, of, rng| systems::put_retention_policy(at, group(of), 30, rng),
            |at, of, rng| systems::create_log_group(at, group(of), rng),
            |at, of, rng| lambda::update_function_code(at, of.service, of.bucket, rng),
            |at, of, rng| systems::update_service(at, "main", of.service, of.service, rng),
        ],
        Team::Platform => &[
            |at, of, rng| ec2::create_tags(at, of.instance, "Owner", of.service, rng),
            |at, of, rng| ec2::start_instances(at, of.instance, rng),
            |at, of, rng| ec2::stop_instances(at, of.instance, rng),
            |at, of, rng| {
                let cidr = "10.0.0.0/16";
                network::authorize_security_group_ingress(at, of.security_group, 443, cidr, rng)
            },
            |at, of, rng| {
                let policy = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy";
                iam::attach_role_policy(at, of.role, policy, rng)
            },
            |at, of, rng| ec2::create_snapshot(at, of.volume, of.snapshot, rng),
        ],
        Team::Data => &[
            |at, of, rng| analytics::start_query_execution(at, of.service, of.bucket, rng),
            |at, of, rng| analytics::start_job_run(at, of.service, rng),
            |at, of, rng| analytics::start_crawler(at, of.service, rng),
            |at, of, rng| s3::put_bucket_tagging(at, of.bucket, ("team", "data"), rng),
        ],
        Team::Security => &[
            |at, of, rng| findings::batch_update_findings(at, of.kms_key, rng),
            |at, of, rng| findings::archive_findings(at, of.kms_key, of.snapshot, rng),
        ],
        Team::Finance => &[],
    }
}

/// Commands that a team types, the frequent ones first: what the tool calls itself, and the call.
pub(super) fn commands(team: Team) -> &'static [(&'static str, Tell)] {
    match team {
        Team::Engineering | Team::Finance => &[
            ("logs.tail", |at, of, rng| systems::filter_log_events(at, group(of), rng)),
            ("ecs.describe-services", |at, of, rng| {
                systems::describe_services(at, "main", of.service, rng)
            }),
            ("logs.describe-log-groups", |at, _, rng| {
                systems::describe_log_groups(at, "/aws/lambda/", rng)
            }),
            ("lambda.get-function", |at, of, rng| lambda::get_function(at, of.service, rng)),
            ("ecr.get-login-password", |at, _, rng| systems::get_authorization_token(at, rng)),
            ("sts.get-caller-identity", |at, _, rng| sts::get_caller_identity(at, rng)),
            ("ecs.update-service", |at, of, rng| {
                systems::update_service(at, "main", of.service, of.service, rng)
            }),
            ("s3api.list-buckets", |at, _, rng| s3::list_buckets(at, rng)),
        ],
        Team::Platform => &[
            ("ec2.describe-instances", |at, _, rng| ec2::describe_instances(at, rng)),
            ("sts.get-caller-identity", |at, _, rng| sts::get_caller_identity(at, rng)),
            ("ec2.describe-security-groups", |at, of, rng| {
                network::describe_security_group(at, of.security_group, rng)
            }),
            ("ssm.start-session", |at, of, rng| {
                let session = format!("{}-{}", of.user, rng.hex(17));
                systems::start_session(at, of.instance, session, rng)
            }),
            ("iam.list-roles", |at, _, rng| iam::list_roles(at, rng)),
            ("iam.get-role", |at, of, rng| iam::get_role(at, of.role, rng)),
            ("autoscaling.describe-auto-scaling-groups", |at, _, rng| {
                network::describe_auto_scaling_groups(at, rng)
            }),
            ("ec2.create-tags", |at, of, rng| {
                ec2::create_tags(at, of.instance, "Owner", of.service, rng)
            }),
            ("ec2.describe-regions", |at, _, rng| ec2::describe_regions(at, rng)),
        ],
        Team::Data => &[
            ("s3.ls", |at, of, rng| s3::list_objects(at, (of.bucket, "raw/"), 14_000, rng)),
            ("s3.cp", |at, of, rng| {
                let bytes = rng.log_normal_between(2_000_000.0, 1.6, (200, 900_000_000));
                let key = format!("raw/part-{:05}.parquet", rng.rank(2_000));
                s3::get_object(at, (of.bucket, &key), bytes, rng)
            }),
            ("athena.start-query-execution", |at, of, rng| {
                analytics::start_query_execution(at, of.service, of.bucket, rng)
            }),
            ("glue.get-tables", |at, of, rng| analytics::get_tables(at, of.service, rng)),
            ("glue.get-job-runs", |at, of, rng| analytics::get_job_runs(at, of.service, rng)),
            ("s3api.list-buckets", |at, _, rng| s3::list_buckets(at, rng)),
        ],
        Team::Security => &[
            ("cloudtrail.lookup-events", |at, of, rng| {
                findings::lookup_events_of(at, of.user, rng)
            }),
            ("securityhub.get-findings", |at, _, rng| findings::get_findings(at, rng)),
            ("iam.list-users", |at, _, rng| iam::list_users(at, rng)),
            ("iam.list-access-keys", |at, of, rng| iam::list_access_keys(at, of.user, rng)),
            ("guardduty.list-findings", |at, of, rng| findings::list_findings(at, of.kms_key, rng)),
            ("iam.list-attached-role-policies", |at, of, rng| {
                iam::list_attached_role_policies(at, of.role, rng)
            }),
            ("guardduty.archive-findings", |at, of, rng| {
                findings::archive_findings(at, of.kms_key, of.snapshot, rng)
            }),
        ],
    }
}

fn group(of: &Things<'_>) -> String {
    format!("/aws/lambda/{}", of.service)
}
