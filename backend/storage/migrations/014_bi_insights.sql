-- What the command centre concludes: alerts, and every forecast as it was made, so that it can be scored when its day comes.
-- migrate:up

-- Hand-offs and ends are few among a bot's events, and whole quarters of them are asked for at once: out of the index alone.
CREATE INDEX fact_bot_performance_passes ON fact_bot_performance (location_key, occurred_at)
    INCLUDE (bot_key, to_bot_key, confidence_bp, lead_id, conversation_id, event_id) WHERE event_type = 'handoff';
CREATE INDEX fact_bot_performance_ends ON fact_bot_performance (location_key, occurred_at)
    INCLUDE (conversation_id) WHERE event_type = 'conversation_ended';

-- One episode a row: opened, last seen, closed. `location_key` NULL: it concerns every office.
CREATE TABLE bi_alerts (
    alert_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rule text NOT NULL,
    subject text NOT NULL,
    location_key int,
    severity text NOT NULL CHECK (severity IN ('critical', 'high', 'normal', 'low')),
    title text NOT NULL,
    message text NOT NULL,
    value double precision,
    bound double precision,
    n bigint,
    context jsonb NOT NULL DEFAULT '{}',  -- the body of a drill-down
    evidence jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    closed_at timestamptz,
    acked_at timestamptz,
    acked_by uuid
);
CREATE UNIQUE INDEX bi_alerts_open ON bi_alerts (rule, subject, coalesce(location_key, 0)) WHERE closed_at IS NULL;
CREATE INDEX bi_alerts_place ON bi_alerts (location_key, opened_at);
CREATE INDEX bi_alerts_closed ON bi_alerts (rule, subject, closed_at) WHERE closed_at IS NOT NULL;
SELECT bi_guard('bi_alerts');
CREATE POLICY everywhere ON bi_alerts FOR SELECT TO jorge_bi
    USING (location_key IS NULL AND cardinality((SELECT bi_scope())::int[]) > 0);

-- What was said of the `days` after `data_until`, and by which model. Key -1: of the whole brokerage.
CREATE TABLE bi_forecasts (
    location_key int NOT NULL,
    measure text NOT NULL,
    data_until date NOT NULL,
    days int NOT NULL CHECK (days > 0),
    model text NOT NULL,
    issued_at timestamptz NOT NULL,
    value_cents bigint NOT NULL,
    low_80 bigint,
    high_80 bigint,
    low_95 bigint,
    high_95 bigint,
    backtest jsonb NOT NULL,
    PRIMARY KEY (location_key, measure, data_until, days)
);
SELECT bi_guard('bi_forecasts');

-- migrate:down
