-- What questions read beside the star: pictures of stocks within a scope, and the ledger by day.
-- migrate:up

CREATE INDEX fact_commission_events_day ON fact_commission_events (location_key, date_key);

-- Pictures are named by the location's own id: whoever sees the location in dim_location sees its pictures.
ALTER TABLE kpi_snapshots ENABLE ROW LEVEL SECURITY;
CREATE POLICY scoped ON kpi_snapshots FOR SELECT TO jorge_bi
    USING (location_id = ANY ((SELECT array_agg(location_id) FROM dim_location WHERE location_id IS NOT NULL)::uuid[]));
CREATE POLICY written ON kpi_snapshots TO jorge_etl USING (true) WITH CHECK (true);
GRANT SELECT ON kpi_snapshots TO jorge_bi;
GRANT SELECT, INSERT ON kpi_snapshots TO jorge_etl;

-- migrate:down
