"""What deploy/ has for a server, as a system uses it.

    python tests/clients/deployment.py BINARY NODE_FOLDER

The systemd unit, the Kubernetes manifests, the rules for Prometheus, the container, and Caddy and nginx in front of a server of this
machine. Caddy, nginx, buildah and promtool are Debian's; what is missing fails. The container's program is the one that is given, with the C library that it
needs below it: the release has a static one. A link of the server in the container is installed into Claude Code, as it comes from npm,
and taken out again.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import kubernetes_validate
import yaml
from jsonschema import Draft7Validator

import harness
import installed

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HOST = "mcp.example.com"
# What systemd calls the exposure of a unit: 0 is none, 10 is all; below 2 it is "OK".
MOST_EXPOSURE = 1.5
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"

# What is not of Kubernetes itself, as far as ours has it: the Gateway API's route (v1) and the file of kustomize.
DURATION = {"type": "string", "pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"}
PATH_MATCH = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": {
            "type": "object",
            "additionalProperties": False,
            "required": ["type", "value"],
            "properties": {"type": {"enum": ["Exact", "PathPrefix"]}, "value": {"type": "string", "pattern": "^/", "maxLength": 1024}},
        }
    },
}
BACKEND = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "port"],
    "properties": {"name": {"type": "string"}, "port": {"type": "integer", "minimum": 1, "maximum": 65535}},
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["matches", "backendRefs"],
    "properties": {
        "matches": {"type": "array", "minItems": 1, "maxItems": 64, "items": PATH_MATCH},
        "timeouts": {"type": "object", "additionalProperties": False, "properties": {"request": DURATION, "backendRequest": DURATION}},
        "backendRefs": {"type": "array", "minItems": 1, "maxItems": 16, "items": BACKEND},
    },
}
PARENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}, "sectionName": {"type": "string"}},
}
OTHER_KINDS = {
    "HTTPRoute": {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": "gateway.networking.k8s.io/v1"},
            "kind": {},
            "metadata": {"type": "object", "required": ["name", "namespace"]},
            "spec": {
                "type": "object",
                "additionalProperties": False,
                "required": ["parentRefs", "rules"],
                "properties": {
                    "parentRefs": {"type": "array", "minItems": 1, "maxItems": 32, "items": PARENT},
                    "hostnames": {"type": "array", "maxItems": 16, "items": {"type": "string", "format": "hostname"}},
                    "rules": {"type": "array", "minItems": 1, "maxItems": 16, "items": RULE},
                },
            },
        },
    },
    "Kustomization": {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "resources"],
        "properties": {
            "apiVersion": {"const": "kustomize.config.k8s.io/v1beta1"},
            "kind": {},
            "namespace": {"type": "string"},
            "resources": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "pattern": "^[a-z.]+[.]yaml$"}},
        },
    },
}


def run(*command, **options):
    options = {"capture_output": True, "text": True, "timeout": 300} | options
    done = subprocess.run([str(word) for word in command], **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
    return done.stdout


def unit(binary):
    with tempfile.TemporaryDirectory() as folder:
        # `verify` looks whether the program is there.
        copy = Path(folder) / "toolwright.service"
        text = (DEPLOY / "systemd/toolwright.service").read_text(encoding="utf-8")
        copy.write_text(text.replace("/usr/bin/toolwright", str(binary)), encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
        faults = [line for line in done.stderr.splitlines() if "toolwright" in line and "man " not in line]
        assert not faults, faults
        shown = run("systemd-analyze", "security", "--offline=true", "--no-pager", copy)
    score = float(re.search(r"Overall exposure level for .*: ([\d.]+)", shown).group(1))
    assert score <= MOST_EXPOSURE, f"exposure {score}, at most {MOST_EXPOSURE}"
    print(f"        exposure {score}", flush=True)
    # Its flags are ones that the program has.
    command = re.search(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE).group(1).split()
    refused = subprocess.run([binary, *command, "--nonsense"], capture_output=True, text=True, timeout=60)
    assert "'--nonsense'" in refused.stderr, refused.stderr


def manifests(binary):
    folder = DEPLOY / "kubernetes"
    named = set(yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))["resources"])
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    examples = {name for name in there if ".example." in name}
    assert named == there - examples, f"kustomization.yaml names {named}, there are {there - examples}"
    count = 0
    documents = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            documents[document["kind"]] = document
            count += 1
            if document["kind"] in OTHER_KINDS:
                faults = Draft7Validator(OTHER_KINDS[document["kind"]]).iter_errors(document)
                faults = [f"{fault.json_path}: {fault.message}" for fault in faults]
                assert not faults, f"{path.name}: {faults}"
            else:
                kubernetes_validate.validate(document, "1.37", strict=True)
    assert count >= 11, count
    pod = documents["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    for kind, at in [("Service", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")]:
        chosen = documents[kind]["spec"][at]
        assert chosen.get("matchLabels", chosen) == labels, kind
    container = pod["spec"]["containers"][0]
    backend = documents["HTTPRoute"]["spec"]["rules"][0]["backendRefs"][0]
    service = documents["Service"]
    assert backend["name"] == service["metadata"]["name"], backend
    assert backend["port"] in [port["port"] for port in service["spec"]["ports"]], backend
    scaled = documents["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Deployment", documents["Deployment"]["metadata"]["name"]), scaled
    refused = subprocess.run([binary, *container["args"], "--nonsense"], capture_output=True, text=True, timeout=60)
    assert "'--nonsense'" in refused.stderr, refused.stderr
    settings = yaml.safe_load((folder / "configuration.yaml").read_text(encoding="utf-8"))["data"]["toolwright.toml"]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "token").write_text("t0ken", encoding="utf-8")
        file = Path(home) / "toolwright.toml"
        file.write_text(settings.replace("/run/secrets/toolwright/jitbit-token", f"{home}/token"), encoding="utf-8")
        words = ["call", "jitbit_get_stats", "--account", "acme", "--config", file, "--dry-run"]
        run(binary, *words, env={"HOME": home, "PATH": ""})
    print(f"        {count} objects", flush=True)


def alerts():
    folder = DEPLOY / "monitoring"
    run("promtool", "check", "rules", folder / "alerts.yml")
    run("promtool", "test", "rules", "alerts.test.yml", cwd=folder)
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("alerts.yml", "dashboard.json")]
    named = {name for text in texts for name in re.findall(r"toolwright_[a-z_]+", text)}
    assert len({panel["id"] for panel in json.loads(texts[1])["panels"]}) == 8
    page = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    # That each is one of the program's, with its labels, is a test of src/metrics.rs.
    documented = set(re.findall(r"toolwright_[a-z_]+", page))
    unknown = {name for name in named if name.removesuffix("_bucket") not in documented}
    assert named and not unknown, f"there is no metric {unknown}"
    rules = yaml.safe_load(texts[0])["groups"][0]["rules"]
    tested = (folder / "alerts.test.yml").read_text(encoding="utf-8")
    for rule in rules:
        name, severity = rule["alert"], rule["labels"]["severity"]
        assert f"alertname: {name}\n" in tested, f"no test of {name}"
        assert f"| `{name}` | {severity} |" in page, f"docs/operating.md does not have what to do about {name} ({severity})"


def libraries(binary, folder):
    """The C library of this machine, as a layer below a program that is not static."""
    for path in set(re.findall(r"(/\S+) \(0x", run("ldd", binary))):
        copy = folder / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o755)


@contextlib.contextmanager
def container_tool(folder):
    """buildah with storage of its own, which leaves nothing behind."""
    flags = ["--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs"]

    def tool(*words):
        return run(*tool.words(*words))

    tool.words = lambda *words: ["buildah", *flags, *words]
    yield tool
    with contextlib.suppress(AssertionError):
        tool("rm", "--all")
        tool("rmi", "--all", "--force")


def container(binary, node):
    with tempfile.TemporaryDirectory(prefix="toolwright-image-") as folder, container_tool(Path(folder)) as buildah:
        folder = Path(folder)
        base, context = folder / "base", folder / "context"
        for path in (base, context / "tmp", context / "data"):
            path.mkdir(parents=True)
        libraries(binary, base)
        (base / "Containerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
        buildah("bud", "--isolation", "chroot", "--tag", "base", base)
        shutil.copyfile(binary, context / "toolwright")
        (context / "toolwright").chmod(0o755)
        shutil.copyfile(AUTHORITIES, context / "ca-certificates.crt")
        buildah(
            "bud", "--isolation", "chroot", "--from", "localhost/base", "--file", DEPLOY / "Containerfile", "--tag", "server", context
        )
        image = json.loads(buildah("inspect", "--type", "image", "server"))
        config = image["OCIv1"]["config"]
        assert config["User"] == "65532:65532" and config["Entrypoint"] == ["/usr/bin/toolwright"], config
        assert config["Cmd"][0] == "serve" and "8080/tcp" in config["ExposedPorts"], config
        name = buildah("from", "server").strip()
        mount = Path(buildah("mount", name).strip())
        programs = [path for path in mount.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
        others = [path.name for path in programs if ".so" not in path.name]
        assert others == ["toolwright"], f"there is no other program: {others}"
        data = folder / "data"
        data.mkdir()
        os.chown(data, 65532, 65532)
        inside = buildah.words("run", "--isolation", "chroot", "--volume", f"{data}:/data", name, "--")
        runs_alone(inside, config, lambda url: connects_claude_code(binary, node, url, folder))


def connects_claude_code(binary, node, url, folder):
    """A link → Claude Code, in an empty home; and nothing is left of it."""
    modules = node / "node_modules"
    if not (modules / installed.CLIENTS["claude-code"][0].program).is_file():
        print("        Claude Code is skipped: npm installed no build of it for this machine", flush=True)
        return
    home, programs = folder / "home", folder / "programs"
    home.mkdir()
    installed.programs(modules, programs)
    said = installed.run([binary, "install", "claude-code", "--http", url, "--yes"], home, programs)
    assert "`claude mcp get helpdesk` confirms it, connected" in said, said
    assert url.split("/c/")[1].split("/")[0] not in said, "what is shown has no token"
    installed.run([binary, "install", "claude-code", "--http", url, "--uninstall", "--yes"], home, programs)
    texts = {path.name: path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()}
    # The client keeps copies of its settings by itself.
    left = [name for name, text in texts.items() if url.split("/c/")[1] in text and ".json.backup." not in name]
    assert not left, f"uninstalling leaves the link in {left}"
    seen = installed.run([programs / "claude", "mcp", "list"], home, programs)
    assert "helpdesk" not in seen, seen
    print("        container → link → Claude Code connected, and taken out", flush=True)


def runs_alone(inside, config, and_then):
    """The image's own command as its own user; `inside` begins a command in it. `and_then` gets a link."""
    port = harness.free_port()
    command = [*config["Entrypoint"], *config["Cmd"], "--sandbox", "--host", HOST]
    command = [word.replace("0.0.0.0:8080", f"127.0.0.1:{port}") for word in command]
    server = subprocess.Popen([*inside, *command], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        probe = [*inside, "/usr/bin/toolwright", "probe"]
        ready, nowhere = f"http://127.0.0.1:{port}/readyz", f"http://127.0.0.1:{port}/nowhere"
        until(lambda: subprocess.run([*probe, ready], capture_output=True, timeout=60).returncode == 0, server)
        assert subprocess.run([*probe, nowhere], capture_output=True, timeout=60).returncode == 1
        owner = os.stat(f"/proc/{program_of(server.pid)}").st_uid
        assert owner == 65532, f"it runs as {owner}"
        link = ["/usr/bin/toolwright", "link", "create", "--name", "Try", "--account", "jitbit", "--format", "json"]
        link = json.loads(run(*inside, *link))
        # A client on this machine, by the link's own path.
        url = re.sub(r"^https?://[^/]+", f"http://127.0.0.1:{port}", link["url"])
        assert lists_tools(url), "a link lists tools"
        and_then(url)
    finally:
        os.kill(program_of(server.pid) or server.pid, signal.SIGTERM)
        server.wait(harness.WAIT_SECONDS)
    assert server.returncode == 0, server.stderr.read()[-1000:]


def program_of(process):
    """The process of the program below that of the tool that started it."""
    for path in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
            if fields["Name"] == "toolwright" and process in ancestors(int(fields["PPid"])):
                return int(path.parent.name)
    return None


def ancestors(process):
    found = []
    while process > 1:
        found.append(process)
        process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return found


def until(true, process=None):
    """Waits until something holds, as long as the process runs."""
    end = time.monotonic() + harness.WAIT_SECONDS
    while time.monotonic() < end:
        if true():
            return
        assert process is None or process.poll() is None, f"it ended: {process.stderr.read()[-1500:]}"
        time.sleep(0.1)
    raise AssertionError("it did not become ready")


def lists_tools(url, context=None, host=None):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    body["params"] = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Mcp-Method": "tools/list"}
    headers |= {"MCP-Protocol-Version": "2026-07-28"} | ({"Host": host} if host else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        text = answer.read().decode()
    message = next((line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")), text)
    return json.loads(message)["result"]["tools"]


def certificate(folder):
    files = folder / "cert.pem", folder / "key.pem"
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},DNS:localhost", "-out", files[0], "-keyout", files[1],
    )  # fmt: skip
    return files


def proxy(binary, kind):
    """The committed configuration, with only ports and certificates changed, in front of a server with links."""
    with tempfile.TemporaryDirectory(prefix="toolwright-proxy-") as folder:
        folder = Path(folder)
        cert, key = certificate(folder)
        store, server_port, port = folder / "store.db", harness.free_port(), harness.free_port()
        server = [binary, "serve", "--sandbox", "--http", f"127.0.0.1:{server_port}", "--host", HOST, "--access", "link"]
        env = harness.bare_environment() | {"HOME": str(folder), "TOOLWRIGHT_STORE": str(store)}
        with harness.announced(server, r"at (http\S+)", "stderr", env=env):
            link = json.loads(run(binary, "link", "create", "--name", "Try", "--account", "jitbit", "--format", "json", env=env))
            path = "/c/" + link["url"].split("/c/", 1)[1]
            command = kind(folder, cert, key, server_port, port)
            process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
            try:
                context = ssl.create_default_context(cafile=cert)
                context.check_hostname = False
                address = f"https://localhost:{port}"
                until(lambda: answers(f"{address}/healthz", context) == 200, process)
                assert lists_tools(f"{address}{path}", context, HOST), "a link lists tools"
                assert answers(f"{address}/metrics", context) == 404, "figures are for programs on this machine"
                assert answers(f"{address}/mcp", context, b"{}") == 401, "without a link there is nothing"
            finally:
                process.terminate()
                process.wait(harness.WAIT_SECONDS)
            written = "".join(path.read_text(errors="replace") for path in folder.rglob("*.log"))
            written += process.stderr.read()
            assert path.split("/")[2] not in written, "no log has the token of a link"


def answers(url, context, body=None):
    headers = {"Host": HOST, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30, context=context) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, ConnectionError):
        return None


def nginx(folder, cert, key, server_port, port):
    site = (DEPLOY / "proxies/nginx.conf").read_text(encoding="utf-8")
    for old, new in [
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/mcp.example.com.pem", str(cert)),
        ("/etc/ssl/private/mcp.example.com.key", str(key)),
        ("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
    ]:
        assert old in site, old
        site = site.replace(old, new)
    whole = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(f"{user}{whole}http {{ access_log {folder}/access.log; {temporary}\n{site}}}\n", encoding="utf-8")
    return ["/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"]


def caddy(folder, cert, key, server_port, port):
    site = (DEPLOY / "proxies/Caddyfile").read_text(encoding="utf-8")
    # Its own certificate comes from an authority on the internet.
    site = site.replace(f"{HOST} {{", f"{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {cert} {key}", 1)
    site = site.replace("127.0.0.1:8080", f"127.0.0.1:{server_port}")
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https off\n\tstorage file_system " + str(folder) + "\n\tdefault_sni " + HOST + "\n}\n" + site, encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", file]


def main():
    if len(sys.argv) != 3:
        print("usage: deployment.py BINARY NODE_FOLDER", file=sys.stderr)
        return 2
    binary, node = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    checks = harness.Checks()
    with checks.check("systemd unit: valid, its flags are known, its exposure is bounded"):
        unit(binary)
    with checks.check("Kubernetes: valid objects that fit together"):
        manifests(binary)
    with checks.check("rules for Prometheus, which fire, and the dashboard: their figures are there"):
        alerts()
    for kind in (caddy, nginx):
        with checks.check(f"{kind.__name__} in front of a server with links"):
            proxy(binary, kind)
    if os.geteuid() == 0:
        with checks.check("container: built, started as its user, asked by its own health check"):
            container(binary, node)
    else:
        print("skipped the container: building and entering it needs root", flush=True)
    return checks.summary()


if __name__ == "__main__":
    sys.exit(main())
