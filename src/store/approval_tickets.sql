-- The ticket of a help desk for an approval: one at most, whichever server raises it. Times are milliseconds since 1970.
CREATE TABLE approval_tickets (
    approval TEXT PRIMARY KEY,
    -- The account whose changes are approved there.
    desk TEXT NOT NULL,
    -- wanted, raising, raised, lost, closed
    state TEXT NOT NULL,
    -- The vendor's id of it.
    ticket TEXT,
    -- What its texts were at first: a hash.
    texts TEXT,
    -- What the note is to say: the outcome, and the hash of its line in the record.
    note TEXT,
    -- Until when a server has it, when it was last looked at, when it is due again, and how often that has failed.
    busy BIGINT NOT NULL,
    looked BIGINT NOT NULL,
    due BIGINT NOT NULL,
    failed BIGINT NOT NULL
);
CREATE INDEX approval_tickets_by_due ON approval_tickets (state, due);
