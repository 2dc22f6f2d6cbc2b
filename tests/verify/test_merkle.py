"""The tree against the vectors of Certificate Transparency's reference implementation, and against another library."""

from collections.abc import Callable
from itertools import pairwise

import pymerkle
import pytest

from goldvein.verify import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOF_OF_SIXTH_LEAF = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


def grow(leaves: list[bytes]) -> list[merkle.Peaks]:
    """The peaks after each leaf, the empty tree first."""
    found: list[merkle.Peaks] = [()]
    for size, leaf in enumerate(leaves):
        found.append(merkle.grown(found[-1], size, merkle.leaf_hash(leaf)))
    return found


def subtrees(leaves: list[bytes]) -> merkle.Subtree:
    """Roots of parts, computed the plain way of the RFC's definition."""

    def root(start: int, end: int) -> bytes:
        if end - start == 1:
            return merkle.leaf_hash(leaves[start])
        middle = start + merkle._split_of(end - start)
        return merkle.node_hash(root(start, middle), root(middle, end))

    return root


def test_a_tree_has_the_roots_of_the_reference() -> None:
    assert [merkle.root_of(peaks).hex() for peaks in grow(LEAVES)] == ROOTS


def test_a_proof_is_that_of_the_reference() -> None:
    proof = merkle.inclusion_proof(5, 8, subtrees(LEAVES))
    assert [step.hex() for step in proof] == PROOF_OF_SIXTH_LEAF
    assert merkle.root_by_inclusion(merkle.leaf_hash(LEAVES[5]), 5, 8, proof) == bytes.fromhex(ROOTS[8])


def test_roots_and_proofs_are_those_of_another_implementation() -> None:
    leaves = [b"leaf %d" % number for number in range(70)]
    other = pymerkle.InmemoryTree(algorithm="sha256")
    peaks, part = grow(leaves), subtrees(leaves)
    for size, leaf in enumerate(leaves, 1):
        other.append_entry(leaf)
        root = merkle.root_of(peaks[size])
        assert root == other.get_root()
        for index in range(size):
            theirs = other.prove_inclusion(index + 1, size).path
            assert merkle.inclusion_proof(index, size, part) == theirs[1:]
            assert merkle.root_by_inclusion(theirs[0], index, size, theirs[1:]) == root


def test_a_proof_of_consistency_holds_for_the_two_trees_it_was_made_for_and_no_others() -> None:
    leaves = [b"leaf %d" % number for number in range(40)]
    roots, part = [merkle.root_of(peaks) for peaks in grow(leaves)], subtrees(leaves)
    for size in range(1, len(leaves) + 1):
        for old in range(1, size + 1):
            proof = merkle.consistency_proof(old, size, part)
            assert merkle.is_consistent(old, roots[old], size, roots[size], proof)
            assert not merkle.is_consistent(old, roots[old - 1], size, roots[size], proof)
            assert not merkle.is_consistent(old, roots[old], size, roots[size - 1], proof)
            assert not merkle.is_consistent(old, roots[old], size, roots[size], [*proof, roots[1]])
            assert old == size or not merkle.is_consistent(old, roots[old], size, roots[size], proof[:-1])


@pytest.mark.parametrize(
    "changed",
    [
        lambda index, size, proof: (index + 1, size, proof),
        lambda index, size, proof: (index, size, proof[:-1]),
        lambda index, size, proof: (index, size, [*proof, proof[0]]),
        lambda index, size, proof: (index, size, proof[::-1]),
        lambda _, size, proof: (size, size, proof),
        lambda _, size, proof: (-1, size, proof),
    ],
)
def test_a_proof_for_another_place_does_not_hold(changed: Callable[..., tuple[int, int, list[bytes]]]) -> None:
    part, root = subtrees(LEAVES), bytes.fromhex(ROOTS[7])
    for index in range(7):
        place = changed(index, 7, merkle.inclusion_proof(index, 7, part))
        assert merkle.root_by_inclusion(merkle.leaf_hash(LEAVES[index]), *place) != root


def test_a_leaf_is_no_node() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_peaks_are_as_many_as_bits_are_set_and_survive_storing() -> None:
    for size, peaks in enumerate(grow([b"x"] * 33)):
        assert len(peaks) == size.bit_count()
        assert merkle.split(merkle.joined(peaks)) == peaks
    assert all(before != after for before, after in pairwise(grow([b"x"] * 33)))
