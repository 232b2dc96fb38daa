"""The recogniser inside a real Presidio analyzer."""

from __future__ import annotations

import pytest

presidio = pytest.importorskip("presidio_analyzer")


class _NoModel:
    """Presidio asks a language model first; rules need none."""

    def process_text(self, text, language):
        from presidio_analyzer.nlp_engine import NlpArtifacts  # noqa: PLC0415

        assert text
        return NlpArtifacts([], None, None, [], None, language)

    def is_loaded(self):
        return True

    def load(self):
        return None

    def get_supported_languages(self):
        return ["id", "zh", "en"]

    def get_supported_entities(self):
        return []


def test_presidio_finds_what_the_scrubber_finds() -> None:
    """An analyzer with our recogniser names a NIK and a phone in Indonesian and a resident id in Chinese."""
    from shopward.scrubber.presidio import ShopwardRecognizer  # noqa: PLC0415

    registry = presidio.RecognizerRegistry(supported_languages=["id", "zh", "en"])
    for language in ("id", "zh", "en"):
        registry.add_recognizer(ShopwardRecognizer(supported_language=language))
    analyzer = presidio.AnalyzerEngine(
        registry=registry, nlp_engine=_NoModel(), supported_languages=["id", "zh", "en"]
    )
    text = "NIK 3273014507920003, hp 081298765432"
    found = {
        (each.entity_type, text[each.start : each.end]) for each in analyzer.analyze(text, language="id")
    }
    assert found == {("ID_NIK", "3273014507920003"), ("PHONE_NUMBER", "081298765432")}
    said = analyzer.analyze("卡号4111111111111111谢谢", language="zh", entities=["CREDIT_CARD"])
    assert [each.entity_type for each in said] == ["CREDIT_CARD"]
