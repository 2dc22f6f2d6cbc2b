"""How many ways a regular expression of `re` has to read one text: what a backtracking engine tries when it fails.

An expression becomes an automaton whose states are its signs (a class, a literal). Two things make reading slow:

- a loop that reads a text in two ways: twice as many ways for each time around (`(?:x{2,16}-?){2,16}`);
- two loops that can part a text between them at any place (`\\s{0,32}[^,]{1,64},`): as many ways as there are places,
  and as many times as many for each such pair behind the first.

What stands around is left out (anchors, look-arounds, references), and bounds of more than `UNROLLED` count as none, so
that an expression may be judged more ambiguous than it is, never less: but for what `atomic` says.
"""

from collections import deque
from collections.abc import Iterator
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

UNROLLED = 4
MAX_EXACT = 64
NO_BOUND = 10**9
_SIGNS = (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)
_REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)
# Signs of every kind; those that an expression names, and the neighbours of its ranges, are added to them.
_SAMPLES = (
    "09afgzAFGZ_ \t\n\r!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~\x00\x7f\xa0\xe9\u0142\u2026\u2028\uff01\u2192\u3042\u0660"
)


class Part(NamedTuple):
    """A part of an expression: where it begins and ends, and whether it may match nothing."""

    first: list[int]
    last: list[int]
    empty: bool


NOTHING = Part([], [], True)


