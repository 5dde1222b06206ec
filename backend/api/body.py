"""The base of every JSON body: exact types, no unknown fields, no NaN, no text that PostgreSQL can't hold."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("must not hold NUL or lone surrogates")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text from outside. Plain `str` lets NUL through, which PostgreSQL refuses."""

Json = dict[str, Any]
