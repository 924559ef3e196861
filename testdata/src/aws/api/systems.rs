//! Systems Manager, logs, containers, queues and topics.

use crate::calls;

calls! {
    "ssm": get_parameter(parameter) = "GetParameter", ask: r#"{"name":"<parameter>","withDecryption":true}"#,
        touch: r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter<parameter>"}"#;
    "ssm": get_parameters(parameter) = "GetParameters", ask: r#"{"names":["<parameter>"],"withDecryption":true}"#,
        touch: r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter<parameter>"}"#;
    "ssm": put_parameter(parameter) = "PutParameter", ask: r#"{"name":"<parameter>","value":"HIDDEN_DUE_TO_SECURITY_REASONS","type":"SecureString","overwrite":false,"allowedPattern":"","tags":[{"key":"Team","value":"platform"}],"tier":"Standard"}"#,
        answer: r#"{"version":1,"tier":"Standard"}"#, touch: r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter<parameter>"}"#;
    "ssm": describe_parameters(parameter) = "DescribeParameters", ask: r#"{"parameterFilters":[{"key":"Name","option":"Equals","values":["<parameter>"]}],"shared":false}"#;
    "ssm": delete_parameter(parameter) = "DeleteParameter", ask: r#"{"name":"<parameter>"}"#,
        touch: r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter<parameter>"}"#;
    "ssm": list_tags_of_parameter(parameter) = "ListTagsForResource", ask: r#"{"resourceType":"Parameter","resourceId":"<parameter>"}"#;
    "ssm": describe_instance_information(instance) = "DescribeInstanceInformation", ask: r#"{"filters":[{"key":"InstanceIds","values":["<instance>"]}]}"#;
    "ssm": send_command(instance, command) = "SendCommand", ask: r#"{"documentName":"AWS-RunShellScript","instanceIds":["<instance>"],"interactive":false,"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        answer: r#"{"command":{"alarmConfiguration":{"alarms":[],"ignorePollAlarmFailure":false},"clientName":"","clientSourceId":"","cloudWatchOutputConfig":{"cloudWatchLogGroupName":"","cloudWatchOutputEnabled":false},"commandId":"<command>","comment":"","completedCount":0,"deliveryTimedOutCount":0,"documentName":"AWS-RunShellScript","documentVersion":"$DEFAULT","errorCount":0,"expiresAfter":"<hour>","hasCancelCommandSignature":false,"hasSendCommandSignature":false,"instanceIds":["<instance>"],"interactive":false,"maxConcurrency":"50","maxErrors":"0","notificationConfig":{"notificationArn":"","notificationEvents":[],"notificationType":""},"outputS3BucketName":"","outputS3KeyPrefix":"","outputS3Region":"<region>","parameters":"HIDDEN_DUE_TO_SECURITY_REASONS","requestedDateTime":"<now>","serviceRole":"","status":"Pending","statusDetails":"Pending","targetCount":1,"targets":[],"timeoutSeconds":3600,"triggeredAlarms":[]}}"#;
    "ssm": get_command_invocation(command, instance) = "GetCommandInvocation", ask: r#"{"commandId":"<command>","instanceId":"<instance>"}"#;
    "ssm": start_session(instance, session) = "StartSession", ask: r#"{"target":"<instance>"}"#,
        answer: r#"{"sessionId":"<session>","tokenValue":"Value hidden due to security reasons.","streamUrl":"wss://ssmmessages.<region>.amazonaws.com/v1/data-channel/<session>?role=publish_subscribe"}"#;
    "ssm": terminate_session(session) = "TerminateSession", ask: r#"{"sessionId":"<session>"}"#, answer: r#"{"sessionId":"<session>"}"#;
    "ssm": update_instance_information(instance, address, version) = "UpdateInstanceInformation", ask: r#"{"instanceId":"<instance>","agentVersion":"<version>","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"<address>","computerName":"<instance>.ec2.internal","agentName":"amazon-ssm-agent"}"#;
    "logs": create_log_group(group) = "CreateLogGroup", ask: r#"{"logGroupName":"<group>"}"#;
    "logs": create_log_stream(group, stream) = "CreateLogStream", ask: r#"{"logGroupName":"<group>","logStreamName":"<stream>"}"#;
    "logs": delete_log_group(group) = "DeleteLogGroup", ask: r#"{"logGroupName":"<group>"}"#;
    "logs": describe_log_groups(prefix) = "DescribeLogGroups", ask: r#"{"logGroupNamePrefix":"<prefix>"}"#;
    "logs": put_retention_policy(group, days) = "PutRetentionPolicy", ask: r#"{"logGroupName":"<group>","retentionInDays":<days>}"#;
    "logs": filter_log_events(group) = "FilterLogEvents", ask: r#"{"logGroupName":"<group>","startTime":<ms>,"limit":100}"#;
    "logs": start_query(group) = "StartQuery", ask: r#"{"logGroupNames":["<group>"],"startTime":<s>,"endTime":<s>,"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS","limit":1000}"#, answer: r#"{"queryId":"<uuid>"}"#;
    "logs": get_query_results(query) = "GetQueryResults", ask: r#"{"queryId":"<query>"}"#;
    "monitoring": describe_alarms() = "DescribeAlarms", ask: r#"{"maxRecords":100}"#;
    "xray": get_sampling_rules() = "GetSamplingRules";
    "ecr": get_authorization_token() = "GetAuthorizationToken";
    "ecr": describe_repositories() = "DescribeRepositories", ask: r#"{"maxResults":100}"#;
    "ecr": batch_get_image(repository, tag) = "BatchGetImage", ask: r#"{"repositoryName":"<repository>","imageIds":[{"imageTag":"<tag>"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json"]}"#,
        touch: r#"{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/<repository>"}"#;
    "ecr": put_image(repository, tag) = "PutImage", ask: r#"{"repositoryName":"<repository>","imageTag":"<tag>","registryId":"<account>"}"#,
        answer: r#"{"image":{"repositoryName":"<repository>","imageId":{"imageDigest":"sha256:<hex64>","imageTag":"<tag>"},"registryId":"<account>"}}"#,
        touch: r#"{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/<repository>"}"#;
    "ecs": update_service(cluster, service, task) = "UpdateService", ask: r#"{"cluster":"<cluster>","service":"<service>","taskDefinition":"<task>","forceNewDeployment":true}"#;
    "ecs": register_task_definition(family, image) = "RegisterTaskDefinition", ask: r#"{"family":"<family>","networkMode":"awsvpc","containerDefinitions":[{"name":"<family>","image":"<image>","cpu":256,"memory":512,"essential":true}],"requiresCompatibilities":["FARGATE"],"cpu":"256","memory":"512"}"#;
    "ecs": create_cluster(cluster) = "CreateCluster", ask: r#"{"clusterName":"<cluster>"}"#, answer: r#"{"cluster":{"clusterArn":"arn:aws:ecs:<region>:<account>:cluster/<cluster>","clusterName":"<cluster>","status":"ACTIVE"}}"#;
    "ecs": create_service(cluster, service, task) = "CreateService", ask: r#"{"cluster":"<cluster>","serviceName":"<service>","taskDefinition":"<task>","desiredCount":2,"launchType":"FARGATE"}"#,
        answer: r#"{"service":{"serviceArn":"arn:aws:ecs:<region>:<account>:service/<cluster>/<service>","serviceName":"<service>","status":"ACTIVE","desiredCount":2}}"#;
    "ecs": describe_services(cluster, service) = "DescribeServices", ask: r#"{"cluster":"<cluster>","services":["<service>"]}"#;
    "sqs": send_message(queue) = "SendMessage", ask: r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<queue>","messageBody":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:<region>:<account>:<queue>"}"#;
    "sqs": receive_message(queue) = "ReceiveMessage", ask: r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<queue>","maxNumberOfMessages":10,"waitTimeSeconds":20}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:<region>:<account>:<queue>"}"#;
    "sqs": delete_message(queue) = "DeleteMessage", ask: r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<queue>","receiptHandle":"<base64>"}"#,
        touch: r#"{"accountId":"<account>","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:<region>:<account>:<queue>"}"#;
    "sns": publish(topic) = "Publish", ask: r#"{"topicArn":"arn:aws:sns:<region>:<account>:<topic>","message":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        answer: r#"{"messageId":"<uuid>"}"#, touch: r#"{"accountId":"<account>","type":"AWS::SNS::Topic","ARN":"arn:aws:sns:<region>:<account>:<topic>"}"#;
}
