"""The Merkle tree of RFC 6962, section 2.1 (the same in RFC 9162), with SHA-256.

A tree that grows is kept as its *peaks*: the roots of the complete subtrees it is made of, largest first. There is one
for each bit that is set in the tree's size, so a million leaves are at most twenty hashes, and adding a leaf merges
peaks as adding one carries bits.
"""

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32
Peaks = tuple[bytes, ...]
Subtree = Callable[[int, int], bytes]
"""The root over the leaves from one number up to another, counted from 0."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf; the prefix keeps a leaf from being taken for a node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(peaks: Peaks, size: int, leaf: bytes) -> Peaks:
    """The peaks after one leaf more; `size` is that of the tree before."""
    held = list(peaks)
    while size & 1:
        leaf = node_hash(held.pop(), leaf)
        size >>= 1
    return (*held, leaf)


def root_of(peaks: Peaks) -> bytes:
    """The root of the tree with these peaks."""
    if not peaks:
        return hashlib.sha256(b"").digest()
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def joined(peaks: Peaks) -> bytes:
    """Peaks as one value to store."""
    return b"".join(peaks)


def split(stored: bytes) -> Peaks:
    """Peaks from their stored form."""
    return tuple(stored[start : start + HASH_BYTES] for start in range(0, len(stored), HASH_BYTES))


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that lead from leaf `index` (from 0) to the root of the tree of `size` leaves."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split_of(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that show that the tree of `size` leaves begins with the tree of `old` leaves; 0 < old <= size."""
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split_of(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree(start, end))
    return path[::-1]


def _split_of(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that this proof leads to (RFC 9162, 2.1.3.2); None when it cannot be one for this place."""
    if not 0 <= index < size:
        return None
    number, last, root = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if number & 1 or number == last:
            root = node_hash(step, root)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            root = node_hash(root, step)
        number, last = number >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the larger tree begins with the smaller one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    number, last = old - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, step)
        number, last = number >> 1, last >> 1
    return last == 0 and first == old_root and second == root
