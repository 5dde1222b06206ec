"""What a house is worth by comparable sales: an estimate with its range, never an appraisal."""

from domain.comps.valuation import STEPS, Comp, Confidence, Estimate, Step, estimate
from domain.comps.values import ATTRIBUTES, House, Sale
from domain.geo import haversine_km

__all__ = [
    "ATTRIBUTES",
    "STEPS",
    "Comp",
    "Confidence",
    "Estimate",
    "House",
    "Sale",
    "Step",
    "estimate",
    "haversine_km",
]
