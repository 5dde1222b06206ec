"""What a person chose on this device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain import errors, ports
from services.settings import Preferences, Settings
from storage import settings
from tests.services.conftest import Bench

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    name: str
    size: int = 100
    note: str = "small"
    source: str = "download"


class Models:
    """Two models in the shop, none at home yet."""

    def __init__(self) -> None:
        self.here: list[Model] = []

    def available_models(self) -> list[Model]:
        return [Model(name="tiny.en"), Model(name="base.en")]

    def installed(self) -> list[Model]:
        return self.here

    def download(self, name: str, *, on_progress: Callable[[float], None] | None = None) -> Path:
        if name == "huge":
            raise errors.NoModelError("There is no such model.")
        if on_progress:
            on_progress(0.5)
        self.here.append(Model(name=name))
        return Path(name)


def test_choices_last_and_the_rest_keeps_its_default(bench: Bench) -> None:
    home = ports.Position(lat=30.0, lon=-97.0, label="Home")

    bench.sv.settings.change(theme="dark", home=home)

    assert bench.sv.settings.read() == Preferences(theme="dark", home=home)


@pytest.mark.parametrize("change", [{"theme": "pink"}, {"text_size": "9"}, {"radius_km": 0}, {"nonsense": 1}])
def test_what_is_no_choice_is_refused(bench: Bench, change: dict[str, object]) -> None:
    with pytest.raises(errors.InputError):
        bench.sv.settings.change(**change)


def test_a_damaged_setting_falls_back_to_the_default(bench: Bench) -> None:
    with bench.db.write_tx() as tx:
        settings.put(tx, "preferences", {"theme": 3, "radius_km": "far"})

    assert bench.sv.settings.read() == Preferences()


async def test_a_model_is_downloaded_on_the_persons_word_with_progress(bench: Bench) -> None:
    service = Settings(desk=bench.sv.desk, models=Models())
    told: list[frozenset[str]] = []
    service.progress.subscribe(told.append)

    await service.download("base.en")

    choices = {choice.name: choice for choice in service.speech_models()}
    assert choices["base.en"].in_use
    assert not choices["tiny.en"].installed
    assert told
    assert choices["base.en"].progress is None


async def test_without_an_engine_there_is_nothing_to_download(bench: Bench) -> None:
    assert bench.sv.settings.speech_models() == ()
    with pytest.raises(errors.NoEngineError, match="server"):
        await bench.sv.settings.download("tiny.en")


async def test_a_failed_download_ends_its_progress(bench: Bench) -> None:
    service = Settings(desk=bench.sv.desk, models=Models())

    with pytest.raises(errors.NoModelError):
        await service.download("huge")
    assert service.progress.all() == {}
