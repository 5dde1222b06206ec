-- Row versions of another life of the database begin above all that devices can know of the former one: else an edit
-- made upon what was lost would count as having seen what was written since.
-- migrate:up
SET LOCAL lock_timeout = '5s';

ALTER TABLE feed_state ADD COLUMN ver_floor bigint NOT NULL DEFAULT 0;

-- As in 006, but for the version.
CREATE OR REPLACE FUNCTION sync_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb;
    old_row jsonb := to_jsonb(OLD);
    next_ver bigint := greatest(OLD._ver + 1, (SELECT ver_floor FROM feed_state));
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
               next_ver, at_ms, nullif(current_setting('app.actor', true), ''),
               nullif(current_setting('app.device', true), '')))
      INTO changed
      FROM jsonb_each(to_jsonb(NEW) - unsynced) n
     WHERE n.value IS DISTINCT FROM old_row -> n.key;
    IF changed IS NULL AND NEW._deleted_at IS NOT DISTINCT FROM OLD._deleted_at THEN
        RETURN NULL;  -- nothing changed: no new version, no line in the feed
    END IF;
    NEW._ver := next_ver;
    NEW._fver := OLD._fver || coalesce(changed, '{}');
    RETURN NEW;
END $$;

-- migrate:down
