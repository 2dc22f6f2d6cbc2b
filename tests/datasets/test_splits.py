import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.datasets.splits import DEFAULT_SHARES, Member, assign_splits, scattered

SHARES = {"train": 60, "validation": 20, "test": 10, "holdout": 10}


def member(
    number: int,
    cluster: int | None = None,
    person: str | None = None,
    session: str | None = None,
    kept: str | None = None,
) -> Member:
    return Member(
        example_id=f"e{number:05}",
        cluster=number if cluster is None else cluster,
        person=person,
        session=session,
        kept_split=kept,
    )


def test_single_rows_fill_the_shares_exactly() -> None:
    found = assign_splits([member(number) for number in range(200)], shares=SHARES, seed=1)

    assert Counter(found) == {"train": 120, "validation": 40, "test": 20, "holdout": 20}


def test_a_split_without_a_share_stays_empty() -> None:
    assert "holdout" not in assign_splits([member(number) for number in range(57)], shares=DEFAULT_SHARES, seed=3)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 12),
            st.none() | st.sampled_from(["ann", "ben", "cem", "dot"]),
            st.none() | st.sampled_from(["s1", "s2", "s3", "s4", "s5"]),
        ),
        max_size=40,
    ),
    seed=st.integers(0, 9),
)
def test_nothing_that_belongs_together_is_parted(rows: list[tuple[int, str | None, str | None]], seed: int) -> None:
    members = [member(number, *row) for number, row in enumerate(rows)]

    found = assign_splits(members, shares=SHARES, seed=seed)

    assert scattered([one.cluster for one in members], found) == []
    assert scattered([one.person for one in members], found) == []
    assert scattered([one.session for one in members], found) == []


def test_the_same_rows_in_another_order_get_the_same_splits() -> None:
    members = [
        member(number, cluster=number // 3, person=f"p{number % 17}" if number % 2 else None) for number in range(90)
    ]
    mixed = members.copy()
    random.Random(7).shuffle(mixed)  # noqa: S311 (chance must be repeatable here)

    def by_id(some: list[Member]) -> dict[str, str]:
        return dict(zip((one.example_id for one in some), assign_splits(some, shares=SHARES, seed=5), strict=True))

    assert by_id(members) == by_id(mixed)


def test_another_seed_gives_other_splits() -> None:
    members = [member(number) for number in range(50)]

    assert assign_splits(members, shares=SHARES, seed=1) != assign_splits(members, shares=SHARES, seed=2)


def test_rows_keep_their_split_and_new_ones_join_their_cluster() -> None:
    members = [
        member(0, kept="test"),
        member(1, cluster=0),
        member(2, kept="train"),
        member(3, person="ann", kept="holdout"),
    ]
    members.append(member(4, person="ann"))

    assert assign_splits(members, shares=DEFAULT_SHARES, seed=0) == ["test", "test", "train", "holdout", "holdout"]


def test_rows_kept_apart_stay_apart_even_when_a_new_row_joins_them() -> None:
    members = [
        member(0, cluster=0, kept="train"),
        member(1, cluster=0, kept="train"),
        member(2, cluster=0, kept="test"),
        member(3, cluster=0),
    ]

    found = assign_splits(members, shares=DEFAULT_SHARES, seed=0)

    assert found == ["train", "train", "test", "train"]
    assert scattered([one.cluster for one in members], found) == [0]


def test_one_large_group_goes_where_it_fits_best_and_the_rest_fills_the_others() -> None:
    members = [member(number, cluster=0) for number in range(80)] + [member(number) for number in range(80, 100)]

    assert Counter(assign_splits(members, shares=DEFAULT_SHARES, seed=0)) == {"train": 80, "validation": 10, "test": 10}