class Automaton:
    """The signs of one expression, and which may follow which.

    `follow[a][b]` counts the ways from one sign to the next that leave a choice. Inside an atomic group or a possessive
    repeat there is none: begun at one place, it ends at one place. (In `re` each time around a possessive repeat is
    atomic, too.) What is inside is judged by itself: `inner`.
    """

    def __init__(self, nodes: Any, flags: int) -> None:
        self.signs: list[frozenset[str]] = []
        self.bounds: list[int] = []
        self.atomic: list[bool] = []
        self.follow: list[dict[int, int]] = []
        self.inner: list[tuple[Any, int]] = []
        named = set(_literals(nodes))
        # In both cases: expressions that know cases and some that do not are read side by side.
        cases = {form for sign in named for form in (sign.lower(), sign.upper()) if len(form) == 1}
        self._alphabet = sorted({*_SAMPLES, *named, *cases})
        self._bound, self._in_atomic = 1, False
        whole = self._sequence(nodes, flags)
        self.first, self.last = whole.first, frozenset(whole.last)
        states = range(len(self.signs))
        self.reached = [self._reached(state) for state in states]
        self.looping = [state for state in states if state in self.reached[state]]
        # States that lead to each other are one loop, named by the first of them.
        self.component = [
            min((other for other in self.reached[state] if state in self.reached[other]), default=-1)
            for state in states
        ]

    def _sequence(self, nodes: Any, flags: int) -> Part:
        part = NOTHING
        for op, value in nodes:
            part = self._joined(part, self._part(op, value, flags))
        return part

    def _joined(self, left: Part, right: Part) -> Part:
        self._connect(left.last, right.first)
        return Part(
            left.first + (right.first if left.empty else []),
            right.last + (left.last if right.empty else []),
            left.empty and right.empty,
        )

    def _connect(self, sources: list[int], targets: list[int]) -> None:
        for source in sources:
            for target in targets:
                ways = self.follow[source]
                ways[target] = ways.get(target, 0) + (0 if self._in_atomic else 1)

    def _part(self, op: Any, value: Any, flags: int) -> Part:
        if op in _SIGNS:
            return self._sign(_signs_of(op, repr(value), flags, value, self._alphabet))
        if op is c.BRANCH:
            parts = [self._sequence(branch, flags) for branch in value[1]]
            return Part(
                [state for part in parts for state in part.first],
                [state for part in parts for state in part.last],
                any(part.empty for part in parts),
            )
        if op is c.SUBPATTERN:
            return self._sequence(value[3], (flags | value[1]) & ~value[2])
        if op in {c.ATOMIC_GROUP, c.POSSESSIVE_REPEAT}:
            return self._without_choice(op, value, flags)
        if op in _REPEATS:
            return self._repeat(*value, flags)
        if op in {c.ASSERT, c.ASSERT_NOT}:
            self.inner.append((value[1], flags))
        else:
            assert op in {c.AT, c.GROUPREF}, op
        return NOTHING

    def _sign(self, signs: frozenset[str]) -> Part:
        self.signs.append(signs)
        self.bounds.append(self._bound)
        self.atomic.append(self._in_atomic)
        self.follow.append({})
        state = len(self.signs) - 1
        return Part([state], [state], False)

    def _without_choice(self, op: Any, value: Any, flags: int) -> Part:
        self.inner.append((value if op is c.ATOMIC_GROUP else value[2], flags))
        outside, self._in_atomic = self._in_atomic, True
        part = self._sequence(value, flags) if op is c.ATOMIC_GROUP else self._repeat(*value, flags)
        self._in_atomic = outside
        return part

    def _repeat(self, least: int, most: Any, body: Any, flags: int) -> Part:
        most = NO_BOUND if most is c.MAXREPEAT else most
        if most <= UNROLLED or least == most <= MAX_EXACT:
            part = NOTHING
            for place in reversed(range(most)):  # from the last to the first: each stands around those behind it
                part = self._joined(self._sequence(body, flags), part)
                part = part if place < least else part._replace(empty=True)
            return part
        outside, self._bound = self._bound, min(NO_BOUND, self._bound * most)
        part = self._sequence(body, flags)
        self._bound = outside
        self._connect(part.last, part.first)
        return part._replace(empty=part.empty or least == 0)

    def _reached(self, state: int) -> frozenset[int]:
        found: set[int] = set()
        waiting = [state]
        while waiting:
            new = self.follow[waiting.pop()].keys() - found
            found |= new
            waiting += new
        return frozenset(found)

    def doubling(self) -> str | None:
        """Give a text that a loop reads in two ways; None if there is none."""
        for home in self.looping:
            start, goal = (home, home, False), (home, home, True)
            came: dict[Any, Any] = {start: None}
            waiting = deque([start])
            while waiting and goal not in came:
                here = left, right, parted = waiting.popleft()
                for one, ways in self._around(left):
                    for other, other_ways in self._around(right):
                        common = self.signs[one] & self.signs[other]
                        if not common or (left == right and one != other and not (ways and other_ways)):
                            continue
                        chosen = left != right or (ways > 1 if one == other else True)
                        there = one, other, parted or chosen
                        if there not in came:
                            came[there] = here, _plainest(common)
                            waiting.append(there)
            if goal in came:
                return _word(came, goal)
        return None

    def _around(self, state: int) -> list[tuple[int, int]]:
        return [
            (target, ways)
            for target, ways in self.follow[state].items()
            if self.component[target] == self.component[state]
        ]

    def beginnings_without(self, known: frozenset[str], located: "Automaton | None" = None) -> set[str]:
        """List, in lower case, beginnings of matches that no known one begins; only where `located` matches, too."""
        waiting = [(state, place, "") for state in self.first for place in (located.first if located else [None])]
        seen, missing = set(waiting), set()
        while waiting:
            state, place, before = waiting.pop()
            for sign in self.signs[state] if place is None else self.signs[state] & located.signs[place]:
                written = before + sign.lower()
                if written.startswith(tuple(known)):
                    continue
                if state in self.last or not any(beginning.startswith(written) for beginning in known):
                    missing.add(written)
                    continue
                places = [None] if place is None or place in located.last else []
                places += located.follow[place] if place is not None else []
                new = {(target, following, written) for target in self.follow[state] for following in places} - seen
                seen |= new
                waiting += new
        return missing

    def shared(self) -> Iterator[tuple[int, int, str]]:
        """Yield two loops, by one state of each, and a text that can be parted between them at any place."""
        told: set[tuple[int, int]] = set()
        for left in self.looping:
            for right in self.looping:
                pair = self.component[left], self.component[right]
                if pair[0] == pair[1] or pair in told or self.atomic[left] or right not in self.reached[left]:
                    continue
                word = self._parted(left, right)
                if word is not None:
                    told.add(pair)
                    yield left, right, word

    def _parted(self, left: int, right: int) -> str | None:
        """Find a word that leads from the left to the left, from there to the right, and from the right to the right."""
        start, goal = (left, left, right), (left, right, right)
        came: dict[Any, Any] = {start: None}
        waiting = deque([start])
        while waiting and goal not in came:
            here = first, second, third = waiting.popleft()
            for one, _ in self._around(first):
                for three, _ in self._around(third):
                    both = self.signs[one] & self.signs[three]
                    if not both:
                        continue
                    for two in self.follow[second]:
                        common = both & self.signs[two]
                        there = one, two, three
                        if common and there not in came and (two == right or right in self.reached[two]):
                            came[there] = here, _plainest(common)
                            waiting.append(there)
        return _word(came, goal) if goal in came else None

    def ways(self) -> int:
        """Bound how often what is behind the loops is tried for one place: the places of pairs one behind the other."""
        pairs = [(left, right, min(self.bounds[left], self.bounds[right])) for left, right, _ in self.shared()]
        best: dict[int, int] = {}

        def most(index: int) -> int:
            if index not in best:
                _, right, places = pairs[index]
                following = [
                    most(other)
                    for other, (left, _, _) in enumerate(pairs)
                    if left == right or (left in self.reached[right] and self.component[left] != self.component[right])
                ]
                best[index] = places * max(following, default=1)
            return best[index]

        return max(map(most, range(len(pairs))), default=1)


