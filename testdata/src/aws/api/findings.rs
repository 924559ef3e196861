//! Security Hub and `GuardDuty`: findings, read and closed by people.

use crate::calls;

calls! {
    "securityhub": get_findings() = "GetFindings", ask: r#"{"Filters":{"WorkflowStatus":[{"Value":"NEW","Comparison":"EQUALS"}]},"MaxResults":100}"#;
    "securityhub": batch_update_findings(finding) = "BatchUpdateFindings", ask: r#"{"FindingIdentifiers":[{"Id":"arn:aws:securityhub:<region>:<account>:security-control/S3.1/finding/<finding>","ProductArn":"arn:aws:securityhub:<region>::product/aws/securityhub"}],"Workflow":{"Status":"SUPPRESSED"}}"#,
        answer: r#"{"UnprocessedFindings":[],"ProcessedFindings":[{"Id":"arn:aws:securityhub:<region>:<account>:security-control/S3.1/finding/<finding>","ProductArn":"arn:aws:securityhub:<region>::product/aws/securityhub"}]}"#;
    "guardduty": list_findings(detector) = "ListFindings", ask: r#"{"detectorId":"<detector>"}"#;
    "guardduty": archive_findings(detector, finding) = "ArchiveFindings", ask: r#"{"detectorId":"<detector>","findingIds":["<finding>"]}"#;
    "cloudtrail": lookup_events_of(user) = "LookupEvents", ask: r#"{"startTime":"<week>","endTime":"<now>","maxResults":50,"lookupAttributes":[{"attributeKey":"Username","attributeValue":"<user>"}]}"#;
}
