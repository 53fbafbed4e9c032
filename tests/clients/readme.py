"""What README.md shows, run.

    python tests/clients/readme.py BINARY README.md

Every server in a JSON snippet or a `claude mcp add` line is started with the variables that stand
beside it and asked for its tools, which no vendor hears of; every other command is run. `toolwright`
becomes BINARY, and `--sandbox` is added where an account would be needed. What is not run is printed with the reason;
a command that no rule knows is a failure.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from pathlib import Path

import harness

TIMEOUT_SECONDS = 60
# Commands that are not run here, and why.
NOT_RUN = {
    "cargo run --release -- call jitbit_search_tickets query=printer --sandbox": ".ci/run has a step for it",
    "cargo test --features authoring,typed": ".ci/run has a step for it",
    "cargo build --release": ".ci/run builds without --release, which takes minutes",
    "cargo regenerate --check": ".ci/run has a step for it",
    "cargo regenerate": "writes files; the step with --check shows what it would write",
    "cargo spec lint description.json": "tests/spec_command.rs runs it over descriptions of its own",
    "cargo spec new acme --from description.json": "tests/spec_command.rs runs it over descriptions of its own",
    "toolwright doctor": "logs in at the vendor, which takes an account",
}
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "readme", "version": "0"},
}
# What stands for a value that a client would ask the person for.
ASKED_FOR = re.compile(r"\$\{input:\w+\}")


def request(identifier, method, **params):
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}


def check_tools(answer):
    tools = answer["result"]["tools"]
    assert tools and all("inputSchema" in tool for tool in tools), answer


def speak_stdio(command, env):
    messages = [request(1, "initialize", **INITIALIZE), {"jsonrpc": "2.0", "method": "notifications/initialized"}]
    messages.append(request(2, "tools/list"))
    done = subprocess.run(
        command,
        input="".join(json.dumps(message) + "\n" for message in messages),
        env=harness.bare_environment() | env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["result"]["serverInfo"]["name"] == "toolwright", answers[1]
    check_tools(answers[2])


def speak_http(binary, flags):
    with harness.http_server(binary, *flags) as url:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        body = json.dumps(request(1, "tools/list")).encode()
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=TIMEOUT_SECONDS) as answer:
            check_tools(json.load(answer))


def run(command):
    done = subprocess.run(
        command, env=harness.bare_environment(), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    assert done.stdout.strip(), "nothing on standard output"


def serve(binary, command, env):
    """Speaks to `toolwright serve …`, whatever its transport."""
    assert command[:2] == ["toolwright", "serve"], f"no rule for {command}"
    flags = [flag for flag in command[2:] if flag != "--sandbox"]
    if "--http" in flags:
        # Any free port: the one in the text may be taken.
        at = flags.index("--http")
        speak_http(binary, flags[:at] + flags[at + 2 :])
    else:
        # With an account's variables it runs as written: listing tools asks nothing of the vendor.
        speak_stdio([binary, "serve", *flags, *([] if env else ["--sandbox"])], env)


def claude_mcp_add(binary, words):
    """`claude mcp add NAME -e KEY=VALUE … -- COMMAND …`"""
    split = words.index("--")
    options = words[4:split]
    assert options[::2] == ["-e"] * (len(options) // 2), f"no rule for {options}"
    serve(binary, words[split + 1 :], dict(option.split("=", 1) for option in options[1::2]))


def shell_line(binary, line):
    words = shlex.split(line, comments=True)
    if words[:3] == ["claude", "mcp", "add"]:
        claude_mcp_add(binary, words)
    elif words[:2] == ["toolwright", "serve"]:
        serve(binary, words, {})
    elif words[:2] == ["toolwright", "call"]:
        run([binary, *words[1:], *([] if "--sandbox" in words else ["--sandbox"])])
    elif words == ["toolwright", "audit", "verify", "FILE"]:
        with tempfile.TemporaryDirectory() as folder:
            record = str(Path(folder) / "record.jsonl")
            run([binary, "call", "jitbit_list_priorities", "--sandbox", "--audit", record])
            run([binary, "audit", "verify", record])
    elif words[:2] == ["toolwright", "catalog"]:
        run([binary, *words[1:]])
    else:
        raise AssertionError("no rule for this command")


def json_snippet(checks, binary, value, folder):
    servers = value.get("mcpServers") or value.get("servers") if isinstance(value, dict) else None
    if servers:
        for name, server in servers.items():
            with checks.check(f"client configuration of `{name}`: {server['command']} {' '.join(server['args'])}"):
                env = {key: ASKED_FOR.sub("entered", text) for key, text in server.get("env", {}).items()}
                serve(binary, [server["command"], *server["args"]], env)
        return
    with checks.check("answers of one's own for the sandbox"):
        assert isinstance(value, list), "no rule for this snippet"
        script = folder / "answers.json"
        script.write_text(json.dumps(value), encoding="utf-8")
        run([binary, "call", "jitbit_search_tickets", "query=printer", f"--sandbox={script}"])


def toml_snippet(checks, binary, text, folder):
    file = folder / "toolwright.toml"
    file.write_text(text, encoding="utf-8")
    for profile in tomllib.loads(text)["profiles"]:
        with checks.check(f"profile `{profile}`"):
            speak_stdio([binary, "serve", "--sandbox", "--config", str(file), "--profile", profile], {})


def main():
    if len(sys.argv) != 3:
        print("usage: readme.py BINARY README.md", file=sys.stderr)
        return 2
    binary = os.path.abspath(sys.argv[1])
    text = Path(sys.argv[2]).read_text(encoding="utf-8")
    checks = harness.Checks()
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if language == "json":
                json_snippet(checks, binary, json.loads(block), Path(folder))
            elif language == "toml":
                toml_snippet(checks, binary, block, Path(folder))
            elif language == "sh":
                for line in filter(None, map(str.strip, block.splitlines())):
                    command = shlex.join(shlex.split(line, comments=True))
                    seen.add(command)
                    if command in NOT_RUN:
                        print(f"not run {command}: {NOT_RUN[command]}", flush=True)
                        continue
                    with checks.check(command):
                        shell_line(binary, line)
            else:
                print(f"not run: a block of {language}", flush=True)
    with checks.check("what is not run still stands in the text"):
        assert NOT_RUN.keys() <= seen, sorted(NOT_RUN.keys() - seen)
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
