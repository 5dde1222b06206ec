"""Sliding windows over the last 5 minutes, hour and 24 hours of event time: pure, whole numbers only. docs/windows.md explains."""
