use super::*;
use crate::rules::testkit::ask;
use ingest::testkit::{Call, call, role_session};
use serde_json::json;

fn found(decoys: &[&str], call: Call) -> Vec<String> {
    let decoys = Decoys::of(decoys.iter().map(|name| (*name).to_owned()));
    ask(&call.raw(), |record| {
        decoys.named_by(record.event).into_iter().map(str::to_owned).collect()
    })
}

#[test]
fn a_decoy_is_found_as_a_parameter_a_resource_and_a_caller() {
    let by_parameter = call("eve").request(json!({ "bucketName": "Honey-Bucket" }));
    assert_eq!(found(&["honey-bucket"], by_parameter), ["honey-bucket"]);
    let arn = "arn:aws:s3:::honey-bucket/some/key";
    let by_resource = call("eve").resources(json!([{ "ARN": arn }]));
    assert_eq!(found(&["honey-bucket"], by_resource), ["honey-bucket"]);
    assert_eq!(
        found(&["honey-role"], call("eve").identity(role_session("honey-role", "s"))),
        ["honey-role"]
    );
    let secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf";
    let by_secret = || call("eve").request(json!({ "secretId": secret }));
    assert_eq!(found(&["prod/db"], by_secret()), ["prod/db"]);
    assert_eq!(found(&[secret], by_secret()), [secret]);
    let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/honey/index/i";
    assert_eq!(found(&["honey"], call("eve").resources(json!([{ "ARN": table }]))), ["honey"]);
    let names = json!({ "names": ["/prod/a", "/prod/honey"] });
    assert_eq!(found(&["prod/honey"], call("eve").request(names)), ["prod/honey"]);
}

#[test]
fn a_decoy_given_by_its_arn_is_found_by_its_name() {
    let arn = "arn:aws:iam::111122223333:role/service/honey-role";
    let call = call("eve").request(json!({ "roleName": "honey-role" }));
    assert_eq!(found(&[arn], call), [arn]);
}

#[test]
fn a_part_of_a_name_is_not_the_name() {
    for request in [
        json!({ "bucketName": "honey-bucket-2" }),
        json!({ "key": "a/honey" }),
        json!({ "honey": "x" }),
        json!({ "resource": "arn:aws:s3:::other/honey" }),
    ] {
        assert!(found(&["honey", "honey-bucket"], call("eve").request(request)).is_empty());
    }
    assert!(found(&["", "/"], call("eve").request(json!({ "a": "" }))).is_empty());
}
