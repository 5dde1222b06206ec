"""Where the real data lies: in `shared/data` beside the checkout, never in it."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
KING_COUNTY = DATA / "kc_house" / "kc_house_until_2015-03-10.csv"
VOICE_NOTES = DATA / "voice_notes" / "notes.json"
