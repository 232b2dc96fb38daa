"""Bundles: whole or refused, and the same bytes for the same training."""

from __future__ import annotations

import io
import random
import zipfile

import msgspec
import pytest

from shopward.errors import ModelInvalid, ShopwardError
from shopward.flows.train import bundle_of
from shopward.risk.models import Scorer, pack, unpack
from shopward.risk.models.bundle import Bundle


def rewritten(data: bytes, name: str, change) -> bytes:
    """The same ZIP with one member changed, its sums left as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            part = old.read(member)
            new.writestr(member, change(part) if member == name else part)
    return out.getvalue()


def test_a_bundle_comes_back_as_it_was(bundle):
    """What was packed is what is unpacked."""
    assert unpack(pack(bundle)) == bundle


def test_the_same_training_gives_the_same_bytes(policy, collected, bundle):
    """Nothing of a bundle depends on when or how often it was trained."""
    collector, until_ms = collected
    assert pack(bundle_of(policy, collector, until_ms=until_ms)) == pack(bundle)


def test_no_damage_goes_unseen(bundle):
    """A bundle with a byte changed, cut or added either is refused with a reason or is the bundle itself."""
    whole, rng = pack(bundle), random.Random(4)
    for _ in range(60):
        damaged = bytearray(whole)
        at = rng.randrange(len(whole))
        match rng.randrange(3):
            case 0:
                damaged[at] ^= 1 << rng.randrange(8)
            case 1:
                del damaged[at:]
            case _:
                damaged[at:at] = bytes([rng.randrange(256)])
        try:
            assert unpack(bytes(damaged)) == bundle  # a byte of the ZIP that says nothing, such as a date
        except ModelInvalid as refused:
            assert refused.expected


@pytest.mark.parametrize("member", ["bundle.json", "model.json", "card.md", "SHA256SUMS"])
def test_a_part_that_is_not_what_was_summed_is_refused(bundle, member):
    """A changed part fails its sum, and changed sums fail the parts."""
    with pytest.raises(ModelInvalid, match="SHA-256"):
        unpack(rewritten(pack(bundle), member, lambda part: part.replace(b"1", b"2")))


@pytest.mark.parametrize("foreign", [b"", b"PK", b"\x80\x04pickle", b"{}" * 100])
def test_what_is_no_bundle_is_refused(foreign):
    """Bytes of something else are refused as such."""
    with pytest.raises(ModelInvalid):
        unpack(foreign)


def test_another_format_is_refused(bundle):
    """A bundle of a version that this one does not know is refused, sound as it may be."""
    newer = Bundle(
        msgspec.structs.replace(bundle.head, format="shopward-model/2"), bundle.forest, bundle.card
    )
    with pytest.raises(ModelInvalid, match="shopward-model/1"):
        unpack(pack(newer))


def test_numbers_that_are_none_are_refused(bundle):
    """A threshold that is no finite number is refused: comparisons with it would say no to everything."""
    forest = msgspec.structs.replace(bundle.forest, threshold=[1e999, *bundle.forest.threshold[1:]])
    with pytest.raises(ModelInvalid):
        unpack(pack(Bundle(bundle.head, forest, bundle.card)))


def test_a_bundle_for_other_features_is_refused(policy, bundle):
    """A model is used only under a policy whose features mean what they meant when it learnt."""
    inputs = policy.inputs["payment"]
    Scorer(bundle, inputs)
    head = msgspec.structs.replace(bundle.head, schema="0" * 32)
    for foreign, under in (
        (Bundle(head, bundle.forest, ""), inputs),
        (bundle, policy.inputs["takeover"]),
        (bundle, None),
    ):
        with pytest.raises(ShopwardError) as refused:
            Scorer(foreign, under)
        assert refused.value.code == "model_invalid"
