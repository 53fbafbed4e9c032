"""The official Python SDK of MCP against `toolwright serve --sandbox`.

    python tests/clients/python_sdk.py target/debug/toolwright

Goes through the same checks over stdio and over HTTP, once for every way in which the SDK's client
can open a conversation: the initialize handshake, probing for the newest version, and each newer
version adopted without asking. Prints one line per check and, last, `N passed, M failed`.
"""

import asyncio
import contextlib
import json
import os
import re
import sys

import harness
from mcp import Client, MCPError, StdioServerParameters
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

MODES = ["legacy", "auto", *MODERN_PROTOCOL_VERSIONS]
# The MCP rule for names, and ours, which is narrower.
NAME = re.compile(r"[a-z0-9_]{1,48}")
# What every client can read: no combinators at the root, no references, one type per node.
ROOT_KEYS_NOT_PORTABLE = {"oneOf", "anyOf", "allOf", "not", "$ref", "$schema"}
HELD_BACK = "jitbit_close_ticket"
NOT_CORE = "jitbit_get_ticket_record"
INVALID_PARAMS = -32602
# No answer of the sandbox takes this long.
TIMEOUT_SECONDS = 30


def stdio(binary, *flags):
    args = ["serve", "--sandbox", *flags]
    return contextlib.nullcontext(StdioServerParameters(command=binary, args=args, env=harness.bare_environment()))


# How to reach a server with these flags: a context that gives what the SDK's client takes.
TRANSPORTS = {"stdio": stdio, "http": harness.http_server}


def text_of(result):
    kinds = [block.type for block in result.content]
    assert kinds == ["text"], f"expected one text block, got {kinds}"
    assert result.structured_content is None, "structuredContent was not expected"
    return result.content[0].text


def json_of(result):
    text = text_of(result)
    assert not result.is_error, f"the call failed: {text}"
    return json.loads(text)


def refused(result, *words):
    text = text_of(result)
    assert result.is_error, f"isError was expected, got {text[:200]}"
    for word in words:
        assert word in text, f"`{word}` is not in {text!r}"


def held_back(result, reason):
    """A model is sent to the administrator: it can't set a flag."""
    refused(result, reason, "administrator", "nothing was sent")
    assert "--" not in text_of(result), f"names a flag: {text_of(result)!r}"


def has_fields(value, fields):
    assert isinstance(value, dict), f"expected an object, got {type(value).__name__}"
    for name, kind in fields.items():
        assert name in value, f"`{name}` is missing"
        assert isinstance(value[name], kind), f"`{name}` is {value[name]!r}"


async def all_tools(client):
    """Every page of tools/list."""
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return tools


def check_tools(checks, label, tools):
    names = [tool.name for tool in tools]
    with checks.check(f"{label}: tools/list names at least the three tools, each name once"):
        assert len(names) == len(set(names)), "a name occurs twice"
        missing = {"jitbit_search_tickets", "jitbit_list_tickets", "jitbit_get_ticket"} - set(names)
        assert not missing, f"missing: {sorted(missing)}"
    with checks.check(f"{label}: every name fits its pattern ({len(tools)} tools)"):
        for name in names:
            assert NAME.fullmatch(name), name
    with checks.check(f"{label}: every tool has a description and annotations with readOnlyHint true"):
        for tool in tools:
            assert tool.description, f"{tool.name} has no description"
            assert tool.annotations is not None, f"{tool.name} has no annotations"
            assert tool.title, f"{tool.name} has no title"
            assert tool.annotations.read_only_hint is True, f"{tool.name}: {tool.annotations}"
            assert not tool.annotations.destructive_hint, f"{tool.name}: {tool.annotations}"
    with checks.check(f"{label}: every input schema is an object without combinators at its root"):
        for tool in tools:
            schema = tool.input_schema
            assert schema.get("type") == "object", f"{tool.name}: {schema.get('type')!r}"
            found = ROOT_KEYS_NOT_PORTABLE & schema.keys()
            assert not found, f"{tool.name}: {sorted(found)}"
            required = set(schema.get("required", []))
            assert required <= schema.get("properties", {}).keys(), f"{tool.name}: {required}"
    for name in (HELD_BACK, NOT_CORE):
        with checks.check(f"{label}: {name} is not listed"):
            assert name not in names, "it is"


