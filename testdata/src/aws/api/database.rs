//! `DynamoDB`, RDS and AWS Backup.

use crate::calls;

calls! {
    "dynamodb": get_item(table, item) = "GetItem", ask: r#"{"tableName":"<table>","key":{"id":"<item>"},"consistentRead":false}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:<region>:<account>:table/<table>"}"#;
    "dynamodb": put_item(table, item) = "PutItem", ask: r#"{"tableName":"<table>","key":{"id":"<item>"},"items":["id"]}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:<region>:<account>:table/<table>"}"#;
    "dynamodb": query(table) = "Query", ask: r#"{"tableName":"<table>","keyConditionExpression":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:<region>:<account>:table/<table>"}"#;
    "dynamodb": describe_table(table) = "DescribeTable", ask: r#"{"tableName":"<table>"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:<region>:<account>:table/<table>"}"#;
    "dynamodb": list_tables() = "ListTables";
    "rds": describe_db_instances() = "DescribeDBInstances";
    "rds": create_db_instance(database) = "CreateDBInstance", ask: r#"{"dBInstanceIdentifier":"<database>","allocatedStorage":20,"dBInstanceClass":"db.t4g.medium","engine":"postgres","masterUsername":"admin","masterUserPassword":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        answer: r#"{"dBInstanceIdentifier":"<database>","dBInstanceClass":"db.t4g.medium","engine":"postgres","dBInstanceStatus":"creating"}"#;
    "rds": reboot_db_instance(database) = "RebootDBInstance", ask: r#"{"dBInstanceIdentifier":"<database>"}"#,
        answer: r#"{"dBInstanceIdentifier":"<database>","dBInstanceStatus":"rebooting"}"#;
    "rds": restore_db_instance(database, snapshot) = "RestoreDBInstanceFromDBSnapshot", ask: r#"{"dBInstanceIdentifier":"<database>","dBSnapshotIdentifier":"<snapshot>"}"#,
        answer: r#"{"dBInstanceIdentifier":"<database>","dBInstanceStatus":"creating"}"#;
    "rds": describe_db_snapshots() = "DescribeDBSnapshots";
    "rds": create_db_snapshot(database, snapshot) = "CreateDBSnapshot", ask: r#"{"dBInstanceIdentifier":"<database>","dBSnapshotIdentifier":"<snapshot>"}"#,
        answer: r#"{"allocatedStorage":20,"instanceCreateTime":"<week>","dBSnapshotIdentifier":"<snapshot>","port":5432,"availabilityZone":"<region>a","dBSnapshotArn":"arn:aws:rds:<region>:<account>:snapshot:<snapshot>","encrypted":true,"percentProgress":0,"dBInstanceIdentifier":"<database>","storageType":"gp3","iAMDatabaseAuthenticationEnabled":false,"status":"creating","masterUsername":"admin","engine":"postgres","snapshotType":"manual","engineVersion":"17.4","licenseModel":"postgresql-license"}"#;
    "rds": delete_db_snapshot(snapshot) = "DeleteDBSnapshot", ask: r#"{"dBSnapshotIdentifier":"<snapshot>"}"#,
        answer: r#"{"dBSnapshotIdentifier":"<snapshot>","dBSnapshotArn":"arn:aws:rds:<region>:<account>:snapshot:<snapshot>","status":"deleted","snapshotType":"manual"}"#;
    "rds": share_db_snapshot(snapshot, account_id) = "ModifyDBSnapshotAttribute", ask: r#"{"dBSnapshotIdentifier":"<snapshot>","attributeName":"restore","valuesToAdd":["<account_id>"]}"#,
        answer: r#"{"dBSnapshotIdentifier":"<snapshot>","dBSnapshotAttributes":[{"attributeName":"restore","attributeValues":["<account_id>"]}]}"#;
    "rds": delete_db_instance(database) = "DeleteDBInstance", ask: r#"{"dBInstanceIdentifier":"<database>","skipFinalSnapshot":true,"deleteAutomatedBackups":true}"#;
    "backup": list_backup_vaults() = "ListBackupVaults";
    "backup": start_restore_job(point) = "StartRestoreJob", ask: r#"{"recoveryPointArn":"<point>","metadata":"HIDDEN_DUE_TO_SECURITY_REASONS","iamRoleArn":"arn:aws:iam::<account>:role/service-role/AWSBackupDefaultServiceRole"}"#,
        answer: r#"{"restoreJobId":"<uuid>"}"#;
    "backup": describe_restore_job(job) = "DescribeRestoreJob", ask: r#"{"restoreJobId":"<job>"}"#;
    "backup": start_backup_job(vault, resource) = "StartBackupJob", ask: r#"{"backupVaultName":"<vault>","resourceArn":"<resource>","iamRoleArn":"arn:aws:iam::<account>:role/service-role/AWSBackupDefaultServiceRole","startWindowMinutes":60}"#,
        answer: r#"{"backupJobId":"<uuid>","creationDate":"<now>"}"#;
    "backup": delete_recovery_point(vault, point) = "DeleteRecoveryPoint", ask: r#"{"backupVaultName":"<vault>","recoveryPointArn":"<point>"}"#;
    "backup": delete_backup_vault(vault) = "DeleteBackupVault", ask: r#"{"backupVaultName":"<vault>"}"#;
    "backup": list_recovery_points(vault) = "ListRecoveryPointsByBackupVault", ask: r#"{"backupVaultName":"<vault>"}"#;
}
