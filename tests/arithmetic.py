#!/usr/bin/env python3
"""Works the bits of unusual behaviour out anew, and compares them with those of sentrail.

    arithmetic.py ARCHIVE DAYS [--spans N] [--seed N]

ARCHIVE is a folder of CloudTrail objects as AWS delivers them, DAYS what `sentrail identity '*' --json ARCHIVE`
wrote. Written from docs/model.md, records.md, targets.md, impact.md and identity.md alone: it shares nothing
with the program but the built-in tables of addresses. It takes N random spans, says how many agreed, and fails
if there are fewer or one differs in any part by more than 0.01 bit. Needs Python 3.9, nothing else.
"""

import argparse
import bisect
import collections
import datetime
import glob
import gzip
import ipaddress
import json
import math
import os
import random
import re
import struct
import sys
import zlib

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SLOTS = 12  # of 5 minutes, in an hour
TOLERANCE = 0.01  # bits
DEEDS = [["api", "service"], ["target"], ["error"]]
CONTEXT = [["country", "network", "region"], ["agent", "credential"]]
DEEDS_SHARE = 1 / 4  # of what is needed
UNSEEN = {
    "api": 14.0, "service": 8.6, "network": 16.3, "country": 8.0, "region": 5.1,
    "agent": 6.0, "credential": 6.0, "error": 3.0,
}  # fmt: skip
HELD_MAX = 64  # values of a slot
ALERTS_PER_DAY, BEYOND_MIN, RAISE_MAX = 5, 10, 10  # alerts, days, bits


# Reading records: docs/records.md.


def page_rows(name):
    """The cells of all tables of a page."""
    with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as page:
        for line in page:
            if line.startswith("## "):
                yield line[3:].strip(), None
            elif line.startswith("| "):
                yield None, [cell.strip() for cell in line.strip().strip("|").split("|")]


def impacts():
    """Class by (service, name)."""
    table, current = {}, None
    for heading, cells in page_rows("impact.md"):
        if heading:
            current = heading.split(":")[0]
        elif cells[0].startswith("`") and len(cells) == 2 and ":" not in cells[0]:
            for name in cells[1].split():
                table[cells[0].strip("`"), name] = current
    return table


def target_rows():
    """By service: (parameter, kind, type, part), in order."""
    table = collections.defaultdict(list)
    for _, cells in page_rows("targets.md"):
        if cells and len(cells) == 5 and cells[0] != "service" and not cells[0].startswith("-"):
            table[cells[0]].append(cells[1:])
    return table


IMPACTS = impacts()
TARGETS = target_rows()
CI_HOSTS = [
    "token.actions.githubusercontent.com", "gitlab.com", "oidc.circleci.com", "agent.buildkite.com",
    "vstoken.dev.azure.com", "app.terraform.io", "api.bitbucket.org",
]  # fmt: skip
ERRORS = [
    ("denied", "accessdenied unauthorizedoperation unauthorizedaccess notauthorized authorizationerror "
     "forbidden unauthorizedexception permissiondenied deniedbypolicy"),
    ("not-found", "notfound nosuch notexist nonexistent"),
    ("throttled", "throttl toomany slowdown limitexceeded quotaexceeded throughputexceeded"),
    ("exists", "alreadyexist alreadyowned duplicate conflict inuse notempty"),
    ("invalid", "invalid validation malformed missing badrequest unknownparameter"),
]  # fmt: skip


def text(value):
    """A text that says something, or None."""
    return value if isinstance(value, str) and value else None


def inside(value, *path):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def impact(service, name, read_only):
    if (service, name) in IMPACTS:
        return IMPACTS[service, name]
    starts = lambda words: name.startswith(tuple(words.split()))
    if starts("Delete Terminate Deregister Remove Purge BatchDelete ScheduleKeyDeletion"):
        return "write"
    lists = "List Describe Lookup Search Scan Query"
    if service == "sts" and (starts("AssumeRole") or starts("Get") and name.endswith("Token")):
        return "credential"
    if service == "kms" and not starts(lists):
        return "read"
    if starts("AddPermission PutResourcePolicy"):
        return "exfiltration"
    if starts(lists + " Get Head BatchGet Check Select View") or read_only in (True, "true"):
        return "discovery"
    return "write"


