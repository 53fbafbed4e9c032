"""The tasks of the vendors' own examples → tokens (o200k) from question to answer: list of tools, calls and answers.

    python3 -m venv target/workflows-venv && target/workflows-venv/bin/pip install bpe-openai pyyaml
    target/workflows-venv/bin/python benches/workflows.py target/debug/toolwright

Beside this server is one that offers each operation of the same descriptions as a tool, with every parameter and the body's
schema as the description has them, and answers with all of each record.
"""

import json
import subprocess
import sys
from pathlib import Path

import bpe_openai
import yaml

SPECS = Path(__file__).resolve().parent.parent / "specs"
ENCODING = bpe_openai.get_encoding("o200k_base")

# The task in a user's words, the vendor, the calls by tools of one request each, and by the tools that are served for it.
SEARCH = [("jitbit_search_tickets", {"query": "password reset"})]
UNANSWERED = [("jitbit_list_tickets", {"mode": "unanswered"})]
WINDOWS = [("jumpcloud_list_devices", {"filter": [{"field": "os", "operator": "eq", "value": "Windows"}], "limit": 1})]
TASKS = [
    ("find tickets about password reset", "jitbit", SEARCH, SEARCH),
    ("list unanswered tickets", "jitbit", UNANSWERED, UNANSWERED),
    ("show a ticket with its conversation", "jitbit",
     [("jitbit_get_ticket_record", {"ticketId": 4521}), ("jitbit_list_comments", {"ticketId": 4521})],
     [("jitbit_get_ticket", {"ticketId": 4521})]),
    ("sum up this incident", "jsm",
     [("jsm_get_issue", {"issueIdOrKey": "ITSM-994"}), ("jsm_list_issue_comments", {"issueIdOrKey": "ITSM-994"}),
      ("jsm_get_user", {"accountId": "5b10ac8d82e05b22cc7d4ef5"})],
     [("jsm_triage_issue", {"issueIdOrKey": "ITSM-994"})]),
    ("what is waiting in the queue", "jsm",
     [("jsm_list_queues", {"serviceDeskId": "2"}), ("jsm_list_queue_issues", {"serviceDeskId": "2", "queueId": 10})],
     [("jsm_get_queue", {"serviceDeskId": "2", "queueId": "10"})]),
    ("how many Windows devices do we have", "jumpcloud", WINDOWS, WINDOWS),
]


def tokens(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(ENCODING.encode(text))


def resolved(node, document, seen=()):
    """The node without references; one that leads to itself is an object."""
    if isinstance(node, list):
        return [resolved(item, document, seen) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is None:
        return {key: resolved(value, document, seen) for key, value in node.items() if key not in ("example", "examples")}
    if reference in seen:
        return {"type": "object"}
    target = document
    for step in reference.removeprefix("#/").split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return resolved(target, document, (*seen, reference))


def plain_list(vendor):
    """One tool for each operation of the vendor's descriptions."""
    for path in sorted(SPECS.joinpath(vendor).glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        if "openapi" not in document:
            continue
        for route, item in document["paths"].items():
            for method, operation in item.items():
                if method not in ("get", "post", "put", "patch", "delete"):
                    continue
                parameters = resolved([*item.get("parameters", []), *operation.get("parameters", [])], document)
                properties = {
                    parameter["name"]: {**parameter.get("schema", {}), "description": parameter.get("description", "")}
                    for parameter in parameters
                }
                required = [parameter["name"] for parameter in parameters if parameter.get("required")]
                body = resolved(operation.get("requestBody", {}), document)
                for content in body.get("content", {}).values():
                    properties["body"] = content.get("schema", {})
                    break
                yield {
                    "name": operation.get("operationId", f"{method} {route}"),
                    "description": operation.get("description") or operation.get("summary", ""),
                    "inputSchema": {"type": "object", "properties": properties, "required": required},
                }


class Server:
    """A server over stdio, with all that reads."""

    def __init__(self, binary, *flags):
        command = [binary, "serve", "--sandbox", *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.count = 0
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "workflows", "version": "1"}}
        self.ask("initialize", client)
        self.send({"method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.count += 1
        self.send({"id": self.count, "method": method, "params": params})
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.count:
                return answer["result"]
        raise SystemExit("the server sent no answer")

    def list(self):
        return self.ask("tools/list", {})["tools"]

    def call(self, tool, arguments):
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        text = result["content"][0]["text"]
        if result.get("isError"):
            raise SystemExit(f"{tool}: {text}")
        return text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def discovered(binary, task, calls):
    """Tokens of the list, and of finding the tools in the task's words and calling them."""
    with Server(binary, "--discover") as server:
        found = server.call("find_tools", {"question": task})
        missing = [tool for tool, _ in calls if f'"{tool}"' not in found]
        if missing:
            raise SystemExit(f"`{task}` does not find {missing}")
        used = tokens({"name": "find_tools", "arguments": {"question": task}}) + tokens(found)
        for tool, arguments in calls:
            by_call_tool = {"tool": tool, "arguments": arguments}
            used += tokens({"name": "call_read", "arguments": by_call_tool}) + tokens(server.call("call_read", by_call_tool))
        return sum(map(tokens, server.list())), used


def answer(binary, vendor, tool, arguments):
    command = [binary, "call", "--sandbox", "--vendor", vendor, "--tags", "all", tool, "--args", json.dumps(arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    binary = sys.argv[1]
    print("| task | this server: list | calls and answers | `--discover`: list | finding, calls and answers | one tool per operation: list | calls and answers |")
    print("|---|---|---|---|---|---|---|")
    for task, vendor, calls, done in TASKS:
        found = discovered(binary, task, done)
        best = sum(tokens({"name": tool, "arguments": arguments}) + tokens(answer(binary, vendor, tool, arguments)) for tool, arguments in done)
        plain = sum(tokens({"name": tool, "arguments": arguments}) for tool, arguments in calls)
        for tool, arguments in calls:
            try:
                plain += tokens(answer(binary, vendor, tool, {**arguments, "detail": "full"}))
            except subprocess.CalledProcessError:
                plain += tokens(answer(binary, vendor, tool, arguments))
        with Server(binary, "--vendor", vendor) as server:
            ours = sum(map(tokens, server.list()))
        plain_tools = sum(map(tokens, plain_list(vendor)))
        print(f"| {task} | {ours:,} | {best:,} | {found[0]:,} | {found[1]:,} | {plain_tools:,} | {plain:,} |", flush=True)


if __name__ == "__main__":
    main()
