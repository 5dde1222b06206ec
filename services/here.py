"""Where this person is: from the device, or the place that they chose last."""

from __future__ import annotations

from dataclasses import dataclass

from domain import errors, ports
from services.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """`locator` None = this device can't tell."""

    locator: ports.Locator | None
    settings: Settings

    async def locate(self) -> ports.Position:
        """Asks the device, and remembers the answer. Raises: NoLocationError."""
        if self.locator is None:
            raise errors.NoLocationError(
                "This device can't tell where it is.", where="location", hint="Type an address instead."
            )
        return self.choose(await self.locator.locate())

    def choose(self, place: ports.Position) -> ports.Position:
        """Remembers a place that was typed, tapped or located."""
        self.settings.change(last_place=place)
        return place

    def last(self) -> ports.Position | None:
        """The place chosen last, else home; None = ask."""
        chosen = self.settings.read()
        return chosen.last_place or chosen.home
