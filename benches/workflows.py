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

# The task, the flags of `serve`, the vendor, and its calls.
TASKS = [
    ("tickets about password reset", "jitbit", [("jitbit_search_tickets", {"query": "password reset"})]),
    ("unanswered tickets", "jitbit", [("jitbit_list_tickets", {"mode": "unanswered"})]),
    ("ticket and conversation", "jitbit", [("jitbit_get_ticket", {"ticketId": 4521}), ("jitbit_list_comments", {"ticketId": 4521})]),
    ("triage an incident", "jsm", [
        ("jsm_get_issue", {"issueIdOrKey": "ITSM-994"}),
        ("jsm_list_issue_comments", {"issueIdOrKey": "ITSM-994"}),
        ("jsm_get_user", {"accountId": "5b10ac8d82e05b22cc7d4ef5"}),
    ]),
    ("dispatch a queue", "jsm", [
        ("jsm_list_queues", {"serviceDeskId": "2"}),
        ("jsm_list_queue_issues", {"serviceDeskId": "2", "queueId": 10}),
    ]),
    ("how many Windows devices", "jumpcloud", [
        ("jumpcloud_list_devices", {"filter": [{"field": "os", "operator": "eq", "value": "Windows"}], "limit": 1}),
    ]),
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


def listed(binary, vendor):
    """The list that the server sends by default."""
    requests = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "workflows", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    command = [binary, "serve", "--sandbox", "--vendor", vendor]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        server.stdin.write("".join(json.dumps(request) + "\n" for request in requests))
        server.stdin.flush()
        for line in server.stdout:
            answer = json.loads(line)
            if answer.get("id") == 2:
                server.stdin.close()
                return answer["result"]["tools"]
    raise SystemExit("the server sent no list")


def answer(binary, vendor, tool, arguments):
    command = [binary, "call", "--sandbox", "--vendor", vendor, "--tags", "all", tool, "--args", json.dumps(arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    binary = sys.argv[1]
    print("| task | this server: list | calls and answers | one tool per operation: list | calls and answers |")
    print("|---|---|---|---|---|")
    for task, vendor, calls in TASKS:
        ours = sum(tokens({"name": tool, "arguments": arguments}) for tool, arguments in calls)
        plain = ours
        for tool, arguments in calls:
            ours += tokens(answer(binary, vendor, tool, arguments))
            try:
                plain += tokens(answer(binary, vendor, tool, {**arguments, "detail": "full"}))
            except subprocess.CalledProcessError:
                plain += tokens(answer(binary, vendor, tool, arguments))
        lists = sum(map(tokens, listed(binary, vendor))), sum(map(tokens, plain_list(vendor)))
        print(f"| {task} | {lists[0]:,} | {ours:,} | {lists[1]:,} | {plain:,} |")


if __name__ == "__main__":
    main()
