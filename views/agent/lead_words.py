"""How a lead is put into words: its kind and stage, when it may be reached, its row in a list."""

from __future__ import annotations

from datetime import datetime

from domain import leads as rules
from views import strings
from views.parts import formats

STAGES = tuple(stage.value for stage in rules.Stage)
KINDS = tuple(kind.value for kind in rules.Kind)
TEMPERATURES = tuple(warmth.value for warmth in reversed(rules.COLDEST_FIRST))


def kind(value: str) -> str:
    return strings.t(f"agent_field.kind.{value}") if value else ""


def stage(value: str) -> str:
    return strings.t(f"agent_field.stage.{value}") if value else ""


def hours(window: str, *, call: bool, text: bool, opted_out: bool) -> str:
    """ "text ok until 20:00", "closed until Mon 09:00", "opted out"; `window` is the legal window in words."""
    if opted_out:
        return strings.t("agent_field.hours.opted_out")
    if not window.startswith("open "):
        return window
    until = window.removeprefix("open ").split(" (")[0]
    if text:
        return strings.t("agent_field.hours.text", until=until)
    return strings.t("agent_field.hours.call" if call else "agent_field.hours.no", until=until)


def clock(due_at: datetime | None, now: datetime) -> str:
    """The answer clock: "answer: 12 min left"."""
    return "" if due_at is None else strings.t("agent_field.answer", left=formats.left(due_at, now))


def joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