def role_of(user):
    """Role, session and its class, or None."""
    issuer = inside(user, "sessionContext", "sessionIssuer") or {}
    role_arn = text(issuer.get("arn")) if issuer.get("type") in (None, "Role") else None
    arn, principal = text(user.get("arn")) or "", text(user.get("principalId")) or ""
    assumed = ":assumed-role/" in arn
    if role_arn:
        session = arn.rsplit("/", 1)[1] if assumed else principal.partition(":")[2]
        role = role_arn
    elif assumed:
        head, path = arn.split(":assumed-role/", 1)
        role, _, session = path.rpartition("/") if "/" in path else (path, "", "")
        role = head.replace(":sts:", ":iam:", 1) + ":role/" + role
    elif user.get("type") == "Role" and arn:
        role, session = arn, ""
    elif user.get("type") == "AssumedRole" and principal:
        role, _, session = principal.partition(":")
    else:
        return None
    provider = text(inside(user, "sessionContext", "webIdFederationData", "federatedProvider")) or ""
    delivered = text(user.get("ec2RoleDelivery")) or text(inside(user, "sessionContext", "ec2RoleDelivery"))
    if "oidc.eks." in provider:
        kind = "pod"
    elif any(host in provider for host in CI_HOSTS) or session in ("GitHubActions", "GitLabCI", "terraform-run"):
        kind = "ci"
    elif delivered or re.fullmatch(r"i-([0-9a-fA-F]{8}|[0-9a-fA-F]{17})", session):
        kind = "instance"
    elif "AWSReservedSSO_" in role or "@" in session:
        kind = "person"
    elif re.fullmatch(r"[0-9a-fA-F]{32}", session):
        kind = "task"
    else:
        kind = "pod" if session.startswith("eks-") else "program"
    return role, session, kind


def kind_of(user, role, account):
    logged, invoked = user.get("type"), text(user.get("invokedBy"))
    if logged == "AWSService" or invoked:
        return "service"
    if logged == "Root" or inside(user, "sessionContext", "assumedRoot") in (True, "true"):
        return "root"
    own = text(user.get("accountId"))
    if logged == "AWSAccount" or own and account and own != account:
        return "external"
    person = text(inside(user, "onBehalfOf", "userId"))
    if role:
        if "AmazonBedrockExecutionRoleForAgents_" in role[0] or "AmazonBedrockAgentCore" in role[0]:
            return "agent"
        if role[2] in ("person", "ci"):
            return {"person": "human", "ci": "ci"}[role[2]]
        source = text(inside(user, "sessionContext", "sourceIdentity")) or ""
        return "human" if person or "@" in source else "workload"
    if logged == "WebIdentityUser":
        provider = text(user.get("identityProvider")) or ""
        return "ci" if any(host in provider for host in CI_HOSTS) else "workload"
    named = [text(user.get(name)) for name in ("arn", "principalId", "userName")] + [person]
    return "human" if any(named) else "service"


def key_of(user, role, account):
    logged, invoked, arn = user.get("type"), text(user.get("invokedBy")), text(user.get("arn"))
    principal, name = text(user.get("principalId")) or "", text(user.get("userName"))
    holder = text(inside(user, "inScopeOf", "credentialsIssuedTo")) or ""
    if ":function:" in holder:
        return holder
    if ":task-definition/" in holder:
        head, definition = holder.split(":task-definition/", 1)
        return head + ":task-definition/" + definition.split(":")[0]
    person = text(inside(user, "onBehalfOf", "userId"))
    person = person or text(inside(user, "sessionContext", "sourceIdentity"))
    if person:
        return person
    if role:
        return role[0] + "#" + (role[1] if role[2] == "person" else role[2])
    if invoked and logged in (None, "AWSService"):
        return invoked
    issuer = text(inside(user, "sessionContext", "sessionIssuer", "arn"))
    if logged == "FederatedUser" and arn and issuer:
        last = arn.rsplit("/", 1)[-1]
        return issuer + "#" + (last if "@" in last else "federated")
    own = text(user.get("accountId"))
    if logged == "IAMUser" and not arn and name and own and name != "HIDDEN_DUE_TO_SECURITY_REASONS":
        return f"arn:aws:iam::{own}:user/{name}"
    if logged == "AWSAccount" and principal.startswith("AROA"):
        return principal.split(":")[0]
    if logged == "WebIdentityUser" and name and name.startswith("repo:"):
        return "repo:" + name[5:].split(":")[0]
    return arn or principal or name or own or account


