"""Two people with a token each, at once, with the official Python SDK of MCP.

    python tests/clients/two_people.py target/debug/toolwright [CALLS]

Starts a helpdesk on the loopback that answers every request with the token that came, and `toolwright serve --access
vendor-token` in front of it. Each person has clients that open sessions and clients that don't; all call at once. Each
answer has to hold the token of who asked, and the helpdesk must have seen no other token, and no request without one.
The headers are those of the vendor's own page for its MCP server. Prints one line per check and, last, `N passed, M failed`.
"""

import asyncio
import http.server
import json
import sys
import threading

import httpx2

import harness
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

PEOPLE = ["token-of-ann-7f3a", "token-of-bob-91c5"]
MODES = ["legacy", MODERN_PROTOCOL_VERSIONS[-1]]
TOOL = "jitbit_get_current_user"
TIMEOUT_SECONDS = 60
# As many as wait for the vendor's limits (90 a minute) for some seconds only.
CALLS = 24


class Helpdesk(http.server.ThreadingHTTPServer):
    """Answers with the token that came, and counts the tokens."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen = {}
        self.lock = threading.Lock()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        with self.server.lock:
            self.server.seen[token] = self.server.seen.get(token, 0) + 1
        body = json.dumps({"UserID": 7, "Username": token, "FullName": token}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def person(url, token, mode, calls):
    """Calls as one person, over one client; fails where an answer is another person's."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS) as http_client:
        transport = streamable_http_client(url, http_client=http_client)
        async with Client(transport, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS) as client:
            for _ in range(calls):
                result = await client.call_tool(TOOL, {})
                text = result.content[0].text
                assert not result.is_error, text
                for other in PEOPLE:
                    assert (other in text) == (other == token), f"{token} was answered {text}"


async def everybody(url, calls):
    clients = [(token, mode) for token in PEOPLE for mode in MODES for _ in range(2)]
    each = calls // len(clients)
    await asyncio.gather(*(person(url, token, mode, each) for token, mode in clients))
    return each * len(clients)


async def nobody(url):
    async with httpx2.AsyncClient() as client:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": TOOL, "arguments": {}}}
        answer = await client.post(url, json=message, headers={"Accept": "application/json, text/event-stream"})
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer"), dict(answer.headers)
    assert "Authorization: Bearer" in answer.text, answer.text


async def check(binary, calls):
    checks = harness.Checks()
    helpdesk = Helpdesk()
    threading.Thread(target=helpdesk.serve_forever, daemon=True).start()
    environment = harness.bare_environment() | {"JITBIT_URL": f"http://127.0.0.1:{helpdesk.server_port}"}
    command = [binary, "serve", "--http", "127.0.0.1:0", "--access", "vendor-token", "--vendor", "jitbit"]
    with harness.announced(command, r"at (http://\S+)", "stderr", env=environment) as url:
        made = 0
        with checks.check("each answer is for who asked"):
            made = await everybody(url, calls)
        with checks.check("a request without a token is refused"):
            await nobody(url)
        with checks.check("the helpdesk saw each person's token and nothing else"):
            assert set(helpdesk.seen) == set(PEOPLE), sorted(helpdesk.seen)
            assert sum(helpdesk.seen.values()) == made, helpdesk.seen
    helpdesk.shutdown()
    return checks.summary()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(asyncio.run(check(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else CALLS)))
