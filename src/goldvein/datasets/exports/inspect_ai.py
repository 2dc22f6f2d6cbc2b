"""A folder that Inspect AI runs as it is: samples one a line, and a task that reads them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from goldvein.datasets.exports.assertions import misfit_of_check, portable
from goldvein.datasets.exports.facts import ExportOptions, VersionFacts, system_texts
from goldvein.datasets.exports.formats import Format, Piece, json_lines
from goldvein.datasets.rows import Assertion, Row

TASK = '''\
"""The evaluation of this export: inspect eval task.py -T split=test --model ...

Nothing of the rows stands in this file: it reads them, as data, from the .jsonl files beside it.
"""

import json
import re
from collections import Counter
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, get_model
from inspect_ai.scorer import Score, Target, accuracy, mean, scorer, stderr
from inspect_ai.solver import TaskState, generate
from jsonschema import Draft202012Validator
from referencing import Registry

HERE = Path(__file__).parent
OVERLAP_TO_PASS = 0.5
FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
GRADER = """Does the answer satisfy the criterion? Answer with the word YES or the word NO, and nothing else.

Criterion:
%s

Answer:
%s
"""


@task
def goldvein(split: str = "test") -> Task:
    """One split of the version that the manifest names."""
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    about = {"dataset": manifest["dataset"]["slug"], "version": manifest["version"]["name"], "split": split}
    name = f"{about['dataset']}-{about['version']}-{split}"
    samples = MemoryDataset(list(read_samples(split)), name=name)
    return Task(dataset=samples, solver=generate(), scorer=checks(), name="goldvein", metadata=about)


def read_samples(split: str):
    with (HERE / f"{split}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            found = json.loads(line)
            system = [ChatMessageSystem(content=found["system"])] if found["system"] else []
            question = [*system, ChatMessageUser(content=found["input"])]
            yield Sample(id=found["id"], input=question, target=found["target"] or "", metadata=found["metadata"])


@scorer(metrics={"passed": [accuracy(), stderr()], "answer_overlap": [mean()]})
def checks():
    """`passed`: all assertions hold, or without any the answer is near enough. `answer_overlap`: F1 of shared words."""

    async def score(state: TaskState, target: Target) -> Score:
        output = state.output.completion
        shared = overlap(output, target.text) if target.text else 0.0
        told = {}
        for number, assertion in enumerate(state.metadata["assertions"], 1):
            told[f"{number} {assertion['kind']}"] = await holds(assertion, output)
        passed = all(told.values()) if told else shared >= OVERLAP_TO_PASS
        value = {"passed": float(passed), "answer_overlap": shared}
        return Score(value=value, answer=output, metadata={"assertions": told})

    return score


async def holds(assertion: dict, output: str) -> bool:
    value = assertion["value"]
    match assertion["kind"]:
        case "contains":
            return value in output
        case "regex":
            flags = sum(FLAGS[flag] for flag in assertion["flags"])
            return re.search(value, output, re.ASCII | flags) is not None
        case "json_schema":
            # The registry is empty, so that a schema cannot make this machine fetch anything.
            try:
                return Draft202012Validator(json.loads(value), registry=Registry()).is_valid(json.loads(output))
            except ValueError:
                return False
        case "rubric":
            answer = await get_model(role="grader").generate(GRADER % (value, output))
            return answer.completion.strip().upper().startswith("YES")
    raise ValueError(assertion["kind"])


def overlap(output: str, answer: str) -> float:
    found, wanted = words(output), words(answer)
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0


def words(text: str) -> list[str]:
    return re.findall(r"[^\\W_]+", text.lower())
'''


def render(facts: VersionFacts, options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """Samples, one file a split."""
    systems = system_texts(facts, options)

    def sample_of(row: Row) -> dict[str, Any]:
        return {
            "id": row.example_id,
            "system": systems.get(row.skill),
            "input": row.example_input,
            "target": row.answer,
            "metadata": {
                "example_id": row.example_id,
                "content_hash": row.content_hash,
                "split": row.split,
                "skill": row.skill,
                "skill_version": row.skill_version,
                "assertions": list(map(_assertion, row.assertions)),
            },
        }

    return json_lines(FORMAT.data_path, rows, sample_of)


def beside(_draft: Mapping[str, Any]) -> Iterator[Piece]:
    """The task."""
    yield Piece("task.py", TASK.encode())


def _assertion(assertion: Assertion) -> dict[str, str]:
    if assertion.kind != "regex":
        return {"kind": assertion.kind, "value": assertion.value}
    pattern, flags = portable(assertion.value) or ("", "")
    return {"kind": "regex", "value": pattern, "flags": flags}


FORMAT = Format(
    name="inspect-ai",
    about="A task that Inspect AI runs as it is",
    purpose="evaluation",
    data_path="{split}.jsonl",
    misfit=misfit_of_check,
    render=render,
    beside=beside,
    usage="""\
```
cd FOLDER
inspect eval task.py -T split=test --model openai/gpt-5      # rubrics: --model-role grader=...
```

Rubrics ask the model with the role `grader`, by default the evaluated one. Everything else runs without a network.""",
)
