#!/usr/bin/env python3
"""What a replay costs: against the floor, against zcat, with two threads and with one.

    benches/end_to_end.py [--pairs 9] [cloudtrail:NAME=PATH | flow:NAME=PATH]...

Builds nothing: `make bench` does. Measures on a corpus that `sentrail simulate` writes to target/corpus,
and on the sets of real objects that are named and present. Nothing counts before the gates: the replay
read as many records as were written, 1 and 2 threads found the same, the corpus is as large as it should
be and packs as AWS's objects do. Commands take turns, so that a busy machine slows all alike; a row is
the median of the rounds' ratios with the least and the most, printed and appended to benches/RESULTS.md.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time

from corpus import IDENTITIES_MIN, INFLATED_BYTES_MIN, REAL_RATIOS, Corpus, objects, sizes

ROOT = pathlib.Path(__file__).resolve().parent.parent
SENTRAIL = ROOT / "target/release/sentrail"
FLOOR = ROOT / "target/release/floor"
RESULTS = ROOT / "benches/RESULTS.md"
# What the ratio to the floor must not pass, by kind of log.
FLOOR_MUST = {"cloudtrail": 2.5, "flow": 2.2}
# Below this the start of the processes is what is measured. Unit: bytes inflated.
FLOW_BYTES_MIN = 3e6


class Run:
    """A command that ended: CPU and wall seconds, peak memory in MB, what it said."""

    def __init__(self, command, stdin=b"", keep=False):
        begun = time.monotonic()
        out = subprocess.PIPE if keep else subprocess.DEVNULL
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.DEVNULL)
        child.stdin.write(stdin)
        child.stdin.close()
        self.out = child.stdout.read() if keep else b""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - begun
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * 1024 / 1e6
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))[:200]} ended with {child.returncode}")


def replay(paths, threads, keep=False):
    return Run([SENTRAIL, "replay", "--quiet", "--format", "jsonl", "--threads", str(threads), *paths], keep=keep)


def zcat(paths):
    names = "\0".join(objects(paths)).encode()
    return Run(["xargs", "-0", "-n", "2000", "zcat"], stdin=names)


class Book:
    """The rows, as they are measured."""

    def __init__(self, detectors):
        commit = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
        self.commit = subprocess.run(commit, capture_output=True, text=True).stdout.strip()
        self.machine = f"{platform.machine()}, {os.cpu_count()} cores"
        self.detectors = detectors

    def row(self, what, values, must, where, at_least=False):
        """`values`: one for each round. Reached is judged by the median."""
        median = statistics.median(values)
        spread = f"{median:.2f} ({min(values):.2f} to {max(values):.2f}, {len(values)} rounds)"
        reached = "yes" if (median >= must if at_least else median <= must) else "NO"
        self.write(what, f"{'at least' if at_least else 'at most'} {must:g}", spread, reached, where)

    def write(self, what, must, measured, reached, where):
        row = (
            f"| {datetime.date.today()} | {self.commit} | {self.machine} | {what} | {must} | {measured} "
            f"| {reached} | {where} | {self.detectors} |"
        )
        print(row, flush=True)
        with RESULTS.open("a") as results:
            results.write(row + "\n")


def refuse(why):
    raise SystemExit(f"no figure counts: {why}")


def same_findings(name, paths):
    """The findings, after 1 and 2 threads found the same."""
    one, two = (replay(paths, threads, keep=True).out for threads in (1, 2))
    if one != two:
        refuse(f"{name}: 1 and 2 threads found different things")
    return one


def gate(corpus, all_detectors):
    """What the corpus has to be; answers how its row calls it."""
    command = [SENTRAIL, "replay", "--format", "jsonl", "--threads", "2", corpus.logs / "AWSLogs"]
    ended = subprocess.run(command, capture_output=True, text=True)
    said = lambda words: int((re.search(rf"(\d+) {words}", ended.stderr) or [0, 0])[1])
    n_records = said("of CloudTrail") + said("duplicates dropped")
    if ended.returncode != 0 or n_records != corpus.n_records:
        refuse(f"{corpus.n_records} records were written and {n_records} read\n{ended.stderr}")
    n_flows = said("of flow logs")
    if n_flows != corpus.n_flows:
        refuse(f"{corpus.n_flows} flow log rows were written and {n_flows} read")
    n_identities = int(re.search(r"identities and interfaces: (\d+)", ended.stderr)[1])
    stored, inflated = sizes(corpus.folders("CloudTrail"))
    ratio = stored and inflated / stored
    print(f"        {n_identities} identities and interfaces; {n_records} records, as many as were written")
    print(f"        CloudTrail packs {ratio:.2f} times; real objects {REAL_RATIOS[0]} to {REAL_RATIOS[1]}")
    if n_identities < IDENTITIES_MIN or inflated < INFLATED_BYTES_MIN:
        refuse(f"{n_identities} identities and {inflated} bytes are too few")
    if not REAL_RATIOS[0] * 0.85 <= ratio <= REAL_RATIOS[1] * 1.15:
        refuse("it does not pack as AWS's objects do, within 15 %")
    fired = {json.loads(line)["detector"] for line in ended.stdout.splitlines()}
    silent = sorted(set(all_detectors) - fired)
    n_fired = len(all_detectors) - len(silent)
    print(f"        {n_fired} of {len(all_detectors)} detectors fire; silent: {', '.join(silent) or 'none'}")
    return f"{n_identities} identities"


def measure_corpus(corpus, called, pairs, book):
    trail, flow = corpus.folders("CloudTrail"), corpus.folders("vpcflowlogs")
    found = hashlib.sha256(same_findings("corpus", trail)).hexdigest()[:12]
    stored, inflated = sizes(trail)
    where = f"corpus: {len(objects(trail))} objects, {inflated / 1e6:.0f} MB inflated, {called}; findings {found}"
    rounds = [
        (Run([FLOOR, *trail]), replay(trail, 1), replay(trail, 2), zcat(trail)) for _ in range(pairs)
    ]
    book.row("CloudTrail replay / floor, CPU", [one.cpu / floor.cpu for floor, one, _, _ in rounds], 2.5, where)
    book.row("CloudTrail replay / zcat, CPU", [one.cpu / unzip.cpu for _, one, _, unzip in rounds], 0.4, where)
    book.row("2 threads / 1, CPU", [two.cpu / one.cpu for _, one, two, _ in rounds], 1.1, where)
    book.row("1 -> 2 threads, wall; means little on a busy machine",
             [one.wall / two.wall for _, one, two, _ in rounds], 1.7, where, at_least=True)
    book.row("peak memory, 2 threads, MB", [two.peak for _, _, two, _ in rounds], 400, where)
    inflated = sizes(flow)[1]
    if inflated < FLOW_BYTES_MIN:
        print(f"corpus, flow text: NOT MEASURED, {inflated} bytes are too few (at least {FLOW_BYTES_MIN:.0f})")
    else:
        measure_set("flow", "corpus", flow, pairs, book)


def measure_set(kind, name, paths, pairs, book):
    found = hashlib.sha256(same_findings(name, paths)).hexdigest()[:12]
    ratios = [replay(paths, 1).cpu / Run([FLOOR, *paths]).cpu for _ in range(pairs)]
    what = {"cloudtrail": "CloudTrail", "flow": "flow text"}[kind]
    where = f"{name}: {len(objects(paths))} objects, {sizes(paths)[1] / 1e6:.0f} MB inflated; findings {found}"
    book.row(f"{what} replay / floor, CPU", ratios, FLOOR_MUST[kind], where)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=9)
    arguments.add_argument("sets", nargs="*", metavar="KIND:NAME=PATH")
    asked = arguments.parse_args()
    listed = subprocess.run([SENTRAIL, "detectors", "list", "--format", "jsonl"], capture_output=True, text=True)
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    detectors = [row["id"] for row in rows if row["kind"] == "detector"]
    begun = time.monotonic()
    book = Book(f"all {len(detectors)}, {len(rows) - len(detectors)} rules")
    corpus = Corpus(ROOT, SENTRAIL, ROOT / "target/corpus")
    called = gate(corpus, detectors)
    measure_corpus(corpus, called, asked.pairs, book)
    for one in asked.sets:
        kind, named = one.split(":", 1)
        name, path = named.split("=", 1)
        if pathlib.Path(path).exists():
            measure_set(kind, name, [path], asked.pairs, book)
        else:
            print(f"{name}: SKIPPED, {path} is absent")
    print("Suzaku summary / ours, CPU: NOT MEASURED, it is no crate and has to be built by hand (must: 8)")
    print("throughput with 10 M identities, memory with 1 M: NOT MEASURED, no corpus of that size yet")
    print(f"{time.monotonic() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