def identity_of(record):
    user = record.get("userIdentity") or {}
    account = text(record.get("recipientAccountId")) or text(user.get("accountId")) or "unknown"
    role = role_of(user)
    key = key_of(user, role, account)
    if text(user.get("invokedBy")) and user.get("type") not in (None, "AWSService"):
        key += "#via:" + user["invokedBy"]
    return account, kind_of(user, role, account), key


def credential_of(user):
    logged, access_key = user.get("type"), text(user.get("accessKeyId")) or ""
    federated = text(inside(user, "sessionContext", "webIdFederationData", "federatedProvider"))
    mfa = inside(user, "sessionContext", "attributes", "mfaAuthenticated")
    factor = {True: "with MFA", "true": "with MFA", False: "without MFA", "false": "without MFA"}.get(mfa, "unknown")
    if logged == "AWSService" or text(user.get("invokedBy")):
        kind = "service"
    elif text(user.get("credentialId")):
        kind = "bearer token"
    elif logged == "WebIdentityUser" or federated:
        kind = "web identity"
    elif logged == "SAMLUser":
        kind = "saml"
    elif text(inside(user, "sessionContext", "signInSessionArn")):
        kind = "console session"
    elif not access_key:
        kind = "none"
    else:
        kind = {"AKIA": "long-term key", "ABIA": "bearer token"}.get(access_key[:4], "temporary key")
    return f"{kind} {factor}"


def clean(word):
    """A word of a tool's name without version and drawn ids."""
    name = ""
    for part in re.findall(r"[^-_]*[-_]|[^-_]+$", word):
        bare = part.rstrip("-_")
        drawn = len(bare) >= 4 and re.fullmatch("[0-9a-fA-F]+", bare) and re.search("[0-9]", bare)
        if re.match("[vV]*[0-9]", bare) or drawn:
            break
        version = re.search(r"[0-9.]+$", bare)
        if version and "." in version.group():
            bare = bare[: version.start()]
        name += "".join(c.lower() if c.isascii() else c for c in bare if c.isalnum() or c == ".")
        name += part[-1] if part[-1] in "-_" else ""
    return name.rstrip("-_.")


BROWSERS = [
    ("WindowsPowerShell/", "powershell"), ("Edg/", "edge"), ("OPR/", "opera"),
    ("HeadlessChrome/", "headless-chrome"), ("Firefox/", "firefox"), ("FxiOS/", "firefox"),
    ("CriOS/", "chrome"), ("Chrome/", "chrome"), ("Safari/", "safari"),
]  # fmt: skip
HIDDEN = {"android": "android", "iphone": "ios", "ipad": "ios"}
SYSTEMS = {
    "linux": "linux", "darwin": "darwin", "macos": "darwin", "macintosh": "darwin", "windows": "windows",
    "win32": "windows", "win64": "windows", "cros": "chromeos", "freebsd": "freebsd", "openbsd": "openbsd",
}  # fmt: skip
TOOLS = ["terraform", "opentofu", "pulumi", "ansible", "amazon-ssm-agent"]


def tool_of(agent):
    if agent.startswith("Mozilla/"):
        return next((name for product, name in BROWSERS if product in agent), "mozilla")
    for word in agent.split():
        if word.split("/")[0].lower() in TOOLS:
            return word.split("/")[0].lower()
    while agent.lower().startswith(("apn/", "hashicorp/")):
        agent = agent.split(None, 1)[1] if len(agent.split(None, 1)) > 1 else ""
    words = [clean(word) for word in re.split(r"[/#,(]", agent)[0].split()]
    return " ".join([word for word in words if word][:3]) or "other"


def family(agent):
    agent = agent.strip(" \t\r\n[]<>\"")
    if not agent or re.fullmatch(r"[a-z0-9.-]*\.amazonaws\.com", agent) and len(agent) <= 64:
        return agent
    if agent == "AWS Internal":
        return "aws-internal"
    tool = tool_of(agent)
    if "console" not in tool and "aws-internal/" not in agent and ("/" in agent or "(" in agent):
        words = [word.lower() for word in re.split("[^A-Za-z0-9]", agent) if len(word) > 3]
        found = [HIDDEN[word] for word in words if word in HIDDEN]
        found = found or [SYSTEMS[word] for word in words if word in SYSTEMS]
        if found:
            return f"{tool[:48]} {found[0]}"[:64]
    return tool[:64]


