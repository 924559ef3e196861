//! Event selectors of its own trail: those that take less than all are told.

use super::*;

#[test]
fn selectors_that_leave_anything_out_are_told() {
    let selectors = |selector: Value| json!({"trailName": "main", "eventSelectors": [selector]});
    let data = json!([{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]);
    let some = json!([{"type": "AWS::S3::Object", "values": ["arn:aws:s3:::pictures/"]}]);
    let some_data = json!({"readWriteType": "All", "dataResources": some});
    let without_keys = json!({"readWriteType": "All", "includeManagementEvents": true,
        "dataResources": data, "excludeManagementEventSources": ["kms.amazonaws.com"]});
    // Of each category, with these fields besides.
    let advanced = |limits: &[&[&Value]]| {
        let of_data = json!({"field": "resources.type", "equals": ["AWS::S3::Object"]});
        let category = |(n, limits): (usize, &&[&Value])| {
            let name = ["Management", "Data"][n];
            let mut fields = vec![json!({"field": "eventCategory", "equals": [name]})];
            fields.extend((n == 1).then(|| of_data.clone()));
            fields.extend(limits.iter().copied().cloned());
            json!({"name": name, "fieldSelectors": fields})
        };
        let all: Vec<_> = limits.iter().enumerate().map(category).collect();
        json!({"trailName": "main", "advancedEventSelectors": all})
    };
    let no_keys = &json!({"field": "eventSource", "notEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]});
    let no_logs = &json!({"field": "resources.ARN", "notStartsWith": ["arn:aws:s3:::logs/"]});
    let only_roles = &json!({"field": "eventSource", "equals": ["sts.amazonaws.com"]});
    let not_eve =
        &json!({"field": "userIdentity.arn", "notEquals": ["arn:aws:iam::111122223333:user/eve"]});
    each_is_told_as_it_is(vec![
        ("cloudtrail:PutEventSelectors", selectors(some_data), SELF_CHANGED),
        ("cloudtrail:PutEventSelectors", selectors(without_keys), SELF_CHANGED),
        ("cloudtrail:PutEventSelectors", advanced(&[&[], &[]]), None),
        ("cloudtrail:PutEventSelectors", advanced(&[&[]]), SELF_CHANGED),
        ("cloudtrail:PutEventSelectors", advanced(&[&[no_keys], &[]]), SELF_CHANGED),
        ("cloudtrail:PutEventSelectors", advanced(&[&[], &[no_logs]]), SELF_CHANGED),
        ("cloudtrail:PutEventSelectors", advanced(&[&[only_roles], &[]]), BLINDED),
        ("cloudtrail:PutEventSelectors", advanced(&[&[not_eve], &[]]), BLINDED),
    ]);
}
