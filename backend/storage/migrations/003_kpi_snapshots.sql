-- Stocks (pipeline, active and hot leads) as they stood: what they are compared with later. One row an hour at most.
-- migrate:up

CREATE TABLE kpi_snapshots (
    location_id uuid NOT NULL REFERENCES locations (id),
    name text NOT NULL,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (location_id, name, at)
);

CREATE INDEX interactions_by_time ON interactions (location_id, occurred_at);
CREATE INDEX bot_events_by_type ON bot_events (location_id, event_type, occurred_at);

-- migrate:down
