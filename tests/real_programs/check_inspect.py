"""Runs the task in a folder on a model that says what it was asked: `check_inspect.py FOLDER SPLIT LOGS`. In Inspect's."""

import json
import os
import sys

from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, ModelUsage, get_model


def say_it_back(messages: list, *_: object) -> ModelOutput:
    """The last message; with its usage, since counting tokens here would fetch a vocabulary."""
    output = ModelOutput.from_content("mockllm/model", messages[-1].text)
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


folder, split, logs = sys.argv[1:]
os.chdir(folder)
model = get_model("mockllm/model", custom_outputs=say_it_back)
(log,) = evaluate("task.py", task_args={"split": split}, model=model, log_dir=logs, log_format="json", display="none")
samples = [
    {
        "id": sample.id,
        "roles": [message.role for message in sample.messages],
        "asked": sample.input[-1].text,
        "value": sample.scores["checks"].value,
    }
    for sample in log.samples
]
print(json.dumps({"status": log.status, "samples": samples, "metadata": log.eval.metadata}))
