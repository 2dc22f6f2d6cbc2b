"""Exports beside a bare loop with the same encoder: `make bench-export`."""
