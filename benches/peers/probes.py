"""One behaviour that users meet → whether a server has it. The same probes for every server, against what arrived at the mock.

Each is a call of the tool that reads a request of a customer by its key, and a rule for what follows from it.
"""

import json
import time
import urllib.request

PATH = "/rest/servicedeskapi/request/"


def forget(vendor):
    """Makes the mock as it was when it started: no server meets what another one has left."""
    urllib.request.urlopen(f"{vendor}/__forget", timeout=30).close()


class Probed:
    """A server, its tools and the mock."""

    def __init__(self, server, tools, vendor):
        self.server, self.tools, self.vendor = server, tools, vendor
        self.reads = self.tool("jsm_get_request", "getCustomerRequestByIdOrKey")
        self.writes = self.tool("jsm_create_organization", "createOrganization")

    def tool(self, ours, operation):
        """A tool by our name, or by the operation's id, however it is written."""

        def bare(name):
            return name.replace("_", "").replace("-", "").lower()

        exact = [tool for tool in self.tools if tool["name"] == ours or bare(tool["name"]) == bare(operation)]
        near = [tool for tool in self.tools if bare(operation) in bare(tool["name"])]
        return next(iter(exact + near), None)

    def arrived(self):
        with urllib.request.urlopen(f"{self.vendor}/__arrived", timeout=30) as answer:
            return json.load(answer)

    def call(self, arguments):
        """Calls the tool; returns whether the answer is an error, its text, and the requests that arrived."""
        self.arrived()
        text = self.server.request_text("tools/call", {"name": self.reads["name"], "arguments": arguments})
        answer = json.loads(text)
        result = answer.get("result", {})
        said = json.dumps(answer.get("error") or result)
        return "error" in answer or result.get("isError") is True, said, len(text), self.arrived()


def key_with_slash(probed):
    *_, arrived = probed.call({"issueIdOrKey": "HELP-1/comment"})
    return all(one["target"].split("?")[0].removeprefix(PATH).count("/") == 0 for one in arrived)


def key_with_dots(probed):
    *_, arrived = probed.call({"issueIdOrKey": "../organization"})
    return all(one["target"].startswith(PATH) and ".." not in one["target"] for one in arrived)


def key_with_question_mark(probed):
    *_, arrived = probed.call({"issueIdOrKey": "HELP-1?expand=all"})
    return all("?" not in one["target"] for one in arrived)


def empty_key(probed):
    is_error, *_, arrived = probed.call({"issueIdOrKey": ""})
    return is_error and not arrived


def missing_key(probed):
    is_error, *_, arrived = probed.call({})
    return is_error and not arrived


def wrong_type(probed):
    is_error, *_, arrived = probed.call({"issueIdOrKey": {"key": "HELP-1"}})
    return is_error and not arrived


def list_in_query(probed):
    """The description states a parameter for each value."""
    is_error, *_, arrived = probed.call({"issueIdOrKey": "HELP-1", "expand": ["sla", "status"]})
    return not is_error and any("expand=sla&expand=status" in one["target"] for one in arrived)


def fault_is_an_error(probed):
    is_error, said, *_ = probed.call({"issueIdOrKey": "FAIL-1"})
    return is_error and "500" in said


def missing_record_is_an_error(probed):
    is_error, said, *_ = probed.call({"issueIdOrKey": "GONE-1"})
    return is_error and "404" in said and "no such request" in said


def busy_vendor(probed):
    """Waits as long as the vendor states and asks again, or passes on for how long to wait."""
    began = time.monotonic()
    is_error, said, _, arrived = probed.call({"issueIdOrKey": "BUSY-1"})
    asked_again = not is_error and len(arrived) == 2 and time.monotonic() - began >= 1
    return asked_again or (is_error and "retry" in said.lower())


def huge_answer(probed):
    """Five megabytes of one record would fill any model's context."""
    _, _, size, _ = probed.call({"issueIdOrKey": "HUGE-1"})
    return size < 100_000


def hints(probed):
    """Clients ask their users by these hints, and without them for every call."""
    reads = (probed.reads.get("annotations") or {}).get("readOnlyHint") is True
    writes = probed.writes is None or (probed.writes.get("annotations") or {}).get("readOnlyHint") is not True
    return reads and writes


def small_schema(probed):
    """Some clients take no reference and no combination at the root of a schema."""
    return not any("$ref" in json.dumps(tool["inputSchema"]) or {"anyOf", "oneOf", "allOf"} & set(tool["inputSchema"]) for tool in probed.tools)


PROBES = {
    "`/` in a key stays in the key": key_with_slash,
    "`..` in a key reaches no other address": key_with_dots,
    "`?` in a key adds no parameter": key_with_question_mark,
    "an empty key is refused unsent": empty_key,
    "a missing key is refused unsent": missing_key,
    "a value of the wrong type is refused unsent": wrong_type,
    "a list in the query, as described": list_in_query,
    "a fault of the vendor is an error": fault_is_an_error,
    "404 is an error with the vendor's words": missing_record_is_an_error,
    "429: waits or says for how long": busy_vendor,
    "5 MB are cut to size": huge_answer,
    "hints tell reading from changing": hints,
    "schemas without references": small_schema,
}


def faults(probed):
    """The probes that a server fails, and why where it did not answer."""
    found = {}
    for name, probe in PROBES.items():
        try:
            if not probe(probed):
                found[name] = ""
        except Exception as error:  # a server that ends, or breaks the protocol, has failed too
            found[name] = f"{type(error).__name__}: {str(error)[:200]}"
    return found
