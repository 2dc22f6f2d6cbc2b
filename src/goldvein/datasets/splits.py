"""Which row is for training and which is for testing. Pure.

Rows that resemble each other, or come from the same person or session, stay together: whoever trains on one of them has
seen something of the others. Golden examples come from their author's hand, not from a use, so they are held together
by resemblance only.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from goldvein.datasets.groups import Groups

SPLITS: Final = ("train", "validation", "test", "holdout")
DEFAULT_SHARES: Final[Mapping[str, int]] = {"train": 80, "validation": 10, "test": 10, "holdout": 0}
WHOLE: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """What a row is held together with others by. `kept_split` is the one it had in the version before."""

    example_id: str
    cluster: int
    person: str | None
    session: str | None
    kept_split: str | None = None


def assign_splits(members: Sequence[Member], *, shares: Mapping[str, int], seed: int) -> list[str]:
    """The split of each member, the same for the same members in any order.

    1. Whoever had a split keeps it. 2. A new member of a group goes where most of the group already is. 3. Groups of
    new members, the largest first and then in an order that the seed gives, go where most is missing.
    """
    together = _groups(members)
    splits = [member.kept_split for member in members]
    filled = Counter(split for split in splits if split is not None)
    new_groups: list[list[int]] = []
    for group in together:
        kept = Counter(split for place in group if (split := splits[place]) is not None)
        if not kept:
            new_groups.append(group)
            continue
        joined = min(kept, key=lambda split: (-kept[split], SPLITS.index(split)))
        for place in group:
            if splits[place] is None:
                splits[place] = joined
                filled[joined] += 1
    for group in sorted(new_groups, key=lambda group: (-len(group), _order(members, group, seed))):
        split = max(SPLITS, key=lambda split: (shares[split] * len(members) / WHOLE - filled[split], shares[split]))
        filled[split] += len(group)
        for place in group:
            splits[place] = split
    return [split or SPLITS[0] for split in splits]


def _groups(members: Sequence[Member]) -> list[list[int]]:
    groups = Groups(len(members))
    for key_of in _KEYS:
        first: dict[Hashable, int] = {}
        for place, member in enumerate(members):
            if (key := key_of(member)) is not None:
                groups.join(place, first.setdefault(key, place))
    found: dict[int, list[int]] = {}
    for place, first_place in enumerate(groups.firsts()):
        found.setdefault(first_place, []).append(place)
    return list(found.values())


_KEYS: Final[tuple[Callable[[Member], Hashable], ...]] = (
    lambda member: member.cluster,
    lambda member: member.person,
    lambda member: member.session,
)


def _order(members: Sequence[Member], group: Iterable[int], seed: int) -> bytes:
    name = min(members[place].example_id for place in group)
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Leakage:
    """What is in two splits at once. `pairs` are pairs of rows over the threshold of near-duplicates."""

    pairs: int
    persons: int
    sessions: int

    @property
    def is_none(self) -> bool:
        """Whether nothing leaks."""
        return not (self.pairs or self.persons or self.sessions)


def scattered(keys: Iterable[Hashable | None], splits: Iterable[str]) -> list[Hashable]:
    """The keys, but None, that are in more than one split."""
    found: dict[Hashable, set[str]] = {}
    for key, split in zip(keys, splits, strict=True):
        if key is not None:
            found.setdefault(key, set()).add(split)
    return [key for key, some in found.items() if len(some) > 1]
