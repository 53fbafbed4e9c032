"""Toolwright beside servers that make tools of a description at run time: one description, one mock, one client, one run.

    python3 benches/peers/measure.py TOOLWRIGHT DESCRIPTIONS [--bench PROGRAM] [--scratch FOLDER] [--only TITLE,…] [--rounds N] [--seconds N] [--json FILE]

TOOLWRIGHT is the release binary; DESCRIPTIONS a folder with the vendor's published `jsm-servicedesk.openapi3.json`. Prints a table in
Markdown, ratios first, and what each server does otherwise than its users expect. Rounds of the servers are in turns, because machines are shared.
The scratch folder, outside of the repository, keeps what was installed. With the program of `cargo bench --bench serve`, a minimal server of
rmcp and reqwest is a column of the table, too; nothing is compared with it.
"""

import argparse
import contextlib
import datetime
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import probes
import servers
from client import Gone

HERE = Path(__file__).resolve().parent
DESCRIPTION = "jsm-servicedesk.openapi3.json"
ARGUMENTS = {"issueIdOrKey": "HELP-1"}
AT_ONCE = 32


@contextlib.contextmanager
def mock():
    process = subprocess.Popen([sys.executable, HERE / "mock.py"], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def direct(vendor, times):
    """The median time of the mock itself, in milliseconds."""
    connection = http.client.HTTPConnection(vendor.removeprefix("http://"))
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", f"{probes.PATH}HELP-1")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1_000


def started(peer, description, vendor, row):
    """One start, to the end of the list."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        began = time.perf_counter()
        with peer.start(description, vendor, Path(folder)) as server:
            tools, size = server.begin()
            row["start_ms"].append((time.perf_counter() - began) * 1_000)
            row["memory_mb"].append(server.memory_kb() / 1_024)
    row["tools"], row["tokens"] = len(tools), size // 4


def called(peer, description, vendor, row, times, seconds):
    """One call at a time, then many at once, then the probes."""
    probes.forget(vendor)
    with tempfile.TemporaryDirectory(prefix="peers-") as folder, peer.start(description, vendor, Path(folder)) as server:
        tools, _ = server.begin()
        probed = probes.Probed(server, tools, vendor)
        if probed.reads is None:
            raise Gone("it has no tool for the operation that is called")
        name = probed.reads["name"]
        for _ in range(20):
            server.call(name, ARGUMENTS)
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            server.call(name, ARGUMENTS)
            taken.append(time.perf_counter() - began)
        row["call_ms"] = statistics.median(taken) * 1_000 - direct(vendor, times)
        row["calls_per_second"] = server.calls(name, ARGUMENTS, AT_ONCE, seconds)
        row["memory_after_mb"] = server.memory_kb() / 1_024
    if row["is_measure"]:
        return
    # Anew: answers to the calls of before are not those to the probes.
    probes.forget(vendor)
    with tempfile.TemporaryDirectory(prefix="peers-") as folder, peer.start(description, vendor, Path(folder)) as server:
        tools, _ = server.begin()
        row["faults"] = probes.faults(probes.Probed(server, tools, vendor))


def measured(peers, description, options):
    rows = {peer.title: {"start_ms": [], "memory_mb": [], "version": getattr(peer, "version", "?")} for peer in peers}
    for peer in peers:
        rows[peer.title]["is_measure"] = getattr(peer, "is_measure", False)
    alive = list(peers)

    def attempt(peer, measure, *arguments):
        try:
            measure(peer, description, vendor, rows[peer.title], *arguments)
        except Exception as error:  # whatever a server does is a row of the table
            rows[peer.title]["failed"] = f"{type(error).__name__}: {str(error)[-400:]}"
            alive.remove(peer)

    with mock() as vendor:
        for peer in list(alive):
            if hasattr(peer, "prepare"):
                attempt(peer, lambda peer, description, vendor, _: peer.prepare(description, vendor))
        for _ in range(options.rounds):
            for peer in list(alive):
                attempt(peer, started)
        for peer in list(alive):
            print(f"{peer.title}: calls and probes", file=sys.stderr, flush=True)
            attempt(peer, called, options.times, options.seconds)
    return rows


FIGURES = [
    ("start to tools/list, ms", lambda row: statistics.median(row["start_ms"]), "least"),
    ("resident after the list, MB", lambda row: max(row["memory_mb"]), "least"),
    ("list, tokens (bytes / 4)", lambda row: row["tokens"], "least"),
    ("added time of a call, median, ms", lambda row: row["call_ms"], "least"),
    (f"calls per second, {AT_ONCE} in flight", lambda row: row["calls_per_second"], "most"),
    ("resident after those calls, MB", lambda row: row["memory_after_mb"], "least"),
    (f"faults, of {len(probes.PROBES)} probes", lambda row: len(row["faults"]), "least"),
]


def figure(of, row):
    try:
        return float(of(row))
    except (KeyError, ValueError, statistics.StatisticsError):
        return None


def shown(number):
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3g}"


def table(rows, ours):
    titles = list(rows)
    others = [title for title in titles if not title.startswith(ours) and not rows[title].get("is_measure")]
    lines = [
        "| | ours beside the best of the others | " + " | ".join(f"{title} {rows[title]['version']}" for title in titles) + " |",
        "|---" * (len(titles) + 2) + "|",
        "| tools | | " + " | ".join(shown(figure(lambda row: row["tools"], rows[title])) for title in titles) + " |",
    ]
    for name, of, better in FIGURES:
        numbers = {title: figure(of, rows[title]) for title in titles}
        best = [numbers[title] for title in others if numbers[title] is not None]
        own = numbers.get(ours)
        ratio = ""
        if best and own is not None:
            beside = min(best) if better == "least" else max(best)
            ratio = f"{own / beside:.3g} ×" if beside else f"{shown(own)} beside {shown(beside)}"
        lines.append(f"| {name} | {ratio} | " + " | ".join(shown(numbers[title]) for title in titles) + " |")
    return "\n".join(lines)


def behaviour(rows):
    able = {title: row for title, row in rows.items() if "faults" in row}
    lines = ["| probe | " + " | ".join(able) + " |", "|---" * (len(able) + 1) + "|"]
    for name in probes.PROBES:
        marks = ["no" if name in row["faults"] else "yes" for row in able.values()]
        lines.append(f"| {name} | " + " | ".join(marks) + " |")
    for title, row in rows.items():
        if "failed" in row:
            lines.append(f"\n{title}: {' '.join(row['failed'].split())}")
    return "\n".join(lines)


def installed(peers, scratch):
    rows, able = {}, []
    for peer in peers:
        print(f"{peer.title}: installing", file=sys.stderr, flush=True)
        try:
            peer.install(scratch)
            able.append(peer)
        except Exception as error:  # a package that is gone is a finding
            rows[peer.title] = {"version": "?", "start_ms": [], "memory_mb": [], "failed": f"not installed: {str(error)[-400:]}"}
    return able, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("toolwright", type=Path)
    parser.add_argument("descriptions", type=Path)
    parser.add_argument("--bench", type=Path, help="the program of `cargo bench --bench serve`")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "toolwright-peers")
    parser.add_argument("--only", default="", help="titles, separated by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scratch = options.scratch.resolve()
    if scratch.is_relative_to(servers.ROOT):
        parser.error(f"--scratch {scratch} is in the repository: what is installed there could be taken for ours")
    description = (options.descriptions / DESCRIPTION).resolve()
    if not description.is_file():
        parser.error(f"{description} is missing")
    scratch.mkdir(parents=True, exist_ok=True)
    only = {title for title in options.only.split(",") if title}
    peers = [peer for peer in servers.all_of(options.toolwright.resolve(), options.bench and options.bench.resolve()) if not only or peer.title in only]
    able, rows = installed(peers, scratch)
    rows |= measured(able, description, options)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(f"Measured on {datetime.date.today().isoformat()}, {options.rounds} rounds, {DESCRIPTION}.\n")
    print(table(rows, "toolwright"))
    print()
    print(behaviour(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
