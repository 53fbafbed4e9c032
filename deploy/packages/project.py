"""Cargo.toml and specs/ → what every package states of the project: name, version, and the variables of each vendor.

Python 3.11 or newer, nothing else.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "toolwright"
TITLE = "Toolwright"
# At most 100 characters: the MCP registry takes no more.
SUMMARY = "Help desk and directory tools for AI assistants: Jitbit, Jira Service Management, JumpCloud"
AUTHOR = "Toolwright contributors"

# Rust's target, and the words that npm and MCPB have for the same machine.
TARGETS = {
    "x86_64-unknown-linux-musl": ("linux", "x64", "linux"),
    "aarch64-unknown-linux-musl": ("linux", "arm64", "linux"),
    "x86_64-apple-darwin": ("darwin", "x64", "darwin"),
    "aarch64-apple-darwin": ("darwin", "arm64", "darwin"),
    "x86_64-pc-windows-msvc": ("win32", "x64", "win32"),
}


@dataclass(frozen=True)
class Variable:
    """A variable of a vendor that a person fills in."""

    name: str
    about: str
    secret: bool


def cargo():
    return tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))


def version():
    return cargo()["workspace"]["package"]["version"]


def licence():
    return cargo()["workspace"]["package"]["license"]


def repository():
    """The address of the source; None as long as Cargo.toml states none."""
    return cargo()["workspace"]["package"].get("repository")


def program(target):
    return f"{NAME}.exe" if "windows" in target else NAME


def variables():
    """The address and the first credentials of each vendor that is compiled in by default."""
    found = []
    for feature in cargo()["features"]["default"]:
        file = ROOT / "specs" / feature / "vendor.toml"
        # The others are no vendors.
        if file.is_file():
            found += of_vendor(tomllib.loads(file.read_text(encoding="utf-8")))
    return found


def of_vendor(vendor):
    title = vendor["title"]
    credential = vendor["credentials"][0]
    addresses = vendor.get("addresses") or [vendor["address"]]
    # The first credentials work at every address, or at the ones that they name.
    works = [address for address in addresses if not credential.get("at") or address.get("name") in credential["at"]]
    address = works[0]
    default = f"; {address['default']} if empty" if "default" in address else ""
    yield Variable(address["variable"], f"{title}: address, such as {address['example']}{default}", False)
    kinds = {
        "bearer": [("token", True)],
        "basic": [("user", False), ("password", True)],
        "header": [("value", True)],
        "oauth-client": [("client_id", False), ("client_secret", True)],
    }
    for key, secret in kinds[credential["kind"]]:
        yield Variable(credential[key], f"{title}: {words(key, credential['kind'])}", secret)


def words(key, kind):
    texts = {"token": "API token", "user": "user or e-mail address", "password": "password or API token", "value": "API key"}
    return texts.get(key, f"{key.replace('_', ' ')} of a service account ({kind})")
