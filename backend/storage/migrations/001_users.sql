-- migrate:up

-- An office or market of the brokerage: the unit of data isolation.
CREATE TABLE locations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    state text NOT NULL DEFAULT '',
    zone text NOT NULL DEFAULT 'UTC',
    demo boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX locations_name ON locations (lower(name));

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email <> ''),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('agent', 'manager', 'admin')),
    password_hash text NOT NULL,
    disabled_at timestamptz,
    demo boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE user_locations (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    location_id uuid NOT NULL REFERENCES locations ON DELETE CASCADE,
    PRIMARY KEY (user_id, location_id)
);
CREATE INDEX user_locations_location ON user_locations (location_id);

-- One sign-in on one device: the family of its rotating refresh tokens.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    device_id text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_why text
);
CREATE INDEX sessions_user_device ON sessions (user_id, device_id) WHERE revoked_at IS NULL;

-- Tokens are stored as SHA-256 only.
CREATE TABLE refresh_tokens (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    parent bytea,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    dropped_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_parent ON refresh_tokens (parent);

CREATE TABLE access_tokens (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    refresh_hash bytea NOT NULL REFERENCES refresh_tokens ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_session ON access_tokens (session_id);
CREATE INDEX access_tokens_refresh ON access_tokens (refresh_hash);
CREATE INDEX access_tokens_expires ON access_tokens (expires_at);

-- migrate:down
