-- Synced rows that the warehouse could not take: set aside, so that they hold up nobody, and tried again. No content, only which and why.
-- migrate:up

CREATE TABLE bi_feed_aside (
    tbl text NOT NULL,
    row_id uuid NOT NULL,
    location_id uuid,               -- where it was when it was tried last
    reason text NOT NULL,           -- SQLSTATE, the name of a fault of ours, or what the facts say; `ended`: connections end of it
    tries int NOT NULL DEFAULT 1,
    since timestamptz NOT NULL,
    tried_at timestamptz NOT NULL,
    again_at timestamptz NOT NULL,  -- infinity: when it changes, and not before
    PRIMARY KEY (tbl, row_id)
);
CREATE INDEX bi_feed_aside_again ON bi_feed_aside (again_at);

-- migrate:down
