"""Calls to the Flet client: each with a limit of time, its failures turned into our errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import flet as ft

from domain import errors

_T = TypeVar("_T")


class CallFailedError(errors.DeviceError):
    """The client did not answer, refused, or lacks the feature; adapters turn it into what the port promises."""


async def ask(call: Awaitable[_T], *, seconds: float) -> _T:
    """Awaits a client call. Raises: CallFailedError with what the platform said."""
    try:
        return await asyncio.wait_for(call, seconds)
    except TimeoutError as error:
        raise CallFailedError(f"No answer from the device within {seconds:.0f} s.") from error
    except (RuntimeError, ValueError, TypeError, NotImplementedError, ft.FletException) as error:
        raise CallFailedError(str(error) or "The device refused.") from error
