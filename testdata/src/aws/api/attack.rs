//! Calls that hardly anybody makes but intruders, auditors, and people who leave.

use crate::calls;

calls! {
    "guardduty": list_detectors() = "ListDetectors";
    "guardduty": delete_detector(detector) = "DeleteDetector", ask: r#"{"detectorId":"<detector>"}"#;
    "guardduty": update_detector(detector, enable) = "UpdateDetector", ask: r#"{"detectorId":"<detector>","enable":<enable>}"#;
    "organizations": describe_organization() = "DescribeOrganization";
    "organizations": list_accounts() = "ListAccounts";
    "organizations": list_delegated_administrators() = "ListDelegatedAdministrators";
    "organizations": leave_organization() = "LeaveOrganization";
    "route53resolver": delete_resolver_query_log_config(config) = "DeleteResolverQueryLogConfig", ask: r#"{"resolverQueryLogConfigId":"<config>"}"#;
    "ses": get_send_quota() = "GetSendQuota";
    "ses": get_account() = "GetAccount";
    "ses": list_identities() = "ListIdentities", ask: r#"{"maxItems":100}"#;
    "ses": get_identity_verification_attributes(domain) = "GetIdentityVerificationAttributes", ask: r#"{"identities":["<domain>"]}"#, add: r#"{"SignatureVersion":"4"}"#;
    "servicequotas": list_service_quotas(service) = "ListServiceQuotas", ask: r#"{"serviceCode":"<service>"}"#;
    "servicequotas": request_service_quota_increase(service, quota, value) = "RequestServiceQuotaIncrease", ask: r#"{"serviceCode":"<service>","quotaCode":"<quota>","desiredValue":<value>}"#;
    "tagging": get_resources() = "GetResources", ask: r#"{"paginationToken":"","resourcesPerPage":100}"#;
    "account": enable_region(region_name) = "EnableRegion", ask: r#"{"RegionName":"<region_name>"}"#;
}
