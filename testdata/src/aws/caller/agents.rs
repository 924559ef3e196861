//! What tools call themselves: `userAgent`, by family.

/// The console's own servers: nearly half of the calls of a session in the console.
pub const CONSOLE: &str = "AWS Internal";
/// The console of S3.
pub const S3_CONSOLE: &str = "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750 \
    Linux/5.10.245-243.979.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.472-b09 java/1.8.0_472 \
    vendor/Oracle_Corporation cfg/retry-mode/standard]";
/// Other servers of the console.
pub const CONSOLE_JAVA: &str = "aws-internal/3 aws-sdk-java/1.12.788 \
    Linux/5.10.245-243.979.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.472-b09 java/1.8.0_472 \
    vendor/Oracle_Corporation cfg/retry-mode/standard";

/// A computer of somebody at work: what its programs call themselves.
#[derive(Debug, Clone, Copy)]
pub struct Laptop {
    /// The browser.
    pub browser: &'static str,
    /// The command line; `<command>` is the one that runs.
    pub command_line: &'static str,
    /// Boto3 in a notebook.
    pub python: &'static str,
    /// Terraform.
    pub terraform: &'static str,
}

const MAC: Laptop = Laptop {
    browser: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like \
              Gecko) Chrome/145.0.0.0 Safari/537.36",
    command_line: "aws-cli/2.33.8 md/awscrt#0.29.2 ua/2.1 os/macos#25.2.0 md/arch#arm64 \
                   lang/python#3.13.11 md/pyimpl#CPython m/b,E,Z cfg/retry-mode#standard \
                   md/installer#exe md/prompt#off md/command#<command>",
    python: "Boto3/1.42.16 md/Botocore#1.42.16 ua/2.1 os/macos#25.2.0 md/arch#arm64 \
             lang/python#3.13.11 md/pyimpl#CPython m/b,D,Z cfg/retry-mode#legacy \
             Botocore/1.42.16",
    terraform: "APN/1.0 HashiCorp/1.0 Terraform/1.14.3 (+https://www.terraform.io) \
                terraform-provider-aws/6.27.0 \
                (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.41.0 \
                ua/2.1 os/macos lang/go#1.25.5 md/GOOS#darwin md/GOARCH#arm64 api/ec2#1.279.1 m/E",
};
/// Linux, with Firefox.
pub const LINUX: Laptop = Laptop {
    browser: "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
    command_line: "aws-cli/2.33.8 md/awscrt#0.29.2 ua/2.1 os/linux#6.12.38 md/arch#x86_64 \
                   lang/python#3.13.11 md/pyimpl#CPython m/b,E cfg/retry-mode#standard \
                   md/installer#exe md/distrib#ubuntu.24 md/prompt#off md/command#<command>",
    python: "Boto3/1.42.16 md/Botocore#1.42.16 ua/2.1 os/linux#6.12.38 md/arch#x86_64 \
             lang/python#3.13.7 md/pyimpl#CPython m/b,D,Z cfg/retry-mode#legacy Botocore/1.42.16",
    terraform: TERRAFORM,
};
/// Windows, with Chrome.
pub const WINDOWS: Laptop = Laptop {
    browser: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
              Chrome/145.0.0.0 Safari/537.36",
    command_line: "aws-cli/2.32.14 md/awscrt#0.28.4 ua/2.1 os/windows#11 md/arch#amd64 \
                   lang/python#3.13.9 md/pyimpl#CPython m/b,E cfg/retry-mode#standard \
                   md/installer#exe md/prompt#off md/command#<command>",
    python: "Boto3/1.42.16 md/Botocore#1.42.16 ua/2.1 os/windows#11 md/arch#amd64 \
             lang/python#3.13.9 md/pyimpl#CPython m/b,D,Z cfg/retry-mode#legacy Botocore/1.42.16",
    terraform: "APN/1.0 HashiCorp/1.0 Terraform/1.14.3 (+https://www.terraform.io) \
                terraform-provider-aws/6.27.0 \
                (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.41.0 \
                ua/2.1 os/windows lang/go#1.25.5 md/GOOS#windows md/GOARCH#amd64 api/ec2#1.279.1 \
                m/E",
};

