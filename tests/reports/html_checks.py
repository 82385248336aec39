"""What every page must be: well-formed, self-contained, without scripts, its pictures told in words."""

import html.parser
import re

SCRIPT = "<script>alert(1)</script>"
_VOID = ("meta", "img", "path", "circle", "input")


class _Checker(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        assert tag != "script"
        for name, value in attributes:
            assert name not in ("src", "href") or value.startswith("data:")
            assert not name.startswith("on")
        if tag == "img":
            assert values["alt"].strip()
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag

    handle_startendtag = handle_starttag


def check_html(text: str) -> None:
    """Every tag closed in order, nothing loaded from elsewhere, every image with an alternative text."""
    checker = _Checker()
    checker.feed(text.replace("/>", ">"))
    checker.close()
    assert not checker.open_tags
    assert "<script" not in text
    assert not re.search(r"url\((?!data:)|@import", text)
