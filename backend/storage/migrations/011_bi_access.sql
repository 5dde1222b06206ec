-- Who sees what of the warehouse: row-level security, forced. Without `app.locations` in the transaction nobody sees a row.
-- migrate:up

-- The location keys of this transaction: 'app.locations' holds "3,7", or "-1,3,7" for who may see all of them.
CREATE FUNCTION bi_scope() RETURNS int[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_to_array(nullif(current_setting('app.locations', true), ''), ',')::int[], '{}')
$$;

CREATE FUNCTION bi_guard(guarded text, column_name text DEFAULT 'location_key') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY written ON %I TO jorge_etl USING (true) WITH CHECK (true)', guarded);
    -- The sub-select is worked out once a query, and the comparison reaches the index.
    EXECUTE format('CREATE POLICY scoped ON %I FOR SELECT TO jorge_bi USING (%I = ANY ((SELECT bi_scope())::int[]))',
                   guarded, column_name);
    EXECUTE format('GRANT SELECT ON %I TO jorge_bi', guarded);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO jorge_etl', guarded);
END $$;

SELECT bi_guard(name) FROM unnest(ARRAY[
    'dim_location', 'dim_agent', 'dim_lead', 'fact_lead_interactions', 'fact_bot_performance', 'fact_bot_conversations',
    'fact_commission_events', 'deal_states', 'agg_hourly_metrics', 'agg_daily_metrics', 'agg_daily_pipeline',
    'agg_latency_hist']) AS name;

-- What concerns every office is seen by everybody with a scope.
SELECT bi_guard('fact_system_health');
CREATE POLICY everywhere ON fact_system_health FOR SELECT TO jorge_bi
    USING (location_key IS NULL AND cardinality((SELECT bi_scope())::int[]) > 0);

GRANT SELECT ON dim_date, dim_bot, bi_measures, bi_retention TO jorge_bi, jorge_etl;
GRANT INSERT, UPDATE ON dim_bot TO jorge_etl;
GRANT SELECT, UPDATE ON bi_versions TO jorge_etl;
GRANT SELECT ON bi_triggers_missing TO jorge_etl;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO jorge_etl;

-- Offices are made by the ordinary connection: it keeps dim_location through a function of the writer's.
GRANT CREATE ON SCHEMA public TO jorge_etl;
ALTER FUNCTION bi_follow_locations() OWNER TO jorge_etl;
ALTER FUNCTION bi_follow_locations() SECURITY DEFINER SET search_path = pg_catalog, public;

-- The stock of the last moments, for screens that open: exact, and no older than its refresh (five minutes).
CREATE MATERIALIZED VIEW mv_real_time_dashboard AS
SELECT location_key,
       coalesce(sum(interactions), 0)::bigint AS interactions,
       coalesce(sum(leads), 0)::bigint AS leads,
       coalesce(sum(bot_events), 0)::bigint AS bot_events,
       max(scored_p95_us) AS scored_p95_us,
       max(scored_p50_us) AS scored_p50_us,
       coalesce(sum(scored), 0)::bigint AS scored,
       coalesce(sum(conversations), 0)::bigint AS conversations,
       coalesce(sum(qualified), 0)::bigint AS qualified,
       now() AS as_of
  FROM (
    SELECT place AS location_key, count(*) AS interactions, count(DISTINCT lead_id) AS leads, NULL::bigint AS bot_events,
           NULL::float8 AS scored_p95_us, NULL::float8 AS scored_p50_us, NULL::bigint AS scored,
           NULL::bigint AS conversations, NULL::bigint AS qualified
      FROM fact_lead_interactions, LATERAL (VALUES (location_key), (-1)) AS places (place)
     WHERE occurred_at > now() - interval '24 hours' GROUP BY 1
    UNION ALL
    SELECT place, NULL, NULL, count(*),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_us) FILTER (WHERE event_type = 'scored'),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY processing_us) FILTER (WHERE event_type = 'scored'),
           count(processing_us) FILTER (WHERE event_type = 'scored'), NULL, NULL
      FROM fact_bot_performance, LATERAL (VALUES (location_key), (-1)) AS places (place)
     WHERE occurred_at > now() - interval '24 hours' GROUP BY 1
    UNION ALL
    SELECT place, NULL, NULL, NULL, NULL, NULL, NULL, count(*), count(qualified_at)
      FROM fact_bot_conversations, LATERAL (VALUES (location_key), (-1)) AS places (place)
     WHERE replied_at > now() - interval '24 hours' GROUP BY 1) parts
 GROUP BY 1;
CREATE UNIQUE INDEX mv_real_time_dashboard_place ON mv_real_time_dashboard (location_key);

-- Weeks, always from the daily table: from the facts it would take sixty times as long.
DO $$
DECLARE
    sums text;
BEGIN
    SELECT string_agg(format('sum(a.%1$I)::bigint AS %1$I', name), ', ' ORDER BY place) INTO sums FROM bi_measures;
    EXECUTE format('CREATE MATERIALIZED VIEW mv_weekly_trends AS
        SELECT d.week_start, a.location_key, a.bot_key, count(DISTINCT a.date_key) AS days, %s, now() AS as_of
          FROM agg_daily_metrics a JOIN dim_date d USING (date_key) GROUP BY 1, 2, 3', sums);
END $$;
CREATE UNIQUE INDEX mv_weekly_trends_row ON mv_weekly_trends (location_key, week_start, bot_key);

-- Materialized views know no row-level security: their owner sees all, and readers get them through a barrier.
ALTER MATERIALIZED VIEW mv_real_time_dashboard OWNER TO jorge_etl;
ALTER MATERIALIZED VIEW mv_weekly_trends OWNER TO jorge_etl;
CREATE VIEW real_time_dashboard WITH (security_barrier) AS
    SELECT * FROM mv_real_time_dashboard WHERE location_key = ANY ((SELECT bi_scope())::int[]);
CREATE VIEW weekly_trends WITH (security_barrier) AS
    SELECT * FROM mv_weekly_trends WHERE location_key = ANY ((SELECT bi_scope())::int[]);
ALTER VIEW real_time_dashboard OWNER TO jorge_etl;
ALTER VIEW weekly_trends OWNER TO jorge_etl;
GRANT SELECT ON real_time_dashboard, weekly_trends TO jorge_bi;
REVOKE CREATE ON SCHEMA public FROM jorge_etl;

-- migrate:down
