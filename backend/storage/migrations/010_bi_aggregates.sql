-- Aggregates that equal the sum of the facts at every commit: statement triggers count what a statement added or took away.
-- migrate:up

-- Every additive measure: the column of agg_hourly_metrics and agg_daily_metrics, the fact it is counted from, and how.
-- backend/metrics/measures.py says the same (a test compares them); a new measure is a row, a column and bi_install_counters().
CREATE TABLE bi_measures (
    place int GENERATED ALWAYS AS IDENTITY,
    name text PRIMARY KEY,
    fact text NOT NULL,
    expression text NOT NULL
);
INSERT INTO bi_measures (name, fact, expression) VALUES
    ('interactions', 'fact_lead_interactions', 'count(*)'),
    ('inbound', 'fact_lead_interactions', 'count(*) FILTER (WHERE direction = ''inbound'')'),
    ('outbound', 'fact_lead_interactions', 'count(*) FILTER (WHERE direction = ''outbound'')'),
    ('messages', 'fact_lead_interactions', 'count(*) FILTER (WHERE event_type = ''message'')'),
    ('calls', 'fact_lead_interactions', 'count(*) FILTER (WHERE event_type = ''call'')'),
    ('meetings', 'fact_lead_interactions', 'count(*) FILTER (WHERE event_type IN (''visit'', ''showing'', ''open_house''))'),
    ('stage_changes', 'fact_lead_interactions', 'count(*) FILTER (WHERE event_type = ''stage_changed'')'),
    ('hot', 'fact_lead_interactions', 'count(*) FILTER (WHERE temperature = ''hot'')'),
    ('warm', 'fact_lead_interactions', 'count(*) FILTER (WHERE temperature = ''warm'')'),
    ('lukewarm', 'fact_lead_interactions', 'count(*) FILTER (WHERE temperature = ''lukewarm'')'),
    ('cold', 'fact_lead_interactions', 'count(*) FILTER (WHERE temperature = ''cold'')'),
    ('ice_cold', 'fact_lead_interactions', 'count(*) FILTER (WHERE temperature = ''ice_cold'')'),
    ('bot_events', 'fact_bot_performance', 'count(*)'),
    ('turns', 'fact_bot_performance', 'count(*) FILTER (WHERE event_type = ''turn'')'),
    ('replies', 'fact_bot_performance', 'count(*) FILTER (WHERE replied)'),
    ('timed_turns', 'fact_bot_performance', 'count(processing_us) FILTER (WHERE event_type = ''turn'')'),
    ('turns_us', 'fact_bot_performance', 'sum(processing_us) FILTER (WHERE event_type = ''turn'')'),
    ('scored', 'fact_bot_performance', 'count(processing_us) FILTER (WHERE event_type = ''scored'')'),
    ('scored_us', 'fact_bot_performance', 'sum(processing_us) FILTER (WHERE event_type = ''scored'')'),
    ('bot_errors', 'fact_bot_performance', 'count(*) FILTER (WHERE event_type = ''error'')'),
    ('handoffs', 'fact_bot_performance', 'count(*) FILTER (WHERE event_type = ''handoff'')'),
    ('confident', 'fact_bot_performance', 'count(confidence_bp)'),
    ('confidence_bp', 'fact_bot_performance', 'sum(confidence_bp)'),
    ('rated', 'fact_bot_performance', 'count(quality_bp)'),
    ('quality_bp', 'fact_bot_performance', 'sum(quality_bp)'),
    ('conversations', 'fact_bot_conversations', 'count(*)'),
    ('qualified', 'fact_bot_conversations', 'count(qualified_at)'),
    ('deals_added', 'fact_commission_events', 'sum(added)'),
    ('deals_won', 'fact_commission_events', 'sum(deals) FILTER (WHERE stage = ''closed'')'),
    ('deals_lost', 'fact_commission_events', 'sum(deals) FILTER (WHERE stage = ''lost'')'),
    ('won_price_cents', 'fact_commission_events', 'sum(price_cents) FILTER (WHERE stage = ''closed'')'),
    ('won_gross_cents', 'fact_commission_events', 'sum(gross_cents) FILTER (WHERE stage = ''closed'')'),
    ('won_company_cents', 'fact_commission_events', 'sum(company_cents) FILTER (WHERE stage = ''closed'')');

