"""The table of rules: what is looked for, with an example and a look-alike for each.

Rows stand in the module of their family; `rule.py` says how a row is written. Their order counts: of equally sure and
equally long findings at one place, the first names what was found.
"""

from goldvein.sanitizer.rules.business import BUSINESS_KEYS, MORE_BUSINESS_KEYS
from goldvein.sanitizer.rules.cloud import CLOUD_KEYS, MORE_CLOUD_KEYS
from goldvein.sanitizer.rules.commands import COMMANDS_AND_FILES
from goldvein.sanitizer.rules.development import CODE_KEYS, MORE_CODE_KEYS
from goldvein.sanitizer.rules.dialogues import DIALOGUES_AND_FILES
from goldvein.sanitizer.rules.directives import MORE_COMMANDS_AND_FILES
from goldvein.sanitizer.rules.documents import DOCUMENTS
from goldvein.sanitizer.rules.headers import ADDRESSES_AND_HEADERS
from goldvein.sanitizer.rules.messages import MESSAGE_KEYS
from goldvein.sanitizer.rules.models import MODEL_KEYS, MORE_MODEL_KEYS
from goldvein.sanitizer.rules.monitoring import WATCH_KEYS
from goldvein.sanitizer.rules.own import OWN_KEYS
from goldvein.sanitizer.rules.people import PERSONAL
from goldvein.sanitizer.rules.rule import Confidence, Rule
from goldvein.sanitizer.rules.vendors import NEWER_KEYS, STILL_MORE_KEYS

__all__ = ["RULES", "Confidence", "Rule"]

RULES: tuple[Rule, ...] = (
    *OWN_KEYS,
    *CLOUD_KEYS,
    *CODE_KEYS,
    *MODEL_KEYS,
    *MESSAGE_KEYS,
    *BUSINESS_KEYS,
    *MORE_CLOUD_KEYS,
    *MORE_CODE_KEYS,
    *MORE_MODEL_KEYS,
    *MORE_BUSINESS_KEYS,
    *STILL_MORE_KEYS,
    *NEWER_KEYS,
    *WATCH_KEYS,
    *DOCUMENTS,
    *ADDRESSES_AND_HEADERS,
    *COMMANDS_AND_FILES,
    *MORE_COMMANDS_AND_FILES,
    *DIALOGUES_AND_FILES,
    *PERSONAL,
)
