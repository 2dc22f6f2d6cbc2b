"""Keys of observability."""

from goldvein.sanitizer.rules.rule import ALNUM, HEX, HEX_DASH, LOWER, PADDED, WORD, key

WATCH_KEYS = (
    key("sentry_token", "token of Sentry", ("sntrys_", "sntryu_"), PADDED, 40, 400),
    key("grafana_token", "token of Grafana", ("glc_", "glsa_"), PADDED, 32, 400),
    key("grafana_key", "API key of Grafana", ("eyJrIjoi",), PADDED, 60, 400),
    key(
        "newrelic_key",
        "key of New Relic",
        ("NRAK-", "NRAA-", "NRRA-", "NRIQ-", "NRII-", "NRSP-", "NRJS-"),
        "[A-Za-z0-9_-]",
        19,
        64,
    ),
    key(
        "dynatrace_token",
        "token of Dynatrace",
        ("dt0c01.", "dt0s01.", "dt0s16.", "dt0s02.", "dt0s08."),
        "[A-Z0-9.]",
        80,
        100,
    ),
    key("datadog_token", "token of Datadog", ("ddapp_", "ddpat_"), ALNUM, 30, 64),
    key("honeycomb_key", "key of Honeycomb", ("hcaik_", "hcaic_", "hcbik_", "hcxik_", "hcamk_"), LOWER, 50, 70),
    key("logfire_token", "token of Logfire", ("pylf_v1_",), WORD, 40, 80),
    key("rootly_key", "API key of Rootly", ("rootly_",), HEX, 64, 64),
    key("statsig_key", "secret of Statsig", ("secret-", "console-"), ALNUM, 40, 60, confirm="mixed_body"),
    key("launchdarkly_key", "key of LaunchDarkly", ("sdk-", "api-", "mob-"), HEX_DASH, 36, 36),
)
