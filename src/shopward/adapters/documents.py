"""Drafts of notices as PDF, for authorities that take nothing else.

Promise: one A4 document with its title, language and date in it and its letters embedded, so that it looks the same everywhere and
can be searched and copied; the same draft at the same moment gives the same bytes but for the file's id. Every letter is there:
where no font here has one of them, or the library is missing, the document is refused (fails closed) and not written with gaps.

It does not make PDF/A and signs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.roots.extras import library_of
from shopward.errors import DocumentUnavailable
from shopward.values import from_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.incidents.drafts import Draft

FONTS: Final = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),
)
"""Noto Sans CJK where Debian, Arch and Fedora put it: one file with the letters of all three languages."""
FACE: Final = 2
"""Simplified Chinese, in the order of the collection's faces."""
_LANGUAGES: Final = {"id": "id", "zh": "zh-CN", "en": "en"}
_MARGIN_MM, _LINE = 22, 1.5
_TITLE_PT, _HEADING_PT, _TEXT_PT, _SMALL_PT = 17, 12.5, 10.5, 8.5
_POINT_MM: Final = 25.4 / 72


def as_pdf(made: Draft, *, at_ms: int, fonts: Sequence[Path] = FONTS) -> bytes:
    """The document.

    Args:
        made: the draft; what it misses stands in it in red, as in HTML on a screen.
        at_ms: dates it.
        fonts: the first one that is there is embedded, with the letters that are used.

    Raises:
        DocumentUnavailable: the extra or a font is missing.
    """
    library = library_of("fpdf")
    font = next((each for each in fonts if each.is_file()), None)
    if library is None or font is None:
        raise DocumentUnavailable(
            "no PDF can be written here", expected="fpdf2 and Noto Sans CJK",
            found="no fpdf2" if library is None else "no font",
            hint="pip install 'shopward[pdf]'; apt install fonts-noto-cjk",
        )  # fmt: skip
    red = tuple(f"! {each}" for each in (*made.missing, *made.problems))
    said = [(each.heading, each.text) for each in made.paragraphs]
    _refuse_gaps(
        font, "".join((made.title, made.law, made.note, *red, *(part for pair in said for part in pair)))
    )
    page = _page(library, font)
    page.set_title(made.title)
    page.set_lang(_LANGUAGES[made.language])
    page.set_creation_date(from_ms(at_ms))
    _block(page, made.title, _TITLE_PT)
    page.set_text_color(176, 0, 32)
    for each in red:
        _block(page, each, _TEXT_PT)
    page.set_text_color(0)
    for heading, text in said:
        if heading:
            _block(page, heading, _HEADING_PT)
        _block(page, text, _TEXT_PT)
    page.set_text_color(85)
    for each in (made.law, made.note):
        _block(page, each, _SMALL_PT)
    return bytes(page.output())


def _page(library: Any, font: Path) -> Any:
    page = library.FPDF(format="A4")
    page.set_margin(_MARGIN_MM)
    page.set_auto_page_break(auto=True, margin=_MARGIN_MM)
    page.add_font("notice", "", str(font), collection_font_number=FACE)
    page.add_page()
    return page


def _block(page: Any, text: str, size_pt: float) -> None:
    """A paragraph over the whole width, and a little air below it."""
    line_mm = size_pt * _POINT_MM * _LINE
    page.set_font("notice", size=size_pt)
    page.multi_cell(0, line_mm, text, align="L", new_x="LMARGIN", new_y="NEXT")
    page.ln(line_mm / 2)


def _refuse_gaps(font: Path, text: str) -> None:
    if set(map(ord, text)) - _letters(font) - {ord("\n")}:
        raise DocumentUnavailable(
            "the font lacks a letter of this notice", expected="letters that Noto Sans CJK has", found="another one",
            hint="take it as HTML",
        )  # fmt: skip


@lru_cache(maxsize=4)
def _letters(font: Path) -> frozenset[int]:
    collection = library_of("fontTools.ttLib")
    if collection is None:  # fpdf2 brings it
        return frozenset()
    with collection.TTFont(font, fontNumber=FACE, lazy=True) as opened:
        return frozenset(opened.getBestCmap())
