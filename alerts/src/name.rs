//! Names of entities as people say them.

use baseline::{Entity, Kind};

/// The readable name of an entity: `hedda`, `hedda@example.com (AWSReservedSSO_Engineer)`,
/// `deploy (program) via athena.amazonaws.com`, `root user`. It leaves out the account where that is
/// the entity's own; the key says it all. Not escaped.
pub fn readable(entity: &Entity) -> String {
    let (key, via) = match entity.key.rsplit_once("#via:") {
        Some((key, service)) => (key, format!(" via {service}")),
        None => (&*entity.key, String::new()),
    };
    let (arn, session) = match key.split_once('#') {
        Some((arn, session)) => (arn, Some(session)),
        None => (key, None),
    };
    let Some((account, resource)) = parts(arn) else { return format!("{key}{via}") };
    let of = if account.is_empty() || account == &*entity.account {
        String::new()
    } else {
        format!(" of {account}")
    };
    let last = resource.rsplit(['/', ':']).next().unwrap_or(resource);
    let name = match (resource.split(['/', ':']).next().unwrap_or_default(), session) {
        _ if entity.kind == Kind::Root || resource == "root" => "root user".to_owned(),
        ("role", Some(session)) if entity.kind == Kind::Human => {
            format!("{session} ({})", role(last))
        }
        ("role", Some(session)) => format!("{} ({session})", role(last)),
        ("user" | "role", None) => role(last).to_owned(),
        ("function", _) => format!("function {last}"),
        ("task-definition", _) => {
            let name = resource.split('/').nth(1).unwrap_or(resource);
            format!("task {}", name.split(':').next().unwrap_or(name))
        }
        (_, Some(session)) => format!("{resource}#{session}"),
        (_, None) => resource.to_owned(),
    };
    format!("{name}{of}{via}")
}

/// Account and resource of `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut fields = arn.splitn(6, ':');
    (fields.next()? == "arn").then_some(())?;
    let account = fields.nth(3)?;
    Some((account, fields.next().filter(|resource| !resource.is_empty())?))
}

/// A role's name without the 16 digits that IAM Identity Center hangs on.
fn role(name: &str) -> &str {
    let is_suffix = |tail: &str| tail.len() == 16 && tail.bytes().all(|b| b.is_ascii_hexdigit());
    match name.rsplit_once('_') {
        Some((head, tail)) if head.starts_with("AWSReservedSSO_") && is_suffix(tail) => head,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(kind: Kind, key: &str, name: &str) {
        let entity = Entity { account: "111122223333".into(), kind, key: key.into() };
        assert_eq!(readable(&entity), name);
    }

    #[test]
    fn people_go_by_their_names() {
        check(Kind::Human, "arn:aws:iam::111122223333:user/staff/hedda", "hedda");
        check(
            Kind::Human,
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/us-west-2/\
             AWSReservedSSO_Engineer_0a1b2c3d4e5f6071#hedda@example.com",
            "hedda@example.com (AWSReservedSSO_Engineer)",
        );
        check(Kind::Root, "arn:aws:iam::111122223333:root", "root user");
        check(Kind::External, "arn:aws:iam::999988887777:user/x", "x of 999988887777");
    }

    #[test]
    fn machines_go_by_their_roles() {
        check(Kind::Workload, "arn:aws:iam::111122223333:role/web#instance", "web (instance)");
        check(
            Kind::Service,
            "arn:aws:iam::111122223333:role/etl#program#via:athena.amazonaws.com",
            "etl (program) via athena.amazonaws.com",
        );
        check(
            Kind::Workload,
            "arn:aws:lambda:us-west-2:111122223333:function:thumbs",
            "function thumbs",
        );
        check(
            Kind::Workload,
            "arn:aws:ecs:us-west-2:111122223333:task-definition/shop:12",
            "task shop",
        );
    }

    #[test]
    fn what_is_no_arn_stays_as_it_is() {
        check(Kind::Interface, "eni-0a1b2c3d", "eni-0a1b2c3d");
        check(Kind::Service, "s3.amazonaws.com", "s3.amazonaws.com");
        check(Kind::Human, "arn:aws:iam", "arn:aws:iam");
        check(Kind::Human, "", "");
    }

    proptest! {
        #[test]
        fn any_key_has_a_name(key in "(arn:)?[a-z:#/_]{0,20}(#via:)?[a-z#:/]{0,8}") {
            let account = "1".into();
            let entity = Entity { account, kind: Kind::Human, key: key.as_str().into() };
            readable(&entity);
        }
    }
}
