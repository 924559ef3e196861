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
    "ec2": copy_snapshot(source_region, snapshot, copy) = "CopySnapshot", ask: r#"{"sourceRegion":"<source_region>","sourceSnapshotId":"<snapshot>","encrypted":true}"#,
        answer: r#"{"requestId":"<uuid>","snapshotId":"<copy>"}"#;
    "ec2": describe_snapshot(snapshot) = "DescribeSnapshots", ask: r#"{"snapshotSet":{"items":[{"snapshotId":"<snapshot>"}]},"ownersSet":{},"sharedUsersSet":{},"filterSet":{}}"#;
    "ec2": reboot_instances(instance) = "RebootInstances", ask: r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#, answer: r#"{"requestId":"<uuid>","_return":true}"#;
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
    /// `vpc-...`
    pub vpc: &'a str,
    /// `subnet-...`
    pub subnet: &'a str,
    /// The private address.
    pub address: &'a str,
    /// `sg-...`
    pub group: &'a str,
    /// Name of the instance profile; empty: none.
    pub profile: &'a str,
    /// `i-...` of the new instance.
    pub instance: &'a str,
}

/// `{"items":[item]}`, EC2's way to write a list.
fn items(item: Json) -> Json {
    object! { "items": vec![item] }
}

fn question(launch: Launch<'_>, token: &str) -> Json {
    let mut pairs = vec![
        ("instancesSet", items(object! { "imageId": launch.image, "minCount": 1, "maxCount": 1 })),
        ("instanceType", Json::from(launch.kind)),
        ("blockDeviceMapping", object! {}),
        ("monitoring", object! { "enabled": false }),
        ("disableApiTermination", Json::Bool(false)),
        ("disableApiStop", Json::Bool(false)),
        ("clientToken", Json::from(token)),
        (
            "networkInterfaceSet",
            items(object! {
                "deviceIndex": 0, "associatePublicIpAddress": false,
                "groupSet": items(object! { "groupId": launch.group }),
            }),
        ),
    ];
    if !launch.profile.is_empty() {
        pairs.push(("iamInstanceProfile", object! { "name": launch.profile }));
    }
    pairs.push(("ebsOptimized", Json::Bool(false)));
    pairs.push((
        "tagSpecificationSet",
        items(object! {
            "resourceType": "instance",
            "tags": vec![object! { "key": "Name", "value": "worker" }],
        }),
    ));
    Json::Object(pairs)
}

fn interface(at: At<'_>, launch: Launch<'_>, rng: &mut Rng) -> Json {
    let attachment = object! {
        "attachmentId": ["eni-attach-", &rng.hex(17)].concat(), "deviceIndex": 0,
        "networkCardIndex": 0, "status": "attaching", "attachTime": at.time_s * 1_000,
        "deleteOnTermination": true,
    };
    let address = object! { "privateIpAddress": launch.address, "primary": true };
    object! {
        "networkInterfaceId": ["eni-", &rng.hex(17)].concat(), "subnetId": launch.subnet,
        "vpcId": launch.vpc, "ownerId": at.account, "status": "in-use",
        "macAddress": "0a:58:0a:00:01:17", "privateIpAddress": launch.address,
        "sourceDestCheck": true, "interfaceType": "interface",
        "groupSet": items(object! { "groupId": launch.group }), "attachment": attachment,
        "privateIpAddressesSet": object! { "item": vec![address] },
        "ipv6AddressesSet": object! {}, "tagSet": object! {},
    }
}

