"""Servers that the tests and the benchmarks start on this machine; neither is installed."""
