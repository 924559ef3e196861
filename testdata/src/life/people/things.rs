//! What people look at and change: the same few things of an account over and over.

use crate::aws::api::console::Things;
use crate::organisation::{Organisation, part};
use crate::rng::Rng;

/// Things of each kind that people deal with, the first far more often. Unit: things.
const DEALT_WITH: usize = 6;

/// Things of one account that somebody deals with.
pub(super) struct Dealt<'a> {
    /// `i-`, `vol-`, `snap-`, `sg-` and `lt-`, each with its number, and the id of a key.
    ids: [String; 6],
    name: &'static str,
    service: &'static str,
    bucket: &'a str,
}

impl<'a> Dealt<'a> {
    /// Draws them from those of the account.
    pub(super) fn new(organisation: &'a Organisation, account: usize, rng: &mut Rng) -> Self {
        let rank = rng.rank(DEALT_WITH) as u64;
        let buckets = organisation.accounts.get(account).map_or(&[][..], |of| &of.buckets);
        let bucket = buckets.get(rng.rank(buckets.len())).map_or("", String::as_str);
        let mut of = Rng::for_part(organisation.seed, &[part::ACCOUNT, account as u64, rank]);
        let mut id = |prefix: &str| format!("{prefix}-0{}", of.hex(16));
        let [instance, volume, snapshot] = [id("i"), id("vol"), id("snap")];
        let [group, template] = [id("sg"), id("lt")];
        let names = ["web", "worker", "deploy", "audit", "reader"];
        let services = ["billing", "search", "checkout", "mailer", "ledger", "gateway"];
        Self {
            ids: [instance, volume, snapshot, group, template, of.uuid()],
            name: of.pick(&names).copied().unwrap_or_default(),
            service: of.pick(&services).copied().unwrap_or_default(),
            bucket,
        }
    }

    /// As calls name them.
    pub(super) fn things(&self) -> Things<'_> {
        let [instance, volume, snapshot, security_group, launch_template, kms_key] = &self.ids;
        Things {
            user: self.name,
            role: self.name,
            group: self.name,
            bucket: self.bucket,
            instance,
            volume,
            snapshot,
            security_group,
            launch_template,
            kms_key,
            trail: "organisation",
            service: self.service,
        }
    }
}
