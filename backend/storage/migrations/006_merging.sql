-- What a merge has to know of the past: who might see which location, where a row was, what a lead was merged into.
-- migrate:up
SET LOCAL lock_timeout = '5s';

-- Grants as history. An edit made while its author might make it counts when it arrives later.
CREATE TABLE scope_grants (
    user_id uuid NOT NULL,
    location_id uuid NOT NULL,
    granted_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX scope_grants_by_user ON scope_grants (user_id, location_id);
INSERT INTO scope_grants (user_id, location_id, granted_at)
SELECT g.user_id, g.location_id, u.created_at FROM user_locations g JOIN users u ON u.id = g.user_id;

CREATE FUNCTION scope_grants_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE scope_grants SET revoked_at = clock_timestamp()
         WHERE user_id = OLD.user_id AND location_id = OLD.location_id AND revoked_at IS NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO scope_grants (user_id, location_id, granted_at)
        VALUES (NEW.user_id, NEW.location_id, clock_timestamp());
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER scope_grants_follow AFTER INSERT OR UPDATE OR DELETE ON user_locations
    FOR EACH ROW EXECUTE FUNCTION scope_grants_follow();

-- The locations that rows have left, and when.
CREATE TABLE row_moves (
    tbl text NOT NULL,
    row_id uuid NOT NULL,
    location_id uuid NOT NULL,
    left_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX row_moves_by_row ON row_moves (row_id, left_at);

CREATE FUNCTION row_moves_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_moves (tbl, row_id, location_id) VALUES (TG_TABLE_NAME, OLD.id, OLD.location_id);
    RETURN NULL;
END $$;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['leads', 'tasks', 'notes', 'conflicts', 'deals', 'interactions', 'properties'] LOOP
        EXECUTE format('CREATE TRIGGER row_moves_follow AFTER UPDATE OF location_id ON %I FOR EACH ROW
                        WHEN (OLD.location_id IS DISTINCT FROM NEW.location_id)
                        EXECUTE FUNCTION row_moves_follow()', t);
    END LOOP;
END $$;

-- Duplicates that were merged: what arrives later for `old_id` is meant for `new_id`.
CREATE TABLE row_alias (
    old_id uuid PRIMARY KEY,
    new_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX row_alias_by_new ON row_alias (new_id);

-- What is parked, by row: a later change may build on it.
ALTER TABLE parked_mutations ADD COLUMN row_id text NOT NULL DEFAULT '';
CREATE INDEX parked_mutations_by_row ON parked_mutations (device_id, epoch, row_id);

-- The last ten digits without an extension: who has the same number, however it is written.
CREATE FUNCTION phone_digits(phone text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT right(regexp_replace(regexp_replace(phone, '\s*(ext\.?|x|#)\s*\d+\s*$', '', 'i'), '\D', '', 'g'), 10)
$$;
CREATE INDEX leads_by_digits ON leads (location_id, phone_digits(phone)) WHERE phone IS NOT NULL;

CREATE INDEX tasks_by_lead ON tasks (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX notes_by_lead ON notes (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX conflicts_by_lead ON conflicts (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX deals_by_lead ON deals (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX properties_by_lead ON properties (lead_id) WHERE lead_id IS NOT NULL;

-- As in 002, but the edit time may come with the row itself, as {"@": ms} in its _fver, so that one statement can
-- write many rows, each with its own time.
CREATE OR REPLACE FUNCTION sync_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb;
    old_row jsonb := to_jsonb(OLD);
    at_ms bigint := coalesce(
        (NEW._fver ->> '@')::bigint,
        nullif(current_setting('app.edit_ms', true), '')::bigint,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    );
    unsynced text[] := '{_ver,_fver,_deleted_at}';
BEGIN
    IF TG_TABLE_NAME = 'locations' THEN
        unsynced := unsynced || 'location_id'::text;  -- generated: not known yet before the update
    END IF;
    -- A field's entry: row version, edit time, who, from which origin (a device of theirs; feed.origin).
    SELECT jsonb_object_agg(n.key, jsonb_build_array(
               OLD._ver + 1, at_ms, nullif(current_setting('app.actor', true), ''),
               nullif(current_setting('app.device', true), '')))
      INTO changed
      FROM jsonb_each(to_jsonb(NEW) - unsynced) n
     WHERE n.value IS DISTINCT FROM old_row -> n.key;
    IF changed IS NULL AND NEW._deleted_at IS NOT DISTINCT FROM OLD._deleted_at THEN
        RETURN NULL;  -- nothing changed: no new version, no line in the feed
    END IF;
    NEW._ver := OLD._ver + 1;
    NEW._fver := OLD._fver || coalesce(changed, '{}');
    RETURN NEW;
END $$;

-- migrate:down
