//! EC2: instances, images, volumes and snapshots.

use super::At;
use crate::aws::call::Call;
use crate::calls;
use crate::json::{Json, fixed};
use crate::object;
use crate::rng::Rng;

calls! {
    "ec2": describe_instances() = "DescribeInstances", ask: r#"{"maxResults":1000,"instancesSet":{},"filterSet":{}}"#;
    "ec2": describe_instance(instance) = "DescribeInstances", ask: r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]},"filterSet":{}}"#;
    "ec2": describe_instance_attribute(instance, attribute) = "DescribeInstanceAttribute", ask: r#"{"instanceId":"<instance>","attribute":"<attribute>"}"#;
    "ec2": describe_images() = "DescribeImages", ask: r#"{"executableBySet":{},"maxResults":1000,"ownersSet":{},"imagesSet":{},"filterSet":{}}"#;
    "ec2": describe_snapshots() = "DescribeSnapshots", ask: r#"{"maxResults":1000,"snapshotSet":{},"ownersSet":{"items":[{"owner":"<account>"}]},"sharedUsersSet":{},"filterSet":{}}"#;
    "ec2": describe_volumes() = "DescribeVolumes", ask: r#"{"maxResults":1000,"volumeSet":{},"filterSet":{}}"#;
    "ec2": describe_regions() = "DescribeRegions", ask: r#"{"regionSet":{},"allRegions":true}"#;
    "ec2": describe_account_attributes() = "DescribeAccountAttributes", ask: r#"{"accountAttributeNameSet":{},"filterSet":{}}"#;
    "ec2": terminate_instances(instance) = "TerminateInstances", ask: r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#,
        answer: r#"{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}"#;
    "ec2": start_instances(instance) = "StartInstances", ask: r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#,
        answer: r#"{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":0,"name":"pending"},"previousState":{"code":80,"name":"stopped"}}]}}"#;
    "ec2": stop_instances(instance) = "StopInstances", ask: r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]},"force":false}"#,
        answer: r#"{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":64,"name":"stopping"},"previousState":{"code":16,"name":"running"}}]}}"#;
    "ec2": create_tags(thing, key, value) = "CreateTags", ask: r#"{"resourcesSet":{"items":[{"resourceId":"<thing>"}]},"tagSet":{"items":[{"key":"<key>","value":"<value>"}]}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": create_volume(zone, volume) = "CreateVolume", ask: r#"{"size":"20","zone":"<zone>","tagSpecificationSet":{"items":[{"resourceType":"volume","tags":[{"key":"Name","value":"data"}]}]},"clientToken":"<uuid>"}"#,
        answer: r#"{"requestId":"<uuid>","volumeId":"<volume>","size":"20","zone":"<zone>","status":"creating","createTime":<ms>,"volumeType":"gp2","iops":100,"encrypted":false,"tagSet":{"items":[{"key":"Name","value":"data"}]},"multiAttachEnabled":false}"#;
    "ec2": delete_volume(volume) = "DeleteVolume", ask: r#"{"volumeId":"<volume>","reportVolumeFailure":false}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": create_snapshot(volume, snapshot) = "CreateSnapshot", ask: r#"{"volumeId":"<volume>","tagSpecificationSet":{"items":[{"resourceType":"snapshot","tags":[{"key":"Name","value":"daily"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","snapshotId":"<snapshot>","volumeId":"<volume>","status":"pending","startTime":<ms>,"ownerId":"<account>","volumeSize":"20","encrypted":false,"tagSet":{"items":[{"key":"Name","value":"daily"}]}}"#;
    "ec2": delete_snapshot(snapshot) = "DeleteSnapshot", ask: r#"{"snapshotId":"<snapshot>","force":false}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": share_snapshot(snapshot, account_id) = "ModifySnapshotAttribute", ask: r#"{"snapshotId":"<snapshot>","createVolumePermission":{"add":{"items":[{"userId":"<account_id>"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}"#,
        answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": create_image(instance, name, image) = "CreateImage", ask: r#"{"instanceId":"<instance>","name":"<name>","noReboot":true,"blockDeviceMapping":{}}"#,
        answer: r#"{"requestId":"<uuid>","imageId":"<image>"}"#;
    "ec2": deregister_image(image) = "DeregisterImage", ask: r#"{"imageId":"<image>"}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": share_image(image, account_id) = "ModifyImageAttribute", ask: r#"{"imageId":"<image>","launchPermission":{"add":{"items":[{"userId":"<account_id>"}]}},"attributeType":"launchPermission"}"#,
        answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": modify_instance_attribute(instance) = "ModifyInstanceAttribute", ask: r#"{"instanceId":"<instance>","disableApiTermination":{"value":false}}"#,
        answer: r#"{"requestId":"<uuid>","_return":true}"#;
    "ec2": get_password_data(instance) = "GetPasswordData", ask: r#"{"instanceId":"<instance>"}"#;
    "ec2": create_key_pair(name) = "CreateKeyPair", ask: r#"{"keyName":"<name>","keyType":"rsa","keyFormat":"pem"}"#,
        answer: r#"{"requestId":"<uuid>","keyName":"<name>","keyFingerprint":"3c:10:9a:42:5e:77","keyPairId":"key-<id>","keyMaterial":"<removed>"}"#;
    "ec2": allocate_address(address) = "AllocateAddress", ask: r#"{"domain":"vpc","tagSpecificationSet":{"items":[{"resourceType":"elastic-ip","tags":[{"key":"Name","value":"nat"}]}]}}"#,
        answer: r#"{"requestId":"<uuid>","publicIp":"<address>","domain":"vpc","allocationId":"eipalloc-<id>","publicIpv4Pool":"amazon","networkBorderGroup":"<region>"}"#;
    "ec2-instance-connect": send_ssh_public_key(instance, user) = "SendSSHPublicKey", ask: r#"{"instanceId":"<instance>","instanceOSUser":"<user>","sSHPublicKey":"ssh-ed25519 <base64>"}"#,
        answer: r#"{"requestId":"<uuid>","success":true}"#;
}

