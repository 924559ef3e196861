//! What single APIs can do, where their verb does not tell it or the class must not hang on it: a
//! judgement of our own, after what intruders were seen to use and after the examples of GuardDuty.

use baseline::Impact::{
    self, Access, Credential, Destruction, Discovery, Evasion, Exfiltration, Persistence,
    Privilege, Read, Write,
};

/// APIs of one service and class, apart by spaces.
pub(super) type Names = (&'static str, Impact, &'static str);

/// In the order of services, classes and names.
#[rustfmt::skip]
pub(super) const TABLE: &[Names] = &[
    ("access-analyzer", Evasion, "\
        ApplyArchiveRule CreateArchiveRule DeleteAnalyzer UpdateArchiveRule UpdateFindings"),
    ("account", Persistence, "PutAlternateContact StartPrimaryEmailUpdate"),
    ("account", Evasion, "DeleteAlternateContact EnableRegion"),
    ("account", Destruction, "CloseAccount"),
    ("acm", Credential, "ExportCertificate"),
    ("acm-pca", Persistence, "IssueCertificate"),
    ("agreement-marketplace", Discovery, "SearchAgreements"),
    ("agreement-marketplace", Destruction, "AcceptAgreementRequest"),
    ("aoss", Discovery, "ListAccessPolicies ListCollections"),
    ("apigateway", Credential, "GetApiKey GetApiKeys"),
    ("apigateway", Persistence, "CreateApi CreateApiKey CreateIntegration CreateRoute CreateStage"),
    ("apigateway", Destruction, "DeleteApi DeleteRestApi"),
    ("appsync", Persistence, "CreateApiKey UpdateResolver"),
    ("athena", Read, "GetQueryResults StartQueryExecution"),
    ("auditmanager", Evasion, "DeregisterAccount"),
    ("autoscaling", Access, "CreateAutoScalingGroup"),
    ("autoscaling", Destruction, "DeleteAutoScalingGroup"),
    ("backup", Evasion, "DeleteFramework DeleteReportPlan"),
    ("backup", Exfiltration, "PutBackupVaultAccessPolicy StartCopyJob"),
    ("backup", Destruction, "\
        DeleteBackupPlan DeleteBackupSelection DeleteBackupVault \
        DeleteBackupVaultLockConfiguration DeleteRecoveryPoint DisassociateRecoveryPoint \
        DisassociateRecoveryPointFromParent StopBackupJob UpdateRecoveryPointLifecycle \
        UpdateRegionSettings"),
    ("batch", Access, "SubmitJob"),
    ("bedrock", Read, "Retrieve RetrieveAndGenerate"),
    ("bedrock", Discovery, "\
        GetFoundationModelAvailability GetKnowledgeBase GetModelInvocationLoggingConfiguration \
        GetUseCaseForModelAccess ListAgents ListCustomModels ListFoundationModelAgreementOffers \
        ListFoundationModels ListInferenceProfiles ListKnowledgeBases ListModelInvocationJobs \
        ListProvisionedModelThroughputs"),
    ("bedrock", Access, "InvokeAgent InvokeFlow InvokeInlineAgent"),
    ("bedrock", Evasion, "\
        DeleteEnforcedGuardrailConfiguration DeleteGuardrail \
        DeleteModelInvocationLoggingConfiguration PutEnforcedGuardrailConfiguration \
        PutModelInvocationLoggingConfiguration UpdateGuardrail"),
    ("bedrock", Destruction, "\
        Converse ConverseStream CreateFoundationModelAgreement CreateMarketplaceModelAgreement \
        CreateMarketplaceModelEndpoint CreateModelInvocationJob CreateProvisionedModelThroughput \
        InvokeModel InvokeModelWithBidirectionalStream InvokeModelWithResponseStream \
        PutFoundationModelEntitlement PutUseCaseForModelAccess"),
    ("budgets", Evasion, "DeleteBudget DeleteBudgetAction ModifyBudget"),
    ("ce", Discovery, "GetCostAndUsage GetCostForecast"),
    ("ce", Evasion, "DeleteAnomalyMonitor DeleteAnomalySubscription UpdateAnomalySubscription"),
    ("cloudformation", Write, "CreateStack"),
    ("cloudformation", Destruction, "DeleteStack DeleteStackInstances"),
    ("cloudfront", Destruction, "DeleteDistribution"),
    ("cloudshell", Access, "CreateEnvironment CreateSession PutCredentials StartEnvironment"),
    ("cloudtrail", Discovery, "LookupEvents"),
    ("cloudtrail", Evasion, "\
        DeleteChannel DeleteEventDataStore DeleteTrail DeregisterOrganizationDelegatedAdmin \
        DisableFederation PutEventSelectors PutInsightSelectors StopEventDataStoreIngestion \
        StopLogging UpdateEventDataStore UpdateTrail"),
    ("codeartifact", Access, "GetAuthorizationToken"),
    ("codeartifact", Exfiltration, "PutDomainPermissionsPolicy PutRepositoryPermissionsPolicy"),
    ("codebuild", Access, "StartBuild StartBuildBatch"),
    ("codebuild", Persistence, "ImportSourceCredentials"),
    ("codebuild", Exfiltration, "UpdateProjectVisibility"),
    ("codecommit", Read, "GetBlob GetFile GetFolder GitPull"),
    ("codecommit", Destruction, "DeleteRepository"),
    ("codestar", Privilege, "AssociateTeamMember CreateProject"),
    ("codestar-connections", Persistence, "CreateConnection"),
    ("cognito-identity", Access, "GetCredentialsForIdentity GetOpenIdToken"),
    ("cognito-idp", Access, "AdminInitiateAuth InitiateAuth"),
    ("cognito-idp", Persistence, "AdminCreateUser AdminSetUserPassword"),
    ("cognito-idp", Destruction, "DeleteUserPool"),
    ("config", Evasion, "\
        DeleteConfigRule DeleteConfigurationAggregator DeleteConfigurationRecorder \
        DeleteConformancePack DeleteDeliveryChannel DeleteOrganizationConfigRule \
        DeleteRemediationConfiguration DeleteRetentionConfiguration PutConfigurationRecorder \
        PutRetentionConfiguration StopConfigurationRecorder"),
    ("connect", Access, "GetFederationToken"),
    ("controltower", Evasion, "DisableControl"),
    ("datapipeline", Privilege, "CreatePipeline PutPipelineDefinition"),
    ("datasync", Exfiltration, "CreateTask StartTaskExecution"),
    ("detective", Evasion, "DeleteGraph DeleteMembers DisassociateMembership"),
    ("discovery-marketplace", Discovery, "GetListingView SearchListings"),
    ("dsql", Credential, "GenerateDbConnectAdminAuthToken GenerateDbConnectAuthToken"),
    ("dynamodb", Read, "\
        BatchExecuteStatement BatchGetItem ExecuteStatement GetItem GetRecords Query Scan \
        TransactGetItems"),
    ("dynamodb", Exfiltration, "ExportTableToPointInTime"),
    ("dynamodb", Destruction, "DeleteBackup DeleteItem DeleteTable UpdateContinuousBackups"),
    ("ebs", Exfiltration, "GetSnapshotBlock"),
    ("ec2", Read, "GetConsoleOutput GetConsoleScreenshot"),
    ("ec2", Discovery, "\
        DescribeAccountAttributes DescribeAvailabilityZones DescribeBundleTasks \
        DescribeCarrierGateways DescribeClientVpnRoutes DescribeDhcpOptions DescribeFlowLogs \
        DescribeHosts DescribeImages DescribeInstanceAttribute DescribeInstanceStatus \
        DescribeInstanceTypes DescribeInstances DescribeInternetGateways DescribeKeyPairs \
        DescribeLaunchTemplates DescribeNetworkInterfaces DescribeRegions DescribeRouteTables \
        DescribeSecurityGroups DescribeSnapshotAttribute DescribeSnapshotTierStatus \
        DescribeSnapshots DescribeSubnets DescribeTags DescribeTransitGatewayMulticastDomains \
        DescribeVolumeStatus DescribeVolumes DescribeVolumesModifications \
        DescribeVpcEndpointConnectionNotifications DescribeVpcs GetEbsDefaultKmsKeyId \
        GetEbsEncryptionByDefault GetFlowLogsIntegrationTemplate GetLaunchTemplateData \
        GetTransitGatewayRouteTableAssociations"),
    ("ec2", Write, "\
        AttachVolume CreateDefaultVpc CreateLaunchTemplate CreateSecurityGroup CreateVolume \
        StartInstances StopInstances"),
    ("ec2", Access, "CreateFleet RequestSpotFleet RequestSpotInstances RunInstances"),
    ("ec2", Credential, "GetPasswordData"),
    ("ec2", Privilege, "AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation"),
    ("ec2", Persistence, "\
        AuthorizeSecurityGroupIngress CreateKeyPair CreateNetworkAclEntry CreateVpnConnection \
        EnableSerialConsoleAccess ImportKeyPair ModifyInstanceAttribute ModifyLaunchTemplate \
        ModifySecurityGroupRules ReplaceNetworkAclEntry"),
    ("ec2", Evasion, "\
        DeleteFlowLogs DisableEbsEncryptionByDefault DisableImageBlockPublicAccess \
        DisableSnapshotBlockPublicAccess ModifyInstanceMetadataOptions"),
    ("ec2", Exfiltration, "\
        AuthorizeSecurityGroupEgress CopyImage CopySnapshot CreateImage CreateInstanceExportTask \
        CreateSnapshot CreateSnapshots CreateStoreImageTask CreateTrafficMirrorFilter \
        CreateTrafficMirrorFilterRule CreateTrafficMirrorSession CreateTrafficMirrorTarget \
        ExportImage ModifyImageAttribute ModifySnapshotAttribute ModifyTrafficMirrorSession \
        SharedSnapshotCopyInitiated SharedSnapshotVolumeCreated"),
    ("ec2", Destruction, "\
        DeleteInternetGateway DeleteNatGateway DeleteRoute DeleteSecurityGroup DeleteSnapshot \
        DeleteSubnet DeleteVolume DeleteVpc DeregisterImage DetachInternetGateway \
        TerminateInstances"),
    ("ec2-instance-connect", Access, "OpenTunnel SendSSHPublicKey SendSerialConsoleSSHPublicKey"),
    ("ecr", Read, "BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer"),
    ("ecr", Discovery, "DescribeImages DescribeRepositories"),
    ("ecr", Access, "GetAuthorizationToken"),
    ("ecr", Exfiltration, "PutRegistryPolicy PutReplicationConfiguration SetRepositoryPolicy"),
    ("ecr", Destruction, "BatchDeleteImage DeleteRepository"),
    ("ecr-public", Exfiltration, "SetRepositoryPolicy"),
    ("ecs", Write, "CreateCluster"),
    ("ecs", Access, "CreateService ExecuteCommand RunTask StartTask"),
    ("ecs", Persistence, "RegisterTaskDefinition"),
    ("ecs", Destruction, "DeleteCluster DeleteService"),
    ("eks", Discovery, "DescribeCluster ListClusters"),
    ("eks", Access, "AccessKubernetesApi"),
    ("eks", Privilege, "AssociateAccessPolicy CreateAccessEntry UpdateAccessEntry"),
    ("eks", Evasion, "UpdateClusterConfig"),
    ("eks", Destruction, "DeleteCluster DeleteNodegroup"),
    ("elasticache", Destruction, "DeleteCacheCluster DeleteReplicationGroup DeleteSnapshot"),
    ("elasticbeanstalk", Destruction, "TerminateEnvironment"),
    ("elasticfilesystem", Exfiltration, "PutFileSystemPolicy"),
    ("elasticfilesystem", Destruction, "DeleteFileSystem DeleteMountTarget"),
    ("elasticloadbalancing", Destruction, "DeleteLoadBalancer"),
    ("elasticmapreduce", Access, "AddJobFlowSteps RunJobFlow"),
    ("elasticmapreduce", Destruction, "TerminateJobFlows"),
    ("es", Destruction, "DeleteDomain DeleteElasticsearchDomain"),
    ("events", Persistence, "PutPermission PutRule PutTargets"),
    ("events", Evasion, "DeleteRule DisableRule RemoveTargets"),
    ("firehose", Destruction, "DeleteDeliveryStream"),
    ("fms", Evasion, "DeletePolicy"),
    ("fsx", Destruction, "DeleteBackup DeleteFileSystem DeleteVolume"),
    ("glacier", Discovery, "ListVaults"),
    ("glacier", Exfiltration, "SetVaultAccessPolicy"),
    ("glacier", Destruction, "DeleteArchive DeleteVault"),
    ("glue", Access, "StartJobRun"),
    ("glue", Privilege, "CreateDevEndpoint UpdateDevEndpoint"),
    ("glue", Destruction, "DeleteDatabase DeleteTable"),
    ("guardduty", Discovery, "GetDetector GetFindings ListDetectors ListFindings"),
    ("guardduty", Evasion, "\
        ArchiveFindings CreateFilter CreateIPSet DeleteDetector DeleteFilter DeleteInvitations \
        DeleteMembers DeletePublishingDestination DeleteThreatIntelSet \
        DisableOrganizationAdminAccount DisassociateFromAdministratorAccount \
        DisassociateFromMasterAccount DisassociateMembers StopMonitoringMembers UpdateDetector \
        UpdateFilter UpdateIPSet UpdateMemberDetectors UpdatePublishingDestination \
        UpdateThreatIntelSet"),
    ("health", Discovery, "DescribeEventAggregates DescribeEvents"),
    ("iam", Discovery, "\
        GenerateCredentialReport GenerateServiceLastAccessedDetails GetLoginProfile \
        GetRolePolicy GetUser ListAccessKeys ListAccountAliases ListAttachedRolePolicies \
        ListAttachedUserPolicies ListGroups ListGroupsForUser ListInstanceProfiles \
        ListOpenIDConnectProviders ListRolePolicies ListRoles ListSAMLProviders \
        ListSSHPublicKeys ListServiceSpecificCredentials ListSigningCertificates \
        ListUserPolicies ListUsers SimulateCustomPolicy SimulatePrincipalPolicy"),
    ("iam", Write, "CreatePolicy CreateServiceLinkedRole"),
    ("iam", Privilege, "\
        AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy \
        AttachUserPolicy CreatePolicyVersion DeleteGroupPolicy DeleteRolePermissionsBoundary \
        DeleteRolePolicy DeleteUserPermissionsBoundary DeleteUserPolicy DetachGroupPolicy \
        DetachRolePolicy DetachUserPolicy EnableOrganizationsRootCredentialsManagement \
        EnableOrganizationsRootSessions PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy \
        PutUserPermissionsBoundary PutUserPolicy SetDefaultPolicyVersion"),
    ("iam", Persistence, "\
        AddClientIDToOpenIDConnectProvider ChangePassword CreateAccessKey CreateLoginProfile \
        CreateOpenIDConnectProvider CreateRole CreateSAMLProvider \
        CreateServiceSpecificCredential CreateUser CreateVirtualMFADevice DeactivateMFADevice \
        EnableMFADevice EnableOutboundWebIdentityFederation ResetServiceSpecificCredential \
        UpdateAccessKey UpdateAssumeRolePolicy UpdateLoginProfile \
        UpdateOpenIDConnectProviderThumbprint UpdateSAMLProvider UploadSSHPublicKey \
        UploadSigningCertificate"),
    ("iam", Evasion, "DeleteAccountPasswordPolicy UpdateAccountPasswordPolicy"),
    ("iam", Destruction, "\
        DeleteAccessKey DeleteLoginProfile DeleteOpenIDConnectProvider DeleteRole \
        DeleteSAMLProvider DeleteUser UpdateUser"),
    ("identitystore", Privilege, "CreateGroupMembership"),
    ("identitystore", Persistence, "CreateUser"),
    ("inspector2", Evasion, "\
        CreateFilter Disable DisableDelegatedAdminAccount DisassociateMember UpdateFilter"),
    ("iot", Persistence, "CreateKeysAndCertificate"),
    ("kinesis", Read, "GetRecords GetShardIterator SubscribeToShard"),
    ("kinesis", Destruction, "DeleteStream"),
    ("kms", Read, "\
        Decrypt DeriveSharedSecret Encrypt GenerateDataKey GenerateDataKeyPair \
        GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac \
        GenerateRandom GetPublicKey ReEncrypt Sign Verify VerifyMac"),
    ("kms", Discovery, "GetKeyPolicy GetKeyRotationStatus GetParametersForImport"),
    ("kms", Write, "\
        CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateKey DeleteAlias EnableKey \
        EnableKeyRotation ImportKeyMaterial ReplicateKey RetireGrant RevokeGrant \
        RotateKeyOnDemand TagResource UntagResource UpdateAlias UpdateKeyDescription"),
    ("kms", Privilege, "CreateGrant"),
    ("kms", Evasion, "DisableKeyRotation"),
    ("kms", Destruction, "\
        DeleteImportedKeyMaterial DisableKey DisconnectCustomKeyStore PutKeyPolicy \
        ScheduleKeyDeletion"),
    ("lakeformation", Privilege, "BatchGrantPermissions GrantPermissions PutDataLakeSettings"),
    ("lambda", Discovery, "GetFunction GetFunctionConfiguration ListFunctions"),
    ("lambda", Access, "Invoke"),
    ("lambda", Persistence, "\
        AddLayerVersionPermission AddPermission CreateEventSourceMapping CreateFunction \
        CreateFunctionUrlConfig UpdateEventSourceMapping UpdateFunctionCode \
        UpdateFunctionConfiguration UpdateFunctionUrlConfig"),
    ("lambda", Destruction, "DeleteFunction"),
    ("lightsail", Access, "CreateInstances"),
    ("lightsail", Credential, "DownloadDefaultKeyPair GetInstanceAccessDetails"),
    ("lightsail", Destruction, "DeleteInstance"),
    ("logs", Read, "\
        FilterLogEvents GetLogEvents GetLogRecord GetQueryResults StartLiveTail StartQuery"),
    ("logs", Discovery, "DescribeLogGroups DescribeLogStreams DescribeSubscriptionFilters"),
    ("logs", Write, "CreateLogStream PutLogEvents"),
    ("logs", Evasion, "\
        DeleteAccountPolicy DeleteDataProtectionPolicy DeleteDelivery DeleteDeliveryDestination \
        DeleteDeliverySource DeleteDestination DeleteLogGroup DeleteLogStream DeleteMetricFilter \
        DeleteSubscriptionFilter PutRetentionPolicy"),
    ("logs", Exfiltration, "CreateExportTask PutDestinationPolicy PutSubscriptionFilter"),
    ("macie", Evasion, "UpdateMacieSession"),
    ("macie2", Evasion, "\
        CreateFindingsFilter DeleteCustomDataIdentifier DeleteFindingsFilter DeleteMember \
        DisableMacie DisableOrganizationAdminAccount DisassociateFromAdministratorAccount \
        DisassociateFromMasterAccount DisassociateMember UpdateAutomatedDiscoveryConfiguration \
        UpdateFindingsFilter UpdateMacieSession"),
    ("monitoring", Discovery, "DescribeAlarms DescribeAlarmsForMetric"),
    ("monitoring", Evasion, "\
        DeleteAlarms DeleteInsightRules DeleteMetricStream DisableAlarmActions \
        DisableInsightRules SetAlarmState StopMetricStreams"),
    ("network-firewall", Evasion, "\
        DeleteFirewall DeleteFirewallPolicy DeleteRuleGroup DeleteTLSInspectionConfiguration \
        DisassociateSubnets UpdateFirewallDeleteProtection UpdateFirewallPolicyChangeProtection \
        UpdateLoggingConfiguration UpdateSubnetChangeProtection"),
    ("organizations", Discovery, "\
        DescribeOrganization ListAccounts ListOrganizationalUnitsForParent"),
    ("organizations", Privilege, "RegisterDelegatedAdministrator"),
    ("organizations", Persistence, "AcceptHandshake CreateAccount InviteAccountToOrganization"),
    ("organizations", Evasion, "\
        DeletePolicy DeregisterDelegatedAdministrator DetachPolicy DisableAWSServiceAccess \
        DisablePolicyType LeaveOrganization MoveAccount RemoveAccountFromOrganization \
        UpdatePolicy"),
    ("organizations", Destruction, "CloseAccount"),
    ("ram", Exfiltration, "AssociateResourceShare CreateResourceShare"),
    ("rds", Discovery, "\
        DescribeBlueGreenDeployments DescribeDBClusters DescribeDBEngineVersions \
        DescribeDBInstances DescribeDBProxies DescribeDBSnapshots DescribeDBSubnetGroups \
        DescribeExportTasks DescribeGlobalClusters DescribeOrderableDBInstanceOptions \
        DescribePendingMaintenanceActions DescribeValidDBInstanceModifications"),
    ("rds", Credential, "GenerateDbAuthToken"),
    ("rds", Privilege, "AddRoleToDBCluster AddRoleToDBInstance"),
    ("rds", Persistence, "AuthorizeDBSecurityGroupIngress ModifyDBCluster ModifyDBInstance"),
    ("rds", Evasion, "ModifyActivityStream StopActivityStream"),
    ("rds", Exfiltration, "\
        CopyDBClusterSnapshot CopyDBSnapshot CreateDBClusterSnapshot CreateDBSnapshot \
        DownloadCompleteDBLogFile DownloadDBLogFilePortion ModifyDBClusterSnapshotAttribute \
        ModifyDBSnapshotAttribute RestoreDBClusterFromSnapshot RestoreDBClusterToPointInTime \
        RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime StartExportTask"),
    ("rds", Destruction, "\
        DeleteDBCluster DeleteDBClusterAutomatedBackup DeleteDBClusterSnapshot DeleteDBInstance \
        DeleteDBInstanceAutomatedBackup DeleteDBSnapshot DeleteGlobalCluster"),
    ("rds-data", Read, "BatchExecuteStatement ExecuteStatement"),
    ("redshift", Credential, "GetClusterCredentials GetClusterCredentialsWithIAM"),
    ("redshift", Privilege, "ModifyClusterIamRoles"),
    ("redshift", Evasion, "DisableLogging"),
    ("redshift", Exfiltration, "\
        AuthorizeDataShare AuthorizeSnapshotAccess CopyClusterSnapshot CreateClusterSnapshot \
        EnableSnapshotCopy RestoreFromClusterSnapshot"),
    ("redshift", Destruction, "DeleteCluster DeleteClusterSnapshot"),
    ("redshift-data", Read, "BatchExecuteStatement ExecuteStatement GetStatementResult"),
    ("redshift-serverless", Credential, "GetCredentials"),
    ("resource-explorer-2", Discovery, "Search"),
    ("rolesanywhere", Persistence, "\
        CreateProfile CreateTrustAnchor EnableTrustAnchor UpdateProfile UpdateTrustAnchor"),
    ("route53", Write, "ChangeResourceRecordSets CreateHostedZone"),
    ("route53", Evasion, "DeleteQueryLoggingConfig"),
    ("route53", Destruction, "DeleteHostedZone"),
    ("route53domains", Destruction, "\
        DeleteDomain DisableDomainTransferLock RegisterDomain TransferDomain"),
    ("route53resolver", Evasion, "\
        DeleteFirewallDomainList DeleteFirewallRule DeleteFirewallRuleGroup \
        DeleteResolverQueryLogConfig DisassociateFirewallRuleGroup \
        DisassociateResolverQueryLogConfig UpdateFirewallConfig UpdateFirewallRule \
        UpdateFirewallRuleGroupAssociation"),
    ("s3", Read, "\
        CopyObject GetObject GetObjectAttributes GetObjectTorrent HeadObject SelectObjectContent \
        UploadPartCopy"),
    ("s3", Discovery, "\
        GetBucketAccelerateConfiguration GetBucketAcl GetBucketLifecycle GetBucketLocation \
        GetBucketLogging GetBucketOwnershipControls GetBucketPolicy GetBucketReplication \
        GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetObjectLockConfiguration \
        GetPublicAccessBlock HeadBucket ListBuckets ListObjects ListObjectsV2"),
    ("s3", Write, "PutObject"),
    ("s3", Evasion, "PutBucketLogging"),
    ("s3", Exfiltration, "CreateJob PutBucketReplication"),
    ("s3", Destruction, "\
        DeleteAccountPublicAccessBlock DeleteBucket DeleteBucketEncryption DeleteBucketPolicy \
        DeleteBucketPublicAccessBlock DeleteObject DeleteObjects PutAccessPointPolicy \
        PutAccountPublicAccessBlock PutBucketAcl PutBucketEncryption PutBucketLifecycle \
        PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy \
        PutBucketPublicAccessBlock PutBucketVersioning PutMultiRegionAccessPointPolicy \
        PutObjectAcl PutObjectLegalHold PutObjectLockConfiguration PutObjectRetention"),
    ("sagemaker", Read, "InvokeEndpoint"),
    ("sagemaker", Discovery, "ListEndpoints ListModels ListTrainingJobs"),
    ("sagemaker", Access, "\
        CreateNotebookInstance CreatePresignedDomainUrl CreatePresignedNotebookInstanceUrl \
        CreateProcessingJob CreateTrainingJob"),
    ("sagemaker", Persistence, "\
        CreateNotebookInstanceLifecycleConfig UpdateNotebookInstanceLifecycleConfig"),
    ("secretsmanager", Discovery, "DescribeSecret ListSecrets"),
    ("secretsmanager", Credential, "BatchGetSecretValue GetSecretValue"),
    ("secretsmanager", Destruction, "DeleteSecret"),
    ("securityhub", Evasion, "\
        BatchDeleteAutomationRules BatchDisableStandards BatchUpdateAutomationRules \
        BatchUpdateFindings BatchUpdateFindingsV2 BatchUpdateStandardsControlAssociations \
        CreateAutomationRule DeleteActionTarget DeleteFindingAggregator DeleteInsight \
        DeleteMembers DisableImportFindingsForProduct DisableOrganizationAdminAccount \
        DisableSecurityHub DisassociateFromAdministratorAccount DisassociateFromMasterAccount \
        DisassociateMembers UpdateInsight UpdateSecurityControl UpdateStandardsControl"),
    ("securitylake", Evasion, "\
        DeleteAwsLogSource DeleteDataLake DeleteDataLakeOrganizationConfiguration"),
    ("servicecatalog-appregistry", Discovery, "ListApplications"),
    ("servicequotas", Discovery, "GetServiceQuota ListServiceQuotas"),
    ("servicequotas", Destruction, "RequestServiceQuotaIncrease"),
    ("ses", Discovery, "\
        GetAccount GetAccountSendingEnabled GetIdentityVerificationAttributes GetSendQuota \
        ListEmailIdentities ListIdentities"),
    ("ses", Destruction, "\
        CreateEmailIdentity DeleteEmailIdentity DeleteIdentity PutAccountDetails SendBulkEmail \
        SendBulkTemplatedEmail SendEmail SendRawEmail SendTemplatedEmail \
        UpdateAccountSendingEnabled VerifyDomainDkim VerifyDomainIdentity VerifyEmailIdentity"),
    ("shield", Evasion, "\
        DeleteProtection DeleteProtectionGroup DeleteSubscription \
        DisableApplicationLayerAutomaticResponse DisableProactiveEngagement DisassociateDRTRole"),
    ("signin", Access, "\
        CheckMfa ConsoleLogin CredentialChallenge CredentialVerification ExitRole GetSigninToken \
        PasswordRecoveryRequested RenewRole SwitchRole UserAuthentication"),
    ("signin", Persistence, "PasswordRecoveryCompleted PasswordUpdated"),
    ("sns", Discovery, "GetSMSAttributes GetSMSSandboxAccountStatus"),
    ("sns", Write, "Publish"),
    ("sns", Exfiltration, "Subscribe"),
    ("sns", Destruction, "DeleteTopic"),
    ("sqs", Read, "ReceiveMessage"),
    ("sqs", Destruction, "DeleteQueue PurgeQueue"),
    ("ssm", Discovery, "DescribeInstanceInformation"),
    ("ssm", Access, "ResumeSession SendCommand StartAutomationExecution StartSession"),
    ("ssm", Credential, "GetParameter GetParameterHistory GetParameters GetParametersByPath"),
    ("ssm", Persistence, "CreateActivation CreateAssociation UpdateAssociation"),
    ("ssm", Exfiltration, "ModifyDocumentPermission"),
    ("ssm", Destruction, "DeleteParameter DeleteParameters"),
    ("sso", Access, "Authenticate CreateToken Federate GetRoleCredentials"),
    ("sso", Privilege, "\
        AttachCustomerManagedPolicyReferenceToPermissionSet AttachManagedPolicyToPermissionSet \
        CreateAccountAssignment DeletePermissionsBoundaryFromPermissionSet \
        PutInlinePolicyToPermissionSet"),
    ("sso", Persistence, "\
        CreateTrustedTokenIssuer StartSSO UpdateSsoConfiguration UpdateTrustedTokenIssuer"),
    ("sso-directory", Write, "CreateGroup"),
    ("sso-directory", Privilege, "AddMemberToGroup"),
    ("sso-directory", Persistence, "CreateUser"),
    ("states", Access, "StartExecution"),
    ("sts", Discovery, "DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity"),
    ("sts", Access, "\
        AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity GetServiceBearerToken"),
    ("sts", Credential, "GetSessionToken GetWebIdentityToken"),
    ("sts", Privilege, "AssumeRoot"),
    ("sts", Persistence, "GetFederationToken"),
    ("support", Write, "CreateCase"),
    ("transfer", Persistence, "ImportSshPublicKey"),
    ("transfer", Exfiltration, "CreateServer CreateUser StartFileTransfer"),
    ("vpc-lattice", Evasion, "DeleteAccessLogSubscription DeleteAuthPolicy"),
    ("waf", Evasion, "\
        DeleteIPSet DeleteLoggingConfiguration DeleteRuleGroup DeleteWebACL UpdateIPSet \
        UpdateWebACL"),
    ("waf-regional", Evasion, "\
        DeleteIPSet DeleteLoggingConfiguration DeleteRuleGroup DeleteWebACL DisassociateWebACL \
        UpdateIPSet UpdateWebACL"),
    ("wafv2", Evasion, "\
        DeleteIPSet DeleteLoggingConfiguration DeleteRuleGroup DeleteWebACL DisassociateWebACL \
        UpdateIPSet UpdateWebACL"),
    ("workspaces", Destruction, "TerminateWorkspaces"),
];
