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
    "cargo spec diff new.json": "crates/authoring/tests/drift.rs runs it over descriptions of its own",
    "cargo spec diff https://api.example.com/openapi.json --api acme-v2 --format markdown": "crates/authoring/tests/drift.rs runs it over descriptions of its own",
    "cargo spec update --api acme --from new.json --dry-run": "crates/authoring/tests/drift.rs runs it over descriptions of its own",
    "cargo spec update --api acme --from new.json": "crates/authoring/tests/drift.rs runs it over descriptions of its own",
    "cargo spec learn learned.json": "crates/authoring/tests/learn.rs runs it over files of its own",
    "cargo spec new acme --from description.json": "crates/authoring/tests/spec.rs runs it over descriptions of its own",
}
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "readme", "version": "0"},
}
# Where each caller needs a link, and what the commands of links stand for here: no server of the text is running.
BY_LINK = ["--access", "link"]
IN_PLACE_OF_TEAM_WORDS = {"acme": "jsm=acme"}
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


# Where each request has to bring a token: by what it begins with, the vendor that takes it.
TOKENS = {"jca_": "jumpcloud", "": "jitbit"}
BY_TOKEN = ["--access", "vendor-token"]


def speak_with_token(binary, value):
    """Starts a server for those who bring tokens, and asks it with the value of `Authorization` in the text."""
    scheme, _, token = value.partition(" ")
    assert scheme == "Bearer" and token, f"no token in {value!r}"
    vendor = next(vendor for beginning, vendor in TOKENS.items() if token.startswith(beginning))
    speak_http(binary, [*BY_TOKEN, "--vendor", vendor], {}, value)


def speak_http(binary, flags, env, authorization=None):
    if BY_LINK[1] in flags:
        return speak_by_link(binary, flags, env)
    if authorization is None and BY_TOKEN[0] in flags:
        authorization = "Bearer token-of-a-person"
    with harness.http_server(binary, *flags, env=env) as url:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        headers |= {"Authorization": authorization} if authorization else {}
        body = json.dumps(request(1, "tools/list")).encode()
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=TIMEOUT_SECONDS) as answer:
            check_tools(json.load(answer))


def speak_by_link(binary, flags, env):
    """Creates a link for the server, and asks through it."""
    with tempfile.TemporaryDirectory() as folder:
        store = {"TOOLWRIGHT_STORE": str(Path(folder) / "store.db")}
        with harness.http_server(binary, *flags, env=env | store) as url:
            create = ["link", "create", "--name", "readme", "--account", "jsm", "--url", url, "--format", "json"]
            link = json.loads(run([binary, *create], store))["url"]
            headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            body = json.dumps(request(1, "tools/list")).encode()
            with urllib.request.urlopen(urllib.request.Request(link, body, headers), timeout=TIMEOUT_SECONDS) as answer:
                check_tools(json.load(answer))


def team(binary, words, store):
    """A command on the store of the page: of links, administrators' tokens, and copies."""
    env = {"TOOLWRIGHT_STORE": str(store / "store.db")}
    if words[0] == "store":
        run([binary, *words[:-1], str(store / words[-1])], env, is_silent=True)
        return None
    if words[:2] in (["link", "create"], ["link", "narrow"]):
        words = [*words, "--url", "https://mcp.example.com"]
    if "LINK" in words:
        first = json.loads(run([binary, "link", "list", "--format", "json"], env))[-1]["id"]
        words = [first if word == "LINK" else word for word in words]
    return run([binary, *(IN_PLACE_OF_TEAM_WORDS.get(word, word) for word in words)], env, words[1] == "revoke")


