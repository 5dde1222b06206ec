-- Interactions of closed days column by column, so that a year divided by anything is read in a tenth of a second.
-- migrate:up

-- `codes`: a smallint (big-endian) for each interaction of that day in that office, in the order of occurred_at, event_id; the
-- columns of one day and office belong together. `name`: bot, hour (from midnight UTC of the day on), measures (a bit for each measure
-- that counts it), or a dimension whose values bi_column_codes names (0: not known).
CREATE TABLE agg_daily_columns (
    name text NOT NULL,
    date_key int NOT NULL,
    location_key int NOT NULL,
    codes bytea NOT NULL,
    PRIMARY KEY (name, date_key, location_key)
);
ALTER TABLE agg_daily_columns ALTER COLUMN codes SET STORAGE EXTERNAL;  -- to pack them costs more than to read them

CREATE TABLE bi_column_codes (
    location_key int NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    code smallint NOT NULL CHECK (code > 0),
    PRIMARY KEY (location_key, name, value)
);

-- Whether the columns of a day are what its facts say. The transaction that adds or takes away one of them says no, so that every
-- snapshot has either all of a day in columns or reads its facts; backend/jobs/columns.py writes them again.
CREATE TABLE bi_column_days (
    date_key int PRIMARY KEY,
    complete boolean NOT NULL DEFAULT false,
    made_of text NOT NULL DEFAULT '',  -- the columns and measures they were written by
    newest_at timestamptz NOT NULL DEFAULT '-infinity'  -- when the last of its facts had come
);

-- In a snapshot older than the columns the upsert fails, where a plain UPDATE would see nothing to do.
CREATE FUNCTION bi_columns_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('bi.forgetting', true) = 'on' THEN
        RETURN NULL;
    END IF;
    PERFORM bi_alone();
    INSERT INTO bi_column_days AS d (date_key) SELECT DISTINCT date_key FROM changed ORDER BY 1
        ON CONFLICT (date_key) DO UPDATE SET complete = false WHERE d.complete;
    RETURN NULL;
END $$;
CREATE TRIGGER bi_columns_came AFTER INSERT ON fact_lead_interactions REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_columns_changed();
CREATE TRIGGER bi_columns_went AFTER DELETE ON fact_lead_interactions REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_columns_changed();
SELECT bi_follow_triggers();

-- Where a lead came from is its version's; versions end, but nobody rewrites them in ordinary work.
CREATE FUNCTION bi_columns_outdated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bi_alone();
    UPDATE bi_column_days SET complete = false WHERE complete;
    RETURN NULL;
END $$;
CREATE TRIGGER bi_columns_outdated AFTER DELETE OR UPDATE OF source, location_key ON dim_lead
    FOR EACH STATEMENT EXECUTE FUNCTION bi_columns_outdated();

SELECT bi_guard('agg_daily_columns'), bi_guard('bi_column_codes');
GRANT SELECT ON bi_column_days TO jorge_bi;
GRANT SELECT, INSERT, UPDATE, DELETE ON bi_column_days TO jorge_etl;

-- What leads behind a figure add to it; and those behind rare events, without walking past all others.
CREATE INDEX fact_bot_performance_rare ON fact_bot_performance (event_type, occurred_at) WHERE event_type NOT IN ('turn', 'scored');
CREATE INDEX fact_bot_performance_lead ON fact_bot_performance (lead_id, occurred_at);
CREATE INDEX fact_commission_events_lead ON fact_commission_events (lead_id);
CREATE INDEX fact_bot_conversations_lead ON fact_bot_conversations (lead_id);

-- migrate:down
