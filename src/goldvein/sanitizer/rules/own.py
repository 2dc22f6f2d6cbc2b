"""Keys of goldvein itself."""

from goldvein.sanitizer.rules.rule import ALNUM, PADDED, key

OWN_KEYS = (
    key("goldvein_key", "API key of goldvein", ("gv_live_", "gv_test_"), ALNUM, 20, 64),
    key("webhook_secret", "signing secret in the Standard Webhooks form", ("whsec_",), PADDED, 20),
)
