//! What other tools call the fields of CloudTrail: rules that were written for them name these.

/// Names in lower case, by which the values are found here.
const NAMES: &[(&str, &str)] = &[
    ("account", "recipientAccountId"),
    ("account_id", "recipientAccountId"),
    ("accountid", "recipientAccountId"),
    ("action", "eventName"),
    ("aws_account_id", "recipientAccountId"),
    ("clientip", "sourceIPAddress"),
    ("cloud.account.id", "recipientAccountId"),
    ("cloud.region", "awsRegion"),
    ("error", "errorCode"),
    ("error_code", "errorCode"),
    ("error_message", "errorMessage"),
    ("event.action", "eventName"),
    ("event.outcome", "sentrail.outcome"),
    ("event.provider", "eventSource"),
    ("event_name", "eventName"),
    ("event_source", "eventSource"),
    ("http_user_agent", "userAgent"),
    ("outcome", "sentrail.outcome"),
    ("region", "awsRegion"),
    ("source.address", "sourceIPAddress"),
    ("source.geo.country_iso_code", "sentrail.source.country"),
    ("source.ip", "sourceIPAddress"),
    ("source_ip", "sourceIPAddress"),
    ("sourceip", "sourceIPAddress"),
    ("src", "sourceIPAddress"),
    ("src_country", "sentrail.source.country"),
    ("src_ip", "sourceIPAddress"),
    ("srcip", "sourceIPAddress"),
    ("status", "sentrail.outcome"),
    ("type", "userIdentity.type"),
    ("user", "userIdentity.arn"),
    ("user.name", "userIdentity.userName"),
    ("user_agent", "userAgent"),
    ("user_agent.original", "userAgent"),
    ("username", "userIdentity.userName"),
];

/// The field that a rule means by a name which no record has.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(name)).map(|(_, own)| *own)
}

#[cfg(test)]
mod tests {
    use super::NAMES;
    use crate::rules::{fields::Field, sigma::Logs, testkit::name};

    #[test]
    fn what_is_advised_is_a_field_and_what_it_stands_for_is_none() {
        for (foreign, own) in NAMES {
            assert!(Field::of(&name(own), Logs::CloudTrail).is_ok(), "{own}");
            let told = Field::of(&name(foreign), Logs::CloudTrail).unwrap_err();
            let wanted = format!("CloudTrail records have no field `{foreign}`; write `{own}`");
            assert_eq!(told, wanted);
        }
    }
}
