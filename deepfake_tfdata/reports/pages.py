"""HTML pages out of the templates: no scripts, nothing loaded from elsewhere, every text escaped.

A page's template extends base.html, which has the style, and fills its block `body`.
"""

import base64
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True)
class Picture:
    """An image that is part of its page.

    Attributes:
        alt: what it shows, in words.
        content: a PNG or JPEG file.
        title: to be read below it.
        note: beside the title.
    """

    alt: str
    content: bytes
    title: str = ""
    note: str = ""

    @property
    def uri(self) -> str:
        """The image as a URL that holds it."""
        kind = "jpeg" if self.content.startswith(b"\xff\xd8") else "png"
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode()}"


def render(template: str, *, title: str, lead: str, **values: object) -> str:
    """A whole document.

    Args:
        template: the name of a file in templates/.
        title: of the page, its first heading too.
        lead: the sentence to remember.
        values: what else the template names.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    return _ENVIRONMENT.get_template(template).render(title=title, lead=lead, **values)


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "undefined" if value is None else f"{value:.{digits}%}"


def _sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


_ENVIRONMENT = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"number": _number, "percent": _percent, "sentence": _sentence}
