"""A person approves or declines, in the official Python SDK of MCP.

    python tests/clients/approval.py target/debug/toolwright

Starts a helpdesk on the loopback that counts what changes it, and `toolwright serve --confirm write` in front of it, over stdio
and over HTTP. The SDK's client declares elicitation, in the versions with a handshake and in the newest one, and shows its
person a form: a yes sends the request once, a no sends nothing. A client that declares none is told the command to approve
with. Prints one line per check and, last, `N passed, M failed`.
"""

import asyncio
import contextlib
import http.server
import subprocess
import sys
import tempfile
import threading

import harness
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

MODES = ["legacy", MODERN_PROTOCOL_VERSIONS[-1]]
TOOL = "jitbit_reply_to_customer"
ARGUMENTS = {"ticketId": 7, "body": "It works again."}
TIMEOUT_SECONDS = 60


class Helpdesk(http.server.ThreadingHTTPServer):
    """Keeps what came to it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.bodies = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Person:
    """Looks at a form and answers it."""

    def __init__(self, answer):
        self.answer = answer
        self.shown = []

    async def __call__(self, context, params):
        self.shown.append(params.message)
        if self.answer is None:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content=self.answer)


def flags(store):
    return ["--methods", "all", "--tools", TOOL, "--confirm", "write", "--store", store]


def stdio(binary, env, store):
    return contextlib.nullcontext(StdioServerParameters(command=binary, args=["serve", *flags(store)], env=env))


def over_http(binary, env, store):
    command = [binary, "serve", "--http", "127.0.0.1:0", *flags(store)]
    return harness.announced(command, r"at (http://\S+)", "stderr", env=env)


async def call(server, mode, person):
    callback = {} if person is None else {"elicitation_callback": person}
    async with asyncio.timeout(TIMEOUT_SECONDS):
        async with Client(server, mode=mode, **callback) as client:
            return await client.call_tool(TOOL, ARGUMENTS)


def text_of(result):
    return "\n".join(block.text for block in result.content)


def run(checks, binary, name, serve, mode, store):
    helpdesk = Helpdesk()
    threading.Thread(target=helpdesk.serve_forever, daemon=True).start()
    env = harness.bare_environment() | {"JITBIT_URL": helpdesk.url, "JITBIT_TOKEN": "token"}
    place = f"{name}, {mode}"
    try:
        with serve(binary, env, store) as server:
            with checks.check(f"{place}: a yes sends what was shown, once"):
                person = Person({"approve": True})
                result = asyncio.run(call(server, mode, person))
                assert not result.is_error, text_of(result)
                assert len(person.shown) == 1 and len(helpdesk.bodies) == 1, (person.shown, helpdesk.bodies)
                assert "It works again." in person.shown[0], person.shown
            with checks.check(f"{place}: a no sends nothing"):
                result = asyncio.run(call(server, mode, Person(None)))
                assert result.is_error and "declined by" in text_of(result), text_of(result)
                assert len(helpdesk.bodies) == 1, helpdesk.bodies
            with checks.check(f"{place}: a client without forms is led to the command line"):
                result = asyncio.run(call(server, mode, None))
                told = text_of(result)
                assert result.is_error and "toolwright approve yes" in told, told
                assert len(helpdesk.bodies) == 1, helpdesk.bodies
                identity = told.split("approval ", 1)[1].split()[0]
                approve = [binary, "approve", "yes", identity, "--store", store]
                subprocess.run(approve, check=True, env=env, capture_output=True)
                result = asyncio.run(call(server, mode, None))
                assert not result.is_error, text_of(result)
                assert len(helpdesk.bodies) == 2, helpdesk.bodies
    finally:
        helpdesk.shutdown()


def main():
    binary = sys.argv[1]
    checks = harness.Checks()
    with tempfile.TemporaryDirectory() as folder:
        for name, serve in {"stdio": stdio, "http": over_http}.items():
            for mode in MODES:
                run(checks, binary, name, serve, mode, f"{folder}/{name}-{mode}.db")
    sys.exit(checks.summary())


if __name__ == "__main__":
    main()
