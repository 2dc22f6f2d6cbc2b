"""The table of rules: what is looked for, with an example and a look-alike for each.

Rows stand in the module of their family; `rule.py` says how a row is written. Their order counts: of equally sure and
equally long findings at one place, the first names what was found.
"""

from goldvein.sanitizer.rules.business import _BUSINESS_KEYS, _MORE_BUSINESS_KEYS
from goldvein.sanitizer.rules.cloud import _CLOUD_KEYS, _MORE_CLOUD_KEYS
from goldvein.sanitizer.rules.commands import _COMMANDS_AND_FILES
from goldvein.sanitizer.rules.development import _CODE_KEYS, _MORE_CODE_KEYS
from goldvein.sanitizer.rules.dialogues import _DIALOGUES_AND_FILES
from goldvein.sanitizer.rules.directives import _MORE_COMMANDS_AND_FILES
from goldvein.sanitizer.rules.documents import _DOCUMENTS
from goldvein.sanitizer.rules.headers import _ADDRESSES_AND_HEADERS
from goldvein.sanitizer.rules.messages import _MESSAGE_KEYS
from goldvein.sanitizer.rules.models import _MODEL_KEYS, _MORE_MODEL_KEYS
from goldvein.sanitizer.rules.monitoring import _WATCH_KEYS
from goldvein.sanitizer.rules.own import _OWN_KEYS
from goldvein.sanitizer.rules.people import _PERSONAL
from goldvein.sanitizer.rules.rule import Confidence, Rule
from goldvein.sanitizer.rules.vendors import _NEWER_KEYS, _STILL_MORE_KEYS

__all__ = ["RULES", "Confidence", "Rule"]

RULES: tuple[Rule, ...] = (
    *_OWN_KEYS,
    *_CLOUD_KEYS,
    *_CODE_KEYS,
    *_MODEL_KEYS,
    *_MESSAGE_KEYS,
    *_BUSINESS_KEYS,
    *_MORE_CLOUD_KEYS,
    *_MORE_CODE_KEYS,
    *_MORE_MODEL_KEYS,
    *_MORE_BUSINESS_KEYS,
    *_STILL_MORE_KEYS,
    *_NEWER_KEYS,
    *_WATCH_KEYS,
    *_DOCUMENTS,
    *_ADDRESSES_AND_HEADERS,
    *_COMMANDS_AND_FILES,
    *_MORE_COMMANDS_AND_FILES,
    *_DIALOGUES_AND_FILES,
    *_PERSONAL,
)
