"""Prints what Hugging Face's `datasets` finds in a folder: `check_datasets.py FOLDER [CONFIG]`. Runs in its environment."""

import json
import sys

from datasets import load_dataset

found = load_dataset(*sys.argv[1:])
print(json.dumps({split: rows.to_list() for split, rows in found.items()}))
