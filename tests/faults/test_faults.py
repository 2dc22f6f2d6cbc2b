"""The short set: every kind of fault that is quick, once on each store. `make faults` runs a thousand from seeds."""

import pytest

from faults.arena import Arena
from faults.sweep import Planned, carry_out, possible

pytestmark = pytest.mark.faults

# Stories pick their variant by the turn: here the ones that have found something.
TURNS = {"killed in a withdrawal": 4}
SHORT = [
    Planned(fault.name, store, turn=TURNS.get(fault.name, 0), seed=20_261_122)
    for fault in possible()
    if fault.in_every_suite
    for store in fault.stores
]


@pytest.mark.parametrize("planned", SHORT, ids=str)
def test_nothing_acknowledged_is_lost_and_no_law_is_bent(arena: Arena, planned: Planned) -> None:
    outcome = carry_out(arena, planned)
    assert outcome.findings == {}, f"{planned}\n{outcome.log}"
    assert outcome.acknowledged > 0
