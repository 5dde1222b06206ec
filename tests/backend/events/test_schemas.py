"""The published JSON Schemas say what the structs check."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, ValidationError, meta

from backend.events import STREAMS, schemas
from tests.backend.events import samples

MAKERS: dict[str, Any] = {
    "lead_interactions": samples.message,
    "commission_events": samples.deal,
    "bot_performance": samples.turn,
    "system_health": samples.health,
}


def validator(stream: str) -> Draft202012Validator:
    whole = dict(schemas.schema(stream))
    meta.validate(whole)
    return Draft202012Validator(whole, validate_formats=True)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_good_event_fits_its_schema_with_or_without_its_stream(stream: str) -> None:
    validator(stream).validate(MAKERS[stream]())
    validator(stream).validate(MAKERS[stream](stream=...))


@pytest.mark.parametrize(
    "changed", [{"phone": "555"}, {"event_id": ...}, {"event_id": "x"}, {"event_type": "dance"}, {"v": 2}]
)
@pytest.mark.parametrize("stream", STREAMS)
def test_what_we_refuse_the_schema_refuses(stream: str, changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validator(stream).validate(MAKERS[stream](**changed))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_schema_names_its_dialect_and_its_address(stream: str) -> None:
    whole = schemas.schema(stream)

    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert whole["$id"] == schemas.listed()[stream] == f"/api/events/schemas/{stream}/v1"