def run(command, env=None, is_silent=False):
    done = subprocess.run(
        command, env=harness.bare_environment() | (env or {}), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    assert is_silent or done.stdout.strip(), "nothing on standard output"
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
    if "--header" in words:
        at = words.index("--header")
        name, _, value = words[at + 1].partition(": ")
        assert name == "Authorization" and words[at - 1] == "http://127.0.0.1:8080/mcp", f"no rule for {words}"
        return speak_with_token(binary, value)
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
        elif option == "--scope":
            options.pop(0)
        elif option != "--":
            names.append(option)
    assert len(names) == 1, f"no rule for {names}"
    return serve(binary, words[at:], env)


def shell_line(binary, line, folder):
    """Runs a line; returns its standard output where it is a command that ends."""
    words = shlex.split(line, comments=True)
    env = {}
    while "=" in words[0]:
        key, value = words.pop(0).split("=", 1)
        env[key] = value
    if words[0] in CLIENTS and words[1:3] == ["mcp", "add"]:
        return client_adds(binary, words)
    if words == ["toolwright", "serve", "--learn", "learned.json"]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "learned.json"
            serve(binary, [*words[:3], str(file)], env)
            return file.read_text(encoding="utf-8")
    if words[:2] == ["toolwright", "serve"]:
        return serve(binary, words, env)
    assert not env, "no rule for variables before this command"
    if words[0] == "toolwright" and words[1] in ("link", "admin", "store"):
        return team(binary, words[1:], folder)
    if words[:2] == ["toolwright", "call"]:
        return run([binary, *words[1:], *([] if "--sandbox" in words else ["--sandbox"])])
    if words[:2] == ["toolwright", "audit"]:
        with tempfile.TemporaryDirectory() as folder:
            return run([binary, *in_place_of_audit_words(binary, Path(folder), words[1:])])
    if words == ["toolwright", "catalog", "diff", "OLD", "NEW"]:
        return run([binary, "catalog", "diff", binary, binary])
    if words[:2] == ["toolwright", "install"]:
        return install(binary, words[1:])
    if words[:2] in (["toolwright", "catalog"], ["toolwright", "completions"]):
        return run([binary, *words[1:]])
    raise AssertionError("no rule for this command")


def install(binary, words):
    """`toolwright install …` in an empty home: over the sandbox, where no address is named, and without asking."""
    at = words.index("--") if "--" in words else len(words)
    more = [] if {"--http", "--sandbox", "--uninstall"} & set(words) else ["--sandbox"]
    with tempfile.TemporaryDirectory() as home:
        return run([binary, *words[:at], *more, "--yes", *words[at:]], {"HOME": home}, is_silent="--uninstall" in words)


def in_place_of_audit_words(binary, folder, words):
    """A command of `toolwright audit` over a log, a key and anchors that were made for it."""
    record, key, anchors = (str(folder / name) for name in ("record.jsonl", "made.key", "made.jsonl"))
    run([binary, "call", "jitbit_list_priorities", "--sandbox", "--audit", record])
    public_key = run([binary, "audit", "key", key]).strip()
    anchor = run([binary, "audit", "anchor", record, "--key", key])
    Path(anchors).write_text(anchor, encoding="utf-8")
    places = {"FILE": record, "KEY": public_key, "HASH": json.loads(anchor)["hash"], "NEW": binary, "anchors.jsonl": anchors}
    # A key is never written over another one.
    places["anchor.key"] = str(folder / "new.key") if words[1] == "key" else key
    return [places.get(word, word) for word in words]


def client_configuration(checks, binary, servers):
    for name, server in servers.items():
        if "url" in server:
            with checks.check(f"client configuration of `{name}`: {server['url']}"):
                assert server["url"] == "http://127.0.0.1:8080/mcp", f"no server of the text is at {server['url']}"
                speak_with_token(binary, server["headers"]["Authorization"])
            continue
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
    if isinstance(value, dict) and "mcp" in value:
        # The form of opencode: all words in one list.
        servers = {
            name: {"command": server["command"][0], "args": server["command"][1:], "env": server["environment"]}
            for name, server in value["mcp"].items()
        }
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
    if "accounts" in settings:
        return accounts(checks, binary, settings["accounts"], folder)
    if "profiles" not in settings:
        # A file of specs/, which the authoring tests write and read.
        assert settings.keys() <= {"severity", "accepted", "source"}, f"no rule for {sorted(settings)}"
        return print(f"not run: a file with {', '.join(settings)}", flush=True)
    file = folder / "toolwright.toml"
    file.write_text(text, encoding="utf-8")
    for profile in settings["profiles"]:
        with checks.check(f"profile `{profile}`"):
            speak_stdio([binary, "serve", "--sandbox", "--config", str(file), "--profile", profile], {})


def accounts(checks, binary, settings, folder):
    """Each account of the text, with a file of ours in place of the reader's secrets: a call is planned with it."""
    secret = folder / "secret"
    secret.write_text("entered", encoding="utf-8")
    lines = []
    for name, account in settings.items():
        # A file for an entry of a keyring, too: tests/keyring.rs has a keyring.
        named = {key.replace("_KEYRING", "_FILE"): value for key, value in account.items()}
        values = {key: str(secret) if key.endswith("_FILE") else value for key, value in named.items()}
        lines += [f"[accounts.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    file = folder / "toolwright.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, account in settings.items():
        with checks.check(f"account `{name}`"):
            tool = {"jitbit": "jitbit_list_priorities", "jsm": "jsm_list_service_desks"}[account["vendor"]]
            plan = json.loads(run([binary, "call", tool, "--dry-run", "--config", str(file), "--account", name]))
            assert plan["account"] == name, plan


def shell_lines(checks, binary, block, seen, folder):
    """Runs the commands of a block; returns the output of the last one."""
    output = None
    for line in filter(None, map(str.strip, block.splitlines())):
        output, command = None, shlex.join(shlex.split(line, comments=True))
        seen.add(command)
        if command in NOT_RUN:
            print(f"not run {command}: {NOT_RUN[command]}", flush=True)
        elif command.startswith("toolwright setup"):
            print(f"not run {command}: asks a person; tests/setup.rs answers it", flush=True)
        elif command.startswith(("toolwright login", "toolwright logout")):
            print(f"not run {command}: asks a person; tests/login plays the vendor and the browser", flush=True)
        elif command.startswith("export "):
            print(f"not run {command}: sets variables of the reader's", flush=True)
        elif command.startswith("toolwright doctor"):
            print(f"not run {command}: logs in at the vendor, which takes an account", flush=True)
        else:
            with checks.check(command):
                output = shell_line(binary, line, folder)
    return output


def page(checks, binary, text, folder, seen):
    output = None
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            output = shell_lines(checks, binary, block, seen, folder)
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
