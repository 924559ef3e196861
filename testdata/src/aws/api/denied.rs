//! How services say no.

use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::json::Json;
use crate::rng::Rng;

/// Which policy lacks the permission, or takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Nothing allows it.
    NothingAllows,
    /// A policy of the organisation forbids it.
    ServiceControlPolicy,
    /// A policy of the principal forbids it.
    ExplicitDeny,
}

impl Because {
    fn words(self, action: &str) -> String {
        match self {
            Self::NothingAllows => {
                format!(" because no identity-based policy allows the {action} action")
            }
            Self::ServiceControlPolicy => {
                " with an explicit deny in a service control policy".to_owned()
            }
            Self::ExplicitDeny => " with an explicit deny in an identity-based policy".to_owned(),
        }
    }
}

/// Services that keep `requestParameters` of what they refuse.
const KEEPING: [&str; 3] = ["ec2", "s3", "sts"];

/// `call`, refused for want of permission to act on `resource` (`None`: the service names none).
pub fn denied(
    call: Call,
    caller: &Caller,
    resource: Option<&str>,
    because: Because,
    rng: &mut Rng,
) -> Call {
    let action = format!("{}:{}", prefix_of(call.service), action_of(call.name));
    let on = resource.map(|name| format!(" on resource: {name}")).unwrap_or_default();
    let message = format!(
        "User: {} is not authorized to perform: {action}{on}{}",
        caller.arn,
        because.words(&action)
    );
    let service = call.service;
    let mut call = match service {
        "ec2" => {
            let encoded = rng.base64(560).replace('+', "-").replace('/', "_");
            let message = format!(
                "You are not authorized to perform this operation. {message}. Encoded \
                 authorization failure message: {encoded}"
            );
            call.refused("Client.UnauthorizedOperation", message)
        }
        _ => call.refused("AccessDenied", message),
    };
    if !KEEPING.contains(&service) {
        call.request = Json::Null;
    }
    if service == "sts" {
        call.resources.clear();
    }
    call
}

/// `call`, refused because too much was asked at once.
pub fn throttled(call: Call) -> Call {
    match call.service {
        "ec2" => call.refused("Client.RequestLimitExceeded", "Request limit exceeded."),
        "s3" => call.refused("SlowDown", "Please reduce your request rate."),
        "iam" | "sts" | "elasticloadbalancing" | "autoscaling" | "rds" => {
            call.refused("Throttling", "Rate exceeded")
        }
        "ssm" | "lambda" => {
            let call = call.refused("ThrottlingException", "Rate exceeded");
            Call { request: Json::Null, resources: Vec::new(), ..call }
        }
        _ => call.refused("ThrottlingException", "Rate exceeded"),
    }
}

/// `call` on a thing that is not there, for example an instance.
pub fn not_found(call: Call, thing: &str) -> Call {
    match (call.service, thing.split('-').next().unwrap_or_default()) {
        ("ec2", "i") => call.refused(
            "Client.InvalidInstanceID.NotFound",
            format!("The instance ID '{thing}' does not exist"),
        ),
        ("ec2", "sg") => call.refused(
            "Client.InvalidGroup.NotFound",
            format!("The security group '{thing}' does not exist"),
        ),
        ("ec2", "vpc") => call.refused(
            "Client.InvalidVpcID.NotFound",
            format!("The vpc ID '{thing}' does not exist"),
        ),
        ("ec2", "subnet") => call.refused(
            "Client.InvalidSubnetID.NotFound",
            format!("The subnet ID '{thing}' does not exist"),
        ),
        ("ec2", "rtb") => call.refused(
            "Client.InvalidRouteTableID.NotFound",
            format!("The routeTable ID '{thing}' does not exist"),
        ),
        ("ec2", "snap") => call.refused(
            "Client.InvalidSnapshot.NotFound",
            format!("The snapshot '{thing}' does not exist."),
        ),
        ("ec2", _) => call.refused("Client.InvalidParameterValue", format!("{thing} is invalid")),
        ("iam", _) => call.refused(
            "NoSuchEntityException",
            format!("The role with name {thing} cannot be found."),
        ),
        ("s3", _) => call.refused("NoSuchBucket", "The specified bucket does not exist"),
        _ => call.refused("ResourceNotFoundException", format!("{thing} was not found")),
    }
}

/// The service in the names of actions.
fn prefix_of(service: &'static str) -> &'static str {
    match service {
        "monitoring" => "cloudwatch",
        "email" => "ses",
        _ => service,
    }
}

/// The action of an event name: Lambda's have a date behind them.
fn action_of(name: &'static str) -> &'static str {
    let end = name.find("2015").or_else(|| name.find("2017")).unwrap_or(name.len());
    name.split_at_checked(end).map_or(name, |(action, _)| action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn a_refusal_names_who_what_and_why() {
        let identity = object! { "arn": "arn:aws:iam::111122223333:user/ada" };
        let caller = Caller::new(identity, "198.51.100.7", "aws-cli/2");
        let mut rng = Rng::new(1);
        let call = Call::new(0, "us-east-1", "lambda", "UpdateFunctionCode20150331v2");
        let (code, message) =
            denied(call, &caller, Some("x"), Because::NothingAllows, &mut rng).error.unwrap();
        assert_eq!(code, "AccessDenied");
        assert_eq!(
            message,
            "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: \
             lambda:UpdateFunctionCode on resource: x because no identity-based policy allows the \
             lambda:UpdateFunctionCode action"
        );
        let call = Call::new(0, "us-east-1", "ec2", "RunInstances");
        let (code, message) =
            denied(call, &caller, None, Because::ServiceControlPolicy, &mut rng).error.unwrap();
        assert_eq!(code, "Client.UnauthorizedOperation");
        assert!(message.contains("Encoded authorization failure message: "));
    }
}
