"""A server's command → a client of it: over stdio, or over HTTP where it has nothing else. The same for every server."""

import contextlib
import http.client
import json
import os
import queue
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

WAIT_SECONDS = 60
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "peers", "version": "1"}}


class Gone(Exception):
    """The server ended, or does not answer."""


def memory_kb(process):
    """What a process and those that it started have in memory."""
    total, waiting = 0, [process]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{one}/status").read_text()
            total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
    return total


class Server:
    """A process that serves; it ends with the block."""

    def __init__(self, command, environment, folder, pipes):
        self.log = Path(folder) / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                env=environment,
                cwd=folder,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def gone(self):
        return Gone(self.log.read_text(errors="replace")[-1_500:].strip() or "it does not answer")

    def memory_kb(self):
        return memory_kb(self.process.pid)

    def begin(self):
        """Initializes and lists; returns every tool, and the bytes of the lists."""
        self.request("initialize", HELLO)
        self.notify("notifications/initialized")
        tools, size, cursor = [], 0, None
        while True:
            text = self.request_text("tools/list", {"cursor": cursor} if cursor else {})
            result = json.loads(text)["result"]
            tools += result["tools"]
            size += len(text)
            cursor = result.get("nextCursor")
            if not cursor:
                return tools, size

    def request(self, method, params):
        return json.loads(self.request_text(method, params))

    def call(self, name, arguments):
        return self.request("tools/call", {"name": name, "arguments": arguments})


class Stdio(Server):
    def __init__(self, command, environment, folder):
        super().__init__(command, environment, folder, pipes=True)
        self.last = 0
        self.buffer, self.waiting = b"", []

    def write(self, message):
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self.gone() from None

    def line(self):
        """The next line that answers a request."""
        while not self.waiting:
            self.waiting = self.lines()
        return self.waiting.pop(0)

    def notify(self, method):
        self.write({"jsonrpc": "2.0", "method": method})

    def send(self, method, params):
        self.last += 1
        self.write({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})
        return self.last

    def request_text(self, method, params):
        number = self.send(method, params)
        while True:
            line = self.line()
            if json.loads(line)["id"] == number:
                return line

    def calls(self, name, arguments, at_once, seconds):
        """Keeps so many calls in flight for a while; returns how many were answered in a second. It costs little, so that the server
        is measured and not this: requests differ in their id alone, and what is read at once is answered at once."""
        message = {"jsonrpc": "2.0", "id": "ID", "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        request = json.dumps(message).replace('"ID"', "%d").encode() + b"\n"

        def send(count):
            first, self.last = self.last + 1, self.last + count
            self.process.stdin.write(b"".join(request % number for number in range(first, self.last + 1)))
            self.process.stdin.flush()

        send(at_once)
        began, answered = time.monotonic(), 0
        while time.monotonic() < began + seconds:
            lines = self.lines()
            for line in lines:
                assert b'"isError":true' not in line.replace(b" ", b""), line[:500]
            answered += len(lines)
            send(len(lines))
        return answered / (time.monotonic() - began)

    def lines(self):
        """The lines that answer requests, of those that have come."""
        ready, _, _ = select.select([self.process.stdout], [], [], WAIT_SECONDS)
        data = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
        if not data:
            raise self.gone()
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [line for line in lines if b'"id"' in line and (b'"result"' in line or b'"error"' in line)]


class Http(Server):
    def __init__(self, command, environment, folder, port):
        super().__init__(command, environment, folder, pipes=False)
        self.port, self.session, self.last = port, None, 0
        self.lock, self.connection = threading.Lock(), None

    def post(self, message, connection):
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self.session:
            headers |= {"Mcp-Session-Id": self.session, "MCP-Protocol-Version": HELLO["protocolVersion"]}
        connection.request("POST", "/mcp", json.dumps(message), headers)
        response = connection.getresponse()
        self.session = response.headers.get("mcp-session-id") or self.session
        if "event-stream" not in (response.headers.get("content-type") or ""):
            return response.read()
        text = b""
        # The stream may stay open behind the answer.
        for line in response:
            if line.startswith(b"data:") and b'"id"' in line and (b'"result"' in line or b'"error"' in line):
                text = line.removeprefix(b"data:").strip()
            elif not line.strip() and text:
                break
        response.read()
        return text

    def connect(self):
        end = time.monotonic() + WAIT_SECONDS
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
            try:
                connection.connect()
                return connection
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise self.gone() from None
                time.sleep(0.001)

    def notify(self, method):
        self.post({"jsonrpc": "2.0", "method": method}, self.connection)

    def request_text(self, method, params):
        self.connection = self.connection or self.connect()
        self.last += 1
        try:
            text = self.post({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}, self.connection)
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            raise Gone(f"{type(error).__name__}: {error}") from None
        if not text:
            raise self.gone()
        return text

    def calls(self, name, arguments, at_once, seconds):
        counted, end = queue.Queue(), time.monotonic() + seconds

        def run(number):
            connection, answered = self.connect(), 0
            while time.monotonic() < end:
                params = {"name": name, "arguments": arguments}
                text = self.post({"jsonrpc": "2.0", "id": f"{number}-{answered}", "method": "tools/call", "params": params}, connection)
                assert text and b'"isError":true' not in text.replace(b" ", b""), text[:500]
                answered += 1
            counted.put(answered)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counted.queue) / seconds