def error_of(code):
    code = code.lower()
    if code == "unauthorized":
        return "denied"
    return next((kind for kind, words in ERRORS if any(word in code for word in words.split())), "other")


def part_of(form, value, is_arn):
    if form == "secret":
        head, _, tail = value.rpartition("-")
        return head if is_arn and head and len(tail) == 6 else value
    if form == "bucket":
        return value if value.startswith("accesspoint/") else value.split("/")[0]
    if form in ("path", "folder"):
        path = value.strip("/") or value
        return path.rpartition("/")[0] or path if form == "folder" and "/" in path.strip("/") else path
    if form.startswith("before "):
        return value.split(form[-1])[0]
    return value.rsplit("/", 1)[-1] if form == "last" else value


def typed(resource, kind):
    """The resource of an ARN behind its type; None if it has another."""
    if not kind:
        return resource
    is_typed = resource.startswith(kind) and resource[len(kind) : len(kind) + 1] in (":", "/")
    return resource[len(kind) + 1 :] if is_typed else None


def target_of(record, service, name):
    request = record.get("requestParameters")
    request = request if isinstance(request, dict) else {}
    for parameter, kind, arn_type, form in TARGETS.get(service, []):
        value = request.get(parameter)
        value = text(value[0] if isinstance(value, list) and value else value)
        if not value or value == "HIDDEN_DUE_TO_SECURITY_REASONS":
            continue
        pieces = value.split(":", 5)
        if pieces[0] == "arn" and len(pieces) == 6:
            resource = typed(pieces[5], arn_type)
            found = part_of(form, pieces[5] if resource is None else resource, True)
        else:
            found = part_of(form, value, False)
        if found:
            return f"{kind}:{found}"[:256]
    for resource in record.get("resources") or []:
        pieces = (text(inside(resource, "ARN")) or "").split(":", 5)
        for _, kind, arn_type, form in TARGETS.get(service, []) if len(pieces) == 6 else []:
            rest = typed(pieces[5], arn_type)
            if pieces[2] == kind.split(":")[0] and rest is not None and part_of(form, rest, True):
                return f"{kind}:{part_of(form, rest, True)}"[:256]
    if service == "sts" and name.startswith("AssumeRole"):
        return text(request.get("roleArn"))
    return None


class Ranges:
    """A built-in table of addresses, as ingest/data/regenerate.py draws it."""

    def __init__(self, name):
        with open(os.path.join(ROOT, "ingest/data", name), "rb") as file:
            data = file.read()
        entries, blocks, words, _, per_block = struct.unpack_from("<5I", data, 12)
        self.words = struct.unpack_from(f"<{words}I", data, 32)
        at = 32 + 4 * words
        index = [struct.unpack_from("<QII", data, at + 16 * n) for n in range(blocks)]
        self.data, self.first_byte = data, at + 16 * blocks
        self.firsts = [first for first, _, _ in index]
        self.ends = [0] + [end for _, end, _ in index]
        self.sizes = [min(per_block, entries - n * per_block) for n in range(blocks)]
        self.known = {}

    def block(self, n):
        if n not in self.known:
            start, end = self.first_byte + self.ends[n], self.first_byte + self.ends[n + 1]
            raw, numbers, value, shift = zlib.decompress(self.data[start:end], -15), [], 0, 0
            for byte in raw:
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    numbers.append(value)
                    value = shift = 0
            size, firsts, at = self.sizes[n], [], self.firsts[n]
            for code in numbers[:size]:
                firsts.append(at)
                at += ((code >> 6) * 2 + 1) << (code & 63)
            self.known[n] = firsts, numbers[size : 2 * size]
        return self.known[n]

    def get(self, key):
        firsts, codes = self.block(bisect.bisect_right(self.firsts, key) - 1)
        code = codes[bisect.bisect_right(firsts, key) - 1]
        return self.words[code] if code < len(self.words) else code - len(self.words)


COUNTRY, NETWORK = Ranges("country4.bin"), Ranges("network4.bin")
ORIGINS = {}


