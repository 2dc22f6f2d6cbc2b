"""Templates: how a page is made, and how values look in it.

Every text is escaped by the template engine, and a name that a template uses and nobody gave is an error. Nothing here
or in the templates writes a style or a script: the content security policy would refuse it.
"""

import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from goldvein.feedback.kinds import EXAMPLE_STATUSES, SOURCES
from goldvein.web.forms import count_in
from goldvein.web.viewer import Viewer

_HERE = Path(__file__).parent
STATIC_FOLDER: Final = _HERE / "static"

_UNSEEN: Final = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f])"
)
_CONTROL: Final = Markup('<span class="control">U+{:04X}</span>')

DONE: Final = {
    "golden_added": "The golden example was added.",
    "example_saved": "The example was saved.",
    "example_unchanged": "Nothing was changed.",
    "example_approve": "The example was approved.",
    "example_reject": "The example was rejected.",
    "example_quarantine": "The example was set aside in quarantine.",
    "example_reopen": "The example is pending again.",
    "feedback_given": "Thank you: your feedback was stored.",
    "feedback_answered": "Your answer was stored.",
    "consent_given": "Your consent was recorded.",
    "consent_renewed": "Your consent was renewed.",
    "consent_withdrawn": "Your consent was withdrawn. Examples erased: {count}.",
    "consent_refused": "Your no was recorded. You will not be asked again, unless your organisation asks for more.",
    "skill_withdrawn": "Your consent was withdrawn for that skill. Examples erased: {count}.",
    "notice_published": "The notice is in force.",
    "account_deleted": "Your account is deleted, and everything captured from you is erased.",
    "member_erased": "The account is deleted, and what was captured from it is erased.",
    "leak_reported": "Examples erased: {count}. Your admins will see that a leak was reported, without any text.",
    "tenant_deleted": "The organisation is deleted with everything it held.",
    "consent_revoked": "If there was a consent, it has ended, and what was captured is erased.",
    "consent_unchanged": "Nothing was changed.",
    "display_chosen": "Your choice was stored.",
    "key_revoked": "The key was revoked.",
    "session_ended": "That browser was signed out.",
    "data_erased": "Examples erased: {count}. Your consent stays as it is.",
    "capture_on": "Capture was switched on.",
    "capture_off": "Capture was switched off.",
    "name_changed": "The organisation's name was changed.",
    "member_changed": "The member was changed.",
    "rule_added": "The rule was added.",
    "rule_deleted": "The rule was deleted.",
    "signed_out": "You are signed out.",
}
"""What a page says after a redirect: a closed list, so that a link cannot put words into our mouth."""


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; `values` are what its template names."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    html = _environment.get_template(template).render(
        viewer=viewer, done=_done(request), here=here, path=request.url.path, **values
    )
    return HTMLResponse(html, status_code=status)


def _done(request: Request) -> str | None:
    sentence = DONE.get(request.query_params.get("done", ""))
    return sentence.format(count=count_in(request.query_params.get("count", ""))) if sentence else None


@cache
def static_url(path: str) -> str:
    """The address of a static file; it changes with the file's content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC_FOLDER / path).read_bytes()).hexdigest()
    return f"/static/{path}?v={digest[:12]}"


def utc(moment: datetime) -> Markup:
    """A moment as people read it, with what programs read beside it."""
    moment = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%Y-%m-%d %H:%M UTC")
    )


@cache
def notice_html(markdown: str) -> Markup:
    """A notice as HTML: raw HTML in it stays text, and its headings stand below those of the page."""
    parser = MarkdownIt("commonmark", {"html": False})
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 (html=False: made by the parser)


def words(name: str) -> str:
    """A name from a closed list as people read it: `usage_capture` -> `usage capture`."""
    return name.replace("_", " ")


def visible(text: str) -> Markup:
    """A text with the characters that no eye sees shown by number, so that what is reviewed is what is stored.

    They hide words, or turn the direction of what follows. Joiners and direction marks stay: scripts need them.
    """
    parts = _UNSEEN.split(text.replace("\r\n", "\n"))
    marked = [_CONTROL.format(ord(part)) if index % 2 else escape(part) for index, part in enumerate(parts)]
    return Markup("").join(marked)


_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {"utc": utc, "visible": visible, "words": words}
_environment.globals |= {"static": static_url, "EXAMPLE_STATUSES": EXAMPLE_STATUSES, "SOURCES": SOURCES}
