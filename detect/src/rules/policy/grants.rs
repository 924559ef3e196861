//! Access that is given without a policy: by parameters of calls, and by ACLs.

use super::{
    ANY_ACCOUNT, Access, EVERYBODY, PARTS_MAX, account_of, canonical_user, organization_of, text_of,
};
use crate::rules::walk;
use ingest::{Raw, Text};
use std::collections::BTreeSet;

/// Policies of AWS's own by which one can do everything, or give it to oneself: the ends of their
/// ARNs.
const ADMINISTRATORS: [&str; 4] = [
    ":policy/AdministratorAccess",
    ":policy/IAMFullAccess",
    ":policy/PowerUserAccess",
    ":cluster-access-policy/AmazonEKSClusterAdminPolicy",
];

/// What was found in the parameters of a call so far.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// Somebody is named.
    is_given: bool,
    /// `*` or `all` is.
    is_open: bool,
    actions: Vec<String>,
}

impl Grants {
    /// Reads one parameter.
    pub(super) fn member(&mut self, key: &str, value: Raw<'_>, access: &mut Access) {
        let texts = || value.each().filter_map(Raw::text).map(Text::get).take(PARTS_MAX);
        match key {
            "aWSAccountId"
            | "aWSAccountIds"
            | "accountIds"
            | "accountIdsToAdd"
            | "accountWithRestoreAccess"
            | "granteePrincipal"
            | "principal"
            | "principals"
            | "valuesToAdd" => {
                for name in texts() {
                    self.is_given = true;
                    self.is_open |= matches!(&*name, "*" | "all");
                    access.granted.extend(account_of(&name).or_else(|| organization_of(&name)));
                }
            }
            "action" | "actionName" | "actions" | "operations" => {
                self.actions.extend(texts().map(String::from));
            }
            "policyArn" | "managedPolicyArn" => {
                access.is_admin |= texts().any(|arn| is_for_administrators(&arn));
            }
            "createVolumePermission" | "launchPermission" => added(value, access),
            "x-amz-acl" => access.granted.extend(texts().filter_map(|acl| canned(&acl))),
            "AccessControlPolicy" => {
                acl(value, access);
                groups(value, access);
            }
            key if key.starts_with("x-amz-grant-") => {
                access.granted.extend(texts().flat_map(|text| header(&text)));
            }
            _ => groups(value, access),
        }
    }

    /// Reads what several parameters say together.
    pub(super) fn finish(self, request: Raw<'_>, access: &mut Access) {
        if self.is_open {
            access.granted.extend(limit(request));
        }
        if self.is_given {
            access.actions.extend(self.actions);
        }
    }
}

fn is_for_administrators(arn: &str) -> bool {
    let is_of_aws = arn.starts_with("arn:aws") && arn.contains("::aws:");
    is_of_aws && ADMINISTRATORS.iter().any(|end| arn.ends_with(end))
}

/// Permissions of snapshots and images.
fn added(permission: Raw<'_>, access: &mut Access) {
    let items = permission.path(&["add", "items"]).into_iter().flat_map(Raw::each);
    for item in items.take(PARTS_MAX) {
        let whole = |key| text_of(item, key);
        access.granted.extend(whole("userId").and_then(|id| account_of(&id)));
        let is_all = whole("group").is_some_and(|group| group == "all");
        access.granted.extend(is_all.then(|| EVERYBODY.to_owned()));
        let arns = ["organizationArn", "organizationalUnitArn"].into_iter();
        access.granted.extend(arns.filter_map(whole).filter_map(|arn| organization_of(&arn)));
    }
}

/// The users that an ACL lets in besides the owner.
fn acl(policy: Raw<'_>, access: &mut Access) {
    let owner = policy.get("Owner").and_then(|owner| text_of(owner, "ID"));
    let grants = policy.path(&["AccessControlList", "Grant"]);
    for grant in grants.into_iter().flat_map(Raw::each).take(PARTS_MAX) {
        let user = grant.get("Grantee").and_then(|grantee| text_of(grantee, "ID"));
        let user = user.filter(|user| owner.as_ref() != Some(user));
        access.granted.extend(user.map(|user| canonical_user(&user)));
    }
}

/// The groups that ACLs anywhere in a value let in.
fn groups(value: Raw<'_>, access: &mut Access) {
    let is_container = value.0.trim_ascii_start().starts_with(['{', '[']);
    if is_container && memchr::memmem::find(value.0.as_bytes(), b"groups").is_some() {
        walk::texts(value, &mut |key, text| {
            let group = Some(text.get()).filter(|_| key.is("URI"));
            access.granted.extend(group.and_then(|uri| group_of(&uri)).map(str::to_owned));
        });
    }
}

/// Whom the parameters of a permission for everybody leave.
fn limit(request: Raw<'_>) -> BTreeSet<String> {
    let mut limited: Option<BTreeSet<String>> = None;
    let condition = request.get("condition").and_then(|condition| text_of(condition, "value"));
    let keys = ["organizationId", "principalOrgID", "sourceAccount", "sourceArn"].into_iter();
    for value in keys.filter_map(|key| text_of(request, key)).chain(condition) {
        let named = account_of(&value).or_else(|| organization_of(&value));
        limited.get_or_insert_default().extend(named);
    }
    let by_url = text_of(request, "functionUrlAuthType").filter(|kind| kind == "AWS_IAM");
    let open = if by_url.is_some() { ANY_ACCOUNT } else { EVERYBODY };
    limited.unwrap_or_else(|| BTreeSet::from([open.to_owned()]))
}

fn canned(acl: &str) -> Option<String> {
    match acl {
        "public-read" | "public-read-write" => Some(EVERYBODY.to_owned()),
        "authenticated-read" => Some(ANY_ACCOUNT.to_owned()),
        _ => None,
    }
}

fn group_of(uri: &str) -> Option<&'static str> {
    match uri.rsplit_once("/groups/global/")?.1 {
        "AllUsers" => Some(EVERYBODY),
        "AuthenticatedUsers" => Some(ANY_ACCOUNT),
        _ => None,
    }
}

/// Grants such as `uri="http://acs.amazonaws.com/groups/global/AllUsers", id="79a5..."`.
fn header(text: &str) -> Vec<String> {
    let grants = text.split(',').take(PARTS_MAX).filter_map(|grant| {
        let (kind, value) = grant.trim().split_once('=')?;
        let value = value.trim().trim_matches('"');
        match kind {
            "uri" => group_of(value).map(str::to_owned),
            "id" => Some(canonical_user(value)),
            _ => None,
        }
    });
    grants.collect()
}
