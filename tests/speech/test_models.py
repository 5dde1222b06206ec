"""Which model is used, and how a download survives what networks do."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from domain import errors
from speech import catalogue, models, whisper
from tests.speech import samples
from tests.speech.model_server import Behaviour, serving

WEIGHTS = os.urandom(300_000)
FILES = {"config.json": b"{}", "model.bin": WEIGHTS, "tokenizer.json": b'{"a": 1}'}


def model(*, pinned: bool = True) -> catalogue.Model:
    files = tuple(
        catalogue.ModelFile(
            name=name,
            size=len(body) if pinned else None,
            sha256=hashlib.sha256(body).hexdigest() if pinned else None,
        )
        for name, body in FILES.items()
    )
    return catalogue.Model(name="toy.en", repo="a/b", revision="main", files=files, memory_mb=1, note="")


def store(root: Path, *, pinned: bool = True) -> models.ModelStore:
    return models.ModelStore(root=root, known=(model(pinned=pinned),), use_package=False)


def test_a_model_is_downloaded_checked_and_then_used(tmp_path: Path) -> None:
    told: list[float] = []

    with serving(Behaviour(FILES)) as url:
        folder = store(tmp_path).download("toy.en", base_url=url, on_progress=told.append)

    assert folder == tmp_path / "toy.en" == store(tmp_path).resolve()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("ignores_range", [False, True])
def test_a_download_cut_off_goes_on_where_it_stopped(tmp_path: Path, ignores_range: bool) -> None:
    behaviour = Behaviour(FILES, cut_after=100_000, ignores_range=ignores_range)
    with serving(behaviour) as url:
        with pytest.raises(errors.ModelDownloadError, match=r"cut off after 0\.1 of 0\.3 MB"):
            store(tmp_path).download("toy.en", base_url=url)
        with pytest.raises(errors.NoModelError):
            store(tmp_path).resolve()
        behaviour.cut_after = None

        folder = store(tmp_path).download("toy.en", base_url=url)

    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert "bytes=100000-" in behaviour.ranges


def test_what_arrived_damaged_is_refused_and_fetched_afresh(tmp_path: Path) -> None:
    behaviour = Behaviour(FILES, corrupt=True)
    with serving(behaviour) as url:
        with pytest.raises(errors.ModelDownloadError, match="checksum is wrong"):
            store(tmp_path).download("toy.en", base_url=url)
        behaviour.corrupt = False

        folder = store(tmp_path).download("toy.en", base_url=url)

    assert (folder / "model.bin").read_bytes() == WEIGHTS


def test_a_model_damaged_on_disk_is_mended_by_downloading_it_again(tmp_path: Path) -> None:
    behaviour = Behaviour(FILES)
    with serving(behaviour) as url:
        folder = store(tmp_path).download("toy.en", base_url=url)
        (folder / "model.bin").write_bytes(b"half of it")
        (folder / "config.json").unlink()
        behaviour.ranges.clear()

        store(tmp_path).download("toy.en", base_url=url)
        store(tmp_path).download("toy.en", base_url=url)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert len(behaviour.ranges) == 2


def test_two_downloads_at_once_are_one(tmp_path: Path) -> None:
    models_here = store(tmp_path)
    refused: list[str] = []

    def again(_part: float) -> None:
        with pytest.raises(errors.ModelDownloadError, match="being downloaded already") as raised:
            models_here.download("toy.en")
        refused.append(raised.value.where)

    with serving(Behaviour(FILES)) as url:
        models_here.download("toy.en", base_url=url, on_progress=again)

    assert set(refused) == {"toy.en"}


@pytest.mark.parametrize("redirects", [True, False])
def test_without_a_pinned_checksum_the_servers_own_is_used(tmp_path: Path, redirects: bool) -> None:
    behaviour = Behaviour(FILES, redirects=redirects, corrupt=True)
    with serving(behaviour) as url:
        with pytest.raises(errors.ModelDownloadError, match="checksum is wrong"):
            store(tmp_path, pinned=False).download("toy.en", base_url=url)
        behaviour.corrupt = False

        assert store(tmp_path, pinned=False).download("toy.en", base_url=url).is_dir()


def test_a_file_that_nobody_vouches_for_is_not_used(tmp_path: Path) -> None:
    with (
        serving(Behaviour(FILES, names_checksum=False)) as url,
        pytest.raises(errors.ModelDownloadError, match="names no checksum"),
    ):
        store(tmp_path, pinned=False).download("toy.en", base_url=url)

    assert not (tmp_path / "toy.en").exists()


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_refuses_is_named(tmp_path: Path, status: int) -> None:
    with (
        serving(Behaviour(FILES, status=status)) as url,
        pytest.raises(errors.ModelDownloadError, match=f"HTTP {status}"),
    ):
        store(tmp_path).download("toy.en", base_url=url)


def test_no_network_is_a_clear_error(tmp_path: Path) -> None:
    with serving(Behaviour(FILES)) as url:
        pass

    with pytest.raises(errors.ModelDownloadError, match="cut off after 0"):
        store(tmp_path).download("toy.en", base_url=url)


def test_a_server_that_sends_too_much_is_stopped(tmp_path: Path) -> None:
    with (
        serving(Behaviour({**FILES, "config.json": b"x" * 5000})) as url,
        pytest.raises(errors.ModelDownloadError, match="more than this file holds"),
    ):
        store(tmp_path).download("toy.en", base_url=url)


def test_a_model_not_in_the_catalogue_is_refused_with_the_choice(tmp_path: Path) -> None:
    with pytest.raises(errors.NoModelError, match=r"Choose one of: toy\.en"):
        store(tmp_path).download("huge")


def test_the_folder_in_the_settings_comes_first_and_is_never_passed_over(tmp_path: Path, tiny: Path) -> None:
    assert models.ModelStore(root=tmp_path, folder=tiny).resolve() == tiny

    with pytest.raises(errors.NoModelError, match=r"lacks model\.bin, config\.json, tokenizer\.json"):
        models.ModelStore(root=tmp_path, folder=tmp_path).resolve()


def test_the_packaged_model_is_the_last_resort_and_is_what_the_catalogue_says(
    tmp_path: Path, tiny: Path
) -> None:
    (found,) = models.ModelStore(root=tmp_path).installed()

    assert (found.name, found.folder, found.source) == ("tiny.en", tiny, "package")
    for file in catalogue.TINY.files:
        body = (tiny / file.name).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file.size, file.sha256)


def test_the_real_tiny_model_downloads_and_hears(tmp_path: Path, tiny: Path) -> None:
    files = {file.name: (tiny / file.name).read_bytes() for file in catalogue.TINY.files}
    downloads = models.ModelStore(root=tmp_path, use_package=False)

    with serving(Behaviour(files, redirects=True)) as url:
        downloads.download("tiny.en", base_url=url)

    heard = whisper.WhisperTranscriber(downloads.resolve).transcribe(
        samples.shared("speech/an4_test/an392-mjwl-b.flac")
    )
    assert heard.text == "Repeat."
    assert heard.engine == "faster-whisper tiny.en"
