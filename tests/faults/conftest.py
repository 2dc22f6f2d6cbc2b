"""One arena for each process of the suite."""

from collections.abc import Iterator

import pytest

from faults.arena import Arena


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    found = Arena()
    yield found
    found.close()
