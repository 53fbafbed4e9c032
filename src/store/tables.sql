-- Times are milliseconds since 1970, hashes are SHA-256 in hexadecimal digits.

-- The number of the last change, and a lock: each transaction that changes links or leases updates a row of it first.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO counters (name, number) VALUES ('links', 0), ('leases', 0);

CREATE TABLE links (
    id TEXT PRIMARY KEY,
    -- The number of its last change.
    number BIGINT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    second_token TEXT,
    name TEXT NOT NULL,
    parent TEXT,
    terms TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT,
    used BIGINT
);
CREATE INDEX links_by_number ON links (number);
CREATE INDEX links_by_parent ON links (parent);

CREATE TABLE admin_tokens (
    name TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    used BIGINT
);

-- The servers that share this store, and what part of vendors' limits each may use until when.
CREATE TABLE replicas (
    id TEXT PRIMARY KEY,
    process TEXT NOT NULL,
    description TEXT NOT NULL,
    share BIGINT NOT NULL,
    ends BIGINT NOT NULL
);

-- Refresh tokens that follow those of a file, encrypted, and who renews one at present.
CREATE TABLE refresh_tokens (
    chain TEXT PRIMARY KEY,
    sealed TEXT,
    holder TEXT NOT NULL,
    held_until BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
