"""The model's place for voice files: tus 1.0 as backend/api/uploads.py speaks it, with bytes in memory."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.actor import Actor
from domain import errors
from tests.simulation.http import Answer, Request
from tests.simulation.world import World

_TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/json"}


class WrongOffset(errors.InputError):
    code = "wrong_offset"
    offset = 0


class WrongBytes(errors.InputError):
    code = "checksum"
    offset = 0


@dataclass(slots=True, kw_only=True)
class Upload:
    id: str
    user_id: str
    note_id: str
    location: str
    sha256: str
    size: int
    data: bytearray = field(default_factory=bytearray)
    done: bool = False


class Uploads:
    """`between`: what goes wrong, each once, when a part was taken and others are still to come.

    `may_add(actor, note)`: the location of a note of theirs to which they may (still) add a recording; "" = none.
    """

    def __init__(self, world: World, may_add: Callable[[Actor, str], str] = lambda _, __: "") -> None:
        self.world = world
        self._may_add = may_add
        self.held: dict[str, Upload] = {}
        self.between: list[Callable[[Upload], None]] = []

    def handle(self, request: Request, actor: Actor) -> Answer:
        name = request.path.removeprefix("/api/uploads").strip("/")
        if request.method == "POST" and not name:
            upload = self._create(request, actor)
            return _standing(upload, 201, Location=f"/api/uploads/{upload.id}")
        found = self.held.get(name)
        if found is None or found.user_id != actor.id or not self._is_theirs(found, actor):
            raise errors.NotFoundError("There is no such upload.", where="uploads")
        if request.method == "HEAD":
            return _standing(found, 200)
        self._receive(found, request)
        standing = _standing(found, 204)
        if self.between and not found.done:
            self.between.pop(0)(found)
        return standing

    def _is_theirs(self, upload: Upload, actor: Actor) -> bool:
        return upload.location in actor.locations or bool(self._may_add(actor, upload.note_id))

    def cut_off(self, request: Request) -> None:
        """A part of which only the beginning arrived: what was read before the cut is kept."""
        found = self.held.get(request.path.removeprefix("/api/uploads").strip("/"))
        if found is None or request.method != "PATCH" or found.done:
            return
        if request.body and int(request.header("upload-offset")) == len(found.data):
            self.world.count("blob:kept of a cut part")
            found.data += request.body[: found.size - len(found.data) - 1]

    def _create(self, request: Request, actor: Actor) -> Upload:
        said = _metadata(request.header("upload-metadata"))
        if said["location_id"] not in actor.locations:
            said["location_id"] = self._may_add(actor, said["note_id"])
            if not said["location_id"]:
                raise errors.ForbiddenError("You have no access to this location.", where="location_id")
            self.world.count("blob:of a location that went")
        for known in self.held.values():
            if (known.user_id, known.note_id, known.sha256) == (actor.id, said["note_id"], said["sha256"]):
                return known
        made = Upload(
            id=self.world.new_id(),
            user_id=actor.id,
            note_id=said["note_id"],
            location=said["location_id"],
            sha256=said["sha256"],
            size=int(request.header("upload-length")),
        )
        same = (known for known in self.held.values() if known.done and known.sha256 == made.sha256)
        same = (known for known in same if known.location in actor.locations)
        if twin := next((known for known in same if known.location == made.location), None):
            self.world.count("blob:same content")
            made.data, made.done = bytearray(twin.data), True
        self.held[made.id] = made
        return made

    def _receive(self, upload: Upload, request: Request) -> None:
        offset = int(request.header("upload-offset"))
        _, _, checksum = request.header("upload-checksum").partition(" ")
        if checksum and base64.b64decode(checksum) != hashlib.sha256(request.body).digest():
            raise _at(WrongBytes("The checksum of the part is wrong.", where="sha256"), offset)
        if offset != len(upload.data) or upload.done:
            raise _at(WrongOffset("This part does not begin where the upload stands."), len(upload.data))
        if offset + len(request.body) > upload.size:
            raise errors.InputError("More bytes than were announced.", where="Upload-Length")
        upload.data += request.body
        if len(upload.data) < upload.size:
            return
        if hashlib.sha256(upload.data).hexdigest() != upload.sha256:
            upload.data.clear()
            raise _at(WrongBytes("The checksum of the whole file is wrong.", where="sha256"), 0)
        upload.done = True

    def of_note(self, note_id: str) -> list[Upload]:
        return [upload for upload in self.held.values() if upload.note_id == note_id]


def standing_of(fault: errors.JorgeError) -> dict[str, str]:
    """The header that goes with a refused part."""
    return {"Upload-Offset": str(fault.offset)} if isinstance(fault, WrongOffset | WrongBytes) else {}


def _at(fault: WrongOffset | WrongBytes, offset: int) -> WrongOffset | WrongBytes:
    fault.offset = offset
    return fault


def _standing(upload: Upload, status: int, **more: str) -> Answer:
    standing = {"Upload-Offset": str(len(upload.data)), "Upload-Length": str(upload.size)}
    return Answer(status=status, headers=_TUS | standing | more)


def _metadata(text: str) -> dict[str, str]:
    pairs = (pair.strip().partition(" ") for pair in text.split(","))
    return {key: base64.b64decode(coded).decode() for key, _, coded in pairs}
