"""Every kind of fault, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from faults.arena import Run
from faults.invariants import Findings

Story = Callable[[Run], Findings]
BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Fault:
    """One kind: what happens and on which stores. A story picks its variant by the turn of its run."""

    name: str
    story: Story
    stores: tuple[str, ...]
    in_every_suite: bool = False
    needs_root: bool = False
    share: int = 4  # how often it comes in a sweep: slow ones more seldom


FAULTS: list[Fault] = []


def fault(
    name: str,
    *,
    stores: tuple[str, ...] = BOTH,
    in_every_suite: bool = False,
    needs_root: bool = False,
    share: int = 4,
) -> Callable[[Story], Story]:
    """Put a story into the catalogue."""

    def put(story: Story) -> Story:
        FAULTS.append(Fault(name, story, stores, in_every_suite, needs_root, share))
        return story

    return put
