"""A voice note's words → proposed changes, each with the exact words it came from; a person confirms."""

from domain.proposals.extract import propose
from domain.proposals.values import Field, Proposal

__all__ = ["Field", "Proposal", "propose"]
