"""What a command was given, as the shape that it has over HTTP."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from domain.entries.field_errors import misfit
from domain.errors import Invalid, Reason

S = TypeVar("S", bound=BaseModel)


def checked(shape: type[S], **values: object) -> S:
    """The shape with these values. Raises Invalid with every reason why they do not fit."""
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        reasons = [
            Reason("bad_value", ".".join(map(str, e["loc"])), misfit(e)) for e in error.errors()
        ]
        raise Invalid(reasons) from None
