"""All samples of a seed.

The same seed gives the same texts on every machine. Each text has a chance of its own, so that one more kind changes no
other text.
"""

from collections.abc import Iterator
from random import Random

from benchmarks.sanitizer import carriers
from benchmarks.sanitizer.benign import BENIGN
from benchmarks.sanitizer.encodings import ENCODINGS
from benchmarks.sanitizer.forms import FORMS, NAMED_ONLY, PASSWORD_NAMES, key, password
from benchmarks.sanitizer.layouts import LAYOUTS, layout_text
from benchmarks.sanitizer.personal import PERSONAL, personal_text
from benchmarks.sanitizer.samples import Sample, finish, mark
from benchmarks.sanitizer.structures import STRUCTURES

DEFAULT_SEED = 20261121
BY_FORM, BY_NAME, PASSWORDS = "keys by form", "keys by name", "passwords by name"
STRUCTURAL, LAID_OUT, ENCODED = "structures", "layouts", "encodings"
PERSONAL_DATA, NOTHING = "personal data", "benign"
SECRET_CATEGORIES = (BY_FORM, BY_NAME, PASSWORDS, STRUCTURAL, LAID_OUT, ENCODED)
CATEGORIES = (*SECRET_CATEGORIES, PERSONAL_DATA)
SAMPLES_PER_KIND = {
    BY_FORM: 3,
    BY_NAME: 4,
    PASSWORDS: 25,
    STRUCTURAL: 8,
    LAID_OUT: 24,
    ENCODED: 25,
    PERSONAL_DATA: 25,
    NOTHING: 50,
}

# An encoded text has to be one that is sent that way: code is continued over lines, a page is not.
_CARRIERS_OF = {
    "continuation": (
        carriers.python_code,
        carriers.java_code,
        carriers.csharp_code,
        carriers.flag,
        carriers.shell_inline,
    ),
    "terminal_wrap": (
        carriers.printenv,
        carriers.shell_export,
        carriers.flag,
        carriers.json_result,
        carriers.log_field,
    ),
    "cut_at_end": (
        carriers.env_file,
        carriers.json_result,
        carriers.shell_export,
        carriers.yaml_file,
        carriers.log_field,
    ),
}
_LITERALS = (carriers.python_code, carriers.java_code, carriers.csharp_code, carriers.go_code, carriers.python_call)
_LINES = (
    carriers.env_file,
    carriers.json_result,
    carriers.shell_export,
    carriers.yaml_file,
    carriers.log_field,
    carriers.printenv,
    carriers.go_code,
)
_CARRIERS_OF |= {"language_continuation": _LITERALS} | dict.fromkeys(
    (
        *("boxed", "mail_quoted", "prose_wrapped", "commented", "numbered_lines", "changed_lines", "json_wrapped"),
        *("folded", "bold", "unbreakable"),
    ),
    _LINES,
)
_SPLIT = frozenset(
    {
        *("terminal_wrap", "continuation", "cut_at_end", "boxed", "mail_quoted", "prose_wrapped", "commented"),
        *("numbered_lines", "changed_lines", "json_wrapped", "folded", "language_continuation"),
    }
)
_SHORTEST_SPLIT_SECRET = 20


def _chance(seed: int, *path: object) -> Random:
    return Random(":".join(map(str, (seed, *path))))


def _by_form(random: Random, kind: str, number: int) -> str:
    """A key that tells what it is: every second time nothing near it does."""
    form, name = FORMS[kind]
    value = mark(key(random, form))
    if number % 2:
        return random.choice(carriers.BARE)(random, value)
    return random.choice(carriers.NAMED)(random, name, value)


def _by_name(random: Random, kind: str, number: int) -> str:  # noqa: ARG001 (one signature for all categories)
    """A key that only its name gives away."""
    form, name = NAMED_ONLY[kind]
    return random.choice(carriers.NAMED)(random, name, mark(key(random, form)))


def _password(random: Random, kind: str, number: int) -> str:  # noqa: ARG001
    """A password beside its name."""
    return random.choice(carriers.NAMED)(random, tuple(kind.split()), mark(password(random)))


def _structural(random: Random, kind: str, number: int) -> str:  # noqa: ARG001
    return STRUCTURES[kind](random)


def _laid_out(random: Random, kind: str, number: int) -> str:
    return layout_text(random, kind, number)


def _encoded(random: Random, kind: str, number: int) -> str:
    """A key or a password on its way through an encoding."""
    chosen = random.choice(_CARRIERS_OF.get(kind, carriers.NAMED))
    keys = {**FORMS, **NAMED_ONLY}
    is_split = kind in _SPLIT
    if number % 3 == 0 and not is_split:
        text = chosen(random, random.choice(PASSWORD_NAMES), mark(password(random)))
    else:
        form, name = keys[random.choice(tuple(keys))]
        value = key(random, form)
        while is_split and len(value) < _SHORTEST_SPLIT_SECRET:
            value += key(random, form)
        text = chosen(random, name, mark(value))
    return ENCODINGS[kind](random, text)


def _personal(random: Random, kind: str, number: int) -> str:  # noqa: ARG001
    return personal_text(random, kind)


def _benign(random: Random, kind: str, number: int) -> str:  # noqa: ARG001
    return BENIGN[kind](random)


_MAKERS = (
    (BY_FORM, FORMS, _by_form),
    (BY_NAME, NAMED_ONLY, _by_name),
    (PASSWORDS, tuple(" ".join(name) for name in PASSWORD_NAMES), _password),
    (STRUCTURAL, STRUCTURES, _structural),
    (LAID_OUT, LAYOUTS, _laid_out),
    (ENCODED, ENCODINGS, _encoded),
    (PERSONAL_DATA, PERSONAL, _personal),
    (NOTHING, BENIGN, _benign),
)


def generate(seed: int = DEFAULT_SEED) -> Iterator[Sample]:
    """All samples, category by category."""
    for category, kinds, make in _MAKERS:
        for kind in kinds:
            for number in range(SAMPLES_PER_KIND[category]):
                yield finish(category, kind, make(_chance(seed, category, kind, number), kind, number))
