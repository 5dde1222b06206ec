-- What bots report column by column too, and columns that lie office by office, as questions read them.
-- migrate:up

-- `fact`: whose columns. Beside what 017 says there are columns of values (confidence_bp, quality_bp), which are summed as they are.
ALTER TABLE agg_daily_columns ADD COLUMN fact text NOT NULL DEFAULT 'fact_lead_interactions';
ALTER TABLE agg_daily_columns ALTER COLUMN fact DROP DEFAULT, DROP CONSTRAINT agg_daily_columns_pkey,
    ADD PRIMARY KEY (fact, name, location_key, date_key);
ALTER TABLE bi_column_days ADD COLUMN fact text NOT NULL DEFAULT 'fact_lead_interactions';
ALTER TABLE bi_column_days ALTER COLUMN fact DROP DEFAULT, DROP CONSTRAINT bi_column_days_pkey, ADD PRIMARY KEY (fact, date_key);

-- The triggers of 017 name no fact: theirs are the interactions.
CREATE OR REPLACE FUNCTION bi_columns_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('bi.forgetting', true) = 'on' THEN
        RETURN NULL;
    END IF;
    PERFORM bi_alone();
    INSERT INTO bi_column_days AS d (fact, date_key)
    SELECT DISTINCT coalesce(TG_ARGV[0], 'fact_lead_interactions'), date_key FROM changed ORDER BY 2
        ON CONFLICT (fact, date_key) DO UPDATE SET complete = false WHERE d.complete;
    RETURN NULL;
END $$;
CREATE TRIGGER bi_columns_came AFTER INSERT ON fact_bot_performance REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_columns_changed('fact_bot_performance');
CREATE TRIGGER bi_columns_went AFTER DELETE ON fact_bot_performance REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_columns_changed('fact_bot_performance');
SELECT bi_follow_triggers();

CREATE OR REPLACE FUNCTION bi_columns_outdated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bi_alone();
    UPDATE bi_column_days SET complete = false WHERE complete AND fact = 'fact_lead_interactions';
    RETURN NULL;
END $$;

-- migrate:down
