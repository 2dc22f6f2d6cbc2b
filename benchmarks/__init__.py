"""Measurements anyone can repeat from a clone; not part of the package that is installed."""
