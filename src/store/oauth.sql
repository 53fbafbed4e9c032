-- Authorizations of OAuth clients. Each is a link of its own in `links`, to which no address leads. It narrows the one that the
-- person has brought and is revoked with it; or it is of a person who has signed in at the identity provider, and narrows none.
CREATE TABLE oauth_authorizations (
    link TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- Who is signing in at the identity provider to allow a client: the browser, and the client's request. `sign_in` is the hash of what
-- the browser keeps, from which all follows that the provider is sent.
CREATE TABLE oauth_logins (
    sign_in TEXT PRIMARY KEY,
    browser TEXT NOT NULL,
    request TEXT NOT NULL,
    expires BIGINT NOT NULL
);

-- What a person is being asked: the browser that was asked, the link that was brought or the person who has signed in, and the
-- client's request.
CREATE TABLE oauth_consents (
    ticket TEXT PRIMARY KEY,
    browser TEXT NOT NULL,
    link TEXT,
    person TEXT,
    request TEXT NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE oauth_codes (
    code TEXT PRIMARY KEY,
    link TEXT NOT NULL,
    client TEXT NOT NULL,
    redirect TEXT NOT NULL,
    challenge TEXT NOT NULL,
    expires BIGINT NOT NULL,
    spent BIGINT
);

-- Kinds are `access` and `refresh`. A refresh token that is spent stays until it would have ended: its second use is seen by it.
CREATE TABLE oauth_tokens (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    link TEXT NOT NULL,
    client TEXT NOT NULL,
    expires BIGINT NOT NULL,
    spent BIGINT
);
CREATE INDEX oauth_tokens_by_link ON oauth_tokens (link);
