"""The packages of a release → server.json, the entry of the MCP registry.

    python3 deploy/packages/registry.py FILE [BUNDLE_ADDRESS=BUNDLE…]

The npm package is always named; a bundle by the address from which it will be downloaded, with its hash.
"""

import hashlib
import json
import sys
from pathlib import Path

import project

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-09-29/server.schema.json"


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    bundles = [argument.rsplit("=", 1) for argument in sys.argv[2:]]
    Path(sys.argv[1]).write_text(json.dumps(server(bundles), indent=2) + "\n", encoding="utf-8")
    return 0


def server(bundles):
    about = {
        "$schema": SCHEMA,
        "name": "io.github.toolwright/toolwright",
        "description": project.SUMMARY,
        "version": project.version(),
        "packages": [package("npm", project.NAME) | {"runtimeHint": "npx"}],
    }
    if project.repository():
        about["repository"] = {"url": project.repository(), "source": "github"}
    for address, bundle in bundles:
        digest = hashlib.sha256(Path(bundle).read_bytes()).hexdigest()
        about["packages"].append(package("mcpb", address) | {"fileSha256": digest})
    return about


def package(kind, identifier):
    return {
        "registryType": kind,
        "identifier": identifier,
        "version": project.version(),
        "transport": {"type": "stdio"},
        "environmentVariables": [
            {"name": one.name, "description": one.about, "isRequired": False, "isSecret": one.secret}
            for one in project.variables()
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
