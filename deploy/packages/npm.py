"""The program for some targets → npm packages: one for each machine, and the one that people name.

    python3 deploy/packages/npm.py FOLDER TARGET=BINARY…

`npx -y toolwright` starts the program of the machine: the package names the others as optional dependencies, of which npm
installs the one that fits. No script runs at the installation. Prints the folders, to be packed by `npm pack`.
"""

import json
import shutil
import sys
from pathlib import Path

import project

LAUNCHER = """\
#!/usr/bin/env node
// Starts the program of this machine. Without arguments it serves, as MCP clients expect of a package.
"use strict";
const { spawn } = require("node:child_process");
const { join } = require("node:path");

const wanted = `toolwright-${process.platform}-${process.arch}`;
let program;
try {
  program = join(require.resolve(`${wanted}/package.json`), "..", process.platform === "win32" ? "toolwright.exe" : "toolwright");
} catch {
  console.error(`toolwright: npm installed no program for ${process.platform} ${process.arch}: the package ${wanted} is missing.`);
  console.error("Optional dependencies may be switched off (npm config get omit), or there is no build for this machine.");
  process.exit(1);
}
const words = process.argv.slice(2);
const child = spawn(program, words.length === 0 ? ["serve"] : words, { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`toolwright: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
"""


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    binaries = dict(argument.split("=", 1) for argument in sys.argv[2:])
    unknown = set(binaries) - set(project.TARGETS)
    if unknown:
        print(f"unknown targets: {', '.join(sorted(unknown))}; there are {', '.join(project.TARGETS)}", file=sys.stderr)
        return 2
    for target, binary in binaries.items():
        print(of_machine(folder, target, Path(binary)))
    print(whole(folder, binaries))
    return 0


def machine_name(target):
    system, processor, _ = project.TARGETS[target]
    return f"{project.NAME}-{system}-{processor}"


def common():
    about = {"version": project.version(), "description": project.SUMMARY, "license": project.licence()}
    if project.repository():
        about["repository"] = {"type": "git", "url": f"git+{project.repository()}.git"}
    return about


def of_machine(folder, target, binary):
    system, processor, _ = project.TARGETS[target]
    own = fresh(folder / machine_name(target))
    program = own / project.program(target)
    shutil.copyfile(binary, program)
    program.chmod(0o755)
    write(own, {"name": own.name, **common(), "os": [system], "cpu": [processor], "files": [program.name]})
    return own


def whole(folder, binaries):
    own = fresh(folder / project.NAME)
    (own / "bin").mkdir()
    launcher = own / "bin/toolwright.js"
    launcher.write_text(LAUNCHER, encoding="utf-8")
    launcher.chmod(0o755)
    shutil.copyfile(project.ROOT / "README.md", own / "README.md")
    machines = {machine_name(target): project.version() for target in sorted(binaries)}
    about = {
        "name": project.NAME,
        **common(),
        "mcpName": "io.github.toolwright/toolwright",
        "bin": {project.NAME: "bin/toolwright.js"},
        "files": ["bin"],
        "engines": {"node": ">=18"},
        "optionalDependencies": machines,
    }
    write(own, about)
    return own


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write(folder, about):
    (folder / "package.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