def origin(address):
    """Country and network of a text; the archives hold no IPv6."""
    if address not in ORIGINS:
        ORIGINS[address] = None, None
        try:
            parsed = ipaddress.IPv4Address(address)
        except ValueError:
            return ORIGINS[address]
        if parsed.is_global and not parsed.is_multicast:
            country, network = COUNTRY.get(int(parsed)), NETWORK.get(int(parsed))
            letters = chr(country >> 8) + chr(country & 255) if country else None
            ORIGINS[address] = letters, f"AS{network}" if network else None
    return ORIGINS[address]


class Call:
    """What is counted of one record."""

    def __init__(self, record):
        source, name = record["eventSource"], record["eventName"]
        service = source.split(".")[0]
        stem = name.rstrip("0123456789v_")
        if re.match(r"[0-9]{8}", name[len(stem) :]):
            name = stem
        code = text(record.get("errorCode"))
        failed = code or text(record.get("errorMessage"))
        failed = failed or inside(record, "responseElements", "ConsoleLogin") == "Failure"
        is_stranger = record["eventName"] == "ConsoleLogin" and failed
        country, network = (None, None) if is_stranger else origin(record.get("sourceIPAddress"))
        self.identity = identity_of(record)
        self.track = impact(service, name, record.get("readOnly")), service == "s3"
        self.values = {
            "api": f"{service}:{name}",
            "service": service,
            "region": text(record.get("awsRegion")),
            "country": country,
            "network": network,
            "agent": text(family(record.get("userAgent") or "")),
            "credential": credential_of(record.get("userIdentity") or {}),
            "target": target_of(record, service, name),
            "error": error_of(code) if code else None,
        }


def slot_of(moment):
    return int(moment.timestamp()) // 300


def calls(archive):
    """By identity and slot, all calls; and the days that records came too late for."""
    by_identity, ids, late = collections.defaultdict(lambda: collections.defaultdict(list)), set(), set()
    utc = datetime.timezone.utc
    for path in sorted(glob.glob(os.path.join(archive, "**", "*.json.gz"), recursive=True)):
        stamped = re.search(r"_CloudTrail_[^_]+_(\d{8}T\d{4})Z_", os.path.basename(path))
        if not stamped:
            continue
        stamp = datetime.datetime.strptime(stamped.group(1), "%Y%m%dT%H%M").replace(tzinfo=utc)
        with gzip.open(path) as file:
            records = json.load(file)["Records"]
        for record in records:
            addendum = record.get("addendum") or {}
            if addendum.get("reason") == "UPDATED_DATA" and "originalEventID" in addendum:
                continue
            if record["eventID"] in ids:
                continue
            ids.add(record["eventID"])
            time = datetime.datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=utc)
            time, call = min(time, stamp), Call(record)
            if (stamp - time).total_seconds() > 86400:
                late.add(call.identity)
            by_identity[call.identity][slot_of(time)].append(call)
    return by_identity, late


# Judging: docs/model.md, "The same, exactly".


def bits(probability):
    return rounded(-math.log2(probability))


def rounded(number):
    """To hundredths, ties away from zero."""
    return math.floor(min(max(number, 0.0), 1000.0) * 100.0 + 0.5)


class Memory:
    """One dimension of a generation."""

    def __init__(self, held):
        nothing = {"hours": 0.0, "sum": 0.0, "sum_squares": 0.0}
        held = held or {"values": [], "rate": nothing, "after_alerts": 0}
        self.values = {one["value"]: one for one in held["values"]}
        self.rate, self.after_alerts = held["rate"], held["after_alerts"]
        self.t, self.n = len(self.values), sum(one["days"] for one in held["values"])

    def knows(self, value):
        return value in self.values and self.values[value]["is_known"]

    def members(self, value):
        one = self.values[value]
        return one["members"] if one["is_known"] else 0

    def may_be_rare(self, value):
        return self.values[value]["days"] + self.t <= (self.n + self.t) / 8

    def tail(self, weight, value):
        all_of = [weight(one) for one in self.values]
        as_rare = sum(one for one in all_of if one <= weight(value))
        return (as_rare + self.t) / (sum(all_of) + self.t)

    def escape(self):
        known = [one["members"] for one in self.values.values() if one["is_known"]]
        return len(known) / (sum(known) + len(known)) if known else 1.0


