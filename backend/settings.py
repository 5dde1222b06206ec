"""The server's settings: read once from the environment, then passed down and never changed."""

from __future__ import annotations

from pathlib import Path

import pydantic
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain import errors


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
    return errors.SettingsError(f"A setting can't be read: {fault}.", where="environment", hint=hint)
