-- The refresh token of each account that a person has signed in at its vendor, encrypted, and who renews it at present. Times are
-- milliseconds since 1970.
CREATE TABLE vendor_sign_ins (
    account TEXT PRIMARY KEY,
    vendor TEXT NOT NULL,
    -- The fingerprint of the key that it is encrypted with.
    store_key TEXT NOT NULL,
    sealed TEXT NOT NULL,
    -- Space for the next token, which is there before the present one is spent.
    room TEXT,
    -- The sites that it reaches, as their reader writes them, and the id of the one to act at.
    sites TEXT NOT NULL,
    site TEXT,
    -- Another one with each sign-in and each choice of a site; not with each token.
    revision TEXT NOT NULL,
    administrator TEXT NOT NULL,
    signed_in BIGINT NOT NULL,
    renewed BIGINT,
    holder TEXT NOT NULL,
    held_until BIGINT NOT NULL
);
