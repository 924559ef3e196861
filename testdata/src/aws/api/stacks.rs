//! `CloudFormation`: stacks and what changes them.

use crate::calls;

calls! {
    "cloudformation": describe_stacks(stack) = "DescribeStacks", ask: r#"{"stackName":"<stack>"}"#;
    "cloudformation": describe_stack_events(stack) = "DescribeStackEvents", ask: r#"{"stackName":"<stack>"}"#;
    "cloudformation": create_change_set(stack, change, bucket) = "CreateChangeSet", ask: r#"{"stackName":"<stack>","changeSetName":"<change>","changeSetType":"UPDATE","templateURL":"https://<bucket>.s3.<region>.amazonaws.com/<change>.template","capabilities":["CAPABILITY_IAM"]}"#,
        answer: r#"{"id":"arn:aws:cloudformation:<region>:<account>:changeSet/<change>/<uuid>","stackId":"arn:aws:cloudformation:<region>:<account>:stack/<stack>/<uuid>"}"#;
    "cloudformation": describe_change_set(stack, change) = "DescribeChangeSet", ask: r#"{"stackName":"<stack>","changeSetName":"<change>"}"#;
    "cloudformation": execute_change_set(stack, change) = "ExecuteChangeSet", ask: r#"{"stackName":"<stack>","changeSetName":"<change>"}"#;
}