/// Computers of people at work.
pub const LAPTOPS: [Laptop; 6] = [
    MAC,
    WINDOWS,
    LINUX,
    Laptop {
        browser: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 \
                  Firefox/147.0",
        ..WINDOWS
    },
    Laptop {
        browser: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, \
                  like Gecko) Version/26.2 Safari/605.1.15",
        ..MAC
    },
    Laptop {
        browser: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                  Gecko) Chrome/145.0.0.0 Safari/537.36 Edg/145.0.0.0",
        ..WINDOWS
    },
];

/// SDKs that programs call with.
pub const SDKS: [&str; 6] = [
    "Boto3/1.42.16 md/Botocore#1.42.16 ua/2.1 os/linux#6.12.38 md/arch#x86_64 lang/python#3.13.7 \
     md/pyimpl#CPython m/b,D,Z cfg/retry-mode#legacy Botocore/1.42.16",
    "aws-sdk-java/2.40.13 ua/2.1 api/S3#2.40.x os/Linux#6.1.158 lang/java#21.0.9 \
     md/OpenJDK_64-Bit_Server_VM#21.0.9 md/vendor#Amazon.com_Inc. md/en_US m/D,N",
    "aws-sdk-go-v2/1.41.0 ua/2.1 os/linux lang/go#1.25.5 md/GOOS#linux md/GOARCH#arm64 \
     api/dynamodb#1.53.5 m/E,g",
    "aws-sdk-js/3.965.0 ua/2.1 os/linux#6.1.158 lang/js md/nodejs#24.12.0 api/s3#3.965.0 m/E,N",
    "aws-sdk-rust/1.3.11 ua/2.1 api/s3/1.119.0 os/linux lang/rust/1.92.0",
    "aws-sdk-nodejs/2.1693.0 linux/v20.19.6 promise",
];

/// Python in a Lambda function.
pub const FUNCTION: &str = "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.245 \
    md/arch#aarch64 lang/python#3.13.9 exec-env/AWS_Lambda_python3.13 md/pyimpl#CPython m/D,Z,b \
    cfg/retry-mode#legacy Botocore/1.40.4";
/// Go in a container of ECS on Fargate.
pub const CONTAINER: &str = "aws-sdk-go-v2/1.41.0 ua/2.1 os/linux lang/go#1.25.5 md/GOOS#linux \
    md/GOARCH#amd64 exec-env/AWS_ECS_FARGATE api/sqs#1.42.20 m/E";
/// Terraform.
pub const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.14.3 \
    (+https://www.terraform.io) terraform-provider-aws/6.27.0 \
    (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.41.0 ua/2.1 os/linux \
    lang/go#1.25.5 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.279.1 m/E";
/// GitHub's action that takes on a role.
pub const GITHUB_ACTION: &str = "aws-sdk-js/3.965.0 ua/2.1 os/linux#6.11.0 lang/js \
    md/nodejs#24.12.0 api/sts#3.965.0 m/E configure-aws-credentials-for-github-actions";
/// An agent of Bedrock's `AgentCore`.
pub const AGENT: &str = "Boto3/1.42.16 md/Botocore#1.42.16 ua/2.1 os/linux#6.1.158 \
    md/arch#aarch64 lang/python#3.13.9 exec-env/AgentCore_Runtime md/pyimpl#CPython \
    cfg/retry-mode#legacy Botocore/1.42.16 strands-agents/1.20.0";

/// A command line while `command` runs, for example `s3api.list-buckets`.
pub fn running(command_line: &str, command: &str) -> String {
    command_line.replace("<command>", command)
}
