"""How this installation runs: where its ledger is, where it listens, which language it speaks by
default.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from projections.facts.calendar import DEFAULT_ZONE, Calendar

PREFIX = "MERIT_"


class Settings(BaseModel):
    """Read from MERIT_DATABASE, MERIT_HOST, MERIT_PORT, MERIT_ZONE and MERIT_LANGUAGE when it is
    made; given values come first.

    Raises pydantic's ValidationError, which names the setting, for a value that does not fit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str = Field(
        default="sqlite:///merit.db", description="sqlite:///PATH or postgresql://…"
    )
    host: str = Field(default="127.0.0.1", description="the address that the service listens on")
    port: int = Field(
        default=8000, ge=1, le=65535, description="the port that the service listens on"
    )
    zone: str = Field(
        default=DEFAULT_ZONE, description="whose days count, an IANA name such as Asia/Shanghai"
    )
    language: Literal["zh", "en"] = Field(
        default="zh", description="of what people read, where they ask for none"
    )

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, zone: str) -> str:
        try:
            Calendar(zone)
        except (KeyError, ValueError, OSError):  # no such file, or a path out of them
            raise ValueError("there is no such zone") from None
        return zone

    @property
    def calendar(self) -> Calendar:
        """Which day it is."""
        return Calendar(self.zone)

    @model_validator(mode="before")
    @classmethod
    def _add_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        """By hand: pydantic-settings does it too, but takes a tenth of a command's start."""
        named = {name: f"{PREFIX}{name.upper()}" for name in cls.model_fields}
        said = {name: os.environ[key] for name, key in named.items() if key in os.environ}
        return said | given
