//! Calls that several stories make.

use super::scene::Scene;
use crate::aws::call::{Call, Encryption, Transfer};
use crate::aws::caller::Caller;
use crate::aws::caller::agents::CONSOLE;
use crate::clock::folder;
use crate::json::Json;
use crate::object;

/// Calls with which intruders look around.
pub(super) const LOOKS: [(&str, &str); 24] = [
    ("s3", "ListBuckets"),
    ("ec2", "DescribeInstances"),
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeVpcs"),
    ("ec2", "DescribeSnapshots"),
    ("ec2", "DescribeRegions"),
    ("iam", "ListUsers"),
    ("iam", "ListRoles"),
    ("iam", "ListAttachedUserPolicies"),
    ("iam", "GetAccountAuthorizationDetails"),
    ("iam", "ListGroups"),
    ("iam", "GetUser"),
    ("secretsmanager", "ListSecrets"),
    ("ssm", "DescribeParameters"),
    ("lambda", "ListFunctions20150331"),
    ("rds", "DescribeDBInstances"),
    ("dynamodb", "ListTables"),
    ("kms", "ListKeys"),
    ("organizations", "DescribeOrganization"),
    ("ecr", "DescribeRepositories"),
    ("cloudtrail", "DescribeTrails"),
    ("guardduty", "ListDetectors"),
    ("servicequotas", "ListServiceQuotas"),
    ("email", "GetSendQuota"),
];

/// Refuses `call` for want of a permission, as the service words it.
pub(super) fn denied(call: Call, caller: &Caller) -> Call {
    let (service, name) = (call.service, call.name);
    let message = format!(
        "User: {} is not authorized to perform: {service}:{name} because no identity-based policy \
         allows the {service}:{name} action",
        caller.arn
    );
    match service {
        "ec2" => call.refused(
            "Client.UnauthorizedOperation",
            "You are not authorized to perform this operation.",
        ),
        "kms" | "guardduty" | "dynamodb" | "ssm" | "organizations" | "bedrock" | "ecr"
        | "secretsmanager" | "lambda" | "servicequotas" | "backup" => {
            call.refused("AccessDeniedException", message)
        }
        _ => call.refused("AccessDenied", message),
    }
}

impl Scene<'_> {
    /// A call that is refused.
    pub(super) fn ask_in_vain(
        &mut self,
        caller: &Caller,
        service: &'static str,
        name: &'static str,
    ) {
        let call = denied(self.now(service, name), caller);
        self.call(caller, call);
    }

    /// `n` looks around, some refused; a few seconds between them.
    pub(super) fn look_around(&mut self, caller: &Caller, n: usize, refused_of_100: u64) {
        let first = usize::try_from(self.rng.below(LOOKS.len() as u64)).unwrap_or(0);
        for (service, name) in LOOKS.into_iter().cycle().skip(first).take(n) {
            self.wait(1, 9);
            if self.rng.below(100) < refused_of_100 {
                self.ask_in_vain(caller, service, name);
            } else {
                self.ask(caller, service, name);
            }
        }
    }

    /// `sts:GetCallerIdentity`, which everybody may call.
    pub(super) fn who_am_i(&mut self, caller: &Caller) {
        self.ask(caller, "sts", "GetCallerIdentity");
    }

    /// A key of the victim's first bucket.
    pub(super) fn object_key(&mut self, number: i64) -> String {
        let known = usize::try_from(number).ok().and_then(|n| self.victim.objects.get(n)).cloned();
        known.unwrap_or_else(|| {
            let day = folder(self.start_s - (1 + number % 60) * 86_400);
            format!("data/done/{day}/{number:07}.json")
        })
    }

    /// A call on an object of the account's bucket.
    pub(super) fn on_object(
        &mut self,
        name: &'static str,
        (bucket, key): (&str, &str),
        (in_bytes, out_bytes): (i64, i64),
        encryption: Encryption,
    ) -> Call {
        let moved = Transfer { in_bytes, out_bytes, encryption };
        let call = self.now("s3", name);
        call.on_object(&self.victim.account.clone(), (bucket, key), moved, &mut self.rng)
    }

    /// A call that sets something of a bucket: `setting` is the parameter's name in the query.
    pub(super) fn on_bucket(
        &mut self,
        name: &'static str,
        bucket: &str,
        (setting, what): (&'static str, Option<(&'static str, Json)>),
    ) -> Call {
        let call = self.now("s3", name);
        let host = format!("{bucket}.s3.{}.amazonaws.com", call.region);
        let mut request = vec![
            ("bucketName", Json::from(bucket)),
            (setting, Json::from("")),
            ("Host", Json::from(host)),
        ];
        request.extend(what);
        let account = self.victim.account.clone();
        call.asking(Json::Object(request)).on_bucket(&account, bucket, &mut self.rng)
    }

    /// A console sign-in of the victim.
    pub(super) fn sign_in(&mut self, caller: &Caller, has_mfa: bool) {
        let call = self
            .now("signin", "ConsoleLogin")
            .of(crate::aws::call::Kind::SignIn)
            .answered(object! { "ConsoleLogin": "Success" })
            .adding(object! {
                "LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No",
                "MFAUsed": if has_mfa { "Yes" } else { "No" },
            });
        self.call(caller, call);
    }

    /// What a console shows at its start.
    pub(super) fn open_console(&mut self, caller: &Caller, n: usize) {
        let pages = [
            ("ec2", "DescribeInstances"),
            ("ec2", "DescribeInstanceStatus"),
            ("ec2", "DescribeAddresses"),
            ("monitoring", "DescribeAlarms"),
            ("ec2", "DescribeVolumes"),
            ("s3", "ListBuckets"),
            ("iam", "ListAccountAliases"),
            ("autoscaling", "DescribeAutoScalingGroups"),
        ];
        let caller = caller.with(CONSOLE).in_console();
        for (service, name) in pages.into_iter().cycle().take(n) {
            self.now_s += self.rng.between(0, 20);
            self.ask(&caller, service, name);
        }
    }
}
