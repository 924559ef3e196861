//! Access that is given without a policy: by parameters of calls, and by ACLs.

use super::{
    ANY_ACCOUNT, Access, EVERYBODY, PARTS_MAX, account_of, canonical_user, organization_of, text_of,
};
use crate::rules::walk;
use ingest::{Raw, Text};
use std::collections::BTreeSet;

/// Parameters that name who is given something: accounts, ARNs, `*` or `all`.
const GRANTEES: [&str; 9] = [
    "aWSAccountId",
    "aWSAccountIds",
    "accountIds",
    "accountIdsToAdd",
    "accountWithRestoreAccess",
    "granteePrincipal",
    "principal",
    "principals",
    "valuesToAdd",
];

/// Parameters that say what is given.
const ACTIONS: [&str; 4] = ["action", "actionName", "actions", "operations"];

/// Policies of AWS's own by which one can do everything, or give it to oneself: the ends of their
/// ARNs.
const ADMINISTRATORS: [&str; 4] = [
    ":policy/AdministratorAccess",
    ":policy/IAMFullAccess",
    ":policy/PowerUserAccess",
    ":cluster-access-policy/AmazonEKSClusterAdminPolicy",
];

impl Access {
    pub(super) fn parameters(&mut self, request: Raw<'_>) {
        for key in ["createVolumePermission", "launchPermission"] {
            for item in request.path(&[key, "add", "items"]).into_iter().flat_map(Raw::each) {
                let whole = |key| text_of(item, key);
                self.granted.extend(whole("userId").and_then(|id| account_of(&id)));
                let is_all = whole("group").is_some_and(|group| group == "all");
                self.granted.extend(is_all.then(|| EVERYBODY.to_owned()));
                let arns = ["organizationArn", "organizationalUnitArn"].into_iter();
                self.granted.extend(arns.filter_map(whole).filter_map(|arn| organization_of(&arn)));
            }
        }
        let texts = |key: &str| {
            let values = request.get(key).into_iter().flat_map(Raw::each);
            values.filter_map(Raw::text).map(Text::get).take(PARTS_MAX)
        };
        let mut is_given = false;
        let mut is_open = false;
        for name in GRANTEES.into_iter().flat_map(texts) {
            is_given = true;
            is_open |= matches!(&*name, "*" | "all");
            self.granted.extend(account_of(&name).or_else(|| organization_of(&name)));
        }
        if is_open {
            self.granted.extend(limit(request));
        }
        if is_given {
            self.actions.extend(ACTIONS.into_iter().flat_map(texts).map(String::from));
        }
        let managed = ["policyArn", "managedPolicyArn"].into_iter();
        self.is_admin |= managed.filter_map(|key| text_of(request, key)).any(|arn| {
            arn.starts_with("arn:aws")
                && arn.contains("::aws:")
                && ADMINISTRATORS.iter().any(|end| arn.ends_with(end))
        });
    }

    /// ACLs of S3: canned ones, lists of grants, and headers of grants.
    pub(super) fn acls(&mut self, request: Raw<'_>) {
        let owner = request.path(&["AccessControlPolicy", "Owner"]);
        let owner = owner.and_then(|owner| text_of(owner, "ID"));
        let granted = &mut self.granted;
        walk::texts(request, &mut |key, text| match &*key.get() {
            "x-amz-acl" => granted.extend(canned(text).map(str::to_owned)),
            "URI" => granted.extend(group(&text.get()).map(str::to_owned)),
            key if key.starts_with("x-amz-grant-") => granted.extend(header(&text.get())),
            _ => {}
        });
        let grants = request.path(&["AccessControlPolicy", "AccessControlList", "Grant"]);
        for grant in grants.into_iter().flat_map(Raw::each).take(PARTS_MAX) {
            let user = grant.get("Grantee").and_then(|grantee| text_of(grantee, "ID"));
            let user = user.filter(|user| owner.as_ref() != Some(user));
            granted.extend(user.map(|user| canonical_user(&user)));
        }
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

fn canned(acl: Text<'_>) -> Option<&'static str> {
    match &*acl.get() {
        "public-read" | "public-read-write" => Some(EVERYBODY),
        "authenticated-read" => Some(ANY_ACCOUNT),
        _ => None,
    }
}

fn group(uri: &str) -> Option<&'static str> {
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
            "uri" => group(value).map(str::to_owned),
            "id" => Some(canonical_user(value)),
            _ => None,
        }
    });
    grants.collect()
}