CREATE TABLE agg_hourly_metrics (
    hour timestamptz NOT NULL,
    location_key int NOT NULL,
    bot_key int NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE agg_daily_metrics (
    date_key int NOT NULL,
    location_key int NOT NULL,
    bot_key int NOT NULL
) WITH (fillfactor = 70);
DO $$
DECLARE
    measure record;
BEGIN
    FOR measure IN SELECT name FROM bi_measures ORDER BY place LOOP
        EXECUTE format('ALTER TABLE agg_hourly_metrics ADD COLUMN %I bigint NOT NULL DEFAULT 0', measure.name);
        EXECUTE format('ALTER TABLE agg_daily_metrics ADD COLUMN %I bigint NOT NULL DEFAULT 0', measure.name);
    END LOOP;
END $$;
ALTER TABLE agg_hourly_metrics ADD PRIMARY KEY (location_key, hour, bot_key);
ALTER TABLE agg_daily_metrics ADD PRIMARY KEY (location_key, date_key, bot_key);

-- What entered and left each stage on each day: what stands there is the sum up to a day.
CREATE TABLE agg_daily_pipeline (
    date_key int NOT NULL,
    location_key int NOT NULL,
    stage text NOT NULL,
    sells boolean NOT NULL,
    deals bigint NOT NULL DEFAULT 0,
    price_cents bigint NOT NULL DEFAULT 0,
    gross_cents bigint NOT NULL DEFAULT 0,
    company_cents bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (location_key, date_key, stage, sells)
) WITH (fillfactor = 70);

-- Latencies as log-buckets: cell i counts values in (100 µs · g^(i-1), 100 µs · g^i], g = 1.01/0.99, so a quantile is right to 1 %.
-- `counts` begins at cell `low`. `kind` is the event type that was timed. Grain 'h' or 'd'; bot_key -1 = all bots.
CREATE TABLE agg_latency_hist (
    grain "char" NOT NULL CHECK (grain IN ('h', 'd')),
    bucket timestamptz NOT NULL,  -- the hour, or midnight UTC of the day at the office
    location_key int NOT NULL,
    bot_key int NOT NULL,
    kind text NOT NULL,
    low int NOT NULL,
    counts bigint[] NOT NULL,
    PRIMARY KEY (location_key, bot_key, kind, grain, bucket)
) WITH (fillfactor = 70);

CREATE FUNCTION bi_latency_cell(us bigint) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN us <= 100 THEN 0 ELSE least(ceil(ln(us::float8 / 100) / ln(1.01::float8 / 0.99::float8))::int, 760) END
$$;

CREATE FUNCTION bi_latency_sum(low_a int, a bigint[], low_b int, b bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(coalesce(a[i - low_a + 1], 0) + coalesce(b[i - low_b + 1], 0) ORDER BY i)
      FROM generate_series(least(low_a, low_b), greatest(low_a + cardinality(a), low_b + cardinality(b)) - 1) AS i
$$;

-- The counters of one fact as a trigger function: `changed` are the rows that came (argument 1) or went (-1); `rows_sql` gives them
-- with their sign as `way`. With `bi.forgetting` set, rows go for their age, and what they counted stays.
CREATE FUNCTION bi_install_counter(made_name text, fact_name text, moment text, only_where text, rows_sql text)
RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE
    names text;
    counted text;
    summed text;
    added text;
BEGIN
    SELECT string_agg(quote_ident(name), ', ' ORDER BY place),
           string_agg(format('coalesce(%s, 0)::bigint AS %I', expression, name), ', ' ORDER BY place),
           string_agg(format('sum(way * %I)::bigint', name), ', ' ORDER BY place),
           string_agg(format('%1$I = a.%1$I + excluded.%1$I', name), ', ' ORDER BY place)
      INTO names, counted, summed, added
      FROM bi_measures WHERE fact = fact_name;
    EXECUTE format($made$
        CREATE OR REPLACE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE
            sign int := TG_ARGV[0]::int;
        BEGIN
            IF current_setting('bi.forgetting', true) = 'on' THEN
                RETURN NULL;
            END IF;
            WITH counted AS MATERIALIZED (
                SELECT date_trunc('hour', %2$s, 'UTC') AS hour, date_key, location_key, bot_key, way, %3$s
                  FROM (%8$s) AS signed WHERE %4$s GROUP BY 1, 2, 3, 4, 5),
            both_rows AS MATERIALIZED (
                SELECT * FROM counted UNION ALL
                SELECT hour, date_key, -1, bot_key, way, %5$s FROM counted),
            by_hour AS (
                INSERT INTO agg_hourly_metrics AS a (hour, location_key, bot_key, %5$s)
                SELECT hour, location_key, bot_key, %6$s FROM both_rows GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
                ON CONFLICT (location_key, hour, bot_key) DO UPDATE SET %7$s)
            INSERT INTO agg_daily_metrics AS a (date_key, location_key, bot_key, %5$s)
            SELECT date_key, location_key, bot_key, %6$s FROM both_rows GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
            ON CONFLICT (location_key, date_key, bot_key) DO UPDATE SET %7$s;
            RETURN NULL;
        END $body$ $made$,
        made_name, moment, counted, only_where, names, summed, added, rows_sql);
END $outer$;

CREATE FUNCTION bi_install_counters() RETURNS void LANGUAGE sql AS $$
    SELECT bi_install_counter('bi_count_' || fact, fact, moment, only_where, 'SELECT *, sign AS way FROM changed')
      FROM (VALUES ('fact_lead_interactions', 'occurred_at', 'true'),
                   ('fact_bot_performance', 'occurred_at', 'true'),
                   ('fact_bot_conversations', 'replied_at', 'replied_at IS NOT NULL'),
                   ('fact_commission_events', 'occurred_at', 'true')) AS facts (fact, moment, only_where);
    -- Most changes of a conversation leave what it counts as it was: then nothing is counted.
    SELECT bi_install_counter('bi_count_again_fact_bot_conversations', 'fact_bot_conversations', 'replied_at', 'replied_at IS NOT NULL', $rows$
        SELECT moved.* FROM was JOIN now USING (conversation_id),
               LATERAL (SELECT was.*, -1 AS way UNION ALL SELECT now.*, 1) AS moved
         WHERE (was.replied_at, was.date_key, was.location_key, was.bot_key, was.qualified_at IS NULL)
               IS DISTINCT FROM (now.replied_at, now.date_key, now.location_key, now.bot_key, now.qualified_at IS NULL)
    $rows$);
$$;
SELECT bi_install_counters();

CREATE FUNCTION bi_count_pipeline() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign int := TG_ARGV[0]::int;
BEGIN
    INSERT INTO agg_daily_pipeline AS a (date_key, location_key, stage, sells, deals, price_cents, gross_cents, company_cents)
    SELECT date_key, place, stage, sells, sign * sum(deals), sign * sum(price_cents), sign * sum(gross_cents), sign * sum(company_cents)
      FROM changed, LATERAL (VALUES (location_key), (-1)) AS places (place)
     GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
    ON CONFLICT (location_key, date_key, stage, sells) DO UPDATE
       SET deals = a.deals + excluded.deals, price_cents = a.price_cents + excluded.price_cents,
           gross_cents = a.gross_cents + excluded.gross_cents, company_cents = a.company_cents + excluded.company_cents;
    RETURN NULL;
END $$;

CREATE FUNCTION bi_count_latencies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign int := TG_ARGV[0]::int;
BEGIN
    INSERT INTO agg_latency_hist AS a (grain, bucket, location_key, bot_key, kind, low, counts)
    WITH cells AS MATERIALIZED (
        SELECT date_trunc('hour', occurred_at, 'UTC') AS hour, date_key, location_key, bot_key, event_type AS kind,
               bi_latency_cell(processing_us) AS cell, count(*) AS n
          FROM changed WHERE processing_us IS NOT NULL AND event_type IN ('scored', 'turn') GROUP BY 1, 2, 3, 4, 5, 6),
    spread AS (
        SELECT grain, CASE grain WHEN 'h' THEN hour ELSE to_date(date_key::text, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' END AS bucket,
               place, bot, kind, cell, sum(n)::bigint AS n
          FROM cells, (VALUES ('h'::"char"), ('d'::"char")) AS grains (grain),
               LATERAL (VALUES (location_key), (-1)) AS places (place), LATERAL (VALUES (bot_key), (-1)) AS bots (bot)
         GROUP BY 1, 2, 3, 4, 5, 6),
    rows_of AS (
        SELECT grain, bucket, place, bot, kind, min(cell) AS low, max(cell) AS high,
               array_agg(cell) AS at_cells, array_agg(n) AS ns
          FROM spread GROUP BY 1, 2, 3, 4, 5)
    SELECT grain, bucket, place, bot, kind, low,
           (SELECT array_agg(sign * coalesce(n, 0) ORDER BY i)
              FROM generate_series(low, high) AS i LEFT JOIN unnest(at_cells, ns) AS known (cell, n) ON cell = i)
      FROM rows_of ORDER BY place, bot, kind, grain, bucket
    ON CONFLICT (location_key, bot_key, kind, grain, bucket) DO UPDATE
       SET low = least(a.low, excluded.low), counts = bi_latency_sum(a.low, a.counts, excluded.low, excluded.counts);
    RETURN NULL;
END $$;

CREATE FUNCTION bi_forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Facts of % are never changed: take the row away and write it anew.', TG_TABLE_NAME;
END $$;

DO $$
DECLARE
    fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['fact_lead_interactions', 'fact_bot_performance', 'fact_bot_conversations', 'fact_commission_events'] LOOP
        EXECUTE format('CREATE TRIGGER bi_count_came AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %2$I(1)', fact, 'bi_count_' || fact);
        EXECUTE format('CREATE TRIGGER bi_count_went AFTER DELETE ON %1$I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %2$I(''-1'')', fact, 'bi_count_' || fact);
    END LOOP;
    FOREACH fact IN ARRAY bi_partitioned() LOOP
        EXECUTE format('CREATE TRIGGER bi_forbid BEFORE UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION bi_forbid()', fact);
        EXECUTE format('CREATE TRIGGER bi_forbid_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION bi_forbid()', fact);
    END LOOP;
END $$;
CREATE TRIGGER bi_count_again AFTER UPDATE ON fact_bot_conversations REFERENCING OLD TABLE AS was NEW TABLE AS now
    FOR EACH STATEMENT EXECUTE FUNCTION bi_count_again_fact_bot_conversations(1);
CREATE TRIGGER bi_count_pipeline_came AFTER INSERT ON fact_commission_events REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_count_pipeline(1);
CREATE TRIGGER bi_count_pipeline_went AFTER DELETE ON fact_commission_events REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_count_pipeline('-1');
CREATE TRIGGER bi_count_latencies_came AFTER INSERT ON fact_bot_performance REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_count_latencies(1);
CREATE TRIGGER bi_count_latencies_went AFTER DELETE ON fact_bot_performance REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION bi_count_latencies('-1');

-- migrate:down
