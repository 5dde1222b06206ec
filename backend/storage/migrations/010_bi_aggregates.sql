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
) WITH (fillfactor = 60, toast_tuple_target = 8160);  -- not packed: to pack and unpack costs more than to count

CREATE FUNCTION bi_latency_cell(us bigint) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN us <= 100 THEN 0 ELSE least(ceil(ln(us::float8 / 100) / ln(1.01::float8 / 0.99::float8))::int, 760) END
$$;

-- `cells`, from `first` to `last`, counted into (or, with sign -1, out of) a histogram, which grows where they lie beside it.
CREATE FUNCTION bi_latency_add(was_low int, was bigint[], first int, last int, cells int[], sign int, OUT low int, OUT counts bigint[])
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    before int := greatest(was_low - first, 0);
    behind int := greatest(last - was_low - cardinality(was) + 1, 0);
    nought int := was_low - before - 1;
    cell int;
BEGIN
    low := nought + 1;
    counts := was;
    IF before + behind > 0 THEN
        counts := array_fill(0::bigint, ARRAY[before]) || counts || array_fill(0::bigint, ARRAY[behind]);
    END IF;
    FOREACH cell IN ARRAY cells LOOP
        counts[cell - nought] := counts[cell - nought] + sign;
    END LOOP;
END $$;

-- One transaction counts at a time: at the rows of "all locations" they would wait anyway, and several of those in a ring.
CREATE FUNCTION bi_alone() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(hashtext('bi_facts')) $$;

-- The counters of one fact as a trigger function: `changed` are the rows that came (argument 1) or went (-1); `rows_sql` gives them
-- with their sign as `way`. The zone is set once: to name it in date_trunc costs a look-up a row. With `bi.forgetting` set, rows go for their age, and what they counted stays.
CREATE FUNCTION bi_install_counter(made_name text, fact_name text, moment text, only_where text, rows_sql text)
RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE
    names text;
    counted text;
    summed text;
    added text;
    moved text;
BEGIN
    SELECT string_agg(quote_ident(name), ', ' ORDER BY place),
           string_agg(format('coalesce(%s, 0)::bigint AS %I', expression, name), ', ' ORDER BY place),
           string_agg(format('sum(way * %I)::bigint', name), ', ' ORDER BY place),
           string_agg(format('%1$I = a.%1$I + excluded.%1$I', name), ', ' ORDER BY place),
           string_agg(format('sum(way * %I) <> 0', name), ' OR ' ORDER BY place)
      INTO names, counted, summed, added, moved
      FROM bi_measures WHERE fact = fact_name;
    EXECUTE format($made$
        CREATE OR REPLACE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $body$
        DECLARE
            sign int := TG_ARGV[0]::int;
        BEGIN
            IF current_setting('bi.forgetting', true) = 'on' THEN
                RETURN NULL;
            END IF;
            PERFORM bi_alone();
            WITH counted AS MATERIALIZED (
                SELECT date_trunc('hour', %2$s) AS hour, date_key, location_key, bot_key, way, %3$s
                  FROM (%8$s) AS signed WHERE %4$s GROUP BY 1, 2, 3, 4, 5),
            both_rows AS MATERIALIZED (
                SELECT * FROM counted UNION ALL
                SELECT hour, date_key, -1, bot_key, way, %5$s FROM counted),
            by_hour AS (
                INSERT INTO agg_hourly_metrics AS a (hour, location_key, bot_key, %5$s)
                SELECT hour, location_key, bot_key, %6$s FROM both_rows GROUP BY 1, 2, 3 HAVING %9$s ORDER BY 2, 1, 3
                ON CONFLICT (location_key, hour, bot_key) DO UPDATE SET %7$s)
            INSERT INTO agg_daily_metrics AS a (date_key, location_key, bot_key, %5$s)
            SELECT date_key, location_key, bot_key, %6$s FROM both_rows GROUP BY 1, 2, 3 HAVING %9$s ORDER BY 2, 1, 3
            ON CONFLICT (location_key, date_key, bot_key) DO UPDATE SET %7$s;
            RETURN NULL;
        END $body$ $made$,
        made_name, moment, counted, only_where, names, summed, added, rows_sql, moved);
END $outer$;

