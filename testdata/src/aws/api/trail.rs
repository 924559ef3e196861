//! CloudTrail itself.

use crate::calls;

calls! {
    "cloudtrail": lookup_events() = "LookupEvents", ask: r#"{"startTime":"<week>","endTime":"<now>","maxResults":50,"lookupAttributes":[{"attributeKey":"ReadOnly","attributeValue":"false"}]}"#;
    "cloudtrail": describe_trails() = "DescribeTrails", ask: r#"{"includeShadowTrails":true,"trailNameList":[]}"#;
    "cloudtrail": get_trail_status(trail) = "GetTrailStatus", ask: r#"{"name":"arn:aws:cloudtrail:<region>:<account>:trail/<trail>"}"#;
    "cloudtrail": create_trail(trail, bucket) = "CreateTrail", ask: r#"{"name":"<trail>","s3BucketName":"<bucket>","includeGlobalServiceEvents":true,"tagsList":[{"key":"Team","value":"security"}]}"#,
        answer: r#"{"name":"<trail>","s3BucketName":"<bucket>","includeGlobalServiceEvents":true,"isMultiRegionTrail":false,"trailARN":"arn:aws:cloudtrail:<region>:<account>:trail/<trail>","logFileValidationEnabled":false,"isOrganizationTrail":false}"#;
    "cloudtrail": update_trail(trail, bucket) = "UpdateTrail", ask: r#"{"name":"<trail>","s3BucketName":"<bucket>","includeGlobalServiceEvents":false,"isMultiRegionTrail":false}"#,
        answer: r#"{"name":"<trail>","s3BucketName":"<bucket>","includeGlobalServiceEvents":false,"isMultiRegionTrail":false,"trailARN":"arn:aws:cloudtrail:<region>:<account>:trail/<trail>","logFileValidationEnabled":false,"isOrganizationTrail":false}"#;
    "cloudtrail": start_logging(trail) = "StartLogging", ask: r#"{"name":"<trail>"}"#;
    "cloudtrail": stop_logging(trail) = "StopLogging", ask: r#"{"name":"<trail>"}"#;
    "cloudtrail": delete_trail(trail) = "DeleteTrail", ask: r#"{"name":"<trail>"}"#;
}