/// What is started.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// `ami-...`
    pub image: &'a str,
    /// For example `t3.micro`.
    pub kind: &'a str,
    /// `subnet-...`
    pub subnet: &'a str,
    /// `sg-...`
    pub group: &'a str,
    /// Name of the instance profile; empty: none.
    pub profile: &'a str,
    /// `i-...` of the new instance.
    pub instance: &'a str,
}

fn question(launch: Launch<'_>, rng: &mut Rng) -> Json {
    let items = |item: Json| object! { "items": vec![item] };
    let mut pairs = vec![
        ("instancesSet", items(object! { "imageId": launch.image, "minCount": 1, "maxCount": 1 })),
        ("instanceType", Json::from(launch.kind)),
        ("blockDeviceMapping", object! {}),
        ("monitoring", object! { "enabled": false }),
        ("disableApiTermination", Json::Bool(false)),
        ("disableApiStop", Json::Bool(false)),
        ("clientToken", Json::from(rng.uuid())),
        (
            "networkInterfaceSet",
            items(object! {
                "deviceIndex": 0, "subnetId": launch.subnet,
                "groupSet": items(object! { "groupId": launch.group }),
            }),
        ),
    ];
    if !launch.profile.is_empty() {
        pairs.push(("iamInstanceProfile", object! { "name": launch.profile }));
    }
    pairs.push(("ebsOptimized", Json::Bool(false)));
    Json::Object(pairs)
}

fn instance(at: At<'_>, launch: Launch<'_>) -> Json {
    object! {
        "instanceId": launch.instance, "imageId": launch.image, "bootMode": "uefi-preferred",
        "currentInstanceBootMode": "uefi",
        "instanceState": object! { "code": 0, "name": "pending" },
        "privateDnsName": "ip-10-0-1-23.ec2.internal", "amiLaunchIndex": 0,
        "productCodes": object! {}, "instanceType": launch.kind, "launchTime": at.time_s * 1_000,
        "placement": object! { "availabilityZone": [at.region, "a"].concat(), "tenancy": "default" },
        "monitoring": object! { "state": "disabled" }, "subnetId": launch.subnet,
        "privateIpAddress": "10.0.1.23",
        "stateReason": object! { "code": "pending", "message": "pending" },
        "architecture": "x86_64", "rootDeviceType": "ebs", "rootDeviceName": "/dev/xvda",
        "blockDeviceMapping": object! {}, "virtualizationType": "hvm", "hypervisor": "xen",
        "sourceDestCheck": true, "ebsOptimized": false, "enaSupport": true,
    }
}

/// An instance is started.
pub fn run_instances(at: At<'_>, launch: Launch<'_>, rng: &mut Rng) -> Call {
    let answer = object! {
        "requestId": rng.uuid(), "reservationId": ["r-", &rng.hex(17)].concat(),
        "ownerId": at.account, "groupSet": object! {},
        "instancesSet": object! { "items": vec![instance(at, launch)] },
    };
    Call::new(at.time_s, at.region, "ec2", "RunInstances")
        .asking(question(launch, rng))
        .answered(answer)
}

/// Large instances that the account may not have: `Client.VcpuLimitExceeded`.
pub fn run_instances_beyond_limit(at: At<'_>, launch: Launch<'_>, rng: &mut Rng) -> Call {
    run_instances(at, launch, rng).refused(
        "Client.VcpuLimitExceeded",
        "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the \
         instance bucket that the specified instance type belongs to. Please visit \
         http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )
}

/// A call that would have worked, had it been meant.
pub fn dry_run(call: Call) -> Call {
    call.refused("Client.DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

/// The attribute that tells how an instance was set up, where credentials are looked for.
pub fn describe_user_data(at: At<'_>, instance: &str, rng: &mut Rng) -> Call {
    let call = describe_instance_attribute(at, instance, "userData", rng);
    call.asking(object! { "instanceId": instance, "attribute": fixed("userData") })
}
