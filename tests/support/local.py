#!/usr/bin/env python3
"""What docs/install.md needs besides sentrail where there is no AWS: a bucket that tells a queue, and somebody who is told.

    local.py receive PORT       takes webhooks, and prints what each says on a line
    local.py setup              makes bucket `trail` and a queue that it tells, and prints the URL of the queue
    local.py deliver FOLDER     puts the logs of a folder into the bucket, as AWS does

The server is that of AWS_ENDPOINT_URL.
"""

import http.server
import json
import pathlib
import sys
import time

import boto3

BUCKET, PREFIX = "trail", "AWSLogs/"


def receive(port):
    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            print(json.dumps(json.loads(body)), flush=True)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    http.server.HTTPServer(("127.0.0.1", int(port)), Receiver).serve_forever()


def setup():
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    for _ in range(100):
        try:
            s3.create_bucket(Bucket=BUCKET)
            break
        except boto3.exceptions.botocore.exceptions.EndpointConnectionError:
            time.sleep(0.1)

    def queue(name, **attributes):
        attributes = {"MessageRetentionPeriod": "1209600", "VisibilityTimeout": "300", **attributes}
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
        return url, sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]

    _, dead = queue("sentrail-dead")
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": 5}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    url, arn = queue("sentrail", RedrivePolicy=json.dumps(redrive), Policy=json.dumps(policy))
    told = {
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": PREFIX}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    print(url)


def deliver(folder):
    s3, root = boto3.client("s3"), pathlib.Path(folder)
    for path in sorted(root.glob("AWSLogs/**/*.gz")):
        s3.put_object(Bucket=BUCKET, Key=str(path.relative_to(root)), Body=path.read_bytes())


{"receive": receive, "setup": setup, "deliver": deliver}[sys.argv[1]](*sys.argv[2:])
