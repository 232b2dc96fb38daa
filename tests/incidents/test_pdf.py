"""Notices as PDF: another library reads what we wrote, in three languages, letter by letter."""

import io
from pathlib import Path

import pypdf
import pytest

from shopward.adapters.documents import FONTS, as_pdf
from shopward.errors import DocumentUnavailable
from shopward.incidents.drafts import Draft, Paragraph

MONDAY = 1_767_571_200_000
SAID = {
    "id": ("Pemberitahuan pelanggaran data", "Apa yang terjadi", "Kurir membuka 1.200 alamat — kami menutup aksesnya."),
    "zh": ("个人信息安全事件报告", "发生了什么", "快递员打开了一千二百个地址，我们已关闭其权限。客户：欧阳·Ünal。"),  # noqa: RUF001 -- as it is written in Chinese
    "en": ("Notice of a data breach", "What happened", "A courier opened 1,200 addresses; we closed his access."),
}  # fmt: skip
WITH_FONT = pytest.mark.skipif(
    not any(each.is_file() for each in FONTS),
    reason="Noto Sans CJK is not installed: apt install fonts-noto-cjk",
)


def draft(language, text=""):
    """A draft that misses one part."""
    title, heading, said = SAID[language]
    return Draft(
        rule="CN-authority", law="PIPL 57", recipient="authority", name="Authority", language=language, title=title, phase=1,
        paragraphs=(Paragraph("nature", heading, text or said),), missing=("measures",), problems=(), is_ready=False,
    )  # fmt: skip


@WITH_FONT
@pytest.mark.parametrize("language", list(SAID))
def test_every_letter_can_be_read(language):
    """Title, heading, text, what is missing and the note are there, with language and date; it is small."""
    made = as_pdf(draft(language), at_ms=MONDAY)
    read = pypdf.PdfReader(io.BytesIO(made))
    text = "".join(page.extract_text() for page in read.pages).replace("\0", "")
    plain = "".join(text.split())
    for part in (*SAID[language], "! measures", "PIPL 57", draft(language).note):
        assert "".join(part.split()) in plain
    assert read.metadata.title == SAID[language][0]
    assert read.metadata.creation_date.year == 2026
    assert len(made) < 100_000


@WITH_FONT
def test_a_long_notice_takes_pages():
    """Nothing is cut off at the end of a page."""
    lines = "\n".join(f"baris {number}" for number in range(200))
    read = pypdf.PdfReader(io.BytesIO(as_pdf(draft("id", lines), at_ms=MONDAY)))
    assert len(read.pages) > 1
    assert "baris 199" in "".join(page.extract_text() for page in read.pages).replace("\0", "")


@WITH_FONT
def test_a_letter_that_the_font_lacks_is_refused():
    """A notice with a gap is worse than none."""
    with pytest.raises(DocumentUnavailable):
        as_pdf(draft("id", "nama: \U0001e900"), at_ms=MONDAY)


def test_without_a_font_it_is_refused():
    """It says what to install."""
    with pytest.raises(DocumentUnavailable, match="PDF"):
        as_pdf(draft("id"), at_ms=MONDAY, fonts=(Path("/no/such/font.ttc"),))
