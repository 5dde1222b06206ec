"""Hourly: signs how far the audit log has come, so that cutting its end off is found out too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.services import audit_proof

if TYPE_CHECKING:
    from backend.deps import Deps


async def once(deps: Deps) -> None:
    await audit_proof.sign(deps)