/// What an instance has of its own, in the order of EC2.
fn instance(at: At<'_>, launch: Launch<'_>, token: &str, rng: &mut Rng) -> Json {
    let mut pairs = vec![
        ("instanceId", Json::from(launch.instance)),
        ("imageId", Json::from(launch.image)),
        ("currentInstanceBootMode", fixed("uefi")),
        ("instanceState", object! { "code": 0, "name": "pending" }),
        (
            "privateDnsName",
            Json::from(["ip-", &launch.address.replace('.', "-"), ".ec2.internal"].concat()),
        ),
        ("amiLaunchIndex", Json::Number(0)),
        ("productCodes", object! {}),
        ("instanceType", Json::from(launch.kind)),
        ("launchTime", Json::from(at.time_s * 1_000)),
        (
            "placement",
            object! { "availabilityZone": [at.region, "a"].concat(), "tenancy": "default" },
        ),
        ("monitoring", object! { "state": "disabled" }),
        ("subnetId", Json::from(launch.subnet)),
        ("vpcId", Json::from(launch.vpc)),
        ("privateIpAddress", Json::from(launch.address)),
        ("stateReason", object! { "code": "pending", "message": "pending" }),
        ("architecture", fixed("x86_64")),
        ("rootDeviceType", fixed("ebs")),
        ("rootDeviceName", fixed("/dev/xvda")),
        ("blockDeviceMapping", object! {}),
        ("virtualizationType", fixed("hvm")),
        ("hypervisor", fixed("xen")),
        ("tagSet", items(object! { "key": "Name", "value": "worker" })),
        ("clientToken", Json::from(token)),
        ("groupSet", items(object! { "groupId": launch.group })),
        ("sourceDestCheck", Json::Bool(true)),
        ("networkInterfaceSet", items(interface(at, launch, rng))),
    ];
    if !launch.profile.is_empty() {
        let arn = ["arn:aws:iam::", at.account, ":instance-profile/", launch.profile].concat();
        let id = ["AIPA", &rng.capitals(17)].concat();
        pairs.push(("iamInstanceProfile", object! { "arn": arn, "id": id }));
    }
    pairs.extend([
        ("ebsOptimized", Json::Bool(false)),
        ("enaSupport", Json::Bool(true)),
        ("cpuOptions", object! { "coreCount": 1, "threadsPerCore": 2 }),
        ("capacityReservationSpecification", object! { "capacityReservationPreference": "open" }),
        ("hibernationOptions", object! { "configured": false }),
        ("enclaveOptions", object! { "enabled": false }),
        ("metadataOptions", Json::Fixed(METADATA)),
        ("maintenanceOptions", object! { "autoRecovery": "default" }),
        ("privateDnsNameOptions", Json::Fixed(NAMES)),
    ]);
    Json::Object(pairs)
}

const METADATA: &str = r#"{"state":"pending","httpTokens":"required","httpPutResponseHopLimit":2,"httpEndpoint":"enabled","httpProtocolIpv4":"enabled","httpProtocolIpv6":"disabled","instanceMetadataTags":"disabled"}"#;
const NAMES: &str = r#"{"hostnameType":"ip-name","enableResourceNameDnsARecord":false,"enableResourceNameDnsAAAARecord":false}"#;

/// An instance is started.
pub fn run_instances(at: At<'_>, launch: Launch<'_>, rng: &mut Rng) -> Call {
    let token = rng.uuid();
    let answer = object! {
        "requestId": rng.uuid(), "reservationId": ["r-", &rng.hex(17)].concat(),
        "ownerId": at.account, "groupSet": object! {},
        "instancesSet": items(instance(at, launch, &token, rng)),
    };
    Call::new(at.time_s, at.region, "ec2", "RunInstances")
        .asking(question(launch, &token))
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

/// How several instances are.
pub fn describe_status_of(at: At<'_>, instances: impl Iterator<Item = String>) -> Call {
    let items: Vec<Json> = instances.map(|id| object! { "instanceId": id }).collect();
    Call::new(at.time_s, at.region, "ec2", "DescribeInstanceStatus").asking(object! {
        "instancesSet": object! { "items": items }, "filterSet": object! {},
        "includeAllInstances": true,
    })
}

/// The attribute that tells how an instance was set up, where credentials are looked for.
pub fn describe_user_data(at: At<'_>, instance: &str, rng: &mut Rng) -> Call {
    let call = describe_instance_attribute(at, instance, "userData", rng);
    call.asking(object! { "instanceId": instance, "attribute": fixed("userData") })
}
