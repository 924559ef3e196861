//! KMS and Secrets Manager.

use crate::calls;

calls! {
    "kms": generate_data_key(kms_key, context) = "GenerateDataKey", ask: r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<kms_key>","encryptionContext":{"aws:s3:arn":"<context>"},"keySpec":"AES_256"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": generate_data_key_for_trail(kms_key, trail, bucket) = "GenerateDataKey", ask: r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<kms_key>","encryptionContext":{"aws:cloudtrail:arn":"arn:aws:cloudtrail:<region>:<account>:trail/<trail>","aws:s3:arn":"arn:aws:s3:::<bucket>"},"keySpec":"AES_256"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": decrypt(kms_key, context) = "Decrypt", ask: r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:s3:arn":"<context>"}}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": decrypt_for_function(kms_key, function) = "Decrypt", ask: r#"{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:<region>:<account>:function:<function>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": decrypt_for_secret(kms_key, secret, version) = "Decrypt", ask: r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"SecretARN":"<secret>","SecretVersionId":"<version>"}}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": encrypt_parameter(kms_key, parameter) = "Encrypt", ask: r#"{"encryptionContext":{"PARAMETER_ARN":"arn:aws:ssm:<region>:<account>:parameter<parameter>"},"keyId":"alias/aws/ssm","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": create_key(kms_key, policy) = "CreateKey", ask: r#"{"policy":"<policy>","description":"","keyUsage":"ENCRYPT_DECRYPT","origin":"AWS_KMS","bypassPolicyLockoutSafetyCheck":false,"tags":[]}"#,
        answer: r#"{"keyMetadata":{"aWSAccountId":"<account>","keyId":"<kms_key>","arn":"arn:aws:kms:<region>:<account>:key/<kms_key>","creationDate":"<now>","enabled":true,"description":"","keyUsage":"ENCRYPT_DECRYPT","keyState":"Enabled","origin":"AWS_KMS","keyManager":"CUSTOMER","keySpec":"SYMMETRIC_DEFAULT"}}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": describe_key(kms_key) = "DescribeKey", ask: r#"{"keyId":"<kms_key>"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": create_alias(alias, kms_key) = "CreateAlias", ask: r#"{"aliasName":"alias/<alias>","targetKeyId":"<kms_key>"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": list_keys() = "ListKeys", ask: r#"{"limit":100}"#;
    "kms": list_aliases() = "ListAliases", ask: r#"{"limit":100}"#;
    "kms": schedule_key_deletion(kms_key, days) = "ScheduleKeyDeletion", ask: r#"{"keyId":"<kms_key>","pendingWindowInDays":<days>,"overridePendingWindowCheck":false}"#,
        answer: r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<kms_key>","deletionDate":"<hour>"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "kms": rotate_key(kms_key) = "RotateKey", details: r#"{"keyId":"<kms_key>"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms_key>"}"#;
    "secretsmanager": get_secret_value(secret) = "GetSecretValue", ask: r#"{"secretId":"<secret>"}"#;
    "secretsmanager": batch_get_secret_value(tag) = "BatchGetSecretValue", ask: r#"{"filters":[{"key":"tag-key","values":["<tag>"]}]}"#;
    "secretsmanager": create_secret(secret) = "CreateSecret", ask: r#"{"name":"<secret>","clientRequestToken":"<uuid>"}"#, answer: r#"{"arn":"arn:aws:secretsmanager:<region>:<account>:secret:<secret>"}"#;
    "secretsmanager": list_secrets() = "ListSecrets";
    "secretsmanager": describe_secret(secret) = "DescribeSecret", ask: r#"{"secretId":"<secret>"}"#;
    "secretsmanager": get_resource_policy(secret) = "GetResourcePolicy", ask: r#"{"secretId":"<secret>"}"#;
    "secretsmanager": delete_secret(secret) = "DeleteSecret", ask: r#"{"secretId":"<secret>","forceDeleteWithoutRecovery":true}"#,
        answer: r#"{"aRN":"<secret>","name":"<secret>","deletionDate":"<now>"}"#;
}
