"""What README.md and docs/ show, run.

    python tests/clients/readme.py BINARY FILE.md...

Each server in a configuration snippet, or in a client's command that adds one, is started with the variables beside it and
asked for its tools, which sends no request to a vendor. Every other command is run: `toolwright` becomes BINARY, and
`--sandbox` is added where an account would be needed. A block of JSON after a command is that command's output and is
compared. A command that is not run is printed with the reason; a command without a rule is a failure.
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
# Commands of README.md that are not run here, and why.
NOT_RUN = {
    "cargo run -- call jitbit_search_tickets query=printer --sandbox": ".ci/run has a step for it",
    "cargo test --workspace --all-features": ".ci/run has a step for it",
    "cargo build --release": ".ci/run builds without --release, which takes minutes",
    "cargo regenerate --check": ".ci/run has a step for it",
    "cargo regenerate": "writes files; the step with --check shows what it would write",
    "cargo spec lint description.json": "crates/authoring/tests/spec.rs runs it over descriptions of its own",
    "cargo spec new acme --from description.json": "crates/authoring/tests/spec.rs runs it over descriptions of its own",
}
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "readme", "version": "0"},
}
# The place of a value that a client would ask the person for.
ASKED_FOR = re.compile(r"\$\{input:\w+\}")
# The sandbox listens on another port each time.
PORT = re.compile(r"127\.0\.0\.1:\d+")
CLIENTS = ("claude", "codex", "gemini")


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


def speak_http(binary, flags, env):
    with harness.http_server(binary, *flags, env=env) as url:
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
    return done.stdout


def serve(binary, command, env):
    """Speaks to `toolwright serve …`, whatever its transport."""
    assert command[:2] == ["toolwright", "serve"], f"no rule for {command}"
    flags = [flag for flag in command[2:] if flag != "--sandbox"]
    if "--http" in flags:
        # Any free port: the one in the text may be taken.
        at = flags.index("--http")
        speak_http(binary, flags[:at] + flags[at + 2 :], env)
    else:
        # With an account's variables it runs as written: listing tools sends nothing to the vendor.
        speak_stdio([binary, "serve", *flags, *([] if env else ["--sandbox"])], env)


def client_adds(binary, words):
    """`claude mcp add …`, `codex mcp add …`, `gemini mcp add …`: starts the server that is added."""
    if any(word.startswith("http://") for word in words):
        assert words[-1] == "http://127.0.0.1:8080/mcp", f"no server of the text is at {words[-1]}"
        return speak_http(binary, [], {})
    at = words.index("toolwright")
    options, names = words[3:at], []
    env = {}
    while options:
        option = options.pop(0)
        if option in ("-e", "--env"):
            key, value = options.pop(0).split("=", 1)
            env[key] = value
        elif option != "--":
            names.append(option)
    assert len(names) == 1, f"no rule for {names}"
    return serve(binary, words[at:], env)


def shell_line(binary, line):
    """Runs a line; returns its standard output where it is a command that ends."""
    words = shlex.split(line, comments=True)
    env = {}
    while "=" in words[0]:
        key, value = words.pop(0).split("=", 1)
        env[key] = value
    if words[0] in CLIENTS and words[1:3] == ["mcp", "add"]:
        return client_adds(binary, words)
    if words[:2] == ["toolwright", "serve"]:
        return serve(binary, words, env)
    assert not env, "no rule for variables before this command"
    if words[:2] == ["toolwright", "call"]:
        return run([binary, *words[1:], *([] if "--sandbox" in words else ["--sandbox"])])
    if words == ["toolwright", "audit", "verify", "FILE"]:
        with tempfile.TemporaryDirectory() as folder:
            record = str(Path(folder) / "record.jsonl")
            run([binary, "call", "jitbit_list_priorities", "--sandbox", "--audit", record])
            return run([binary, "audit", "verify", record])
    if words[:2] == ["toolwright", "catalog"]:
        return run([binary, *words[1:]])
    raise AssertionError("no rule for this command")


def client_configuration(checks, binary, servers):
    for name, server in servers.items():
        with checks.check(f"client configuration of `{name}`: {server['command']} {' '.join(server['args'])}"):
            env = {key: ASKED_FOR.sub("entered", text) for key, text in server.get("env", {}).items()}
            with tempfile.TemporaryDirectory() as folder:
                for key in [key for key in env if key.endswith("_FILE")]:
                    # The file in the text is the reader's.
                    env[key] = str(Path(folder) / "secret")
                    Path(env[key]).write_text("entered", encoding="utf-8")
                serve(binary, [server["command"], *server["args"]], env)


def json_snippet(checks, binary, value, output, folder):
    servers = value.get("mcpServers") or value.get("servers") if isinstance(value, dict) else None
    if servers:
        client_configuration(checks, binary, servers)
    elif isinstance(value, list):
        with checks.check("answers of one's own for the sandbox"):
            script = folder / "answers.json"
            script.write_text(json.dumps(value), encoding="utf-8")
            run([binary, "call", "jitbit_search_tickets", "query=printer", f"--sandbox={script}"])
    else:
        with checks.check("the output that the text shows"):
            assert output, "no command with output before it"
            shown, printed = (json.loads(PORT.sub("127.0.0.1:0", text)) for text in (json.dumps(value), output))
            assert shown == printed, f"printed is {output}"


def toml_snippet(checks, binary, text, folder):
    settings = tomllib.loads(text)
    if "mcp_servers" in settings:
        return client_configuration(checks, binary, settings["mcp_servers"])
    file = folder / "toolwright.toml"
    file.write_text(text, encoding="utf-8")
    for profile in settings["profiles"]:
        with checks.check(f"profile `{profile}`"):
            speak_stdio([binary, "serve", "--sandbox", "--config", str(file), "--profile", profile], {})


def shell_lines(checks, binary, block, seen):
    """Runs the commands of a block; returns the output of the last one."""
    output = None
    for line in filter(None, map(str.strip, block.splitlines())):
        output, command = None, shlex.join(shlex.split(line, comments=True))
        seen.add(command)
        if command in NOT_RUN:
            print(f"not run {command}: {NOT_RUN[command]}", flush=True)
        elif command.startswith("toolwright doctor"):
            print(f"not run {command}: logs in at the vendor, which takes an account", flush=True)
        else:
            with checks.check(command):
                output = shell_line(binary, line)
    return output


def page(checks, binary, text, folder, seen):
    output = None
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            output = shell_lines(checks, binary, block, seen)
            continue
        if language == "json":
            json_snippet(checks, binary, json.loads(block), output, folder)
        elif language == "toml":
            toml_snippet(checks, binary, block, folder)
        else:
            print(f"not run: a block of {language}", flush=True)
        output = None


def main():
    if len(sys.argv) < 3:
        print("usage: readme.py BINARY FILE.md...", file=sys.stderr)
        return 2
    binary = os.path.abspath(sys.argv[1])
    checks = harness.Checks()
    seen = set()
    for name in sys.argv[2:]:
        print(f"-- {name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            page(checks, binary, Path(name).read_text(encoding="utf-8"), Path(folder), seen)
    with checks.check("what is not run is still in the text"):
        assert NOT_RUN.keys() <= seen, sorted(NOT_RUN.keys() - seen)
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
