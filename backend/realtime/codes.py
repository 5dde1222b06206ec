"""Why a socket is closed, in numbers that docs/live.md and docs/sync.md name."""

RESTARTING = 1012
"""Nobody can be asked or told at this moment: come again."""
POLICY = 1008
"""Goes on sending what can't be understood, or too much."""
SLOW = 4008
"""A live channel's reader that does not keep up."""
SIGN_IN = 4401
NOT_ALLOWED = 4403
TOO_SLOW = 4408
"""A reader of sync's news that does not keep up."""
TOO_MANY = 4429
