"""A folder that promptfoo runs as it is: a configuration, tests one a line, and two small scripts.

promptfoo renders variables, prompts and values of assertions as templates, some of them several times, and takes those
that begin with `file://` or `package:` for files to load. So no text of a row stands in the tests as it is: each is a
JSON string with its braces escaped. The prompt puts it between the other JSON of a chat message without reading it, and
`values.mjs` reads it for assertions once no template is rendered any more.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from goldvein.datasets.exports.assertions import misfit_of_check, portable
from goldvein.datasets.exports.facts import ExportOptions, VersionFacts, system_texts
from goldvein.datasets.exports.formats import Format, Piece, json_lines
from goldvein.datasets.rows import Assertion, Row

OVERLAP_TO_PASS: Final = 0.5
_LANGUAGE: Final = {"contains": "contains", "json_schema": "is-json", "rubric": "llm-rubric"}

_PROMPT = """\
[{% if system %}{"role": "system", "content": {{system}}},{% endif %} {"role": "user", "content": {{input}}}]
"""

_VALUES = """\
// What the assertions of the tests compare with. Texts are JSON strings whose braces are escaped, so that promptfoo's
// templates find nothing in them; here they are read.

export function text(_output, { config }) {
  return JSON.parse(config.text);
}

export function schema(_output, { config }) {
  const found = JSON.parse(JSON.parse(config.text));
  if (found && typeof found === "object") delete found.$schema; // the checker knows one dialect only
  return found;
}

export function matches(output, { config }) {
  const pass = new RegExp(JSON.parse(config.text), config.flags).test(asText(output));
  return { pass, score: pass ? 1 : 0, reason: pass ? "the pattern matches" : "the pattern does not match" };
}

// How many words the output shares with the answer (F1): a hint without a model, not a judgement.
export function overlap(output, { config }) {
  const score = f1(words(asText(output)), words(JSON.parse(config.text)));
  return { pass: score >= config.pass_at, score, reason: `shares ${Math.round(score * 100)} % of its words` };
}

function asText(output) {
  return typeof output === "string" ? output : JSON.stringify(output);
}

function words(text) {
  return text.toLowerCase().match(/[\\p{L}\\p{N}]+/gu) ?? [];
}

function f1(found, wanted) {
  const left = new Map();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of found) {
    const many = left.get(word) ?? 0;
    if (many > 0) {
      shared += 1;
      left.set(word, many - 1);
    }
  }
  return shared === 0 ? 0 : (2 * shared) / (found.length + wanted.length);
}
"""

_PROVIDER = """\
// Answers every prompt with the same words, so that this folder runs without a model. Name yours in the configuration.

export default class Echo {
  id() {
    return "goldvein-echo";
  }

  async callApi(prompt) {
    return { output: `This is no model; it was asked ${prompt.length} characters.` };
  }
}
"""


def quoted(text: str) -> str:
    """The text as a JSON string in which no template, file or package is to be found."""
    return msgspec.json.encode(text).decode().replace("{", "\\u007b").replace("}", "\\u007d")


def render(facts: VersionFacts, options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """Tests, one file a split."""
    systems = system_texts(facts, options)

    def test_of(row: Row) -> dict[str, Any]:
        variables = {"input": quoted(row.example_input)}
        if row.skill in systems:
            variables["system"] = quoted(systems[row.skill])
        return {
            "description": f"{row.skill} {row.example_id}",
            "vars": variables,
            "assert": list(_assertions(row)),
            "metadata": {
                "example_id": row.example_id,
                "content_hash": row.content_hash,
                "dataset": facts.dataset,
                "version": facts.version,
                "split": row.split,
                "skill": row.skill,
                "skill_version": row.skill_version,
            },
        }

    return json_lines(FORMAT.data_path, rows, test_of)


def beside(draft: Mapping[str, Any]) -> Iterator[Piece]:
    """What runs the tests: the configuration, the prompt, and two scripts."""
    paths = [FORMAT.path_of(split) for split in draft["options"]["splits"]]
    config = {
        "description": f"{draft['dataset']['slug']} {draft['version']['name']}",
        "prompts": ["file://prompt.json"],
        "providers": ["file://provider.mjs"],
        "tests": [f"file://{path}" for path in paths if path in draft["files"]],
    }
    yield Piece("promptfooconfig.json", msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
    yield Piece("prompt.json", _PROMPT.encode())
    yield Piece("provider.mjs", _PROVIDER.encode())
    yield Piece("values.mjs", _VALUES.encode())


def _assertions(row: Row) -> Iterator[dict[str, Any]]:
    yield from map(_assertion, row.assertions)
    if row.answer is not None:
        config = {"text": quoted(row.answer), "pass_at": 0 if row.assertions else OVERLAP_TO_PASS}
        overlap = {"type": "javascript", "value": "file://values.mjs:overlap", "metric": "answer_overlap"}
        # Beside assertions it always passes: it is told, no more. (With no weight it would not even be told.)
        yield {**overlap, "config": config}


def _assertion(assertion: Assertion) -> dict[str, Any]:
    if assertion.kind == "regex":
        pattern, flags = portable(assertion.value) or ("", "")
        config = {"text": quoted(pattern), "flags": flags}
        return {"type": "javascript", "value": "file://values.mjs:matches", "metric": "regex", "config": config}
    reader = "schema" if assertion.kind == "json_schema" else "text"
    return {
        "type": _LANGUAGE[assertion.kind],
        "value": f"file://values.mjs:{reader}",
        "metric": assertion.kind,
        "config": {"text": quoted(assertion.value)},
    }


FORMAT = Format(
    name="promptfoo",
    about="An evaluation that promptfoo runs as it is",
    purpose="evaluation",
    data_path="{split}.jsonl",
    misfit=misfit_of_check,
    render=render,
    beside=beside,
    usage="""\
```
cd FOLDER
npx promptfoo eval -c promptfooconfig.json -o results.json    # name your model under "providers" first
npx promptfoo eval -c promptfooconfig.json -t file://test.jsonl
```

Rubrics ask the grader that promptfoo is set up with. Everything else runs without a network.""",
)
