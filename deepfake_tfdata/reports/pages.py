"""HTML pages out of the templates: no scripts, nothing loaded from elsewhere, every text escaped.

A page's template extends base.html, which has the style, and fills its block `body`.
"""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:  # a page without plots does without the libraries that draw them
    from deepfake_tfdata.reports.plots import Plot


@dataclass(frozen=True)
class Picture:
    """An image that is part of its page.

    Attributes:
        alt: what it shows, in words.
        content: a PNG or JPEG file.
        title: to be read below it.
        note: beside the title.
        name: of the files to be downloaded, without an ending.
        numbers: what is drawn, as CSV; empty for a photograph.
        svg: the same drawing for paper.
    """

    alt: str
    content: bytes
    title: str = ""
    note: str = ""
    name: str = ""
    numbers: str = ""
    svg: bytes = b""

    @classmethod
    def of(cls, plot: "Plot", name: str, alt: str, *, title: str = "", note: str = "") -> "Picture":
        """A plot with its numbers and its SVG beside it."""
        return cls(alt, plot.png, title, note, name, plot.numbers, plot.svg)

    @property
    def uri(self) -> str:
        """The image as a URL that holds it."""
        return _data_url("image/jpeg" if self.content.startswith(b"\xff\xd8") else "image/png", self.content)

    @property
    def downloads(self) -> dict[str, tuple[str, str]]:
        """What can be saved: by its name in words, a file's name and the URL that holds it."""
        files = {
            "numbers (CSV)": ("csv", "text/csv;charset=utf-8", self.numbers.encode()),
            "SVG": ("svg", "image/svg+xml", self.svg),
        }
        return {
            words: (f"{self.name}.{ending}", _data_url(kind, content))
            for words, (ending, kind, content) in files.items()
            if content
        }


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


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


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