async def check_calls(checks, label, client):
    with checks.check(f"{label}: jitbit_search_tickets answers with a list of tickets"):
        answer = json_of(await client.call_tool("jitbit_search_tickets", {"query": "printer"}))
        keys = ["page", "untrusted", "omitted", "notes", "items"]
        assert list(answer) == keys, f"expected {keys}, got {list(answer)}"
        # The helpdesk marks no last page, and a short one proves nothing.
        assert answer["page"]["has_more"] == "unknown" and answer["page"]["next_cursor"], answer["page"]
        tickets = answer["items"]
        assert isinstance(tickets, list) and tickets, f"expected a filled list, got {tickets!r}"
        for ticket in tickets:
            has_fields(ticket, {"IssueID": int, "Subject": str, "Status": str, "Priority": int})
    with checks.check(f"{label}: jitbit_list_tickets answers with a list of tickets"):
        arguments = {"mode": "unclosed", "limit": 5, "offset": 0}
        tickets = json_of(await client.call_tool("jitbit_list_tickets", arguments))["items"]
        assert isinstance(tickets, list) and tickets, f"expected a filled list, got {tickets!r}"
        for ticket in tickets:
            has_fields(ticket, {"IssueID": int, "Subject": str, "Status": str, "Category": str})
    with checks.check(f"{label}: jitbit_get_ticket answers with a ticket"):
        ticket = json_of(await client.call_tool("jitbit_get_ticket", {"ticketId": 31877}))
        fields = {"TicketID": int, "Subject": str, "Body": str, "Status": str, "Tags": list, "Attachments": list}
        has_fields(ticket, fields)
    with checks.check(f"{label}: a query of two characters is refused, naming `query`"):
        refused(await client.call_tool("jitbit_search_tickets", {"query": "pr"}), "`query`", "3")
    with checks.check(f"{label}: a missing argument is refused, naming `ticketId`"):
        refused(await client.call_tool("jitbit_get_ticket", {}), "`ticketId`")
    with checks.check(f"{label}: an unknown argument is refused, naming it"):
        arguments = {"query": "printer", "colour": "red"}
        refused(await client.call_tool("jitbit_search_tickets", arguments), "`colour`")
    with checks.check(f"{label}: {HELD_BACK} is refused, for its effect"):
        held_back(await client.call_tool(HELD_BACK, {"ticketId": 1}), "`write`")
    with checks.check(f"{label}: {NOT_CORE} is refused, for its tags"):
        held_back(await client.call_tool(NOT_CORE, {"ticketId": 1}), "`core`")
    with checks.check(f"{label}: an unknown tool is a protocol error ({INVALID_PARAMS})"):
        try:
            result = await client.call_tool("jitbit_make_coffee", {})
        except MCPError as error:
            assert error.error.code == INVALID_PARAMS, error.error
            assert "jitbit_make_coffee" in error.error.message, error.error
        else:
            raise AssertionError(f"no error, but {result}")
    with checks.check(f"{label}: the conversation goes on after refusals"):
        json_of(await client.call_tool("jitbit_get_ticket", {"ticketId": 31877}))


async def check_mode(checks, binary, transport, mode):
    label = f"{transport}, mode {mode}"
    server = TRANSPORTS[transport]
    with checks.check(f"{label}: a conversation opens, is used and ends"), server(binary) as target:
        async with Client(target, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS) as client:
            tools = await all_tools(client)
            check_tools(checks, f"{label} ({client.protocol_version})", tools)
            await check_calls(checks, f"{label} ({client.protocol_version})", client)
    with (
        checks.check(f"{label}: under --methods write, {HELD_BACK} is listed as a change and can be called"),
        server(binary, "--methods", "read,write") as target,
    ):
        async with Client(target, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS) as client:
            tools = {tool.name: tool for tool in await all_tools(client)}
            assert HELD_BACK in tools, "it is not listed"
            hints = tools[HELD_BACK].annotations
            assert hints.read_only_hint is False, f"a call that changes something says {hints}"
            result = await client.call_tool(HELD_BACK, {"ticketId": 1})
            assert not result.is_error, text_of(result)


async def main():
    if len(sys.argv) != 2:
        print("usage: python_sdk.py BINARY", file=sys.stderr)
        return 2
    binary = os.path.abspath(sys.argv[1])
    if not os.access(binary, os.X_OK):
        print(f"`{sys.argv[1]}` is no program that can be started", file=sys.stderr)
        return 2
    checks = harness.Checks()
    for transport in TRANSPORTS:
        for mode in MODES:
            await check_mode(checks, binary, transport, mode)
    return checks.summary()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
