"""The program for one target → a bundle for desktop clients (MCPB), in which a person fills in a form.

    python3 deploy/packages/mcpb.py FOLDER TARGET=BINARY

A manifest has no word for the processor, so there is a bundle for each target. Tokens are `sensitive`: the client keeps
them where the system keeps passwords. Prints the bundle's path.
"""

import json
import sys
import zipfile
from pathlib import Path

import project


def main():
    if len(sys.argv) != 3 or "=" not in sys.argv[2]:
        print(__doc__, file=sys.stderr)
        return 2
    folder, (target, binary) = Path(sys.argv[1]), sys.argv[2].split("=", 1)
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"{project.NAME}-{project.version()}-{target}.mcpb"
    program = f"server/{project.program(target)}"
    files = [
        ("manifest.json", json.dumps(manifest(target, program), indent=2).encode(), 0o644),
        (program, Path(binary).read_bytes(), 0o755),
        ("LICENSE", (project.ROOT / "LICENSE").read_bytes(), 0o644),
    ]
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data, mode in files:
            # A fixed time, so that the same input makes the same bundle.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            # Without the mode, the client could not start the program.
            entry.external_attr = (0o100000 | mode) << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    print(bundle)
    return 0


def manifest(target, program):
    variables = project.variables()
    about = {
        "manifest_version": "0.3",
        "name": project.NAME,
        "display_name": project.TITLE,
        "version": project.version(),
        "description": project.SUMMARY,
        "author": {"name": project.AUTHOR},
        "license": project.licence(),
        "server": {
            "type": "binary",
            "entry_point": program,
            "mcp_config": {
                "command": f"${{__dirname}}/{program}",
                "args": ["serve"],
                "env": {variable.name: f"${{user_config.{variable.name.lower()}}}" for variable in variables},
            },
        },
        "tools_generated": True,
        "compatibility": {"platforms": [project.TARGETS[target][2]]},
        "user_config": {variable.name.lower(): asked(variable) for variable in variables},
    }
    if project.repository():
        about["repository"] = {"type": "git", "url": project.repository()}
    return about


def asked(variable):
    # One vendor is enough; what is left empty counts as not set.
    field = {"type": "string", "title": variable.name, "description": variable.about, "required": False, "default": ""}
    return field | ({"sensitive": True} if variable.secret else {})


if __name__ == "__main__":
    sys.exit(main())
