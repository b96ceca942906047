"""How this installation runs: where its ledger is, where it listens, which language it speaks by
default.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from MERIT_DATABASE, MERIT_HOST, MERIT_PORT and MERIT_LANGUAGE when it is made; given
    values come first.

    Raises pydantic's ValidationError, which names the setting, for a value that does not fit.
    """

    model_config = SettingsConfigDict(env_prefix="MERIT_", frozen=True)

    database: str = Field(
        default="sqlite:///merit.db", description="sqlite:///PATH or postgresql://…"
    )
    host: str = Field(default="127.0.0.1", description="the address that the service listens on")
    port: int = Field(
        default=8000, ge=1, le=65535, description="the port that the service listens on"
    )
    language: Literal["zh", "en"] = Field(
        default="zh", description="of what people read, where they ask for none"
    )
