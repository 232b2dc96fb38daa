"""The scrubber as a recogniser of Microsoft Presidio (extra ``presidio``).

Promise: every kind of ours under a name in Presidio's style, in the language that the analyzer is asked in; no model, no
download. Presidio's own e-mail recogniser fetches a list of domains at run time; ours stands in for it.

    registry.add_recognizer(ShopwardRecognizer(supported_language="id"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from presidio_analyzer import EntityRecognizer, RecognizerResult

from shopward.scrubber.search import find

if TYPE_CHECKING:
    from shopward.scrubber.kinds import Kind

ENTITIES: Final[dict[Kind, str]] = {
    "nik": "ID_NIK",
    "kk": "ID_FAMILY_CARD",
    "npwp": "ID_NPWP",
    "phone": "PHONE_NUMBER",
    "resident_id": "CN_RESIDENT_ID",
    "bank_card": "CREDIT_CARD",
    "bank_account": "BANK_ACCOUNT",
    "email": "EMAIL_ADDRESS",
    "address": "ADDRESS",
    "name": "PERSON",
    "birth_date": "DATE_OF_BIRTH",
    "passport": "PASSPORT",
    "plate": "LICENSE_PLATE",
    "wechat": "WECHAT_ID",
    "qq": "QQ_ID",
    "waybill": "WAYBILL",
    "otp": "ONE_TIME_CODE",
}
SCORE: Final = 0.85
"""Ours are rules with checks: all are equally sure to Presidio."""


class ShopwardRecognizer(EntityRecognizer):
    """All kinds in one recogniser; add one for each language that the analyzer serves."""

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=list(ENTITIES.values()),
            supported_language=supported_language,
            name="ShopwardRecognizer",
        )

    def load(self) -> None:
        """Nothing has to be loaded."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """What was found of the entities that are asked for."""
        del nlp_artifacts
        return [
            RecognizerResult(ENTITIES[span.kind], span.start, span.end, SCORE)
            for span in find(text)
            if ENTITIES[span.kind] in entities
        ]
