"""The look that was chosen on this device: light or dark, contrast, text size."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from views import theme

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Looks:
    path: Path

    def read(self) -> theme.Appearance:
        """The default where nothing was chosen, or where the file can't be understood."""
        try:
            kept = json.loads(self.path.read_text())
            return theme.Appearance(
                mode=theme.Mode(kept["mode"]),
                high_contrast=bool(kept["high_contrast"]),
                text_scale=float(kept["text_scale"]),
            )
        except FileNotFoundError:
            return theme.Appearance()
        except (OSError, ValueError, KeyError, TypeError):
            LOG.warning("look.unreadable")
            return theme.Appearance()

    def keep(self, look: theme.Appearance) -> None:
        """A look that can't be kept is no reason to stop anybody."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(asdict(look)))
        except OSError:
            LOG.warning("look.not_kept")
