//! Where the records of each service name what a call acts on, the most telling key first: of
//! `AttachRolePolicy` the role, not the policy.

use super::{
    Form::{self, Before, Bucket, Folder, Last, Path, Secret, Whole},
    Key,
};

const fn key(name: &'static str, kind: &'static str, arn_type: &'static str, form: Form) -> Key {
    Key { name, kind, arn_type, form }
}

/// In the order of services.
#[rustfmt::skip]
pub(super) const TABLE: &[(&str, &[Key])] = &[
    ("acm", &[
        key("certificateArn", "acm", "certificate", Whole),
    ]),
    ("apigateway", &[
        key("restApiId", "apigateway", "restapis", Whole),
        key("apiId", "apigateway", "apis", Whole),
    ]),
    ("athena", &[
        key("workGroup", "athena", "workgroup", Whole),
    ]),
    ("autoscaling", &[
        key("autoScalingGroupName", "autoscaling", "autoScalingGroup", Last),
    ]),
    ("backup", &[
        key("backupVaultName", "backup", "backup-vault", Whole),
    ]),
    ("bedrock", &[
        key("modelId", "bedrock:model", "foundation-model", Last),
        key("agentId", "bedrock:agent", "agent", Whole),
        key("knowledgeBaseId", "bedrock:knowledge-base", "knowledge-base", Whole),
        key("guardrailIdentifier", "bedrock:guardrail", "guardrail", Whole),
    ]),
    ("cloudformation", &[
        key("stackName", "cloudformation", "stack", Before('/')),
        key("stackSetName", "cloudformation:stackset", "stackset", Before(':')),
    ]),
    ("cloudtrail", &[
        key("name", "cloudtrail", "trail", Whole),
        key("trailName", "cloudtrail", "trail", Whole),
        key("eventDataStore", "cloudtrail:eventdatastore", "eventdatastore", Whole),
    ]),
    ("codebuild", &[
        key("projectName", "codebuild", "project", Whole),
        key("projectArn", "codebuild", "project", Whole),
    ]),
    ("codecommit", &[
        key("repositoryName", "codecommit", "", Whole),
    ]),
    ("codepipeline", &[
        key("pipelineName", "codepipeline", "", Whole),
        key("name", "codepipeline", "", Whole),
    ]),
    ("cognito-idp", &[
        key("userPoolId", "cognito-idp", "userpool", Whole),
    ]),
    ("config", &[
        key("configRuleName", "config:rule", "config-rule", Whole),
        key("configurationRecorderName", "config:recorder", "configuration-recorder", Whole),
    ]),
    ("dynamodb", &[
        key("tableName", "dynamodb", "table", Before('/')),
    ]),
    ("ec2", &[
        key("groupId", "ec2", "security-group", Whole),
        key("networkAclId", "ec2", "network-acl", Whole),
        key("routeTableId", "ec2", "route-table", Whole),
        key("vpcId", "ec2", "vpc", Whole),
        key("launchTemplateId", "ec2", "launch-template", Whole),
        key("keyName", "ec2:key-pair", "key-pair", Whole),
    ]),
    ("ecr", &[
        key("repositoryName", "ecr", "repository", Whole),
    ]),
    ("ecs", &[
        key("cluster", "ecs", "cluster", Whole),
        key("clusterName", "ecs", "cluster", Whole),
        key("family", "ecs:task-definition", "task-definition", Before(':')),
    ]),
    ("eks", &[
        key("clusterName", "eks", "cluster", Whole),
        key("name", "eks", "cluster", Whole),
    ]),
    ("elasticache", &[
        key("replicationGroupId", "elasticache:replication-group", "replicationgroup", Whole),
        key("cacheClusterId", "elasticache", "cluster", Whole),
    ]),
    ("elasticfilesystem", &[
        key("fileSystemId", "elasticfilesystem", "file-system", Whole),
    ]),
    ("elasticloadbalancing", &[
        key("loadBalancerArn", "elasticloadbalancing", "loadbalancer", Whole),
        key("loadBalancerName", "elasticloadbalancing", "loadbalancer", Whole),
        key("targetGroupArn", "elasticloadbalancing:target-group", "targetgroup", Whole),
    ]),
    ("es", &[
        key("domainName", "es", "domain", Whole),
    ]),
    ("events", &[
        key("rule", "events", "rule", Whole),
        key("name", "events", "rule", Whole),
        key("eventBusName", "events:bus", "event-bus", Whole),
    ]),
    ("firehose", &[
        key("deliveryStreamName", "firehose", "deliverystream", Whole),
    ]),
    ("glacier", &[
        key("vaultName", "glacier", "vaults", Whole),
    ]),
    ("glue", &[
        key("databaseName", "glue:database", "database", Whole),
        key("jobName", "glue:job", "job", Whole),
    ]),
    ("guardduty", &[
        key("detectorId", "guardduty", "detector", Before('/')),
    ]),
    ("iam", &[
        key("roleName", "iam:role", "role", Last),
        key("groupName", "iam:group", "group", Last),
        key("userName", "iam:user", "user", Last),
        key("instanceProfileName", "iam:instance-profile", "instance-profile", Last),
        key("policyArn", "iam:policy", "policy", Last),
        key("policyName", "iam:policy", "policy", Last),
        key("sAMLProviderArn", "iam:saml-provider", "saml-provider", Whole),
        key("openIDConnectProviderArn", "iam:oidc-provider", "oidc-provider", Whole),
    ]),
    ("kinesis", &[
        key("streamName", "kinesis", "stream", Before('/')),
        key("streamARN", "kinesis", "stream", Before('/')),
    ]),
    ("kms", &[
        key("keyId", "kms", "key", Last),
        key("targetKeyId", "kms", "key", Last),
    ]),
    ("lambda", &[
        key("functionName", "lambda", "function", Before(':')),
        key("layerName", "lambda:layer", "layer", Before(':')),
    ]),
    ("logs", &[
        key("logGroupName", "logs", "log-group", Before(':')),
        key("logGroupIdentifier", "logs", "log-group", Before(':')),
    ]),
    ("organizations", &[
        key("policyId", "organizations:policy", "policy", Last),
        key("targetId", "organizations", "account", Last),
        key("accountId", "organizations", "account", Last),
    ]),
    ("rds", &[
        key("dBInstanceIdentifier", "rds", "db", Whole),
        key("dBClusterIdentifier", "rds:cluster", "cluster", Whole),
        key("globalClusterIdentifier", "rds:global-cluster", "global-cluster", Whole),
    ]),
    ("redshift", &[
        key("clusterIdentifier", "redshift", "cluster", Whole),
    ]),
    ("route53", &[
        key("hostedZoneId", "route53", "hostedzone", Last),
    ]),
    ("s3", &[
        key("bucketName", "s3", "", Bucket),
    ]),
    ("sagemaker", &[
        key("endpointName", "sagemaker:endpoint", "endpoint", Whole),
        key("notebookInstanceName", "sagemaker:notebook", "notebook-instance", Whole),
        key("domainId", "sagemaker:domain", "domain", Whole),
    ]),
    ("secretsmanager", &[
        key("secretId", "secretsmanager", "secret", Secret),
        key("name", "secretsmanager", "secret", Secret),
    ]),
    ("ses", &[
        key("emailIdentity", "ses", "identity", Whole),
        key("identity", "ses", "identity", Whole),
    ]),
    ("sns", &[
        key("topicArn", "sns", "", Before(':')),
        key("name", "sns", "", Before(':')),
    ]),
    ("sqs", &[
        key("queueUrl", "sqs", "", Last),
        key("queueName", "sqs", "", Last),
    ]),
    ("ssm", &[
        key("name", "ssm", "parameter", Folder),
        key("names", "ssm", "parameter", Folder),
        key("path", "ssm", "parameter", Path),
        key("documentName", "ssm:document", "document", Whole),
    ]),
    ("sso", &[
        key("permissionSetArn", "sso", "permissionSet", Last),
    ]),
    ("states", &[
        key("stateMachineArn", "states", "stateMachine", Before(':')),
    ]),
    ("transfer", &[
        key("serverId", "transfer", "server", Whole),
    ]),
];
