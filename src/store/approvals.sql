-- What waits for a person's decision, and what came of it. Times are milliseconds since 1970.
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    -- A change that is to be sent, or a tool that is asked for.
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    channel TEXT NOT NULL,
    -- Who asked: what no two callers have in common, and a name for people.
    caller TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    client TEXT,
    -- The user of this machine that must not decide; empty where anybody may.
    not_by TEXT NOT NULL,
    tool TEXT NOT NULL,
    -- The key of the digest and of sealed states. Without it a digest shows nothing of a short secret.
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- What is shown to people, without secrets.
    plan TEXT NOT NULL,
    asked BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    decided BIGINT,
    decided_by TEXT,
    reason TEXT,
    -- What was granted, where a tool was asked for.
    scope TEXT,
    claimed BIGINT,
    outcome TEXT
);
CREATE INDEX approvals_by_caller ON approvals (caller, tool);
