#!/usr/bin/env python3
"""The recipe of CONTRIBUTING.md for another vendor, timed: from its description to a tool that Claude Code called.

    benches/new_vendor.py CHECKOUT DESCRIPTION NODE_FOLDER [--operations PATTERNS]

Clones CHECKOUT into a scratch folder and does there what the recipe says, with one operation reviewed in place of a person: the
first list that needs no argument. Then `toolwright install claude-code` in an empty home, and one turn of Claude Code, of
NODE_FOLDER (as `.ci/run` fills it from tests/clients/package.json), with a stand-in for its model, which calls that tool in the
sandbox. Needs the packages of tests/clients/requirements.txt. Prints seconds for each command. What a
person takes to read and review is not in them.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "clients"))
import assistants
import harness
import model_stand_in

VENDOR = "acme"
# One finding or more, as in most descriptions.
FINDINGS = 1


def timed(what, command, folder, codes=(0,), **options):
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    print(f"| {what} | {time.monotonic() - began:.1f} |", flush=True)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout + done.stderr


def add_feature(checkout):
    manifest = checkout / "Cargo.toml"
    text = manifest.read_text()
    text, count = re.subn(r"\ndefault = \[", f'\n{VENDOR} = []\ndefault = ["{VENDOR}", ', text, count=1)
    assert count == 1, "Cargo.toml has no list of default features"
    manifest.write_text(text)


def review(checkout):
    """States what the first list without arguments does, as a person would; returns its tool's name."""
    overlay = checkout / "specs" / VENDOR / "overlay.yaml"
    text = overlay.read_text()
    actions = re.split(r"(?m)^(?=  - target:)", text)
    for number, action in enumerate(actions):
        name = re.search(rf"name: ({VENDOR}_list_\w+)", action)
        if name and "{" not in action.split("\n", 1)[0] and "# effect: read" in action:
            thing = name[1].removeprefix(f"{VENDOR}_list_").replace("_", " ")
            action = re.sub(r"# effect: read.*", "effect: read", action)
            action = re.sub(r"# risks: \[\].*", "risks: []", action)
            actions[number] = re.sub(r"# description: .*", f"description: List {thing}, with what each of them has.", action)
            overlay.write_text("".join(actions))
            return name[1]
    sys.exit("no list of it needs no argument")


def called_by_claude_code(checkout, binary, modules, tool):
    scratch = tempfile.TemporaryDirectory(prefix="new-vendor-", ignore_cleanup_errors=True)
    with scratch as home, model_stand_in.serve(tool) as (model, address):
        home = Path(home)
        client = assistants.ClaudeCode(modules, home, address, tool, {})
        program = home / "bin" / "claude"
        program.parent.mkdir()
        program.symlink_to(modules / client.program)
        environment = harness.bare_environment() | client.environment() | {"HOME": str(home), "TMPDIR": str(home)}
        environment["PATH"] = f"{program.parent}:{environment['PATH']}"
        environment |= {"HTTPS_PROXY": assistants.NOWHERE, "HTTP_PROXY": assistants.NOWHERE, "CI": "true"}
        environment |= {"NO_PROXY": assistants.LOCAL, "no_proxy": assistants.LOCAL}
        # `core` is ours to give; until then a tool is asked for by its tag or all of them.
        install = [binary, "install", "claude-code", "--vendor", VENDOR, "--sandbox", "--yes", "--", "--tags", "all"]
        said = timed("`toolwright install claude-code`", install, home, env=environment)
        assert "confirms it" in said, said
        allowed = f"mcp__{VENDOR}__{tool}"
        turn = [program, "--print", f"Call {tool}.", "--output-format", "json", "--allowedTools", allowed]
        said = timed("a turn of Claude Code that calls the tool", turn, home, env=environment)
        answers = list(model_stand_in.texts_of(model.answers))
        assert model_stand_in.FINAL_TEXT in said and answers, f"asked: {model.seen[-10:]}; {said[-1500:]}"
        assert not any(answer.get("is_error") for answer in model.answers), answers
        print(f"\n{tool} answered: {max(answers, key=len)[:300]}")


def main():
    if len(sys.argv) not in (4, 6) or sys.argv[4:5] not in ([], ["--operations"]):
        sys.exit(__doc__)
    source, description, node = (Path(word).resolve() for word in sys.argv[1:4])
    if not description.is_file():
        sys.exit(f"{description} is no file")
    with tempfile.TemporaryDirectory(prefix="new-vendor-checkout-", ignore_cleanup_errors=True) as scratch:
        checkout = Path(scratch) / "toolwright"
        subprocess.run(["git", "clone", "--quiet", source, checkout], check=True)
        subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=checkout, check=True)
        os.environ.pop("CARGO_TARGET_DIR", None)
        began = time.monotonic()
        print("| what | seconds |\n|---|---|", flush=True)
        lint = ["cargo", "spec", "lint"]
        timed("the first `cargo spec lint`, which builds the generator", [*lint, description], checkout, (0, FINDINGS))
        new = ["cargo", "spec", "new", VENDOR, "--from", description, *sys.argv[4:]]
        timed("`cargo spec new`", new, checkout, (0, FINDINGS))
        add_feature(checkout)
        tool = review(checkout)
        timed("`cargo spec lint` of what was reviewed", [*lint, f"specs/{VENDOR}/api.yaml"], checkout, (0, FINDINGS))
        timed("`cargo regenerate`", ["cargo", "regenerate"], checkout)
        timed("**`cargo build`, the first of this checkout**", ["cargo", "build"], checkout)
        binary = checkout / "target" / "debug" / "toolwright"
        timed("`catalog list`", [binary, "catalog", "list", "--vendor", VENDOR], checkout)
        called_by_claude_code(checkout, binary, node / "node_modules", tool)
        print(f"\nall of it: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
