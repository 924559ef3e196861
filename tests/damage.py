#!/usr/bin/env python3
"""Damages the state of `sentrail run`, by cutting it short, by flipping bits and by taking out rows as SQL does, and has it
go on: from the newest copy, with the finding that says so; or as if nothing had been, where nobody needs what was damaged; or not at all, in
a sentence. Never with nothing, never with other findings than those of a run whose state was whole.

    tests/damage.py --binary target/release/sentrail --logs FOLDER --flips 500 --rows 100
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile

from kills import deliver, differences, go_on, kept, life, split

PAGE_BYTES = 4096
# Tables of which no row may be gone unnoticed, as far as they have any.
GUARDED = ("state_parts", "findings", "state_objects", "outbox")


def prepared(asked, folder):
    """Logs that were read in parts, the state after each but the last, and how many objects they hold."""
    first, rest = split(asked.logs)
    parts = [first[: len(first) // 2], first[len(first) // 2 :], rest]
    logs, state = os.path.join(folder, "logs"), os.path.join(folder, "s.db")
    os.mkdir(logs)
    states = []
    for part in parts:
        deliver(part, asked.logs, logs)
        life(asked.binary, logs, state, None)
        with open(state, "rb") as file:
            states.append(file.read())
    return logs, states[0], states[1], [len(part) for part in parts], kept(asked.binary, state)[:2]


def verdict(asked, place, damaged, copy, whole):
    """What became of a state in one word, or what is wrong with it."""
    logs, n_objects, expected = whole
    os.makedirs(place)
    state = os.path.join(place, "s.db")
    for path, content in ((state, damaged), (f"{state}.1", copy)):
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
    code, said = go_on([asked.binary, "run", "--folder", logs], state, {})
    if code not in (0, 1) or "panicked" in said:
        return None, f"it ended with {code}: {said}"
    if code == 1:
        told = [line for line in said.splitlines() if line.startswith("sentrail: ")]
        is_told = len(told) == 1 and "s.db" in told[0]
        return ("refused", None) if is_told else (None, f"it does not say what is wrong: {said}")
    findings, read, _ = kept(asked.binary, state)
    own = [one for one in findings if json.loads(one)["detector"] != "state-restored"]
    is_restored = '"event":"state-restored"' in said
    if is_restored != (len(own) < len(findings)):
        return None, f"it was restored, and nobody is told: {said}"
    n_read = int(re.search(r"^objects +\d+ seen, (\d+) read", said, re.MULTILINE)[1])
    n_expected = n_objects[1] + n_objects[2] if is_restored else n_objects[2]
    told = differences(expected, (own, read))
    if n_read != n_expected:
        told.append(f"{n_read} objects were read (expected {n_expected})")
    if told:
        return None, "; ".join(told)
    return "restored" if is_restored else "went on", None


def damages(asked, state):
    """What to do to a state, and what it becomes: cuts at pages, all or some of them, and flipped bits."""
    chance = random.Random(asked.seed)
    # Nothing is left of the first one, with a copy and without.
    cuts = [0, *range(0, len(state), PAGE_BYTES)]
    if asked.cuts is not None:
        cuts = sorted(chance.sample(cuts, min(asked.cuts, len(cuts))))
    for at in cuts:
        yield f"cut at {at}", state[:at]
    for _ in range(asked.flips):
        bit = chance.randrange(len(state) * 8)
        flipped = bytearray(state)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(flipped)
    yield from without_rows(asked, state, chance)


def without_rows(asked, state, chance):
    """A state without one of its rows, each time another, from each table in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s.db")
        for n in range(asked.rows):
            with open(path, "wb") as file:
                file.write(state)
            store = sqlite3.connect(path)
            tables = [table for table in GUARDED if store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]]
            table = tables[n % len(tables)]
            number = chance.choice(store.execute(f"SELECT rowid FROM {table}").fetchall())
            store.execute(f"DELETE FROM {table} WHERE rowid = ?", number)
            store.commit()
            store.close()
            with open(path, "rb") as file:
                yield f"a row of {table} taken out", file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--cuts", type=int, help="how many [default: one every 4 KiB]")
    parser.add_argument("--flips", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs, copy, state, n_objects, expected = prepared(asked, folder)
        if not expected[0]:
            sys.exit(f"nothing is found in {asked.logs}: expected logs with findings")
        told, wrong = collections.Counter(), []
        for n, (what, damaged) in enumerate(damages(asked, state)):
            # Every other one has no copy.
            own = copy if n % 2 == 0 else None
            place = os.path.join(folder, "damaged")
            became, why = verdict(asked, place, damaged, own, (logs, n_objects, expected))
            shutil.rmtree(place)
            if became == "went on" and what.startswith("a row of "):
                became, why = None, "nobody noticed"
            told[became] += 1
            if why:
                wrong.append(f"{what}, {'with a' if own else 'without'} copy: {why}")
        if wrong:
            sys.exit(f"{len(wrong)} of {sum(told.values())} of seed {asked.seed}:\n" + "\n".join(wrong))
    n_cuts = sum(told.values()) - asked.flips - asked.rows
    print(f"{n_cuts} cuts, {asked.flips} flipped bits and {asked.rows} rows taken out of a state of {len(state)} bytes: "
          f"{told['restored']} restored from a copy, {told['refused']} refused, {told['went on']} made no difference; never with nothing, "
          f"and never other findings than {len(expected[0])}")


if __name__ == "__main__":
    main()
