-- Who read or did what: an append-only chain, and the record of periodic jobs.
-- migrate:up

-- Only ever SET, never signed in as: it may add and read, nothing else.
DO $$
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'jorge_audit') THEN
            CREATE ROLE jorge_audit NOLOGIN NOSUPERUSER NOBYPASSRLS;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this cluster was quicker
    END;
    GRANT jorge_audit TO CURRENT_USER;  -- also to who made it: since PostgreSQL 16 that alone does not allow SET ROLE
END $$;

-- One table, not monthly partitions: that a chain's places are unique and that an entry comes once has to hold across months.
-- `chain` is the location, or the nil uuid for what concerns several or none. `hash` = sha256(prev || the row, canonical).
CREATE TABLE audit_log (
    chain uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    entry_id uuid NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    actor_id uuid,
    role text NOT NULL,
    session_id uuid,
    action text NOT NULL,
    outcome text NOT NULL,
    resource text NOT NULL,
    locations uuid[] NOT NULL,
    detail json NOT NULL,  -- json, not jsonb: the text that was hashed stays as it is
    prev bytea NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_log_at ON audit_log (at, entry_id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, at);

-- How far each chain had come when it was signed; the same lines stand in the data folder, out of the database's reach.
CREATE TABLE audit_heads (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    mac bytea NOT NULL,
    PRIMARY KEY (chain, seq)
);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_heads_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

GRANT SELECT, INSERT ON audit_log, audit_heads TO jorge_audit;

-- The last runs of each periodic job, of whatever process.
CREATE TABLE periodic_jobs (
    name text PRIMARY KEY,
    process text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    failed_at timestamptz,
    fault text,
    took_ms double precision,
    runs bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0
);

-- migrate:down