class Generation:
    """What the days up to one taught, of somebody; empty where nothing did."""

    def __init__(self, held):
        self.held = held or {"dimensions": {}, "decayed_days": 0.0, "judged_hours": 0.0}
        self.memories = {}

    def of(self, dimension):
        if dimension not in self.memories:
            self.memories[dimension] = Memory(self.held["dimensions"].get(dimension))
        return self.memories[dimension]


class Day:
    """A line of DAYS."""

    def __init__(self, line):
        self.line = line
        self.own = Generation(line["own"])
        groups = [line[name] for name in ("role", "kind", "of_account", "organisation")]
        self.groups = [Generation(group) for group in groups]
        self.kind = self.groups[1]
        history = line["history"]
        self.holds = history["own_days"] > 0 or history["kind_days"] >= 5

    def expected(self, dimension, is_news):
        mean, square, hours = 1.0, 3.0, 0.0
        for generation in (self.kind, self.own):
            rate = generation.of(dimension).rate
            h = max(rate["hours"], generation.held["judged_hours"]) if is_news else rate["hours"]
            mean = (rate["sum"] + 24 * mean) / (h + 24)
            square = (rate["sum_squares"] + 24 * square) / (h + 24)
            hours += h
        return mean, square, hours

    def back_off(self, dimension, value):
        unseen = UNSEEN.get(dimension)
        unseen = math.log2(1 + self.own.of(dimension).t) if unseen is None else unseen
        escape = 1.0
        for group in self.groups:
            memory = group.of(dimension)
            if not memory.values:
                continue
            if value in memory.values and memory.members(value) > 0:
                return min(bits(escape * memory.tail(memory.members, value)), rounded(unseen))
            escape *= memory.escape()
        return rounded(unseen)

    def rarity(self, dimension, value):
        generation = self.own if self.own.of(dimension).knows(value) else self.kind
        memory = generation.of(dimension)
        if value not in memory.values:
            return 0
        days = lambda one: memory.values[one]["days"]
        by_members = generation is self.kind and memory.members(value) > 0
        p = min(memory.tail(memory.members if by_members else days, value), 1.0)
        draws = max(1.0, memory.n / max(generation.held["decayed_days"], 1.0))
        return bits(1.0 - (1.0 - p) ** draws)


def tail(x, expected):
    mean, square, hours = expected
    if x <= mean:
        return 0
    excess = square - mean * mean - mean
    r = min(mean * mean / excess, 1e6) if excess > 0 else 1e6
    chernoff = x * math.log2(x / mean) - (x + r) * math.log2((x + r) / (mean + r))
    return rounded(min(max(chernoff, math.log2(x / mean)), math.log2((hours + 2) * x)))


