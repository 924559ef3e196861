//! Calls that several stories make.

use super::scene::Scene;
use crate::aws::api::console::{self, READS, Read, Things};
use crate::aws::api::signin::{self, SecondFactor};
use crate::aws::api::{
    At, attack, database, ec2, iam, keys, lambda, network, s3, sts, systems, trail,
};
use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::aws::caller::agents::CONSOLE;
use crate::clock::{DAY_S, folder};
use crate::rng::Rng;

/// A call that asks for all there is of something.
pub(super) type Look = fn(At<'_>, &mut Rng) -> Call;

/// Looks at what one place holds for all regions.
pub(super) const GLOBAL_LOOKS: [Look; 7] = [
    s3::list_buckets,
    iam::list_users,
    iam::list_roles,
    |at, rng| iam::list_attached_user_policies(at, "automation", rng),
    iam::get_account_authorization_details,
    iam::list_groups,
    iam::get_own_user,
];

/// Looks at what each region has.
pub(super) const REGIONAL_LOOKS: [Look; 16] = [
    ec2::describe_instances,
    network::describe_security_groups,
    network::describe_vpcs,
    ec2::describe_snapshots,
    ec2::describe_regions,
    keys::list_secrets,
    |at, rng| systems::describe_parameters(at, "/", rng),
    lambda::list_functions,
    database::describe_db_instances,
    database::list_tables,
    keys::list_keys,
    systems::describe_repositories,
    trail::describe_trails,
    attack::list_detectors,
    |at, rng| attack::list_service_quotas(at, "ec2", rng),
    attack::get_send_quota,
];

impl Scene<'_> {
    /// `n` looks around, some refused; a few seconds between them.
    pub(super) fn look_around(&mut self, caller: &Caller, n: usize, refused_of_100: u64) {
        let organisation: Look = attack::describe_organization;
        let looks = GLOBAL_LOOKS.into_iter().chain(REGIONAL_LOOKS).chain([organisation]);
        let n_looks = looks.clone().count() as u64;
        let first = usize::try_from(self.rng.below(n_looks)).unwrap_or(0);
        for look in looks.cycle().skip(first).take(n) {
            self.wait(1, 9);
            if self.rng.below(100) < refused_of_100 {
                self.make_in_vain(caller, look);
            } else {
                self.make(caller, look);
            }
        }
    }

    /// `sts:GetCallerIdentity`, which everybody may call.
    pub(super) fn who_am_i(&mut self, caller: &Caller) {
        self.make(caller, sts::get_caller_identity);
    }

    /// A key of the victim's first bucket.
    pub(super) fn object_key(&mut self, number: i64) -> String {
        let known = usize::try_from(number).ok().and_then(|n| self.victim.objects.get(n)).cloned();
        known.unwrap_or_else(|| {
            let day = folder(self.start_s - (1 + number % 60) * DAY_S);
            format!("data/done/{day}/{number:07}.json")
        })
    }

    /// A console sign-in of the victim, with a second factor.
    pub(super) fn sign_in(&mut self, caller: &Caller) {
        let device = format!("arn:aws:iam::{}:mfa/phone", self.victim.account);
        self.make(caller, |at, _| signin::console_login(at, SecondFactor::Device(&device)));
    }

    /// What a console shows at its start.
    pub(super) fn open_console(&mut self, caller: &Caller, n: usize) {
        let id = |prefix: &str, rng: &mut Rng| [prefix, "-0", &rng.hex(16)].concat();
        let bucket = self.victim.bucket();
        let ids = ["i", "vol", "snap", "sg", "lt"].map(|prefix| id(prefix, &mut self.rng));
        let [instance, volume, snapshot, security_group, launch_template] = &ids;
        let kms_key = self.rng.uuid();
        let things = Things {
            user: "deploy",
            role: "worker",
            group: "audit",
            bucket: &bucket,
            instance,
            volume,
            snapshot,
            security_group,
            launch_template,
            kms_key: &kms_key,
            trail: &self.victim.trail,
            service: "api",
        };
        let reads: Vec<&Read> = READS.iter().collect();
        let caller = caller.with(CONSOLE).in_console();
        for _ in 0..n {
            self.now_s += self.rng.between(0, 20);
            self.make(&caller, |at, rng| console::draw(&reads, rng).call(at, &things, rng));
        }
    }
}
