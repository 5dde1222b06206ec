-- What a first sync asks first: what is due for one agent (properties_by_lead: 006).
-- migrate:up

CREATE INDEX tasks_by_agent ON tasks (agent_id, due_at) WHERE done_at IS NULL AND _deleted_at IS NULL;

-- What cursors are sealed with.
ALTER TABLE feed_state ADD COLUMN secret uuid NOT NULL DEFAULT gen_random_uuid();

-- Which life of the database this is (pg_control_system, pg_control_checkpoint), when it was last looked at:
-- another one means that it was restored or failed over, and may lack what devices were told is safe.
ALTER TABLE feed_state ADD COLUMN system_id bigint, ADD COLUMN timeline int;

-- How each device's store is doing, for its person and for whoever looks after many.
CREATE TABLE devices (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    device text NOT NULL,  -- feed.origin: its own id would let others push in its name
    schema int NOT NULL DEFAULT 0,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    last_push timestamptz,
    last_pull timestamptz,
    seq bigint,  -- as far as it has read the feed
    loading boolean NOT NULL DEFAULT false,
    pending int NOT NULL DEFAULT 0,
    parked int NOT NULL DEFAULT 0,
    oldest_at timestamptz,  -- when the oldest unsent edit was made
    error text,  -- the code of what it was last refused with
    error_at timestamptz,
    PRIMARY KEY (user_id, device)
);

-- migrate:down
