"""The fault harness: real servers, real faults, and what must hold afterwards.

A fault is a function that takes a run (a fresh store, and servers to start on it) and does something terrible to it
under load. `invariants.check` then looks at what is left, from outside: through the HTTP contract and in the store's
own files. `make faults` runs a thousand of them from seeds; pytest runs one or two of each kind.
"""
