"""Where things are kept, and that one user's folder is never another's."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from devices import paths

HOME = Path("/home/a")


@pytest.mark.parametrize(
    ("environ", "platform", "root"),
    [
        ({"JORGE_DATA_DIR": "/data", "FLET_APP_STORAGE_DATA": "/flet"}, "linux", "/data"),
        ({"FLET_APP_STORAGE_DATA": "/flet"}, "android", "/flet"),
        ({"JORGE_DATA_DIR": " "}, "linux", "/home/a/.local/share/jorge-bi"),
        ({"XDG_DATA_HOME": "/xdg"}, "linux", "/xdg/jorge-bi"),
        ({}, "darwin", "/home/a/Library/Application Support/jorge-bi"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/jorge-bi"),
    ],
)
def test_the_data_folder_is_where_the_machine_says(environ: dict[str, str], platform: str, root: str) -> None:
    assert paths.find(environ, home=HOME, platform=platform).root == Path(root)


@pytest.mark.parametrize(
    "user_id", ["../admin", "a/b", "", ".", "CON", "con", "Ä", "x" * 200, "-rf", "Agent1"]
)
def test_a_users_id_cannot_leave_the_folder_or_meet_another(tmp_path: Path, user_id: str) -> None:
    data = paths.Paths(root=tmp_path)

    folder = data.user(user_id).folder

    assert folder.parent == tmp_path / "users"
    assert folder.name.startswith("u_")
    assert folder != data.user(user_id.lower() + "x").folder


def test_a_plain_id_stays_readable_and_its_folders_are_private(tmp_path: Path) -> None:
    user = paths.Paths(root=tmp_path).user("0190c6a2-7d1f-7c2e-8b1a-2f3d4e5f6a7b").make()

    assert user.folder.name == "0190c6a2-7d1f-7c2e-8b1a-2f3d4e5f6a7b"
    assert stat.S_IMODE(user.folder.stat().st_mode) == 0o700
    assert user.recordings.is_dir()
    assert user.store.parent == user.folder
