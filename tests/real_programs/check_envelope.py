"""Verifies an envelope with securesystemslib: `check_envelope.py ENVELOPE PUBLIC_KEY_HEX KEY_ID`. Runs in its environment."""

import hashlib
import json
import sys
from pathlib import Path

from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

path, public, key_id = sys.argv[1:]
envelope = Envelope.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
key = SSlibKey(key_id, "ed25519", "ed25519", {"public": public})
accepted = envelope.verify([key], 1)
told = {"keys": list(accepted), "type": envelope.payload_type, "sha256": hashlib.sha256(envelope.payload).hexdigest()}
print(json.dumps(told))
