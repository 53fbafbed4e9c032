"""What the clients of this folder share: counting checks, and a server over HTTP."""

import contextlib
import itertools
import os
import re
import socket
import subprocess
import threading

# Longer than any start or stop takes, even on a busy machine.
WAIT_SECONDS = 60
GIVEN_PORTS = set()


class Checks:
    """Counts what held and what did not; a failed check does not stop the ones after it."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    @contextlib.contextmanager
    def check(self, what):
        try:
            yield
        except AssertionError as error:
            self.failed += 1
            print(f"FAILED  {what}: {error}", flush=True)
        except Exception as error:  # whatever a client raises is a finding too
            self.failed += 1
            print(f"FAILED  {what}: {'; '.join(reasons(error))}", flush=True)
        else:
            self.passed += 1
            print(f"ok      {what}", flush=True)

    def summary(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed > 0 else 1


def reasons(error):
    """What a failure is made of: a task group raises one that holds the others."""
    if isinstance(error, BaseExceptionGroup):
        return [reason for part in error.exceptions for reason in reasons(part)]
    return [f"{type(error).__name__}: {error}"]


def bare_environment():
    # Nothing of the caller's settings may reach the server: the sandbox needs no credentials, and
    # a TOOLWRIGHT_… variable would change what is served.
    return {"PATH": os.environ.get("PATH", "")}


def free_port():
    """A port that stays free until it is used: below those that the system gives to connections and to listeners without one."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as bounds:
        first_given = int(bounds.read().split()[0])
    for port in itertools.count(10_000 + os.getpid() % 10_000):
        assert port < first_given, "no port is free"
        if port in GIVEN_PORTS:
            continue
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            GIVEN_PORTS.add(port)
            return port


@contextlib.contextmanager
def announced(command, pattern, stream, **options):
    """Runs a program until the block ends; gives what `pattern` finds in its output."""
    process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, **{stream: subprocess.PIPE}, **options)
    try:
        timer = threading.Timer(WAIT_SECONDS * 10, process.kill)
        timer.start()
        output, seen, found = getattr(process, stream), [], None
        for line in output:
            seen.append(line)
            found = re.search(pattern, line)
            if found:
                break
        timer.cancel()
        if found is None:
            raise RuntimeError(f"`{' '.join(command)}` ended without saying where it serves:\n{''.join(seen)}")
        # Whatever it says later must not fill the pipe.
        threading.Thread(target=output.read, daemon=True).start()
        yield found.group(1)
    finally:
        process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        process.wait(WAIT_SECONDS)


def http_server(binary, *flags, env=None):
    """`toolwright serve --http` on a free port; gives its address."""
    command = [binary, "serve", "--sandbox", "--http", "127.0.0.1:0", *flags]
    return announced(command, r"at (http://\S+)", "stderr", env=bare_environment() | (env or {}))
