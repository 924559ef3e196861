"""The corpus of the measurements: logs of a made-up organisation, written anew only when they would differ."""
import hashlib
import json
import os
import re
import shutil
import subprocess

# Many machines that call a little and few people: 10,000 identities in about 1 GB.
PARAMETERS = "--seed 1 --days 2 --accounts 6 --people 300 --machines 5000 --pipelines 12 --vpcs 8 --story all"
# AWS's own objects: 5.57 (bootstrap_account) and 5.36 (sans504) times smaller than their content.
REAL_RATIOS = (5.36, 5.57)
INFLATED_BYTES_MIN = 500e6
IDENTITIES_MIN = 10_000


class Corpus:
    """Where the objects are, and what `simulate` said about them."""

    def __init__(self, root, sentrail, folder):
        self.logs = folder / "logs"
        note = folder / "corpus.json"
        key = made_from(root)
        known = json.loads(note.read_text()) if note.exists() else {}
        if known.get("made_from") != key:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            command = [sentrail, "simulate", "--to", self.logs, *PARAMETERS.split()]
            said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, text=True).stdout
            known = {"made_from": key, "said": said.strip()}
            note.write_text(json.dumps(known))
        self.said = known["said"]
        self.n_records, self.n_flows = (
            int(re.search(rf"(\d+) {what}", self.said)[1]) for what in ("CloudTrail records", "flow log rows")
        )
        print(f"corpus: simulate {PARAMETERS}\n        {self.said}")
        print(f"        SHA-256 of paths and objects {self.sha256()}")

    def folders(self, kind):
        """The folders of one kind of log, `CloudTrail` or `vpcflowlogs`."""
        found = [os.path.join(at, kind) for at, below, _ in os.walk(self.logs) if kind in below]
        return sorted(found)

    def sha256(self):
        whole = hashlib.sha256()
        for path in objects([self.logs]):
            with open(path, "rb") as content:
                one = hashlib.file_digest(content, "sha256").hexdigest()
            whole.update(f"{os.path.relpath(path, self.logs)} {one}\n".encode())
        return whole.hexdigest()


def made_from(root):
    """What decides every byte of the corpus: the parameters and the source of the generator."""
    whole = hashlib.sha256(PARAMETERS.encode())
    for path in [*sorted((root / "testdata/src").rglob("*.rs")), root / "src/cli/simulate.rs", root / "Cargo.lock"]:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def objects(paths):
    """The gzip objects below `paths`, in the order of their names."""
    found = []
    for path in paths:
        for at, _, names in os.walk(path):
            found += [os.path.join(at, name) for name in names if name.endswith(".gz")]
    return sorted(found)


def sizes(paths):
    """Bytes as stored, and inflated: the last four bytes of a gzip member are the size of its content."""
    stored = inflated = 0
    for path in objects(paths):
        with open(path, "rb") as content:
            content.seek(-4, os.SEEK_END)
            inflated += int.from_bytes(content.read(), "little")
        stored += os.path.getsize(path)
    return stored, inflated
