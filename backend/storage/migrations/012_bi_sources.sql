-- Who sends events: programs with a key of their own, for some locations and streams.
-- migrate:up

CREATE TABLE event_sources (
    key int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- what facts carry as source_key
    id uuid NOT NULL UNIQUE,
    name text NOT NULL CHECK (name <> ''),
    key_hash bytea NOT NULL UNIQUE,                    -- SHA-256; the key itself is shown once
    locations uuid[] NOT NULL DEFAULT '{}',            -- none: every one
    streams text[] NOT NULL,
    webhook_secret text NOT NULL,                      -- of HMAC signatures: the server needs it as it is
    config jsonb NOT NULL DEFAULT '{}',                -- how another system's words map to ours (docs/events.md)
    created_at timestamptz NOT NULL,
    created_by uuid,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE UNIQUE INDEX event_sources_name ON event_sources (lower(name)) WHERE revoked_at IS NULL;

-- migrate:down
