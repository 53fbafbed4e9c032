"""`cargo metadata` → a bill of materials (CycloneDX 1.6): every crate that is linked into the program.

    cargo metadata --format-version 1 --locked --filter-platform TARGET | python3 deploy/packages/sbom.py FILE

Crates that only build or test the program are left out.
"""

import json
import sys
import tomllib
from pathlib import Path

import project


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    metadata = json.load(sys.stdin)
    Path(sys.argv[1]).write_text(json.dumps(bill(metadata), indent=2) + "\n", encoding="utf-8")
    return 0


def bill(metadata):
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = next(id for id, package in packages.items() if package["name"] == project.NAME)
    linked = {root: None}
    waiting = [root]
    edges = []
    while waiting:
        id = waiting.pop()
        # `kind` is null for what is linked, else `dev` or `build`.
        needs = [
            dependency["pkg"]
            for dependency in nodes[id]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
        edges.append({"ref": reference(packages[id]), "dependsOn": sorted({reference(packages[need]) for need in needs})})
        for need in needs:
            if need not in linked:
                linked[need] = None
                waiting.append(need)
    checksums = locked_checksums()
    crates = [component(packages[id], checksums) for id in linked if id != root]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(packages[root], checksums) | {"type": "application"}},
        "components": sorted(crates, key=lambda crate: crate["bom-ref"]),
        "dependencies": sorted(edges, key=lambda edge: edge["ref"]),
    }


def locked_checksums():
    locked = tomllib.loads((project.ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    return {(one["name"], one["version"]): one["checksum"] for one in locked if "checksum" in one}


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    crate = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package.get("license"):
        # Older crates write a slash for `OR`.
        crate["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        crate["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return crate


if __name__ == "__main__":
    sys.exit(main())