def automata(expression: str, flags: int) -> Iterator[Automaton]:
    """Yield the automaton of an expression and those of what is judged by itself in it."""
    tree = _parser.parse(expression, flags)
    waiting: list[tuple[Any, int]] = [(tree, flags | tree.state.flags)]
    while waiting:
        automaton = Automaton(*waiting.pop())
        waiting += automaton.inner
        yield automaton


_KNOWN: dict[Any, frozenset[str]] = {}


def _signs_of(op: Any, written: str, flags: int, value: Any, alphabet: list[str]) -> frozenset[str]:
    """Give the signs of an alphabet that one step takes; the same steps stand in many expressions."""
    asked = op, written, flags, "".join(alphabet)
    if asked not in _KNOWN:
        _KNOWN[asked] = frozenset(sign for sign in alphabet if _is_in(sign, op, value, flags))
    return _KNOWN[asked]


def _literals(nodes: Any) -> Iterator[str]:
    """Yield the literals of an expression and the ends of its ranges."""
    for op, value in nodes:
        if op in {c.LITERAL, c.NOT_LITERAL}:
            yield chr(value)
        elif op is c.RANGE:
            low, high = value
            yield from map(chr, {low, min(low + 1, high), max(high - 1, low), high})
        elif op is c.BRANCH:
            for branch in value[1]:
                yield from _literals(branch)
        elif op in {c.IN, c.ATOMIC_GROUP}:
            yield from _literals(value)
        elif op is c.SUBPATTERN:
            yield from _literals(value[3])
        elif op in _REPEATS:
            yield from _literals(value[2])
        elif op in {c.ASSERT, c.ASSERT_NOT}:
            yield from _literals(value[1])


def _is_in(sign: str, op: Any, value: Any, flags: int) -> bool:
    if op is c.ANY:
        return sign != "\n" or bool(flags & c.SRE_FLAG_DOTALL)
    if op is c.NOT_LITERAL:
        return not _is_in(sign, c.LITERAL, value, flags)
    if op is c.IN:
        negated = value[0][0] is c.NEGATE
        return negated != any(_is_in(sign, *item, flags) for item in value[negated:])
    forms = {form for form in (sign, sign.lower(), sign.upper()) if flags & c.SRE_FLAG_IGNORECASE or form == sign}
    if op is c.LITERAL:
        return chr(value) in forms
    if op is c.RANGE:
        return any(value[0] <= ord(form) <= value[1] for form in forms if len(form) == 1)
    assert op is c.CATEGORY, op
    return _CATEGORIES[value](sign if sign.isascii() or not flags & c.SRE_FLAG_ASCII else "\x00")


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


_CATEGORIES: Any = {
    c.CATEGORY_DIGIT: str.isdecimal,
    c.CATEGORY_NOT_DIGIT: lambda sign: not sign.isdecimal(),
    c.CATEGORY_SPACE: str.isspace,
    c.CATEGORY_NOT_SPACE: lambda sign: not sign.isspace(),
    c.CATEGORY_WORD: _is_word,
    c.CATEGORY_NOT_WORD: lambda sign: not _is_word(sign),
}


def _plainest(signs: frozenset[str]) -> str:
    return min(signs, key=lambda sign: (not (sign.isascii() and sign.isalnum()), not sign.isprintable(), sign))


def _word(came: dict[Any, Any], goal: Any) -> str:
    word, here = [], goal
    while came[here] is not None:
        here, sign = came[here]
        word.append(sign)
    return "".join(reversed(word))
