"""Every sentence that people read, kept in assets/strings/<language>/<first part of the key>.json."""

from __future__ import annotations

import json
import logging
from functools import cache
from pathlib import Path

LOG = logging.getLogger(__name__)
FOLDER = Path(__file__).resolve().parent.parent / "assets" / "strings"


@cache
def table(language: str = "en") -> dict[str, str]:
    """All keys of a language: `agent.json` holds the keys that begin with `agent.`; read once."""
    entries: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.json")):
        content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        entries |= {f"{path.stem}.{key}": value for key, value in content.items()}
    return entries


def t(key: str, **values: object) -> str:
    """The sentence of `key`, with its values filled in (`39,064`); an unknown key is shown as itself and logged."""
    sentence = table().get(key)
    if sentence is None:
        LOG.warning("strings.key_missing key=%s", key)
        return key
    return sentence.format(**{name: _told(value) for name, value in values.items()}) if values else sentence


def _told(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def count(key: str, n: int, **values: object) -> str:
    """The sentence for a number: `key.one` for 1, `key.other` for the rest (and `key.none` for 0, where there is one)."""
    if n == 0 and f"{key}.none" in table():
        return t(f"{key}.none", n=n, **values)
    return t(f"{key}.one" if n == 1 else f"{key}.other", n=n, **values)
