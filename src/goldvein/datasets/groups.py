class Groups:
    """Places 0 .. count-1 joined into groups; each group is known by its first place."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def first_of(self, place: int) -> int:
        """The first place of the group that holds this one."""
        above = self._above
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    def join(self, one: int, other: int) -> None:
        """Make the two groups one."""
        first, second = sorted((self.first_of(one), self.first_of(other)))
        self._above[second] = first

    def are_joined(self, one: int, other: int) -> bool:
        """Whether both are in the same group."""
        return self.first_of(one) == self.first_of(other)

    def firsts(self) -> list[int]:
        """For each place, the first of its group."""
        return [self.first_of(place) for place in range(len(self._above))]
