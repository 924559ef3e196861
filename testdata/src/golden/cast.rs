//! Who is in the story, and where. All of it is invented.
//!
//! The addresses are arbitrary choices in well-known networks, so that a country can be looked up;
//! nobody behind them is meant.

use super::ACCOUNT;
use crate::aws::caller::{Role, Session, User};
use crate::json::Json;
use crate::object;
use crate::rng::Rng;

/// Comcast in Washington State: the home of Marisol.
pub(super) const MARISOL_HOME: &str = "73.83.114.27";
/// Vodafone (formerly Kabel Deutschland) in Berlin: the home of Jonas.
pub(super) const JONAS_HOME: &str = "91.64.87.140";
/// MEO in Lisbon: the home of Ines.
pub(super) const INES_HOME: &str = "85.243.61.18";
/// Colt in Germany: the office in Berlin.
pub(super) const OFFICE: &str = "62.96.180.34";
/// `StarHub` in Singapore: where the leaked key is used.
pub(super) const INTRUDER: &str = "116.86.172.203";
/// Hetzner in Finland: where the stolen credentials of the instance are used.
pub(super) const HOSTING: &str = "95.216.140.77";
/// Microsoft Azure, where GitHub's runners live.
pub(super) const RUNNERS: [&str; 4] =
    ["20.55.23.131", "20.55.214.9", "20.55.70.166", "20.55.118.42"];
/// AWS in Oregon: the elastic address of the billing instance.
pub(super) const INSTANCE_ADDRESS: &str = "18.236.41.77";
/// AWS: where functions call from.
pub(super) const FUNCTION_ADDRESSES: [&str; 3] = ["52.94.76.9", "52.94.76.31", "52.94.77.112"];

/// Reads and writes of the billing worker.
pub(super) const INVOICES: &str = "rivermill-invoices";
/// What the ledger function writes; encrypted for ransom.
pub(super) const LEDGER: &str = "rivermill-ledger-archive";
/// Reports for download; emptied.
pub(super) const EXPORTS: &str = "rivermill-exports";
/// What the pipeline builds.
pub(super) const ARTIFACTS: &str = "rivermill-artifacts";
/// Where the trails deliver.
pub(super) const LOG_BUCKET: &str = "rivermill-trail-logs";
/// The trail that is stopped.
pub(super) const TRAIL: &str = "rivermill-main";
/// The billing instance, and the session name of its role.
pub(super) const INSTANCE: &str = "i-0b7c41d29e5f8a603";

pub(super) const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) \
    AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36";
pub(super) const BROWSER_ON_WINDOWS: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0";
pub(super) const CONSOLE: &str = "AWS Internal";
pub(super) const COMMAND_LINE: &str = "aws-cli/2.33.8 md/awscrt#0.29.2 ua/2.1 os/macos#25.2.0 \
    md/arch#arm64 lang/python#3.13.11 md/pyimpl#CPython cfg/retry-mode#standard";
pub(super) const INTRUDER_TOOL: &str = "Boto3/1.40.11 md/Botocore#1.40.11 ua/2.1 os/linux#6.12.38 \
    md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.40.11";
pub(super) const WORKER_SDK: &str =
    "aws-sdk-rust/1.3.11 ua/2.1 api/s3/1.119.0 os/linux lang/rust/1.92.0";
pub(super) const FUNCTION_SDK: &str = "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.245 \
    md/arch#aarch64 lang/python#3.13.9 exec-env/AWS_Lambda_python3.13 Botocore/1.40.4";
pub(super) const RUNNER_SDK: &str = "aws-sdk-js/3.965.0 ua/2.1 os/linux#6.11.0 lang/js \
    md/nodejs#24.12.0 api/sts#3.965.0";

/// A person behind IAM Identity Center.
#[derive(Debug, Clone)]
pub(super) struct Engineer {
    pub(super) mail: &'static str,
    pub(super) home: &'static str,
    pub(super) browser: &'static str,
    /// Where the working day begins. Unit: hours UTC.
    pub(super) first_hour: i64,
    /// User id in the identity store.
    pub(super) store_id: String,
}

/// Principals, with identifiers drawn once.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub(super) engineers: [Engineer; 2],
    pub(super) engineer_role: Role,
    pub(super) marisol: User,
    pub(super) marisol_key: String,
    /// The user who gets a key from the intruder.
    pub(super) legacy: User,
    pub(super) deploy: Role,
    pub(super) worker: Role,
    pub(super) ledger: Role,
    pub(super) config: Role,
}

impl Cast {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let jonas = Engineer {
            mail: "jonas@rivermill.example",
            home: JONAS_HOME,
            browser: BROWSER,
            first_hour: 8,
            store_id: rng.uuid(),
        };
        let ines = Engineer {
            mail: "ines@rivermill.example",
            home: INES_HOME,
            browser: BROWSER_ON_WINDOWS,
            first_hour: 9,
            store_id: rng.uuid(),
        };
        let reserved = "aws-reserved/sso.amazonaws.com/";
        let service = "aws-service-role/config.amazonaws.com/";
        Self {
            engineers: [jonas, ines],
            engineer_role: role(reserved, "AWSReservedSSO_Engineer_4c1d9ab07e35f286", rng),
            marisol: user("marisol", rng),
            marisol_key: format!("AKIA{}", rng.capitals(16)),
            legacy: user("deploy-legacy", rng),
            deploy: role("", "github-deploy", rng),
            worker: role("", "billing-worker", rng),
            ledger: role("service-role/", "ledger-export-role", rng),
            config: role(service, "AWSServiceRoleForConfig", rng),
        }
    }

    /// `userIdentity` of the billing instance with credentials of the metadata service.
    pub(super) fn instance(&self, key: &str, since_s: i64) -> Json {
        let session = Session { name: INSTANCE, key, since_s };
        let instance_arn = format!("arn:aws:ec2:{}:{ACCOUNT}:instance/{INSTANCE}", super::HOME);
        let scope = object! {
            "issuerType": "AWS::EC2::Instance", "credentialsIssuedTo": instance_arn,
        };
        let extra = [("ec2RoleDelivery", Json::from("2.0")), ("inScopeOf", scope)];
        self.worker.session(session, &extra)
    }
}

fn user(name: &str, rng: &mut Rng) -> User {
    let principal = format!("AIDA{}", rng.capitals(17));
    User { account: ACCOUNT.to_owned(), name: name.to_owned(), principal }
}

fn role(path: &str, name: &str, rng: &mut Rng) -> Role {
    Role {
        account: ACCOUNT.to_owned(),
        path: path.to_owned(),
        name: name.to_owned(),
        principal: format!("AROA{}", rng.capitals(17)),
    }
}
