"""What the vendors' documents promise → how many calls a model makes for it and how many tokens (o200k) they and their answers
take: with a tool for each operation, and with the tools that do the whole.

    python3 -m venv target/workflows-venv && target/workflows-venv/bin/pip install bpe-openai
    target/workflows-venv/bin/python benches/promises.py target/debug/toolwright

The sandbox answers, whose records are short and of which each look-up finds one: real sites have longer ones. The calls of "before" are
tools of this server that send one request each; a model that knows the ids makes them. The list of tools is not counted.
"""

import json
import subprocess
import sys

import bpe_openai

ENCODING = bpe_openai.get_encoding("o200k_base")

USERS = [f"64d0a3f2b81c9e5a7f03c4{number:02d}" for number in range(11, 31)]
GROUPS = [f"65a2c7d10f9b3e48d61c5a{number:02d}" for number in range(1, 6)]
GROUP, APPLICATION = "65a2c7d10f9b3e48d61c5a07", "653c8d75a0e914b62f17d3c8"
ISSUES = [f"HELP-{number}" for number in range(1, 6)]
TICKETS = [31877, 31902, 31903, 31904, 31905]


def each(tool, argument, values, **more):
    return [(tool, {argument: value, **more}) for value in values]


# The document, its promise, the calls before and after.
PROMISES = [
    ("Jitbit", "search tickets by a phrase",
     [("jitbit_search_tickets", {"query": "password reset"})],
     [("jitbit_search_tickets", {"query": "password reset"})]),
    ("Jitbit", "a ticket with its whole conversation",
     [("jitbit_get_ticket_record", {"ticketId": 4521}), ("jitbit_list_comments", {"ticketId": 4521})],
     [("jitbit_get_ticket", {"ticketId": 4521})]),
    ("Jitbit", "close five tickets",
     each("jitbit_close_ticket", "ticketId", TICKETS),
     [("jitbit_close_tickets", {"tickets": TICKETS})]),
    ("JSM", "sum an incident up: issue, thread, reporter",
     [("jsm_get_issue", {"issueIdOrKey": "ITSM-994"}), ("jsm_list_issue_comments", {"issueIdOrKey": "ITSM-994"}),
      ("jsm_get_user", {"accountId": "5b10ac8d82e05b22cc7d4ef5"})],
     [("jsm_triage_issue", {"issueIdOrKey": "ITSM-994"})]),
    ("JSM", "a queue by its name with the five oldest",
     [("jsm_list_queues", {"serviceDeskId": "2"}), ("jsm_list_queue_issues", {"serviceDeskId": "2", "queueId": 10})],
     [("jsm_get_queue", {"serviceDeskId": "2", "queueId": "10"})]),
    ("JSM", "search with description and comments",
     [("jsm_search_issues", {"jql": "project = HELP"}), *each("jsm_list_issue_comments", "issueIdOrKey", ISSUES)],
     [("jsm_search_issues", {"jql": "project = HELP", "include": ["description", "comments"]})]),
    ("JSM", "label five issues",
     [("jsm_edit_issue", {"issueIdOrKey": key, "update": {"labels": [{"add": "vpn"}]}}) for key in ISSUES],
     [("jsm_label_many_issues", {"issues": ISSUES, "label": "vpn"})]),
    ("JSM", "who is on call for a team",
     [("jsm_list_ops_teams", {}), ("jsm_list_schedules", {}),
      ("jsm_get_on_calls", {"scheduleId": "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9"}),
      ("jsm_get_user", {"accountId": "5b10ac8d82e05b22cc7d4ef5"})],
     [("jsm_get_team_on_call", {"team": "Network"})]),
    ("JumpCloud", "suspend 20 users",
     each("jumpcloud_suspend_user", "user_id", USERS),
     [("jumpcloud_suspend_users", {"users": USERS})]),
    ("JumpCloud", "require MFA of 20 users",
     each("jumpcloud_require_user_mfa", "user_id", USERS),
     [("jumpcloud_require_mfa_for_users", {"users": USERS})]),
    ("JumpCloud", "add 20 users to a group",
     each("jumpcloud_add_user_to_group", "user_id", USERS, user_group_id=GROUP),
     [("jumpcloud_add_group_members", {"group": GROUP, "users": USERS})]),
    ("JumpCloud", "give five groups an application",
     each("jumpcloud_grant_application_to_group", "user_group_id", GROUPS, application_id=APPLICATION),
     [("jumpcloud_grant_application_to_groups", {"application": APPLICATION, "groups": GROUPS})]),
    ("JumpCloud", "how many Windows devices",
     [("jumpcloud_list_devices", {"filter": [{"field": "os", "operator": "eq", "value": "Windows"}], "limit": 1})],
     [("jumpcloud_list_devices", {"filter": [{"field": "os", "operator": "eq", "value": "Windows"}], "limit": 1})]),
]


def tokens(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(ENCODING.encode(text))


def measured(binary, vendor, calls):
    """How many calls, and the tokens of calls and answers. A call that fails ends the measurement: a figure would be wrong."""
    sum_of = 0
    for tool, arguments in calls:
        command = [binary, "call", "--sandbox", "--vendor", vendor, "--methods", "all", "--tags", "all", tool, "--args", json.dumps(arguments)]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode != 0:
            raise SystemExit(f"{tool}: {ran.stderr}{ran.stdout}")
        sum_of += tokens({"name": tool, "arguments": arguments}) + tokens(ran.stdout)
    return len(calls), sum_of


def main():
    binary = sys.argv[1]
    print("| document | promise | calls before | after | tokens before | after |")
    print("|---|---|---|---|---|---|")
    for document, promise, before, after in PROMISES:
        (calls, cost), (fewer, less) = (measured(binary, document.lower(), calls) for calls in (before, after))
        print(f"| {document} | {promise} | {calls} | {fewer} | {cost:,} | {less:,} |")


if __name__ == "__main__":
    main()
