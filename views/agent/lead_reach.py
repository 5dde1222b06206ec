"""Calling, texting, mailing and driving to a lead: the service asks the rules, this says what came of it."""

from __future__ import annotations

import flet as ft

from services import contact
from views import context, strings
from views.parts import buttons, toasts

CALL, TEXT, MAIL, GO = "call", "text", "mail", "go"
_ICONS = {
    CALL: ft.Icons.CALL,
    TEXT: ft.Icons.SMS_OUTLINED,
    MAIL: ft.Icons.MAIL_OUTLINE,
    GO: ft.Icons.NEAR_ME_OUTLINED,
}


async def reach(app: context.AppContext, page: ft.Page, way: str, lead_id: str) -> None:
    """Hands over to the phone. Raises: RuleError, InputError, DeviceError, which the kit shows."""
    service = app.service(contact.Contact)
    if way == GO:
        await service.navigate(lead_id)
        return
    if way == TEXT:
        answer = await service.text(lead_id)
        held = isinstance(answer, contact.Held)
        toasts.show(page, strings.t("agent_field.reach.held" if held else "agent_field.reach.text"))
        return
    await (service.call(lead_id) if way == CALL else service.mail(lead_id))
    toasts.show(page, strings.t(f"agent_field.reach.{way}"))


def button(way: str, on_click: buttons.OnClick, *, allowed: bool = True, id: str) -> ft.Control:
    """What is not allowed now looks so, and says why when it is touched."""
    words = strings.t(f"agent_field.way.{way}")
    if allowed:
        return buttons.secondary(words, on_click, icon=_ICONS[way], id=id, expand=True)
    return buttons.outlined(words, on_click, icon=ft.Icons.LOCK_CLOCK, id=id, expand=True)
