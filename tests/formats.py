#!/usr/bin/env python3
"""Holds findings in AWS Security Finding Format against the service itself, as its model describes it.

    formats.py ENDPOINT [FILE...]

Each FILE has what `sentrail replay --format asff` wrote. Every line must be accepted by the validator that the AWS
SDK for Python calls before it sends anything, with the service's model of BatchImportFindings; and by the bounds that
the model leaves to the service's manual. Then all of them are sent to the server at ENDPOINT, which keeps them as they
are, and what it answers to GetFindings must be what was sent. Needs botocore, which comes with moto.
"""

import json
import re
import sys

import botocore.session
from botocore.config import Config
from botocore.validate import ParamValidator

BATCH_MAX = 100
BATCH_BYTES_MAX = 6_000_000
FINDING_BYTES_MAX = 240_000
CHARS_MAX = {"Id": 512, "ProductArn": 2048, "GeneratorId": 512, "Title": 256, "Description": 1024}
REGION = "us-east-1"


def faults(finding, line, validator, shape):
    """What the service would refuse."""
    told = validator.validate({"Findings": [finding]}, shape)
    if told.has_errors():
        return [told.generate_report()]
    found = list(unknown(finding, shape.members["Findings"].member, ""))
    found += blank(finding, "")
    for field, most in CHARS_MAX.items():
        if not 1 <= len(finding[field]) <= most:
            found.append(f"{field} has {len(finding[field])} characters")
    if len(line.encode()) >= FINDING_BYTES_MAX:
        found.append(f"{len(line.encode())} bytes")
    if not re.fullmatch(r"\d{12}", finding["AwsAccountId"]):
        found.append(f"account {finding['AwsAccountId']}")
    product = r"arn:(aws|aws-cn|aws-us-gov):securityhub:[a-z0-9-]+:(\d{12}):product/\2/default"
    of = re.fullmatch(product, finding["ProductArn"])
    if not of or of[2] != finding["AwsAccountId"]:
        found.append(f"product {finding['ProductArn']}")
    provider = finding["FindingProviderFields"]
    if not provider["Severity"].get("Label") or not 1 <= len(provider["Types"]) <= 50:
        found.append("no severity, or no types")
    types = r"(TTPs|Effects|Unusual Behaviors)/[A-Za-z ]+(/[^/]+)?"
    found += [f"type {one}" for one in provider["Types"] if not re.fullmatch(types, one)]
    if not 1 <= len(finding["Resources"]) <= 32:
        found.append(f"{len(finding['Resources'])} resources")
    fields = finding["ProductFields"]
    if len(fields) > 50 or any(len(k) > 128 or len(v) > 2048 for k, v in fields.items()):
        found.append("ProductFields")
    if len(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "")) > 512:
        found.append("Recommendation")
    if not finding["FirstObservedAt"] <= finding["LastObservedAt"] <= finding["UpdatedAt"]:
        found.append("times out of order")
    return found


def unknown(value, shape, path):
    """What the validator does not ask for: fields that the model lacks, words beyond its lists, numbers above their most."""
    if shape.type_name == "structure":
        for name, one in value.items():
            if name not in shape.members:
                yield f"{path}/{name} is not in the model"
            else:
                yield from unknown(one, shape.members[name], f"{path}/{name}")
    elif shape.type_name == "list":
        for one in value:
            yield from unknown(one, shape.member, f"{path}/*")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}: {value} is none of {shape.enum}"
    elif shape.type_name == "integer" and value > shape.metadata.get("max", value):
        yield f"{path}: {value} is more than {shape.metadata['max']}"


def blank(value, path):
    """Texts that break the pattern of the model, which asks for something in one line."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from blank(one, f"{path}/{name}")
    elif isinstance(value, list):
        for one in value:
            yield from blank(one, f"{path}/*")
    elif isinstance(value, str) and not re.fullmatch(r".*\S.*", value):
        yield f"{path} is blank, or of several lines"


def batches(lines):
    """As many as a call takes."""
    batch, n_bytes = [], 0
    for line in lines:
        if batch and (len(batch) == BATCH_MAX or n_bytes + len(line.encode()) > BATCH_BYTES_MAX):
            yield batch
            batch, n_bytes = [], 0
        batch.append(json.loads(line))
        n_bytes += len(line.encode())
    if batch:
        yield batch


def send(client, lines):
    """Sends all, and answers what differs from what the server then has."""
    for batch in batches(lines):
        answer = client.batch_import_findings(Findings=batch)
        if answer["SuccessCount"] != len(batch) or answer["FailedCount"]:
            return [f"refused: {answer['FailedFindings']}"]
    kept = {}
    for page in client.get_paginator("get_findings").paginate(MaxResults=100):
        kept.update((one["Id"], one) for one in page["Findings"])
    sent = {one["Id"]: one for one in map(json.loads, lines)}
    return [f"{key} came back as {kept.get(key)}" for key, one in sent.items() if kept.get(key) != one]


def main():
    endpoint, *paths = sys.argv[1:]
    session = botocore.session.get_session()
    # Whatever this machine's settings are.
    session.set_credentials("test", "test")
    client = session.create_client(
        "securityhub",
        region_name=REGION,
        endpoint_url=endpoint,
        config=Config(proxies={}, retries={"max_attempts": 0}),
    )
    client.enable_security_hub()
    shape = client.meta.service_model.operation_model("BatchImportFindings").input_shape
    validator = ParamValidator()
    n_faults = 0
    for path in paths:
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")[:-1]
        found = []
        for n, line in enumerate(lines, 1):
            found += [f"{path}:{n}: {fault}" for fault in faults(json.loads(line), line, validator, shape)]
        if not found:
            found = [f"{path}: {fault}" for fault in send(client, lines)]
        n_faults += len(found)
        told = f"{len(lines)} findings of {path.rsplit('/', 1)[-1]} fit the model, and came back as they were sent"
        print("\n".join(found or [told]))
    sys.exit(1 if n_faults else 0)


if __name__ == "__main__":
    main()
