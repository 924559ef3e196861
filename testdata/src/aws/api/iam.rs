//! IAM: users, keys, roles and policies.

use crate::calls;

calls! {
    "iam": create_user(user, user_id) = "CreateUser", ask: r#"{"userName":"<user>"}"#,
        answer: r#"{"user":{"path":"/","userName":"<user>","userId":"<user_id>","arn":"arn:aws:iam::<account>:user/<user>","createDate":"<now>"}}"#;
    "iam": delete_user(user) = "DeleteUser", ask: r#"{"userName":"<user>"}"#;
    "iam": get_user(user) = "GetUser", ask: r#"{"userName":"<user>"}"#;
    "iam": get_own_user() = "GetUser";
    "iam": list_users() = "ListUsers";
    "iam": list_groups() = "ListGroups";
    "iam": list_attached_user_policies(user) = "ListAttachedUserPolicies", ask: r#"{"userName":"<user>"}"#;
    "iam": list_roles() = "ListRoles";
    "iam": get_account_summary() = "GetAccountSummary";
    "iam": get_account_authorization_details() = "GetAccountAuthorizationDetails";
    "iam": list_access_keys(user) = "ListAccessKeys", ask: r#"{"userName":"<user>"}"#;
    "iam": create_access_key(user, access_key) = "CreateAccessKey", ask: r#"{"userName":"<user>"}"#,
        answer: r#"{"accessKey":{"userName":"<user>","accessKeyId":"<access_key>","status":"Active","createDate":"<now>"}}"#;
    "iam": delete_access_key(user, access_key) = "DeleteAccessKey", ask: r#"{"userName":"<user>","accessKeyId":"<access_key>"}"#;
    "iam": update_access_key(user, access_key, status) = "UpdateAccessKey", ask: r#"{"userName":"<user>","accessKeyId":"<access_key>","status":"<status>"}"#;
    "iam": create_login_profile(user) = "CreateLoginProfile", ask: r#"{"userName":"<user>","passwordResetRequired":false}"#,
        answer: r#"{"loginProfile":{"userName":"<user>","createDate":"<now>","passwordResetRequired":false}}"#;
    "iam": update_login_profile(user) = "UpdateLoginProfile", ask: r#"{"userName":"<user>","passwordResetRequired":false}"#;
    "iam": delete_login_profile(user) = "DeleteLoginProfile", ask: r#"{"userName":"<user>"}"#;
    "iam": attach_user_policy(user, policy_arn) = "AttachUserPolicy", ask: r#"{"userName":"<user>","policyArn":"<policy_arn>"}"#;
    "iam": put_user_policy(user, policy, document) = "PutUserPolicy", ask: r#"{"userName":"<user>","policyName":"<policy>","policyDocument":"<document>"}"#;
    "iam": create_role(role, document, role_id) = "CreateRole", ask: r#"{"path":"/","roleName":"<role>","assumeRolePolicyDocument":"<document>","maxSessionDuration":3600,"tags":[{"key":"Team","value":"platform"}]}"#,
        answer: r#"{"role":{"path":"/","roleName":"<role>","roleId":"<role_id>","arn":"arn:aws:iam::<account>:role/<role>","createDate":"<now>","assumeRolePolicyDocument":"<document>","tags":[{"key":"Team","value":"platform"}]}}"#;
    "iam": get_role(role) = "GetRole", ask: r#"{"roleName":"<role>"}"#;
    "iam": delete_role(role) = "DeleteRole", ask: r#"{"roleName":"<role>"}"#;
    "iam": list_role_policies(role) = "ListRolePolicies", ask: r#"{"roleName":"<role>"}"#;
    "iam": list_attached_role_policies(role) = "ListAttachedRolePolicies", ask: r#"{"roleName":"<role>"}"#;
    "iam": list_instance_profiles_for_role(role) = "ListInstanceProfilesForRole", ask: r#"{"roleName":"<role>"}"#;
    "iam": attach_role_policy(role, policy_arn) = "AttachRolePolicy", ask: r#"{"roleName":"<role>","policyArn":"<policy_arn>"}"#;
    "iam": detach_role_policy(role, policy_arn) = "DetachRolePolicy", ask: r#"{"roleName":"<role>","policyArn":"<policy_arn>"}"#;
    "iam": put_role_policy(role, policy, document) = "PutRolePolicy", ask: r#"{"roleName":"<role>","policyName":"<policy>","policyDocument":"<document>"}"#;
    "iam": get_role_policy(role, policy) = "GetRolePolicy", ask: r#"{"roleName":"<role>","policyName":"<policy>"}"#;
    "iam": delete_role_policy(role, policy) = "DeleteRolePolicy", ask: r#"{"roleName":"<role>","policyName":"<policy>"}"#;
    "iam": update_assume_role_policy(role, document) = "UpdateAssumeRolePolicy", ask: r#"{"roleName":"<role>","policyDocument":"<document>"}"#;
    "iam": create_policy(policy, document) = "CreatePolicy", ask: r#"{"policyName":"<policy>","policyDocument":"<document>"}"#,
        answer: r#"{"policy":{"policyName":"<policy>","policyId":"ANPA<capitals>","arn":"arn:aws:iam::<account>:policy/<policy>","path":"/","defaultVersionId":"v1","attachmentCount":0,"permissionsBoundaryUsageCount":0,"isAttachable":true,"createDate":"<now>","updateDate":"<now>"}}"#;
    "iam": get_policy(policy_arn) = "GetPolicy", ask: r#"{"policyArn":"<policy_arn>"}"#;
    "iam": get_policy_version(policy_arn, version) = "GetPolicyVersion", ask: r#"{"policyArn":"<policy_arn>","versionId":"<version>"}"#;
    "iam": delete_policy(policy_arn) = "DeletePolicy", ask: r#"{"policyArn":"<policy_arn>"}"#;
    "iam": create_instance_profile(profile) = "CreateInstanceProfile", ask: r#"{"instanceProfileName":"<profile>","path":"/","tags":[{"key":"Team","value":"platform"}]}"#,
        answer: r#"{"instanceProfile":{"path":"/","instanceProfileName":"<profile>","instanceProfileId":"AIPA<capitals>","arn":"arn:aws:iam::<account>:instance-profile/<profile>","createDate":"<now>","roles":[],"tags":[{"key":"Team","value":"platform"}]}}"#;
    "iam": get_instance_profile(profile) = "GetInstanceProfile", ask: r#"{"instanceProfileName":"<profile>"}"#;
    "iam": delete_instance_profile(profile) = "DeleteInstanceProfile", ask: r#"{"instanceProfileName":"<profile>"}"#;
    "iam": add_role_to_instance_profile(profile, role) = "AddRoleToInstanceProfile", ask: r#"{"instanceProfileName":"<profile>","roleName":"<role>"}"#;
    "iam": remove_role_from_instance_profile(profile, role) = "RemoveRoleFromInstanceProfile", ask: r#"{"instanceProfileName":"<profile>","roleName":"<role>"}"#;
}
