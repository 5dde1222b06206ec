"""The metric registry: every measure and every figure named once. Queries, windows, cache and channels read it."""

from backend.metrics.figures import FIGURES, Dimension, Figure, Shape
from backend.metrics.measures import MEASURES, Measure

__all__ = ["FIGURES", "MEASURES", "Dimension", "Figure", "Measure", "Shape"]
