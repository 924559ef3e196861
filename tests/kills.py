#!/usr/bin/env python3
"""Kills `sentrail run` at its fault points, again and again, lets it read on, and compares what it finds with what
a run finds that nobody killed. For a build with fault points (debug assertions).

    tests/kills.py --binary target/soak/sentrail --logs FOLDER --kills 1000 --seed 1
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


def life(binary, logs, state, fault):
    """Runs until it has caught up, or died at the fault; answers whether it died."""
    environment = dict(os.environ)
    environment.pop("SENTRAIL_FAULT", None)
    if fault:
        environment["SENTRAIL_FAULT"] = fault
    config = os.path.join(os.path.dirname(state), "sentrail.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write('[sinks.siem]\ntype = "json-lines"\npath = "told.jsonl"\n')
    command = [binary, "run", "--folder", logs, "--state", state, "--config", config]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    said = []
    for line in process.stderr:
        said.append(line)
        if '"event":"caught-up"' in line:
            process.send_signal(signal.SIGTERM)
            break
    said.extend(process.stderr)
    code = process.wait()
    watchdog.cancel()
    if code == -signal.SIGABRT and fault:
        return True
    if code != 0:
        sys.exit(f"{' '.join(command)} ended with {code} at {fault}:\n{''.join(said)}")
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
    with open(os.path.join(os.path.dirname(state), "told.jsonl"), encoding="utf-8") as file:
        told = sorted({json.loads(line)["id"] for line in file})
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    killed = collections.Counter()
    n_readings = 0
    first, rest = split(asked.logs)
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "whole", "s.db")
        os.mkdir(os.path.dirname(whole))
        life(asked.binary, asked.logs, whole, None)
        expected = kept(asked.binary, whole)
        if not expected[0]:
            sys.exit(f"nothing is found in {asked.logs}: expected logs with findings")
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
    points = ", ".join(f"{point} {killed[point]}" for point in POINTS)
    print(f"{sum(killed.values())} kills ({points}) in {n_readings} readings: the same {len(expected[0])} "
          f"findings and {len(expected[1])} objects as of a run that was not killed")


if __name__ == "__main__":
    main()