CREATE FUNCTION bi_install_counters() RETURNS void LANGUAGE sql AS $$
    SELECT bi_install_counter('bi_count_' || fact, fact, moment, only_where, 'SELECT *, sign AS way FROM changed')
      FROM (VALUES ('fact_lead_interactions', 'occurred_at', 'true'),
                   ('fact_bot_performance', 'occurred_at', 'true'),
                   ('fact_bot_conversations', 'replied_at', 'replied_at IS NOT NULL'),
                   ('fact_commission_events', 'occurred_at', 'true')) AS facts (fact, moment, only_where);
    SELECT bi_install_counter('bi_count_again_fact_bot_conversations', 'fact_bot_conversations', 'replied_at', 'replied_at IS NOT NULL',
                              'SELECT *, -1 AS way FROM was UNION ALL SELECT *, 1 FROM now');
$$;
SELECT bi_install_counters();

CREATE FUNCTION bi_count_pipeline() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign int := TG_ARGV[0]::int;
BEGIN
    PERFORM bi_alone();
    INSERT INTO agg_daily_pipeline AS a (date_key, location_key, stage, sells, deals, price_cents, gross_cents, company_cents)
    SELECT date_key, place, stage, sells, sign * sum(deals), sign * sum(price_cents), sign * sum(gross_cents), sign * sum(company_cents)
      FROM changed, LATERAL (VALUES (location_key), (-1)) AS places (place)
     GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
    ON CONFLICT (location_key, date_key, stage, sells) DO UPDATE
       SET deals = a.deals + excluded.deals, price_cents = a.price_cents + excluded.price_cents,
           gross_cents = a.gross_cents + excluded.gross_cents, company_cents = a.company_cents + excluded.company_cents;
    RETURN NULL;
END $$;

CREATE AGGREGATE bi_all_cells(int[]) (SFUNC = array_cat, STYPE = int[]);

-- The cells are gathered once, then put together for each row that they count in: an hour and a day, an office and all, a bot and all.
-- Plans are made once, when tables may be small: they reach rows by their key whatever the size.
CREATE FUNCTION bi_count_latencies() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    sign int := TG_ARGV[0]::int;
BEGIN
    PERFORM bi_alone();
    WITH gathered AS MATERIALIZED (
        SELECT date_trunc('hour', occurred_at) AS hour, date_key, location_key, bot_key, event_type,
               min(cell) AS first, max(cell) AS last, array_agg(cell) AS cells
          FROM (SELECT *, bi_latency_cell(processing_us) AS cell FROM changed
                 WHERE processing_us IS NOT NULL AND event_type IN ('scored', 'turn') OFFSET 0) timed
         GROUP BY 1, 2, 3, 4, 5),
    came AS MATERIALIZED (
        SELECT CASE WHEN hour IS NULL THEN 'd'::"char" ELSE 'h'::"char" END AS grain,
               coalesce(hour, to_date(date_key::text, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC') AS bucket,
               coalesce(location_key, -1) AS place, coalesce(bot_key, -1) AS bot, event_type, min(first) AS first,
               max(last) AS last, bi_all_cells(cells) AS cells
          FROM gathered
         GROUP BY event_type, GROUPING SETS ((hour), (date_key)), CUBE (location_key, bot_key)),
    counted AS (
        UPDATE agg_latency_hist a SET (low, counts) = (
                   SELECT n.low, n.counts FROM bi_latency_add(a.low, a.counts, c.first, c.last, c.cells, sign) n)
          FROM came c
         WHERE a.location_key = c.place AND a.bot_key = c.bot AND a.kind = c.event_type AND a.grain = c.grain AND a.bucket = c.bucket)
    INSERT INTO agg_latency_hist (grain, bucket, location_key, bot_key, kind, low, counts)
    SELECT c.grain, c.bucket, c.place, c.bot, c.event_type, n.low, n.counts
      FROM came c, LATERAL bi_latency_add(c.first, ARRAY[0]::bigint[], c.first, c.last, c.cells, sign) n
     WHERE NOT EXISTS (SELECT FROM agg_latency_hist a
                        WHERE a.location_key = c.place AND a.bot_key = c.bot AND a.kind = c.event_type AND a.grain = c.grain
                          AND a.bucket = c.bucket);
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
SELECT bi_follow_triggers();

-- migrate:down
