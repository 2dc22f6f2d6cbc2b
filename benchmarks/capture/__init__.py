"""The benchmark of the capture path: `make bench-capture`.

A server as operators run it, on stores of its own; a load generator of our own in another process; everything that is
compared is measured in turn in one run, because the machine swings more than the differences.
"""