class Judge:
    """What of one identity is known and was called."""

    def __init__(self, days, slots):
        self.days, self.slots = days, slots
        self.held = {}

    def held_of(self, slot, dimension):
        """The values of a slot that are held: whether each was new then, and its tracks."""
        if (slot, dimension) not in self.held:
            found, day = {}, self.days.get(slot // (24 * SLOTS))
            for call in self.slots.get(slot, []) if day and day.holds else []:
                value, memory = call.values[dimension], day.own.of(dimension)
                if value is None or memory.knows(value) and not memory.may_be_rare(value):
                    continue
                found.setdefault(value, (not memory.knows(value), set()))[1].add(call.track)
            assert len(found) <= HELD_MAX, "a slot of more values than are held: choose another archive"
            self.held[slot, dimension] = found
        return self.held[slot, dimension]

    def windows(self, hour, admits):
        """The admitted values of the 12 slots that end in one of the hour that has some."""
        for end in range(hour * SLOTS, (hour + 1) * SLOTS):
            if admits(end):
                yield sorted(set().union(*(admits(slot) for slot in range(end - SLOTS + 1, end + 1))))

    def dimension(self, day, hour, track, name):
        """Bits of a dimension, of a track or of all calls, in hundredths."""

        def is_new(value, was_new):
            known = day.own.of(name).knows(value)
            known = known or day.line["is_young"] and day.kind.of(name).knows(value)
            return was_new and not known

        def admits(slot, new):
            held = self.held_of(slot, name).items()
            of_track = lambda tracks: track is None or track in tracks
            return {value for value, (then, tracks) in held if of_track(tracks) and is_new(value, then) == new}

        most = 0
        for values in self.windows(hour, lambda slot: admits(slot, True)):
            is_counted = not day.line["is_young"] and name != "region"
            many = tail(len(values), day.expected(name, True)) if is_counted else 0
            most = max(most, many + max(day.back_off(name, value) for value in values))
        for values in self.windows(hour, lambda slot: admits(slot, False)):
            most = max(most, max(day.rarity(name, value) for value in values))
        return most

    def families(self, day, hour, track, families, halves):
        """Of each family the possible names of its part, and its bits in hundredths, weighed."""
        for family in families:
            found = {name: self.dimension(day, hour, track, name) for name in family}
            most = max(found.values())
            if most * halves // 2 > 0:
                # Of two that differ by less than is compared either may stand for the family.
                yield {name for name in family if found[name] >= most - 1}, most * halves // 2

    def counts(self, hour, track):
        """The most calls of a track in 60 minutes that end in the hour with one."""
        count = lambda slot: sum(call.track == track for call in self.slots.get(slot, []))
        ends = [end for end in range(hour * SLOTS, (hour + 1) * SLOTS) if count(end)]
        return max(sum(count(slot) for slot in range(end - SLOTS + 1, end + 1)) for end in ends)

    def judged(self, day, hour, track):
        """The parts of a span, those of its deeds, the calls and the weight in halves; no track is the context."""
        of_hour = range(hour * SLOTS, (hour + 1) * SLOTS)
        tracks = {call.track for slot in of_hour for call in self.slots.get(slot, [])}
        tracks = {track} if track else tracks
        halves = max(2 if impact in ("read", "discovery", "write") else 3 for impact, _ in tracks)
        calls = sum(self.counts(hour, one) for one in tracks)
        context = list(self.families(day, hour, None, CONTEXT, halves))
        if not track:
            return context, [], calls, halves
        deeds = list(self.families(day, hour, track, DEEDS, halves))
        is_more = calls > day.own.of(calls_name(track)).after_alerts
        many = tail(calls, day.expected(calls_name(track), False)) * halves // 2 if is_more else 0
        deeds += [({calls_name(track)}, many)] if many > 0 else []
        return context + deeds, deeds, calls, halves

    def differences(self, day, span):
        """What differs from what the program wrote of a span."""
        hour = datetime.datetime.fromisoformat(span["hour"].replace("Z", "+00:00"))
        hour = int(hour.timestamp()) // 3600
        track = (span["impact"], span["is_s3"]) if span["impact"] else None
        parts, deeds, calls, halves = self.judged(day, hour, track)
        if (calls, halves) != (span["calls"], span["weight"] * 2):
            yield f"{calls} calls and weight {halves / 2} here, {span['calls']} and {span['weight']} there"
        total = lambda parts: sum(hundredths for _, hundredths in parts)
        needs = None if span["needs"] is None else span["needs"] * 100
        if needs and abs(total(parts) - needs) > len(parts) and abs(total(deeds) - needs * DEEDS_SHARE) > len(parts):
            told = total(parts) >= needs and (not track or total(deeds) >= needs * DEEDS_SHARE)
            if told != span["is_told"]:
                yield f"told here is {told}, there {span['is_told']}"
        written = {part["dimension"]: part["bits"] for part in span["parts"]}
        for names, hundredths in parts:
            name = next((name for name in names if name in written), None)
            found = written.pop(name, 0.0)
            if abs(found - hundredths / 100) > TOLERANCE + 1e-9:
                yield f"{sorted(names)}: {hundredths / 100} here, {found} there"
        for name, found in written.items():
            if found > TOLERANCE:
                yield f"{name}: nothing here, {found} there"


def only_looks(impact, is_s3):
    return impact == "discovery" or impact == "read" and not is_s3


def height_of(line):
    """The largest threshold under which a day would still be an alert, in bits."""
    most, loud = 0, set()
    for span in line["spans"]:
        if span["impact"] and not only_looks(span["impact"], span["is_s3"]):
            loud.add(span["hour"])
    for span in line["spans"]:
        names = {name for family in DEEDS for name in family} | {calls_name((span["impact"] or "", span["is_s3"]))}
        deeds = sum(part["bits"] for part in span["parts"] if part["dimension"] in names)
        if not span["impact"] and span["hour"] in loud:
            most = max(most, span["bits"])
        elif span["impact"] and span["detector"] and not only_looks(span["impact"], span["is_s3"]):
            most = max(most, min(span["bits"], deeds / DEEDS_SHARE))
    return most


def thresholds(days):
    """What differs in what hours have to carry; of the lines of everybody, all days and a default configuration."""
    heights = collections.defaultdict(list)  # by day: kind, bits, weight
    for (_, kind, _), of_key in days.items():
        for number, day in of_key.items():
            height = day.line["height"]
            if height:
                heights[number].append((kind, height["bits"], height["weight"]))
                if abs(height_of(day.line) - height["bits"]) > 5 * TOLERANCE:
                    yield f"height {height_of(day.line)} here, {height['bits']} there, {day.line['entity']}"
    for (_, kind, _), of_key in days.items():
        for number, day in of_key.items():
            if not day.line["is_judged"]:
                continue
            known = [
                (of_kind, bits, weight * 2 ** (-(number - 2 - of_day) / 30))
                for of_day in heights if of_day <= number - 3
                for of_kind, bits, weight in heights[of_day]
            ]  # fmt: skip
            everybody = sum(weight for _, _, weight in known)
            n_days = sum(2 ** (-(number - 2 - of_day) / 30) for of_day in heights if of_day <= number - 3)
            known = [(bits, weight) for of_kind, bits, weight in known if of_kind == kind]
            beyond = n_days * ALERTS_PER_DAY * sum(weight for _, weight in known) / everybody if known else 0
            asked, small = day.line["budget_asks"], 0.01
            above = lambda least: sum(weight for bits, weight in known if bits >= least - 1e-9)
            if asked is None and beyond > BEYOND_MIN + small or asked is not None and beyond < BEYOND_MIN - small:
                yield f"{beyond} days beyond the bound of {kind} here, {asked} bits there"
            elif asked and not above(asked) - small <= beyond <= above(asked - 0.1) + small:
                yield f"{above(asked)} of {beyond} days of {kind} reach {asked}"
            bits = 25 if kind in ("workload", "agent") and not day.line["is_young"] else 40
            bits = max(bits, min(asked or 0, bits + RAISE_MAX))
            if set(day.line["thresholds"].values()) != {bits}:
                yield f"{bits} bits needed here, {day.line['thresholds']} there, {day.line['entity']}"


def calls_name(track):
    impact, is_s3 = track
    return ("s3-" if is_s3 else "") + "calls-" + impact


def read_days(path):
    """By identity, the days as numbers since 1970."""
    days = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            key = line["account"], line["entity"]["kind"], line["entity"]["key"]
            number = datetime.date.fromisoformat(line["day"]).toordinal() - datetime.date(1970, 1, 1).toordinal()
            days[key][number] = Day(line)
    return days


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive")
    parser.add_argument("days")
    parser.add_argument("--spans", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    days = read_days(asked.days)
    by_identity, late = calls(asked.archive)
    spans = [
        (key, day, span)
        for key, of_key in sorted(days.items())
        for day in of_key.values()
        for span in day.line["spans"] if day.line["is_judged"] and key not in late
    ]  # fmt: skip
    random.Random(asked.seed).shuffle(spans)
    judges = {key: Judge(of_key, by_identity.get(key, {})) for key, of_key in days.items()}
    n_parts, wrong, dimensions = 0, [], collections.Counter()
    for key, day, span in spans[: asked.spans]:
        n_parts += len(span["parts"])
        dimensions.update(part["dimension"] for part in span["parts"])
        for difference in judges[key].differences(day, span):
            wrong.append(f"{key[2]} {span['hour']} {span['impact']}: {difference}")
    wrong += thresholds(days)
    n = min(len(spans), asked.spans)
    n_context = sum(span["impact"] is None for _, _, span in spans[:n])
    n_told = sum(span["is_told"] for _, _, span in spans[:n])
    print(f"{n} spans compared ({n_context} of context alone, {n_told} told), with {n_parts} parts of "
          f"{len(dimensions)} dimensions; {len(wrong)} differ")  # fmt: skip
    for line in wrong[:20]:
        print(line)
    if n < asked.spans:
        print(f"only {n} spans are judged; expected {asked.spans}")
    return 1 if wrong or n < asked.spans else 0


if __name__ == "__main__":
    sys.exit(main())
