"""A page as a browser without JavaScript sees it: its headings, its forms, and what pressing a button sends."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"input", "br", "img", "meta", "link", "hr"}


@dataclass
class Form:
    action: str
    method: str
    data: dict[str, Any] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    controls: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        if name in self.data:
            earlier = self.data[name]
            self.data[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            self.data[name] = value


class Page(HTMLParser):
    def __init__(self, response: Any) -> None:
        super().__init__(convert_charrefs=True)
        self.response = response
        self.status = response.status_code
        self.html = response.text
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.headings: list[str] = []
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.title = ""
        self.text = ""
        self._stack: list[tuple[str, dict[str, str]]] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._chosen: str | None = None
        self._button: tuple[str, str] | None = None
        self.feed(self.html)
        self.close()
        self.unclosed = [tag for tag, _ in self._stack]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in VOID:
            self._stack.append((tag, given))
        if tag == "h1":
            self.headings.append("")
        if tag == "form":
            self._form = Form(action=given["action"], method=given["method"])
            self.forms.append(self._form)
        if self._form is not None:
            self._control(self._form, tag, given)

    def _control(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag in {"input", "select", "textarea"}:
            form.controls[given.get("id", name)] = given
        if tag == "input" and (given["type"] not in {"checkbox", "radio"} or "checked" in given):
            form.add(name, given.get("value", ""))
        elif tag == "select":
            self._select, self._chosen = name, None
        elif tag == "option" and (self._chosen is None or "selected" in given):
            self._chosen = given["value"]
        elif tag == "textarea":
            form.add(name, "")
        elif tag == "button":
            self._button = (name, given.get("value", ""))
            form.buttons.append((name, given.get("value", ""), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._stack, f"</{tag}> closes nothing"
        opened, _ = self._stack.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"
        if tag == "form":
            self._form = None
        if tag == "select" and self._form is not None:
            self._form.add(self._select or "", self._chosen or "")

    def handle_data(self, data: str) -> None:
        where, given = self._stack[-1] if self._stack else ("", {})
        within = [tag for tag, _ in self._stack]
        if "h1" in within:
            self.headings[-1] += data
        if where == "title":
            self.title += data
            return
        links = [given for tag, given in self._stack if tag == "a"]
        if links and data.strip():
            self.links[data.strip()] = links[-1]["href"]
        if where == "textarea" and self._form is not None:
            data = data.removeprefix("\n")  # as browsers do
            self._form.data[given["name"]] = data
        if where == "button" and self._form is not None:
            name, value, label = self._form.buttons[-1]
            self._form.buttons[-1] = (name, value, label + data)
        self.text += data + (" " if where in {"dt", "dd"} else "")

    def form(self, action: str) -> Form:
        found = [form for form in self.forms if form.action == action and form.method == "post"]
        assert len(found) == 1, f"{len(found)} forms for {action}: {[form.action for form in self.forms]}"
        return found[0]

    def ids(self) -> list[str]:
        return [given["id"] for _, given in self.tags if "id" in given]

    def unlabelled(self) -> list[dict[str, str]]:
        labelled = {given.get("for") for tag, given in self.tags if tag == "label"}
        return [
            given
            for tag, given in self.tags
            if tag in {"input", "select", "textarea"}
            and given.get("type") != "hidden"
            and given.get("id") not in labelled
        ]


def look(browser: Any, path: str) -> Page:
    return Page(browser.get(path))


def press(browser: Any, page: Page, action: str, button: str = "", **typed: Any) -> Any:
    """Fill in a form of the page and press its button (by label; without one, the first)."""
    form = page.form(action)
    unknown = set(typed) - {given.get("name") for given in form.controls.values()}
    assert not unknown, f"no field {unknown} in the form"
    labels = [label.strip() for _, _, label in form.buttons]
    name, value, _ = form.buttons[labels.index(button) if button else 0]
    data = {**form.data, **typed, **({name: value} if name else {})}
    return browser.post(action, data={key: value for key, value in data.items() if value is not None})
