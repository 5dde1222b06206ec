"""`python -m tests.backend.kill [--rounds N] [VICTIM …]`: the kill matrix, printed; 1 when anything is wrong in it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.backend.kill import matrix
from tests.backend.kill.installation import VICTIMS

_LINE = "{:10} {:>5} {:>12} {:>8} {:>9} {:>7} {:>8} {:>9}  {}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.backend.kill", description=__doc__)
    parser.add_argument(
        "victims", nargs="*", metavar="VICTIM", help=f"of {', '.join(VICTIMS)}; all unless said"
    )
    parser.add_argument("--rounds", type=int, default=5, help="kills of each")
    options = parser.parse_args()
    say = sys.stdout.write
    say(f"load when it began: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    say(
        _LINE.format(
            "killed", "times", "acknowledged", "repeats", "pause s", "lines", "resumed", "snapshots", "wrong"
        )
        + "\n"
    )
    wrong = 0
    for victim in options.victims or VICTIMS:
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            found = asyncio.run(matrix.row(victim, Path(folder) / "data", rounds=options.rounds))
        wrong += len(found.wrong)
        numbers = (
            found.kills,
            found.acknowledged,
            found.repeats,
            f"{found.longest_pause:.1f}",
            found.lines,
            found.resumed,
            found.snapshots,
        )
        say(_LINE.format(victim, *numbers, "; ".join(found.wrong) or "nothing") + f"   {found.answers}\n")
        sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
