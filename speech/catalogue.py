"""The speech models that can be downloaded: exact sizes and checksums, so that a mirror needs no trust."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_BASE_URL = "https://huggingface.co"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model. Without a checksum here, the server's own (`X-Linked-Etag`, `ETag`) is used."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A faster-whisper model: where it lies, pinned to a revision, and what one gets for the memory."""

    name: str
    repo: str
    revision: str
    files: tuple[ModelFile, ...]
    memory_mb: int
    note: str

    @property
    def size(self) -> int:
        return sum(file.size or 0 for file in self.files)

    def url(self, file: ModelFile, base_url: str) -> str:
        return f"{base_url.rstrip('/')}/{self.repo}/resolve/{self.revision}/{file.name}"


_TOKENIZER = ModelFile(
    name="tokenizer.json",
    size=2_128_466,
    sha256="929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
)
_VOCABULARY = ModelFile(
    name="vocabulary.txt",
    size=422_309,
    sha256="ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
)

TINY = Model(
    name="tiny.en",
    repo="Systran/faster-whisper-tiny.en",
    revision="0d3d19a32d3338f10357c0889762bd8d64bbdeba",
    files=(
        ModelFile(
            name="config.json",
            size=2_317,
            sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        ),
        ModelFile(
            name="model.bin",
            size=75_537_502,
            sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ),
        _TOKENIZER,
        _VOCABULARY,
    ),
    memory_mb=360,
    note="fastest; names and accents suffer",
)
BASE = Model(
    name="base.en",
    repo="Systran/faster-whisper-base.en",
    revision="3d3d5dee26484f91867d81cb899cfcf72b96be6c",
    files=(
        ModelFile(
            name="config.json",
            size=2_227,
            sha256="f3bc3821e9fc76a27bae538e11ae5b677dcdd352b4600429ce7951d398569aeb",
        ),
        ModelFile(
            name="model.bin",
            size=145_216_508,
            sha256="2a166925539a16005f14ff328359f9b9adb9dc4fb631bb3b227526862e93e2ef",
        ),
        _TOKENIZER,
        _VOCABULARY,
    ),
    memory_mb=500,
    note="recommended on a laptop",
)
SMALL = Model(
    name="small.en",
    repo="Systran/faster-whisper-small.en",
    revision="d1d751a5f8271d482d14ca55d9e2deeebbae577f",
    files=(
        ModelFile(
            name="config.json",
            size=2_657,
            sha256="666a9605530ac1f61fa8177f3702b4dacec9966749e42610839fcc32661d5fae",
        ),
        ModelFile(
            name="model.bin",
            size=483_545_366,
            sha256="62b2a45b05ee59acb4a5341b33ee35e041395d378d418a18acfe4c9e768ee37a",
        ),
        _TOKENIZER,
        _VOCABULARY,
    ),
    memory_mb=1_000,
    note="most exact; for the server or a fast desktop",
)

CATALOGUE = (TINY, BASE, SMALL)
