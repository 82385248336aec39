"""Pieces of a self-contained HTML page: no scripts, nothing loaded from elsewhere, every text escaped."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence

_STYLE = """
:root { color-scheme: light dark; --text: #1c2330; --muted: #5d6675; --page: #f5f6f8; --card: #fff;
  --line: #dfe3e9; --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ef; --muted: #9aa4b5; --page: #12151b;
  --card: #1b2029; --line: #323a48; --accent: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem 3rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; }
h1 { margin: 0 0 .75rem; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 .75rem; font-size: 1.1rem; }
p { margin: .5rem 0; }
.lead { margin: 0 0 1.5rem; padding: .8rem 1rem; border-left: 4px solid var(--accent);
  background: var(--card); font-size: 1.15rem; }
section { margin: 1.25rem 0; padding: 1.1rem 1.25rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; overflow-x: auto; break-inside: avoid; }
.note { color: var(--muted); font-size: .9rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .4rem 1rem .4rem 0; text-align: left; vertical-align: top; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
td:first-child { font-weight: 600; white-space: normal; }
td:last-child { white-space: normal; overflow-wrap: break-word; min-width: 9rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
.wide { grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
.pictures img { width: 100%; height: auto; border-radius: 6px; background: #fff; }
figure { margin: 0; }
figcaption { color: var(--muted); font-size: .85rem; overflow-wrap: anywhere; }
figcaption b { color: var(--text); }
.interval { width: 6rem; height: 1.1rem; vertical-align: middle; }
@media print { body { padding: 0; background: #fff; } section { border-color: #ccc; } }
"""


class Html(str):
    """Text that is HTML already."""


def escape(value: object) -> Html:
    """HTML that shows the value; `Html` stays as it is."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def page(title: str, lead: str, sections: Iterable[Html]) -> str:
    """A whole document.

    Args:
        title: its name and first heading.
        lead: the sentence to remember.
        sections: what follows.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n'
        + "\n".join(sections)
        + "\n</main>\n</body>\n</html>\n"
    )


def section(heading: str, *parts: str) -> Html:
    """A titled card; plain strings become notes."""
    body = "\n".join(
        part if isinstance(part, Html) else f'<p class="note">{escape(part)}</p>' for part in parts
    )
    return Html(f"<section>\n<h2>{escape(heading)}</h2>\n{body}\n</section>")


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Html:
    """A table; an empty header is left out."""
    head = (
        f"<thead><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in header)}</tr></thead>" if header else ""
    )
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return Html(f"<table>{head}<tbody>\n{body}\n</tbody></table>")


def pictures(images: Mapping[str, bytes]) -> Html:
    """PNG images side by side.

    Args:
        images: the file of each, by the text that describes it.
    """
    tags = (_image(text, image) for text, image in images.items())
    return Html(f'<div class="pictures">{"".join(tags)}</div>')


def figures(images: Iterable[tuple[str, str, bytes]]) -> Html:
    """PNG or JPEG images side by side, each with a title and a note below."""
    cards = []
    for title, note, image in images:
        caption = f"<figcaption><b>{escape(title)}</b> {escape(note)}</figcaption>"
        cards.append(f"<figure>{_image(title, image)}{caption}</figure>")
    return Html(f'<div class="pictures wide">{"".join(cards)}</div>')


def _image(text: str, content: bytes) -> Html:
    kind = "jpeg" if content.startswith(b"\xff\xd8") else "png"
    data = base64.b64encode(content).decode()
    return Html(f'<img alt="{escape(text)}" src="data:image/{kind};base64,{data}">')


def interval_bar(low: float | None, value: float | None, high: float | None) -> Html:
    """An interval from 0 to 1 drawn to scale, with a tick at one half; nothing for None."""
    if low is None or value is None or high is None:
        return Html("")
    return Html(
        f'<svg class="interval" viewBox="-3 0 106 12" role="img" aria-label="{low:.3f} to {high:.3f}">'
        '<path d="M0 6H100M50 1V11" stroke="currentColor" stroke-opacity=".3" fill="none"/>'
        f'<path d="M{100 * low:.1f} 6H{100 * high:.1f}" stroke="var(--accent)" stroke-width="3"/>'
        f'<circle cx="{100 * value:.1f}" cy="6" r="3" fill="var(--accent)"/></svg>'
    )
