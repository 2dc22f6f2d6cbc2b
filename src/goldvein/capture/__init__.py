"""From a reported use to what became of it.

The way of a use:
    hot_path    the doors, plain ASGI; `formats` and `claude_code` decode what comes, purely, to a CapturedUse
    recorder    checks its `names`, asks `standing` whether sanitizing is worth the time, sanitizes, hands on
    writer      the thread and the queue: one commit for all that has queued
    storing     what that commit does: duplicates, consent, quotas, rows

`uses` are what travels between them, `outcomes` what can become of one, `prices` what a model's tokens cost. Beside the
way: `service` (the turns of hooks, and forgetting), `skill_deletion`, `api` (the doors, described in OpenAPI).
"""
