"""The program → a Debian package: program, manual pages, completions, systemd unit.

    python3 deploy/packages/deb.py BINARY FOLDER [ARCHITECTURE]

The pages and completions are the program's own, so it has to run on this machine. Needs dpkg-deb; prints the package's path.
"""

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import project

COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/toolwright",
    "zsh": "usr/share/zsh/vendor-completions/_toolwright",
    "fish": "usr/share/fish/vendor_completions.d/toolwright.fish",
}


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    binary, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    architecture = sys.argv[3] if len(sys.argv) == 4 else output("dpkg", "--print-architecture").strip()
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / f"{project.NAME}_{project.version()}_{architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="toolwright-deb-") as root:
        root = Path(root)
        fill(root, binary)
        control(root, binary, architecture)
        for path in root.rglob("*"):
            is_program = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if is_program else 0o644)
        root.chmod(0o755)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, package], check=True, stdout=sys.stderr)
    print(package)
    return 0


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def fill(root, binary):
    place(root / "usr/bin" / project.NAME).write_bytes(binary.read_bytes())
    for shell, path in COMPLETIONS.items():
        place(root / path).write_text(output(binary, "completions", shell), encoding="utf-8")
    pages = root / "usr/share/man/man1"
    output(binary, "manual", pages)
    for page in pages.iterdir():
        page.with_name(f"{page.name}.gz").write_bytes(compressed(page.read_bytes()))
        page.unlink()
    unit = project.ROOT / "deploy/systemd/toolwright.service"
    shutil.copyfile(unit, place(root / "usr/lib/systemd/system/toolwright.service"))
    documents = root / "usr/share/doc" / project.NAME
    place(documents / "copyright").write_text(copyright_file(), encoding="utf-8")
    (documents / "changelog.gz").write_bytes(compressed((project.ROOT / "CHANGELOG.md").read_bytes()))


def place(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def compressed(data):
    # Without a time, so that the same input makes the same package.
    return gzip.compress(data, compresslevel=9, mtime=0)


def copyright_file():
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {project.NAME}\n\n"
        f"Files: *\nCopyright: {project.AUTHOR}\nLicense: {project.licence()}\n"
        " The text is in /usr/share/common-licenses/Apache-2.0.\n"
    )


def control(root, binary, architecture):
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024 + 1
    needed = needed_libraries(binary)
    depends = f"Depends: {', '.join(needed)}\n" if needed else ""
    text = (
        f"Package: {project.NAME}\nVersion: {project.version()}\nArchitecture: {architecture}\n"
        f"Maintainer: {project.AUTHOR} <toolwright@localhost>\nInstalled-Size: {size}\n{depends}"
        f"Recommends: ca-certificates\nSection: admin\nPriority: optional\nDescription: {project.SUMMARY}\n"
        " Compiles the descriptions of vendors' interfaces into MCP tools, and serves them to\n"
        " AI assistants over stdio or HTTP. By default only everyday tools that read are offered.\n"
    )
    place(root / "DEBIAN/control").write_text(text, encoding="utf-8")


def needed_libraries(binary):
    """The C library by the newest of its versions that the program names; none for a static program."""
    versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", binary.read_bytes())}
    if not versions:
        return []
    major, minor = max(versions)
    return [f"libc6 (>= {major}.{minor})", "libgcc-s1"]


if __name__ == "__main__":
    sys.exit(main())
