"""POST /api/bi/drill-down."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter
from pydantic import Field

from backend.actor import Actor
from backend.api import examples, problems
from backend.api.access import Viewer
from backend.api.bi import Timeframe
from backend.api.body import Body, Json, Text
from backend.api.deps import Parts
from backend.deps import Deps
from backend.limits import Cost
from backend.policy import Permission
from backend.services import audit
from backend.services.bi import catalogue, drill, paging
from backend.storage.warehouse.where import LEAD

router = APIRouter(tags=["bi"])

RESOURCE = "POST /api/bi/drill-down"
Value = Text | None


class Drill(Body):
    """What to look into."""

    component: Annotated[
        Text, Field(max_length=40, description="leads, revenue, bots or activity.", examples=["bots"])
    ]
    metric: Annotated[
        Text, Field(max_length=60, description="A figure of the registry.", examples=["bot_success"])
    ]
    timeframe: Timeframe = "30d"
    location_id: Annotated[
        Text | None, Field(max_length=36, description="Empty, null or `all`: all that you may see.")
    ] = ""
    filters: Annotated[
        dict[Text, Value | list[Value]] | None,
        Field(
            max_length=10,
            description="Dimension → a value, or several; a value of null stands for not known.",
            examples=[{"bot": ["jorge-seller"]}],
        ),
    ] = None
    group_by: Annotated[
        Text | None,
        Field(max_length=40, description="A dimension; without it, or `lead`: the leads behind the figure."),
    ] = None
    cursor: Annotated[
        Text | None, Field(max_length=paging.LONGEST, description="`next_cursor` of the page before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=drill.MOST_ROWS)] = drill.USUAL_ROWS


@router.post("/api/bi/drill-down", responses=problems.answers(examples.DRILL))
async def drill_down(
    deps: Parts,
    viewer: Annotated[Actor, Viewer(Permission.SEE_KPIS, cost=Cost.DRILL, audited=False)],
    body: Drill,
) -> Json:
    """A figure divided by one of its dimensions, or the leads behind it. The parts add up to the figure."""
    params = body.model_dump() | {
        "location_id": body.location_id or "",
        "filters": body.filters or {},
        "cursor": body.cursor or "",
    }
    asked, answer = await catalogue.answered(deps, viewer, "drill-down", params)
    assert isinstance(asked, drill.DrillQuestion)
    found = orjson.loads(answer)
    await _record(deps, viewer, asked, found)
    return await drill.named(deps, asked, found)


async def _record(deps: Deps, viewer: Actor, asked: drill.DrillQuestion, found: dict[str, Any]) -> None:
    """Who saw which figure, and whose names."""
    behind = asked.group_by == LEAD
    detail: dict[str, str | int | list[str]] = {
        "metric": asked.metric,
        "timeframe": asked.timeframe,
        "group_by": asked.group_by,
        "rows": len(found["rows"]),
    }
    if behind:
        detail["leads"] = [row["lead_id"] for row in found["rows"] if row["lead_id"]]
    await audit.record(
        deps,
        viewer,
        action=(Permission.SEE_LEADS_BEHIND if behind else Permission.SEE_KPIS).value,
        resource=RESOURCE,
        location_ids=found["locations"],
        detail=detail,
    )
