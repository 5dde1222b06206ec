-- migrate:up
SET LOCAL lock_timeout = '5s';

-- When the last byte came (an upload that nobody goes on with expires), and that it did: its bytes are gone.
ALTER TABLE uploads
    ADD COLUMN touched_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN expired_at timestamptz;
UPDATE uploads SET touched_at = coalesce(done_at, created_at);
CREATE INDEX uploads_by_person ON uploads (user_id);
CREATE INDEX uploads_unfinished ON uploads (touched_at) WHERE done_at IS NULL;

-- migrate:down
