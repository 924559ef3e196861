use super::*;
use proptest::prelude::*;

#[test]
fn tools_and_systems_stay_and_versions_go() {
    for (user_agent, expected) in [
        (
            "aws-cli/2.15.30 Python/3.11 Linux/5.10 exe/x86_64 prompt/off command/s3.ls",
            "aws-cli linux",
        ),
        ("aws-cli/2.13.0", "aws-cli"),
        ("aws-cli/1.15.42 Python/3.6.1 Darwin/17.7.0 botocore/1.10.42", "aws-cli darwin"),
        ("aws-cli/2.17.32 ua/2.0 os/windows#11 md/arch#amd64 lang/python#3.11", "aws-cli windows"),
        ("Boto3/1.34 md/Botocore#1.34 ua/2.0 os/linux#6.1 lang/python#3.11", "boto3 linux"),
        ("[Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165]", "boto3 linux"),
        (
            "APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) \
             terraform-provider-aws/5.1 aws-sdk-go/1.44 (go1.19; darwin; arm64)",
            "terraform darwin",
        ),
        ("APN/1.0 partner/2.0 os/linux", "partner linux"),
        ("aws-sdk-go-v2/1.17.0 os/macos lang/go/1.18.10 md/GOOS/darwin", "aws-sdk-go darwin"),
        ("aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", "amazon-ssm-agent linux"),
        ("awslambda-worker/1.0 rusoto/0.47.0 rust/1.56.1 linux", "awslambda-worker linux"),
        ("Python-urllib/3.9", "python-urllib"),
        ("python3.9", "python"),
        ("tool_1f4e6a70-9c4b-4c55-8a4e-0123456789ab", "tool"),
        ("tool-name-v1.2-beta", "tool-name"),
        ("tool-f4e1", "tool"),
        ("tool-f41", "tool-f41"),
        ("tool-f4e", "tool-f4e"),
        ("one two three four/1.0", "one two three"),
    ] {
        assert_eq!(family(user_agent), expected, "{user_agent}");
    }
}

#[test]
fn services_and_consoles_are_what_they_are_called() {
    for (user_agent, expected) in [
        ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"),
        ("console.ec2.amazonaws.com", "console.ec2.amazonaws.com"),
        ("AWS Internal", "aws-internal"),
        ("[S3Console/0.4 cfg/retry-mode/legacy]", "s3console"),
        ("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11 Linux/5.4 vendor/N/A]", "s3console"),
        ("EC2ConsoleFrontend, aws-internal/3 aws-sdk-java/1.12 Linux/5.10", "ec2consolefrontend"),
        ("aws-internal/3 aws-sdk-java/1.12.607 Linux/5.10.199", "aws-internal"),
    ] {
        assert_eq!(family(user_agent), expected, "{user_agent}");
    }
    assert!(matches!(family("s3.amazonaws.com"), Cow::Borrowed(_)));
}

#[test]
fn browsers_are_told_by_what_no_other_claims() {
    let windows =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
    let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15";
    for (user_agent, expected) in [
        (format!("{windows} Chrome/120.0.0.0 Safari/537.36"), "chrome windows"),
        (format!("{windows} Chrome/133.0.0.0 Safari/537.36 Edg/133.0.0.0"), "edge windows"),
        (format!("{mac} Version/16.4 Safari/605.1.15"), "safari darwin"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Firefox/135.0".to_owned(), "firefox linux"),
        ("Mozilla/5.0 (Linux; Android 13) Chrome/120.0 Safari/537".to_owned(), "chrome android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604".to_owned(),
            "safari ios",
        ),
        ("Mozilla/2.0 (compatible; NEWT ActiveX; Win32)".to_owned(), "mozilla windows"),
    ] {
        assert_eq!(family(&user_agent), expected, "{user_agent}");
    }
}

#[test]
fn what_names_nothing_is_other() {
    assert_eq!(family(""), "");
    assert_eq!(family(" [] "), "");
    for user_agent in ["...", "1.2.3", "1f4e6a70-9c4b-4c55-8a4e-0123456789ab", "APN/1.0"] {
        assert_eq!(family(user_agent), "other", "{user_agent}");
    }
}

#[test]
fn a_name_is_cut_and_keeps_its_system() {
    let name = "é".repeat(FAMILY_BYTES_MAX);
    assert_eq!(family(&name).len(), FAMILY_BYTES_MAX);
    let cut = family(&format!("{name}/1.0 os/linux")).into_owned();
    assert!(cut.ends_with("é linux") && cut.len() <= FAMILY_BYTES_MAX, "{cut}");
    assert!(SYSTEMS.iter().all(|(_, system)| system.len() < SYSTEM_BYTES_MAX));
}

/// User agents with `@` where a version stands.
const TEMPLATES: [&str; 8] = [
    "aws-cli/@ Python/@ Linux/@ exe/x86_64 prompt/off command/s3.ls",
    "aws-cli/@ md/awscrt#@ ua/@ os/linux#@ md/arch#x86_64 lang/python#@ md/pyimpl#CPython",
    "Boto3/@ md/Botocore#@ ua/@ os/macos#@ lang/python#@ Botocore/@",
    "APN/1.0 HashiCorp/1.0 Terraform/@ terraform-provider-aws/@ aws-sdk-go-v2/@ os/linux lang/go#@",
    "aws-sdk-java/@ Linux/@ OpenJDK_64-Bit_Server_VM/@ java/@ vendor/Oracle_Corporation",
    "[S3Console/@, aws-internal/@ aws-sdk-java/@ Linux/@ cfg/retry-mode/standard]",
    "Mozilla/5.0 (Windows NT @; Win64; x64) AppleWebKit/@ (KHTML, like Gecko) Chrome/@ Safari/@",
    "some-tool/@ (go@; darwin; arm64)",
];

proptest! {
    #[test]
    fn another_version_is_the_same_family(
        template in proptest::sample::select(&TEMPLATES[..]),
        versions in proptest::collection::vec(r"[0-9]{1,4}(\.[0-9]{1,5}){0,3}", 8),
    ) {
        let mut parts = template.split('@');
        let mut user_agent = parts.next().unwrap().to_owned();
        for (part, version) in parts.zip(&versions) {
            user_agent.push_str(version);
            user_agent.push_str(part);
        }
        let first = template.replace('@', "1.0");
        prop_assert_eq!(family(&user_agent), family(&first), "{}", user_agent);
    }

    #[test]
    fn any_text_has_a_bounded_family(user_agent in any::<String>()) {
        let name = family(&user_agent);
        prop_assert!(name.len() <= FAMILY_BYTES_MAX);
        prop_assert!(!name.chars().any(|c| c.is_ascii_uppercase()));
    }
}
