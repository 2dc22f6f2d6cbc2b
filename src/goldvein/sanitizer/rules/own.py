"""Keys of goldvein itself."""

from goldvein.sanitizer.rules.rule import ALNUM, PADDED, _key

_OWN_KEYS = (
    _key("goldvein_key", "API key of goldvein", ("gv_live_", "gv_test_"), ALNUM, 20, 64),
    _key("webhook_secret", "signing secret in the Standard Webhooks form", ("whsec_",), PADDED, 20),
)
