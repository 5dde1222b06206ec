"""Calling, texting and driving to a lead: asked by the rules first, handed to the phone, and written down."""

from __future__ import annotations

from dataclasses import dataclass

from domain import contact, errors, ids, ports, tables, values
from services import lead_changes, tasks
from services.desk import Desk
from storage import edits, leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A text that was not sent: why, and the task that waits for the window."""

    task_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Hands over to the platform's telephone, messages and maps."""

    desk: Desk
    launcher: ports.Launcher

    async def call(self, lead_id: str) -> str:
        """Raises: RuleError with the reason, InputError without a number, DeviceError. Answers the interaction's id."""
        lead = self._lead(lead_id)
        self._permit(lead, contact.Channel.CALL)
        await self.launcher.call(_needed(lead.phone, "phone", "telephone number"))
        return self._log(lead, kind="call", channel="call", body="")

    async def text(self, lead_id: str, body: str = "") -> str | Held:
        """Outside the window nothing is sent: the text waits as a task for the opening.

        Raises: RuleError where no text may be sent at all, InputError without a number, DeviceError.
        """
        lead = self._lead(lead_id)
        phone = _needed(lead.phone, "phone", "telephone number")
        decision = self._decision(lead, contact.Channel.TEXT)
        if not decision.allowed and decision.from_at is not None:
            return self._hold(lead, body, decision)
        self._permit(lead, contact.Channel.TEXT)
        await self.launcher.text(phone, body)
        return self._log(lead, kind="message", channel="text", body=body)

    async def mail(self, lead_id: str) -> str:
        """Raises: RuleError, InputError without an address, DeviceError."""
        lead = self._lead(lead_id)
        self._permit(lead, contact.Channel.EMAIL)
        await self.launcher.mail(_needed(lead.email, "email", "e-mail address"))
        return self._log(lead, kind="message", channel="email", body="")

    async def navigate(self, lead_id: str) -> None:
        """Driving there is no contact yet: nothing is written. Raises: RuleError, InputError without a position."""
        lead = self._lead(lead_id)
        self._permit(lead, contact.Channel.VISIT)
        if lead.lat is None or lead.lon is None:
            raise _missing("address", "position on the map")
        await self.launcher.navigate(lead.lat, lead.lon)

    def log_visit(self, lead_id: str, *, outcome: str = "", body: str = "") -> str:
        """We were there. Answers the interaction's id. Raises: NotFoundError."""
        return self._log(self._lead(lead_id), kind="visit", channel="visit", body=body, outcome=outcome)

    def log_reply(self, lead_id: str, body: str, *, channel: str = "text") -> str:
        """They said something: the answer clock starts, and words that opt out count at once.

        Answers the interaction's id. Raises: NotFoundError.
        """
        lead = self._lead(lead_id)
        with self.desk.action() as edit:
            row = lead_changes.stored(edit, lead.id)
            changes = lead_changes.with_rules(row, {"last_inbound_at": values.time_text(edit.now)}, edit.now)
            lead_changes.write(edit, lead.id, row, changes)
            lead_changes.opt_out_if_said(edit, lead.id, body)
            return self._put(edit, lead, kind="message", channel=channel, body=body, direction="inbound")

    def _hold(self, lead: leads.Lead, body: str, decision: contact.Decision) -> Held:
        with self.desk.action() as edit:
            task_id = tasks.add(
                edit,
                self.desk,
                title=f"Text {lead.name}",
                lead_id=lead.id,
                due_at=decision.from_at,
                kind="text",
                text=body,
            )
        return Held(task_id=task_id, reason=decision.reason)

    def _log(self, lead: leads.Lead, *, kind: str, channel: str, body: str, outcome: str = "") -> str:
        with self.desk.action() as edit:
            lead_changes.touched(edit, lead.id)
            return self._put(edit, lead, kind=kind, channel=channel, body=body, outcome=outcome)

    def _put(
        self,
        edit: edits.Edit,
        lead: leads.Lead,
        *,
        kind: str,
        channel: str,
        body: str,
        outcome: str = "",
        direction: str = "outbound",
    ) -> str:
        row_id = ids.new_id(edit.edit_ms)
        edit.put(
            tables.INTERACTIONS.name,
            row_id,
            {
                "location_id": lead.location_id,
                "lead_id": lead.id,
                "agent_id": self.desk.user.id if direction == "outbound" else None,
                "kind": kind,
                "direction": direction,
                "channel": channel,
                "occurred_at": values.time_text(edit.now),
                "body": body.strip() or None,
                "outcome": outcome.strip() or None,
            },
        )
        return row_id

    def _lead(self, lead_id: str) -> leads.Lead:
        lead = leads.get(self.desk.db, lead_id)
        if lead is None:
            raise errors.NotFoundError(
                "This lead is not on this device (any more).", where=f"leads {lead_id}"
            )
        return lead

    def _decision(self, lead: leads.Lead, channel: contact.Channel) -> contact.Decision:
        return contact.may_contact(
            channel,
            contact.Place(state=lead.state, zip=lead.zip, phone=lead.phone),
            self.desk.now(),
            opted_out=leads.is_opted_out(self.desk.db, lead),
            consent_text=lead.consent_text,
            consent_call=lead.consent_call,
        )

    def _permit(self, lead: leads.Lead, channel: contact.Channel) -> None:
        decision = self._decision(lead, channel)
        if decision.allowed:
            return
        opens = "Make a task for the opening." if decision.from_at else "This does not change by waiting."
        raise errors.RuleError(f"Not allowed: {decision.reason}.", where=channel.value, hint=opens)


def _needed(value: str | None, field: str, what: str) -> str:
    if not value:
        raise _missing(field, what)
    return value


def _missing(field: str, what: str) -> errors.InputError:
    return errors.InputError(
        f"This lead has no {what} yet.", where=f"leads.{field}", hint="Add it, then try again."
    )
