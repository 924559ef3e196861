#!/usr/bin/env python3
"""Ends `sentrail run` again and again, lets it read on, and compares what it finds with what a run finds that nobody
ended: kills it at its fault points, for a build that has them (debug assertions); or asks it to end by SIGTERM, while
it reads a queue of a server in `.venv`.

    tests/kills.py --binary target/debug/sentrail --logs FOLDER --kills 1000 --seed 1
    tests/kills.py --binary target/debug/sentrail --logs FOLDER --terminate 200 --seed 1
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

# Points of src/, and how often a reading comes by each: as a share of the objects, or at least so often.
POINTS = {
    "mid-decode": 0.7,
    "mid-apply": 2,
    "mid-transaction": 0.5,
    "after-commit": 1,
    "after-answer": 1,
    "mid-send": 2,
}
PATIENCE_S = 300
# From the signal to the end, and from there until others may have what was let go.
EXIT_S_MAX = 20
VISIBLE_S_MAX = 5
# Longer than any test: what comes again before was let go.
INVISIBLE_S = 3600
# A queue with more messages slows the server down.
OBJECTS_PER_MESSAGE = 25
# Within less than a day, after which what is late may not count any more.
OBJECTS_SHUFFLED = 200
# A signal comes so long after the queue is served, at most.
READS_S_MAX = 1.5
SERVER = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
"""


