-- The warehouse's facts, in monthly partitions. `date_key` is the day at the office, `occurred_at` the moment in UTC.
-- migrate:up

CREATE TABLE fact_lead_interactions (
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    date_key int NOT NULL,
    location_key int NOT NULL,
    bot_key int NOT NULL DEFAULT 0,
    lead_key bigint,
    agent_key bigint,
    lead_id uuid,
    agent_id uuid,
    deal_id uuid,
    conversation_id uuid,
    event_type text NOT NULL,
    channel text,
    direction text,
    stage text,
    temperature text,
    confidence_bp int,
    frs real,
    pcs real,
    processing_us bigint,
    success boolean,
    source_key int,
    props jsonb,
    PRIMARY KEY (occurred_at, event_id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX fact_lead_interactions_place ON fact_lead_interactions (location_key, occurred_at);
CREATE INDEX fact_lead_interactions_lead ON fact_lead_interactions (lead_id, occurred_at);
CREATE INDEX fact_lead_interactions_time ON fact_lead_interactions USING brin (occurred_at);

CREATE TABLE fact_bot_performance (
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    date_key int NOT NULL,
    location_key int NOT NULL,
    bot_key int NOT NULL,
    to_bot_key int,  -- of a hand-off
    lead_key bigint,
    lead_id uuid,
    conversation_id uuid,
    event_type text NOT NULL,
    confidence_bp int,
    quality_bp int,
    processing_us bigint,
    success boolean,
    replied boolean,
    reason text,
    source_key int,
    props jsonb,
    PRIMARY KEY (occurred_at, event_id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX fact_bot_performance_place ON fact_bot_performance (location_key, occurred_at);
CREATE INDEX fact_bot_performance_talk ON fact_bot_performance (conversation_id, occurred_at);
CREATE INDEX fact_bot_performance_time ON fact_bot_performance USING brin (occurred_at);

-- An accumulating snapshot: one row a conversation, completed as its events come, in whatever order.
CREATE TABLE fact_bot_conversations (
    conversation_id uuid PRIMARY KEY,
    location_key int NOT NULL,
    bot_key int NOT NULL,         -- who began it
    lead_id uuid,
    started_at timestamptz NOT NULL,
    started_by uuid NOT NULL,     -- the event that tells of the beginning: the least of those at started_at
    replied_at timestamptz,       -- their first reply: from here on it counts
    date_key int,                 -- of replied_at
    qualified_at timestamptz,
    last_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX fact_bot_conversations_place ON fact_bot_conversations (location_key, replied_at);

-- What each deal was known to be, and since when: the ledger is made from it, so that late news corrects it exactly.
CREATE TABLE deal_states (
    deal_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    date_key int NOT NULL,  -- the day at the office when it happened
    closed_key int,         -- the day of closing, where the news says one
    location_key int NOT NULL,
    lead_key bigint,
    agent_key bigint,
    lead_id uuid,
    agent_id uuid,
    stage text NOT NULL,
    sells boolean NOT NULL,
    price_cents bigint NOT NULL DEFAULT 0,
    rate_bp int NOT NULL DEFAULT 0,
    gross_cents bigint NOT NULL DEFAULT 0,
    company_cents bigint NOT NULL DEFAULT 0,
    source text NOT NULL DEFAULT '',
    source_key int,
    PRIMARY KEY (deal_id, occurred_at, event_id)
);
CREATE UNIQUE INDEX deal_states_event ON deal_states (event_id);

-- The ledger: signed changes. What stands in a stage is the sum of its lines up to a moment; what was earned, that of `closed`.
-- Lines 0 and 1 of an event: what stood before leaves, what it says comes. 2 and 3: the same, put right for the state after it,
-- which was known first. A line of `closed` counts on the day of closing.
CREATE TABLE fact_commission_events (
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,  -- the news that this line was written for
    line smallint NOT NULL,
    received_at timestamptz NOT NULL,
    date_key int NOT NULL,
    location_key int NOT NULL,
    bot_key int NOT NULL DEFAULT 0,
    deal_id uuid NOT NULL,
    lead_key bigint,
    agent_key bigint,
    lead_id uuid,
    agent_id uuid,
    stage text NOT NULL,
    sells boolean NOT NULL,
    rate_bp int NOT NULL,
    added smallint NOT NULL,  -- 1: the deal's first state; -1: no longer its first
    deals int NOT NULL,
    price_cents bigint NOT NULL,
    gross_cents bigint NOT NULL,
    company_cents bigint NOT NULL,
    source text NOT NULL DEFAULT '',
    source_key int,
    PRIMARY KEY (occurred_at, event_id, line)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX fact_commission_events_place ON fact_commission_events (location_key, occurred_at);
CREATE INDEX fact_commission_events_deal ON fact_commission_events (deal_id, occurred_at);
CREATE INDEX fact_commission_events_time ON fact_commission_events USING brin (occurred_at);

CREATE TABLE fact_system_health (
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    location_key int,        -- none: it concerns every office
    component text NOT NULL,
    event_type text NOT NULL,
    status text NOT NULL,
    value double precision,
    unit text,
    message text,
    source_key int,
    props jsonb,
    PRIMARY KEY (occurred_at, event_id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX fact_system_health_component ON fact_system_health (component, occurred_at);

-- Partitions are made three months ahead. What falls outside goes to the default one, which alarms; making its month moves it.
CREATE FUNCTION bi_partitioned() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['fact_lead_interactions', 'fact_bot_performance', 'fact_commission_events', 'fact_system_health']
$$;

-- Statement triggers belong to the table that a statement names. Writers copy straight into months (no row-level security stands in the
-- way of a COPY there), so each month has its fact's triggers. The default one has none: nobody writes it by name, and making a month
-- of its rows counts nothing. Whoever gives a fact a new trigger calls this.
CREATE VIEW bi_triggers_missing AS
SELECT c.oid::regclass AS month, regexp_replace(pg_get_triggerdef(t.oid), ' ON \S+ ', format(' ON %s ', c.oid::regclass)) AS made_by
  FROM pg_trigger t JOIN pg_class p ON p.oid = t.tgrelid JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
 WHERE p.relname = ANY (bi_partitioned()) AND NOT t.tgisinternal AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
   AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname = t.tgname);

CREATE FUNCTION bi_follow_triggers() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    missing record;
BEGIN
    FOR missing IN SELECT * FROM bi_triggers_missing LOOP
        EXECUTE missing.made_by;
    END LOOP;
END $$;

CREATE FUNCTION bi_make_partition(parent text, month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    made text := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
    lower_edge timestamptz := first::timestamp AT TIME ZONE 'UTC';
    upper_edge timestamptz := (first + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('bi_make_partition'));
    IF to_regclass(made) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Nobody may put a row of this month there between the move and the end.
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', made, parent);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE occurred_at >= $1 AND occurred_at < $2 RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', parent || '_default', made) USING lower_edge, upper_edge;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, made, lower_edge, upper_edge);
    EXECUTE format('GRANT INSERT ON %I TO jorge_etl', made);
    PERFORM bi_follow_triggers();
    RETURN true;
END $$;

CREATE FUNCTION bi_make_partitions(first date, last date) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    made int := 0;
    parent text;
    month date;
BEGIN
    FOREACH parent IN ARRAY bi_partitioned() LOOP
        FOR month IN SELECT generate_series(date_trunc('month', first), date_trunc('month', last), interval '1 month')::date LOOP
            made := made + bi_make_partition(parent, month)::int;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

DO $$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY bi_partitioned() LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_default', parent);
    END LOOP;
END $$;
SELECT bi_make_partitions(current_date, (current_date + interval '3 months')::date);

-- Facts before this moment have been dropped for their age; the aggregates of those days stay, and are never made anew.
CREATE TABLE bi_retention (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kept_from timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO bi_retention DEFAULT VALUES;

-- migrate:down
