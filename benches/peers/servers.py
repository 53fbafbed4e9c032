"""Servers that make tools of an OpenAPI description, each as its documentation has it → how it is installed, and how it is started.

Everything is installed below a scratch folder, with the clients of the registries as they are configured on this machine. A server that
can't be installed or does not start is a row of the table with the reason.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from client import Http, Stdio

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# No token of anybody: the mock takes all.
USER, TOKEN = "peers@example.com", "t0ken"
# What is replaced by the mock's address.
NOWHERE = "http://127.0.0.1:1"

FASTMCP = '''\
import json, sys
import httpx2
from fastmcp import FastMCP

description = json.load(open(sys.argv[1], encoding="utf-8"))
client = httpx2.AsyncClient(base_url=sys.argv[2], auth=("peers@example.com", "t0ken"), timeout=30)
FastMCP.from_openapi(openapi_spec=description, client=client, name="peers").run(transport="stdio", show_banner=False)
'''


def run(*command, folder=None, log=None):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3_600
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:200]}: {(done.stderr + done.stdout)[-800:]}")
    return done.stdout


def environment(**more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | more


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def python_packages(folder, package):
    """A virtual environment with a package; returns its folder of programs and the version."""
    if not (folder / "bin/python").exists():
        run(sys.executable, "-m", "venv", folder)
        run(folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", package)
    listed = json.loads(run(folder / "bin/pip", "list", "--format", "json", "--disable-pip-version-check"))
    version = next(one["version"] for one in listed if one["name"].lower() == package.lower())
    return folder / "bin", version


class FastMcp:
    title, language = "fastmcp", "Python"

    def install(self, scratch):
        programs, self.version = python_packages(scratch / "fastmcp", "fastmcp")
        self.python, self.script = programs / "python", scratch / "fastmcp-server.py"
        self.script.write_text(FASTMCP, encoding="utf-8")

    def start(self, description, vendor, folder):
        return Stdio([self.python, self.script, description, vendor], environment(), folder)


class Awslabs:
    title, language = "awslabs.openapi-mcp-server", "Python"

    def install(self, scratch):
        programs, self.version = python_packages(scratch / "awslabs", self.title)
        self.program = programs / self.title

    def start(self, description, vendor, folder):
        flags = ["--api-name", "peers", "--api-url", vendor, "--spec-path", description, "--auth-type", "basic"]
        flags += ["--auth-username", USER, "--auth-password", TOKEN]
        return Stdio([self.program, *flags], environment(), folder)


class Generator:
    title, language = "openapi-mcp-generator", "TypeScript"

    def install(self, scratch):
        self.folder = scratch / "generator"
        if not (self.folder / "node_modules").exists():
            self.folder.mkdir(exist_ok=True)
            (self.folder / "package.json").write_text('{"private": true}', encoding="utf-8")
            run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", self.title, folder=self.folder)
        about = self.folder / "node_modules" / self.title / "package.json"
        self.version = json.loads(about.read_text(encoding="utf-8"))["version"]

    def prepare(self, description, vendor):
        """Makes the program: it is one of its own for each description, with the address compiled in."""
        made = self.folder / f"made-{Path(description).stem}"
        if not (made / "build/index.js").exists():
            shutil.rmtree(made, ignore_errors=True)
            program = self.folder / "node_modules/.bin" / self.title
            run(program, "--input", description, "--output", made, "--base-url", NOWHERE, "--force", folder=self.folder)
            run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", folder=made)
            run("npm", "run", "build", folder=made)
        self.program = made / "build/measured.js"
        self.program.write_text((made / "build/index.js").read_text(encoding="utf-8").replace(NOWHERE, vendor), encoding="utf-8")

    def start(self, description, vendor, folder):
        secrets = {"BASIC_USERNAME_BASICAUTH": USER, "BASIC_PASSWORD_BASICAUTH": TOKEN, "BEARER_TOKEN_OAUTH2": TOKEN}
        return Stdio(["node", self.program], environment(**secrets), folder)


class RmcpOpenApi:
    title, language = "rmcp-openapi-server", "Rust"

    def install(self, scratch):
        folder = scratch / "rmcp-openapi"
        if not (folder / "bin" / self.title).exists():
            run("cargo", "install", "--quiet", "--locked", "--root", folder, self.title)
        installed = run("cargo", "install", "--list", "--root", folder)
        self.version = installed.split(f"{self.title} v", 1)[1].split(":", 1)[0]
        self.program = folder / "bin" / self.title

    def start(self, description, vendor, folder):
        port = free_port()
        flags = ["--base-url", vendor, "--port", port, "--bind-address", "127.0.0.1"]
        return Http([self.program, description, *flags], environment(), folder, port)


class Toolwright:
    language = "Rust"

    def __init__(self, program, title, flags):
        self.program, self.title, self.flags = program, title, flags

    def install(self, _):
        self.version = run(self.program, "-V").split()[1]

    def start(self, _, vendor, folder):
        account = {"JSM_URL": vendor, "JSM_EMAIL": USER, "JSM_API_TOKEN": TOKEN, "HOME": str(folder)}
        command = [self.program, "serve", "--vendor", "jsm", *self.flags]
        return Stdio(command, environment(**account), folder)


class Minimal:
    """rmcp and reqwest alone, by the bench's own program: what no server of these packages can be faster than."""

    title, language, version = "minimal rmcp server", "Rust", ""
    is_measure = True

    def __init__(self, program):
        self.program = program

    def install(self, _):
        if not self.program.is_file():
            raise FileNotFoundError(f"{self.program}: `cargo bench --bench serve --no-run` prints where it is")

    def start(self, _, vendor, folder):
        return Stdio([self.program, "minimal-server", vendor], environment(), folder)


def whole_interface(program):
    """Flags that offer what the others offer: every tool over the description, and no other."""
    tools = json.loads(run(program, "catalog", "list", "--vendor", "jsm", "--format", "json"))
    names = ",".join(tool["name"] for tool in tools if tool["api"] == "jsm-servicedesk")
    return ["--tools", names, "--methods", "all", "--tags", "all", "--allow", "irreversible,reveals_secret,runs_code,weakens_security"]


def all_of(program, bench):
    ours = [Toolwright(program, "toolwright", whole_interface(program)), Toolwright(program, "toolwright (default)", [])]
    measure = [Minimal(bench)] if bench else []
    return [*ours, *measure, RmcpOpenApi(), Generator(), FastMcp(), Awslabs()]
