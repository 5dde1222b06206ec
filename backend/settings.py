"""The server's settings: read once from the environment, then passed down and never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pydantic
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain import errors

MessagePriority = Annotated[str, Field(pattern="^(critical|high|normal|low)$")]
MessagesAMinute = Annotated[int, Field(ge=1, le=1_000_000)]


class Settings(BaseSettings):
    """Each field is one environment variable of the same name; docs/settings.md lists them."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    database_url: str | None = Field(
        None,
        alias="DATABASE_URL",
        description="PostgreSQL to use. Unset: PostgreSQL 18 out of the wheel, under the data folder.",
    )
    redis_url: str | None = Field(
        None,
        alias="REDIS_URL",
        description="Valkey or Redis to use. Unset: Valkey 9 out of the wheel, under the data folder.",
    )
    data_dir: Path = Field(
        Path(".jorge"),
        alias="JORGE_DATA_DIR",
        description="Where everything is kept that must survive; the server uses the folder `server` in it.",
    )
    host: str = Field(
        "127.0.0.1",
        alias="JORGE_SERVER_HOST",
        description="Address to listen on. Anything but loopback switches the demo logins off.",
    )
    port: int = Field(8700, ge=0, le=65535, alias="JORGE_SERVER_PORT", description="Port to listen on.")
    access_token_seconds: int = Field(
        900, ge=10, le=86_400, alias="JORGE_ACCESS_TOKEN_SECONDS", description="Life of an access token."
    )
    refresh_token_days: int = Field(
        60,
        ge=1,
        le=365,
        alias="JORGE_REFRESH_TOKEN_DAYS",
        description="A device unused for so long signs in again.",
    )
    session_days: int = Field(
        180,
        ge=1,
        le=3650,
        alias="JORGE_SESSION_DAYS",
        description="After so long every device signs in again.",
    )
    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        alias="LOG_LEVEL",
        description="DEBUG, INFO, WARNING or ERROR.",
    )
    max_body_bytes: int = Field(
        16_777_216,
        ge=65_536,
        alias="JORGE_MAX_BODY_BYTES",
        description="Largest request body; uploads of voice notes come in parts and stay far below.",
    )
    upload_max_mb: int = Field(
        50, ge=1, le=2_000, alias="JORGE_UPLOAD_MAX_MB", description="Largest voice file, in MB."
    )
    upload_quota_mb: int = Field(
        5_000,
        ge=1,
        alias="JORGE_UPLOAD_QUOTA_MB",
        description="Room for the voice files of one person, in MB; beyond it new ones stay on the device.",
    )
    database_pool: int = Field(
        10, ge=2, le=90, alias="JORGE_DATABASE_POOL", description="Most connections to PostgreSQL at a time."
    )
    speech_model: str | None = Field(
        None,
        alias="JORGE_SPEECH_MODEL",
        description="Folder of a faster-whisper model for notes of devices without an engine. Unset: none, or tiny.en if installed.",
    )

    bi_pool: int = Field(
        4,
        ge=1,
        le=60,
        alias="BI_DATABASE_POOL",
        description="Most connections for questions to the warehouse; more of them wait for one.",
    )
    bi_statement_timeout_ms: int = Field(
        2_000,
        ge=50,
        le=600_000,
        alias="BI_STATEMENT_TIMEOUT_MS",
        description="A question to the warehouse that takes longer is cancelled, in milliseconds.",
    )
    bi_retention_months: int = Field(
        84,
        ge=1,
        le=600,
        alias="BI_RETENTION_MONTHS",
        description="Facts older than this many months are detached and dropped; aggregates stay.",
    )
    bi_backlog_mb: int = Field(
        512,
        ge=1,
        le=1_000_000,
        alias="BI_BACKLOG_MB",
        description="Events that wait in Valkey take at most so much memory; beyond it senders get 503 and come again.",
    )
    bi_cache_warming_interval: int = Field(
        300,
        ge=0,
        le=86_400,
        alias="BI_CACHE_WARMING_INTERVAL",
        description="Seconds between two rounds of predictive cache warming; 0 switches it off.",
    )
    bi_predictive_threshold: float = Field(
        0.7,
        ge=0,
        le=1,
        alias="BI_PREDICTIVE_THRESHOLD",
        description="An answer is warmed when it will be asked for with at least this probability.",
    )
    bi_query_ttl_base: int = Field(
        300,
        ge=1,
        le=86_400,
        alias="BI_QUERY_TTL_BASE",
        description="Seconds an answer is kept where nothing better is known of how often it changes.",
    )
    bi_websocket_max_connections: int = Field(
        1_000,
        ge=1,
        le=100_000,
        alias="BI_WEBSOCKET_MAX_CONNECTIONS",
        description="Live connections of one process; one more gets 503.",
    )
    bi_websocket_max_per_user: int = Field(
        20,
        ge=1,
        le=100_000,
        alias="BI_WEBSOCKET_MAX_PER_USER",
        description="Live connections of one person to one process; one more is closed with 4429.",
    )
    bi_websocket_max_per_address: int = Field(
        200,
        ge=1,
        le=100_000,
        alias="BI_WEBSOCKET_MAX_PER_ADDRESS",
        description="Live connections from one address to one process, this machine's own apart; one more gets 429.",
    )
    bi_message_throttle_limits: dict[MessagePriority, MessagesAMinute] = Field(
        default={"critical": 100, "high": 50, "normal": 30, "low": 10},
        alias="BI_MESSAGE_THROTTLE_LIMITS",
        description="Messages a minute to one live connection, by priority, as JSON.",
    )
    bi_rate_limit: int = Field(
        1_200,
        ge=0,
        le=1_000_000,
        alias="BI_RATE_LIMIT",
        description="Units one person may spend on questions in a minute (a dashboard costs 1, a drill-down 10); 0 for no limit.",
    )
    bi_event_limit: int = Field(
        3_000_000,
        ge=0,
        le=1_000_000_000,
        alias="BI_EVENT_LIMIT",
        description="Events a minute from one source; 0 for no limit.",
    )
    metrics_token: str | None = Field(
        None,
        min_length=20,
        alias="JORGE_METRICS_TOKEN",
        description="Bearer token with which Prometheus may read /metrics. Unset: only this machine and administrators may.",
    )

    @property
    def server_dir(self) -> Path:
        return self.data_dir / "server"


def from_environment() -> Settings:
    """Raises: SettingsError naming the variable and what is wrong with it."""
    try:
        return Settings()  # type: ignore[call-arg]
    except (pydantic.ValidationError, ValueError) as fault:
        raise _told(fault) from fault


def _told(fault: ValueError) -> errors.SettingsError:
    hint = "docs/settings.md lists every setting with its range."
    if isinstance(fault, pydantic.ValidationError):
        first = fault.errors(include_input=False, include_url=False)[0]
        return errors.SettingsError(
            f"A setting is wrong: {first['msg']}.", where=".".join(map(str, first["loc"])), hint=hint
        )
    said = str(fault)  # names the field whose JSON it is
    named = (field.alias for name, field in Settings.model_fields.items() if f'"{name}"' in said)
    where = next(named, None) or "environment"
    return errors.SettingsError("A setting can't be read: this is no JSON.", where=where, hint=hint)