def start(command, state, environment):
    """A daemon, and what kills it if it takes too long."""
    config = os.path.join(os.path.dirname(state), "sentrail.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write('[sinks.siem]\ntype = "json-lines"\npath = "told.jsonl"\n')
    own = {name: value for name, value in os.environ.items() if name != "SENTRAIL_FAULT"}
    process = subprocess.Popen(
        [*command, "--state", state, "--config", config], env={**own, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    return process, watchdog


def go_on(command, state, environment):
    """Runs until it has caught up, or ends by itself: exit code, and what it said."""
    process, watchdog = start(command, state, environment)
    said = []
    for line in process.stderr:
        said.append(line)
        if '"event":"caught-up"' in line:
            process.send_signal(signal.SIGTERM)
            break
    said.extend(process.stderr)
    code = process.wait()
    watchdog.cancel()
    return code, "".join(said)


def life(binary, logs, state, fault):
    """Runs until it has caught up, or died at the fault; answers whether it died."""
    command = [binary, "run", "--folder", logs]
    code, said = go_on(command, state, {"SENTRAIL_FAULT": fault} if fault else {})
    if code == -signal.SIGABRT and fault:
        return True
    if code != 0:
        sys.exit(f"{' '.join(command)} ended with {code} at {fault}:\n{said}")
    return False


def split(logs):
    """Objects in the order of their stamps: those that are read between kills, and those that come after."""
    paths = [os.path.join(at, name) for at, _, names in os.walk(logs) for name in names]
    stamp = re.compile(r"_(\d{8}T\d{4}Z)_")
    stamped = sorted((stamp.search(path)[1], path) for path in paths if stamp.search(path))
    objects = [os.path.relpath(path, logs) for _, path in stamped]
    at = len(objects) * 3 // 4
    return objects[:at], objects[at:]


def deliver(objects, logs, folder):
    """Links objects into a folder."""
    for name in objects:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.abspath(os.path.join(logs, name)), path)


def kept(binary, state):
    """Findings without what names the run, and the objects that are known to be read."""
    command = [binary, "findings", "list", "--in", state, "--format", "jsonl"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    findings = []
    for line in found:
        finding = json.loads(line)
        del finding["inputs"]
        findings.append(json.dumps(finding, sort_keys=True))
    database = sqlite3.connect(state)
    objects = database.execute("SELECT object, bytes FROM state_objects ORDER BY object").fetchall()
    database.close()
    sink = os.path.join(os.path.dirname(state), "told.jsonl")
    # A sink is told nothing before something is new.
    told = open(sink, encoding="utf-8").read().splitlines() if os.path.exists(sink) else []
    told = sorted({json.loads(line)["id"] for line in told})
    return findings, objects, told


def differences(expected, found):
    """What is not alike, in words."""
    told = []
    for name, ours, theirs in zip(("findings", "objects", "ids told to a sink"), expected, found):
        if ours != theirs:
            lost, new = set(ours) - set(theirs), set(theirs) - set(ours)
            first = [repr(one)[:200] for one in (*list(lost)[:2], *list(new)[:2])]
            told.append(f"{len(lost)} {name} lost, {len(new)} others: {first}")
    return told


class Server:
    """Speaks S3 and SQS until it is left."""

    def __enter__(self):
        python = os.path.join(os.path.dirname(__file__), "..", ".venv", "bin", "python")
        if not os.path.exists(python):
            sys.exit("the test servers are not installed: run `make servers` once")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([python, "-c", SERVER], text=True, **pipes)
        for line in self.process.stderr:
            if found := re.search("Running on (http://[0-9.:]+)", line):
                self.url = found[1]
                break
        # A pipe that nobody empties would stop it.
        threading.Thread(target=lambda: list(self.process.stderr), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def call(self, service, method, path, body, headers):
        authorization = f"AWS4-HMAC-SHA256 Credential=test/20250314/us-east-1/{service}/aws4_request, " \
                        "SignedHeaders=host, Signature=0"
        headers = {"Authorization": authorization, **headers}
        asked = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        with urllib.request.urlopen(asked) as answer:
            return answer.read()

    def put(self, path, body):
        self.call("s3", "PUT", path, body, {"Content-Type": "application/octet-stream"})

    def sqs(self, action, **asked):
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
        return json.loads(self.call("sqs", "POST", "/", json.dumps(asked).encode(), headers) or b"{}")

    def n_messages(self, queue):
        """Messages that anyone may receive, and those that somebody has."""
        of = self.sqs("GetQueueAttributes", QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return [int(of[f"ApproximateNumberOfMessages{more}"]) for more in ("", "NotVisible")]

    def queue_of(self, name, objects, chance):
        """A queue that tells of objects, not quite in their order."""
        attributes = {"VisibilityTimeout": str(INVISIBLE_S)}
        queue = self.sqs("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]
        for at in range(0, len(objects), OBJECTS_SHUFFLED):
            keys = objects[at:at + OBJECTS_SHUFFLED]
            chance.shuffle(keys)
            for at in range(0, len(keys), OBJECTS_PER_MESSAGE):
                message = {"s3Bucket": "logs", "s3ObjectKey": keys[at:at + OBJECTS_PER_MESSAGE]}
                self.sqs("SendMessage", QueueUrl=queue, MessageBody=json.dumps(message))
        return queue


def until(what, is_so, patience_s):
    """Waits until it is so; answers for how long."""
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() - begun > patience_s:
            sys.exit(f"waited {patience_s} s in vain: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun


def terminated(binary, server, queue, state, wait):
    """Serves the queue, waits, and asks it to end; answers for how long it went on."""
    environment = {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": "us-east-1"}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    process, watchdog = start([binary, "run", "--queue", queue], state, environment)
    said = []
    for line in process.stderr:
        said.append(line)
        if '"event":"queue-served"' in line:
            break
    rest = threading.Thread(target=lambda: said.extend(process.stderr))
    rest.start()
    wait()
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait()
    exit_s = time.monotonic() - begun
    rest.join()
    watchdog.cancel()
    if code != 0:
        sys.exit(f"asked to end, it ended with {code}:\n{''.join(said)}")
    if exit_s > EXIT_S_MAX:
        sys.exit(f"it took {exit_s:.1f} s to end (expected {EXIT_S_MAX} at most):\n{''.join(said)}")
    return exit_s


def terminations(asked, chance, folder, expected):
    """Asks it to end that many times; what is told of it."""
    exits_s, waits_s, n_let_go, n_readings = [], [], 0, 0
    objects = [name for part in split(asked.logs) for name in part]
    with Server() as server:
        server.put("/logs", b"")
        for name in objects:
            with open(os.path.join(asked.logs, name), "rb") as file:
                server.put(f"/logs/{name}", file.read())
        while len(exits_s) < asked.terminate:
            n_readings += 1
            state = os.path.join(folder, f"terminated-{n_readings}", "s.db")
            os.mkdir(os.path.dirname(state))
            queue = server.queue_of(f"terminated-{n_readings}", objects, chance)
            while len(exits_s) < asked.terminate and any(server.n_messages(queue)):
                moment = lambda: time.sleep(chance.uniform(0, READS_S_MAX))
                exits_s.append(terminated(asked.binary, server, queue, state, moment))
                is_free = lambda: server.n_messages(queue)[1] == 0
                waits_s.append(until("messages that are visible again", is_free, VISIBLE_S_MAX))
                n_let_go += any(server.n_messages(queue))
            is_empty = lambda: not any(server.n_messages(queue))
            end = lambda: until("an empty queue", is_empty, PATIENCE_S)
            terminated(asked.binary, server, queue, state, end)
            # In another order more may be told on the way.
            findings, read, ids = kept(asked.binary, state)
            told = differences(expected[:2], (findings, read))
            if not {json.loads(finding)["id"] for finding in findings} <= set(ids):
                told.append("findings that no sink was told")
            if told:
                sys.exit(f"after {len(exits_s)} terminations of seed {asked.seed}: " + "; ".join(told))
    exits_s.sort()
    p50, p99 = (exits_s[min(len(exits_s) * part // 100, len(exits_s) - 1)] for part in (50, 99))
    return (
        f"{len(exits_s)} terminations ({n_let_go} with messages left) in {n_readings} readings: ended after "
        f"{p50:.1f} s (median), {p99:.1f} s (p99), {exits_s[-1]:.1f} s (longest), messages visible after "
        f"{max(waits_s):.1f} s: the same {len(expected[0])} findings and {len(expected[1])} objects as of a run "
        "that was not ended"
    )


def kills(asked, chance, folder, expected):
    """Kills it that many times; what is told of it."""
    killed = collections.Counter()
    n_readings = 0
    first, rest = split(asked.logs)
    while sum(killed.values()) < asked.kills:
        place = os.path.join(folder, "killed")
        logs, state = os.path.join(place, "logs"), os.path.join(place, "s.db")
        os.makedirs(logs)
        deliver(first, asked.logs, logs)
        while sum(killed.values()) < asked.kills:
            # Points that were met least come first.
            point = min(POINTS, key=lambda point: (killed[point], chance.random()))
            often = POINTS[point]
            often = often if isinstance(often, int) else int(often * len(first))
            fault = f"{point}:{chance.randint(1, often)}"
            if not life(asked.binary, logs, state, fault):
                break
            killed[point] += 1
        deliver(rest, asked.logs, logs)
        life(asked.binary, logs, state, None)
        told = differences(expected, kept(asked.binary, state))
        if told:
            sys.exit(f"after {dict(killed)} kills of seed {asked.seed}: " + "; ".join(told))
        n_readings += 1
        shutil.rmtree(place)
        print(f"{sum(killed.values())} of {asked.kills} kills, no difference", file=sys.stderr, flush=True)
    points = ", ".join(f"{point} {killed[point]}" for point in POINTS)
    return (
        f"{sum(killed.values())} kills ({points}) in {n_readings} readings: the same {len(expected[0])} findings "
        f"and {len(expected[1])} objects as of a run that was not killed"
    )


def uninterrupted(binary, logs, folder):
    """What a run keeps that nobody ended."""
    state = os.path.join(folder, "whole", "s.db")
    os.mkdir(os.path.dirname(state))
    life(binary, logs, state, None)
    found = kept(binary, state)
    if not found[0]:
        sys.exit(f"nothing is found in {logs}: expected logs with findings")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--terminate", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        expected = uninterrupted(asked.binary, asked.logs, folder)
        if asked.kills:
            print(kills(asked, chance, folder, expected))
        if asked.terminate:
            print(terminations(asked, chance, folder, expected))


if __name__ == "__main__":
    main()
