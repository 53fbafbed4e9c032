#!/usr/bin/env python3
"""How building grows with the operations of a description.

    benches/scale.py CHECKOUT OPERATIONS... [--release]

For each number: a vendor with so many synthetic operations (a third of them with a JSON body of eight properties, the
others with a path and four query parameters) in place of ours, in a copy of CHECKOUT below its target/, built twice: first
without any vendor, so that the dependencies count for nothing, then with it. Prints user seconds, wall seconds and the
most memory of one process, which is rustc's, of the second build, and the lines of Rust that were generated.
CARGO names another cargo.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

VENDOR = "scale"
VENDOR_TOML = """id = "scale"
title = "Scale"

[address]
variable = "SCALE_URL"
example = "https://scale.example.com"

[[credentials]]
kind = "bearer"
token = "SCALE_TOKEN"
"""


def operation(number: int) -> str:
    """One path with one operation, in YAML."""
    head = f"  /groups{number}/{{id}}/things:\n"
    path = "        - {name: id, in: path, required: true, schema: {type: string}}\n"
    if number % 3 == 0:
        properties = "".join(
            f"                field{field}: {{type: {kind}}}\n"
            for field, kind in enumerate(["string", "integer", "boolean", "number"] * 2)
        )
        return (
            f"{head}    post:\n      operationId: createThing{number}\n      parameters:\n{path}"
            "      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n"
            f"              type: object\n              required: [field0]\n              properties:\n{properties}"
            '      responses: {"201": {description: Made.}}\n'
        )
    query = "".join(
        f"        - {{name: {name}, in: query, schema: {schema}}}\n"
        for name, schema in [
            ("filter", "{type: string}"),
            ("limit", "{type: integer}"),
            ("start", "{type: integer}"),
            ("expand", "{type: array, items: {type: string}}"),
        ]
    )
    return (
        f"{head}    get:\n      operationId: listThings{number}\n      parameters:\n{path}{query}"
        '      responses: {"200": {description: Done.}}\n'
    )


def copy(checkout: pathlib.Path, target: pathlib.Path, operations: int) -> None:
    """The checkout with the synthetic vendor in place of its own."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for part in ["Cargo.lock", "build.rs", "src", "crates", "benches"]:
        source = checkout / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("fixtures"))
        else:
            shutil.copy2(source, target / part)
    manifest = (checkout / "Cargo.toml").read_text()
    before, rest = manifest.split("\ndefault = [", 1)
    manifest = f"{before}\n{VENDOR} = []\ndefault = [{rest}"
    # Tests and examples are no part of a build.
    for section in ["[[test]]", "[[bench]]"]:
        begin = manifest.index(section)
        manifest = manifest[:begin] + manifest[manifest.index("\n\n", begin) :]
    (target / "Cargo.toml").write_text(manifest.replace("autotests = false", "autotests = false\nautoexamples = false\nautobenches = false"))
    specs = target / "specs" / VENDOR
    specs.mkdir(parents=True)
    if (checkout / "specs/synonyms.yaml").is_file():
        shutil.copy2(checkout / "specs/synonyms.yaml", target / "specs")
    (specs / "vendor.toml").write_text(VENDOR_TOML)
    paths = "".join(operation(number) for number in range(operations))
    (specs / "api.yaml").write_text(f'openapi: 3.0.3\ninfo: {{title: Scale, version: "1"}}\npaths:\n{paths}')
    (specs / "overlay.yaml").write_text('overlay: 1.0.0\ninfo: {title: Scale tools, version: "1"}\nactions: []\n')


def build(folder: pathlib.Path, arguments: list[str]) -> None:
    cargo = os.environ.get("CARGO", "cargo")
    done = subprocess.run([cargo, "build", "--quiet", "--no-default-features", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-4000:])


def measure(checkout: pathlib.Path, operations: int, flags: list[str]) -> None:
    folder = checkout / "target" / "scale"
    copy(checkout, folder, operations)
    build(folder, flags)
    # Only the largest process of all so far is known, so each build has a process of its own.
    child = os.fork()
    if child == 0:
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        build(folder, [*flags, "--features", VENDOR])
        used, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
        print(
            f"| {operations:,} | {used.ru_utime - before.ru_utime:.0f} s user, {wall:.0f} s wall | {used.ru_maxrss / 1e6:.1f} GB |",
            flush=True,
        )
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(1)


def main() -> None:
    arguments = [word for word in sys.argv[1:] if not word.startswith("--")]
    if len(arguments) < 2:
        sys.exit(__doc__)
    checkout = pathlib.Path(arguments[0]).resolve()
    flags = [word for word in sys.argv[1:] if word.startswith("--")]
    print("| operations | build | most memory of a process |\n|---|---|---|", flush=True)
    for operations in arguments[1:]:
        measure(checkout, int(operations), flags)


if __name__ == "__main__":
    main()
