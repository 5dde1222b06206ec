-- How far the warehouse has followed the synced tables, and what of them its writer may read: no names, no words.
-- migrate:up

CREATE TABLE bi_feed_cursor (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    incarnation uuid,               -- feed_state's, when `seq` was set: in another life everything is looked at again
    seq bigint NOT NULL DEFAULT 0,  -- all changes up to here are in the warehouse
    loading text,                   -- the table that a full load is at; NULL: none is under way
    loaded uuid,                    -- the last of its rows that are in
    at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO bi_feed_cursor DEFAULT VALUES;

-- Interactions that a wrong clock dated into the future: they are facts when their moment has come.
CREATE TABLE bi_feed_later (
    row_id uuid PRIMARY KEY,
    due_at timestamptz NOT NULL
);

GRANT SELECT (id, location_id, created_at, agent_id, kind, source, stage, temperature, opted_out, last_inbound_at,
              last_touch_at, answer_due_at, _ver, _fver, _deleted_at) ON leads TO jorge_etl;
GRANT SELECT (id, location_id, created_at, user_id, role, _ver, _deleted_at) ON people TO jorge_etl;
GRANT SELECT (id, location_id, lead_id, agent_id, bot_id, kind, direction, channel, occurred_at, _ver, _fver, _deleted_at)
    ON interactions TO jorge_etl;
GRANT SELECT (id, location_id, lead_id, due_at, done_at, _ver, _fver, _deleted_at) ON tasks TO jorge_etl;
GRANT SELECT (id, location_id, created_at, lead_id, agent_id, source, stage, side_held, price_cents, listing_rate_bp,
              buyer_rate_bp, gross_cents, net_cents, closed_on, _ver, _fver, _deleted_at) ON deals TO jorge_etl;

-- What bots reported lay in a table of its own: it becomes facts, and goes when all of it has (backend/stream/from_sync/legacy.py).
DO $$
BEGIN
    IF EXISTS (SELECT FROM bot_events) THEN
        ALTER TABLE bot_events RENAME TO bot_events_legacy;
    ELSE
        DROP TABLE bot_events;
    END IF;
END $$;

-- migrate:down
