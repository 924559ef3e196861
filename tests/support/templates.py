#!/usr/bin/env python3
"""Makes a stack of a template on a server that speaks CloudFormation, and tells what came of it, as JSON.

    templates.py ENDPOINT TEMPLATE PARAMETERS

PARAMETERS is JSON; where a network is asked for, that of the server is taken. Told are the outputs, the resources, those that
the server does not make, and the policies that the role of the task has. Of what it does not make, policies of queues and
subscriptions are made here as the template has them.
"""

import json
import sys

import boto3
from cfnlint.decode import decode

ACCOUNT, REGION = "123456789012", "us-east-1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


class Stack:
    """A template whose references are looked up in what was made of it."""

    def __init__(self, template, parameters, made):
        self.resources = template["Resources"]
        self.conditions = template.get("Conditions", {})
        defaults = {name: one.get("Default") for name, one in template["Parameters"].items()}
        self.names = {**defaults, **parameters, **made}
        self.names.update({"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT})

    def arn(self, name):
        service = {"AWS::SQS::Queue": "sqs", "AWS::Events::Rule": "events"}[self.resources[name]["Type"]]
        own = self.names.get(name, name).rsplit("/", 1)[-1]
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{'rule/' if service == 'events' else ''}{own}"

    def value(self, node):
        if isinstance(node, list):
            return [self.value(one) for one in node]
        if not isinstance(node, dict):
            return node
        match list(node.items()):
            case [("Ref", name)]:
                return self.names[name]
            case [("Fn::GetAtt", name)]:
                return self.arn(name[0] if isinstance(name, list) else name.split(".")[0])
            case [("Fn::Sub", text)]:
                for name, value in self.names.items():
                    text = text.replace("${%s}" % name, str(value))
                return text
            case [("Fn::Equals", [one, other])]:
                return self.value(one) == self.value(other)
            case [("Fn::Not", [one])]:
                return not self.value(one)
        return {key: self.value(one) for key, one in node.items()}

    def wanted(self):
        """Resources whose condition holds."""
        for name, one in self.resources.items():
            if "Condition" not in one or self.value(self.conditions[one["Condition"]]):
                yield name, one


def mend(stack, client):
    """Makes what the server does not."""
    for _, one in stack.wanted():
        if one["Type"] == "AWS::SQS::QueuePolicy":
            policy = json.dumps(stack.value(one["Properties"]["PolicyDocument"]))
            for queue in stack.value(one["Properties"]["Queues"]):
                sqs, asked = client("sqs"), {"QueueUrl": queue, "AttributeNames": ["All"]}
                # The server forgets what is not named.
                had = sqs.get_queue_attributes(**asked)["Attributes"]
                kept = ("VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy")
                attributes = {name: had[name] for name in kept if name in had}
                sqs.set_queue_attributes(QueueUrl=queue, Attributes={**attributes, "Policy": policy})
        if one["Type"] == "AWS::SNS::Subscription":
            own = stack.value(one["Properties"])
            client("sns").subscribe(
                TopicArn=own["TopicArn"], Protocol=own["Protocol"], Endpoint=own["Endpoint"]
            )


def main():
    endpoint, path, given = sys.argv[1:]
    client = lambda service: boto3.client(service, endpoint_url=endpoint, **KEYS)
    with open(path, encoding="utf-8") as file:
        template = file.read()
    given = json.loads(given)
    if "VpcId:" in template:
        given["VpcId"] = client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = client("ec2").describe_subnets()["Subnets"]
        given["SubnetIds"] = subnets[0]["SubnetId"]
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    cloudformation = client("cloudformation")
    capabilities = ["CAPABILITY_NAMED_IAM"]
    cloudformation.create_stack(
        StackName="sentrail", TemplateBody=template, Parameters=parameters, Capabilities=capabilities
    )
    stack = cloudformation.describe_stacks(StackName="sentrail")["Stacks"][0]
    resources = cloudformation.describe_stack_resources(StackName="sentrail")["StackResources"]
    policies = {}
    role = next((one for one in resources if one.get("LogicalResourceId") == "TaskRole"), None)
    if role:
        iam, name = client("iam"), role["PhysicalResourceId"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            policies[policy] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    made = {one["LogicalResourceId"]: one for one in resources if "LogicalResourceId" in one}
    physical = {name: one["PhysicalResourceId"] for name, one in made.items()}
    decoded, _ = decode(path)
    own = Stack(decoded, given, physical)
    mend(own, client)
    told = {
        "status": stack["StackStatus"],
        "outputs": {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
        "wanted": [name for name, _ in own.wanted()],
        "not_made": sorted({one["Type"] for name, one in own.wanted() if name not in made}),
        "policies": policies,
    }
    json.dump(told, sys.stdout)


main()
