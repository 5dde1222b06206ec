"""Conversations, as fact_bot_conversations keeps them: counted at the first reply, for the bot that began, once qualified as such.

Any order of events leads to the same: what is earliest wins. A talk without events for two days is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from backend.events import BotPerformance
from backend.stream.windows.spans import DAY

MOST_TALKS = 200_000
FORGET_AFTER = 2 * DAY.length + DAY.pane
"""What is up to a day older than every window is still heard of: it may be the first reply of one that goes on in them."""


class Counted(NamedTuple):
    """So much more (or less) of one location and bot at one moment."""

    moment: int
    location: int
    bot: str
    conversations: int
    qualified: int


Key: TypeAlias = tuple[int, int, str, bool]


@dataclass(slots=True)
class Talk:
    location: int
    bot: str
    started: int
    event: int
    """The id of the event that began it: of two at one moment the lesser id does."""
    last: int
    replied: int | None = None
    qualified: bool = False

    @property
    def key(self) -> Key | None:
        """How it counts; None before the first reply."""
        return None if self.replied is None else (self.replied, self.location, self.bot, self.qualified)

    def saved(self) -> tuple[int, str, int, str, int, int | None, bool]:
        return (
            self.location,
            self.bot,
            self.started,
            f"{self.event:x}",
            self.last,
            self.replied,
            self.qualified,
        )

    @classmethod
    def of(cls, saved: Sequence[object]) -> Talk:
        location, bot, started, event, last, replied, qualified = saved
        return cls(location, bot, started, int(str(event), 16), last, replied, qualified)  # type: ignore[arg-type]


class Talks:
    """By conversation id, the one that was heard of longest ago first."""

    def __init__(self, most: int = MOST_TALKS) -> None:
        self._most = most
        self._talks: dict[int, Talk] = {}
        self.dirty: set[int] = set()
        self.gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._talks)

    def get(self, number: int) -> Talk | None:
        return self._talks.get(number)

    def numbers(self) -> Collection[int]:
        return self._talks.keys()

    def take(
        self, events: Sequence[BotPerformance], moments: Sequence[int], locations: Sequence[int]
    ) -> list[Counted]:
        """What these events change in the counts."""
        found: list[Counted] = []
        known, dirty = self._talks, self.dirty
        for event, moment, location in zip(events, moments, locations, strict=True):
            if event.conversation_id is None:
                continue
            number = event.conversation_id.int
            talk = known.pop(number, None)
            if talk is None:
                known[number] = talk = Talk(location, event.bot_id, moment, event.event_id.int, moment)
                before = None
            elif _only_goes_on(talk, event, moment):
                known[number] = talk
                talk.last = moment
                dirty.add(number)
                continue
            else:
                known[number] = talk
                before = talk.key
                _follow(talk, event, moment, location)
            if event.replied and (talk.replied is None or moment < talk.replied):
                talk.replied = moment
            if event.event_type == "qualified" and event.success is not False:
                talk.qualified = True
            dirty.add(number)
            if talk.key != before:
                found += _counted(before, -1) + _counted(talk.key, 1)
        self._keep_bounds()
        return found

    def forget(self, watermark: int) -> None:
        """Those that were silent for two days."""
        oldest = watermark - FORGET_AFTER
        gone = []
        for number, talk in self._talks.items():
            if talk.last >= oldest:
                break
            gone.append(number)
        self._drop(gone)

    def put_back(self, number: int, talk: Talk) -> None:
        self._talks[number] = talk

    def settle(self) -> None:
        """After putting back in any order: the longest silent first."""
        self._talks = dict(sorted(self._talks.items(), key=lambda item: item[1].last))

    def _keep_bounds(self) -> None:
        if (more := len(self._talks) - self._most) > 0:
            self._drop([number for number, _ in zip(self._talks, range(more), strict=False)])

    def _drop(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            del self._talks[number]
        self.gone.update(numbers)
        self.dirty.difference_update(numbers)


def counted(talk: Talk) -> list[Counted]:
    """What it counts as it is."""
    return _counted(talk.key, 1)


def _counted(key: Key | None, sign: int) -> list[Counted]:
    if key is None:
        return []
    moment, location, bot, qualified = key
    return [Counted(moment, location, bot, sign, sign * qualified)]


def _only_goes_on(talk: Talk, event: BotPerformance, moment: int) -> bool:
    """Most events change nothing but when the talk was heard of last."""
    return (
        moment > talk.last
        and not (event.replied and talk.replied is None)
        and event.event_type != "qualified"
    )


def _follow(talk: Talk, event: BotPerformance, moment: int, location: int) -> None:
    if moment > talk.last:
        talk.last = moment
    elif (moment, event.event_id.int) < (talk.started, talk.event):
        talk.started, talk.event, talk.bot, talk.location = (
            moment,
            event.event_id.int,
            event.bot_id,
            location,
        )
