"""The learned part of link screening: trained by the command, checked when it is read, told by its reasons."""

from __future__ import annotations

import io
import json
import math
import random
import zipfile

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.shop import shop
from shopward.cli import main
from shopward.errors import ModelInvalid
from shopward.forest import Forest
from shopward.screening import check_link, judged
from shopward.screening.links.address import read_address
from shopward.screening.links.learned.bundle import scorer_of, shipped_scorer, unpack
from shopward.screening.links.learned.features import HOST_COLUMNS, PATH_COLUMNS
from shopward.screening.links.learned.model import Marks
from shopward.screening.links.learned.trees import FINE, LEAVES_MAX, Trees

ORDINARY = [
    "https://www.sociolla.com/brands",
    "https://www.ruparupa.com/promo",
    "https://www.informa.co.id/",
    "https://eigeradventure.com/store-locator",
    "https://www.mitra10.com/kategori/cat",
    "https://alfagift.id/",
    "https://www.klikindomaret.com/page/unduh-aplikasi",
    "https://jne.co.id/tracking-package",
    "https://www.jet.co.id/track",
    "https://www.sicepat.com/checkAwb",
    "https://anteraja.id/tracking",
    "https://www.hartono.com/login",
    "https://www.erajaya.com/investor",
    "https://www.electronic-city.com/customer/account/login",
    "https://www.gramedia.com/account/orders",
    "https://www.matahari.com/customer/account/create",
    "https://www.planetban.com/",
    "https://www.kfcku.com/menu",
    "https://www.hokben.co.id/account",
    "https://www.tiket.com/order/payment",
    "https://www.traveloka.com/id-id/user/login",
    "https://reservasi.kai.id/",
    "https://www.pegipegi.com/",
    "https://www.sf-express.com/chn/sc/waybill",
    "https://www.dangdang.com/",
    "https://passport.vip.com/login",
    "https://www.suning.com/",
    "https://www.zto.com/GuestService/Bill",
    "https://www.yundaex.com/cn/index.php",
    "https://www.lazada.co.id/customer/account/login",
    "https://www.zalora.co.id/customer/order/",
    "https://www.decathlon.co.id/account/sign-in",
    "https://www.uniqlo.com/id/id/account/order",
    "https://www.ikea.co.id/in/profile/login",
    "https://www.watsons.co.id/my-account/orders",
    "https://www.bukalapak.com/payment/invoices",
    "https://www.blibli.com/member/order",
    "https://seller.shopee.co.id/account/signin",
    "https://www.telkomsel.com/en/my-telkomsel",
    "https://www.xl.co.id/id/produk/paket",
    "https://www.pln.co.id/pelanggan/info-tagihan",
    "https://www.halodoc.com/konsultasi",
    "https://www.alodokter.com/daftar",
    "https://www.bhinneka.com/customer/login",
    "https://www.jakartanotebook.com/p/kabel-usb",
    "https://www.optikmelawai.com/product-category/lensa",
    "https://www.batiksemar.com/cart/checkout",
    "https://tanabang-grosir.com/cara-pembayaran",
    "https://www.rotiboy.co.id/outlets",
    "https://warungpintar.co.id/kontak",
]

SHOP = shop()
WORDS = (
    "green",
    "river",
    "stone",
    "house",
    "garden",
    "light",
    "paper",
    "coffee",
    "music",
    "travel",
    "market",
    "studio",
)


def links(count, seed):
    """Fraud and ordinary links of a made-up world: random names under .top against pairs of words under .org."""
    made = random.Random(seed)
    letters = "bcdfghjklmnpqrstvwxz"
    fraud = [
        f"http://{''.join(made.choices(letters, k=made.randint(6, 12)))}.top/login/{made.randint(1, 999)}/verify.php"
        for _ in range(count)
    ]
    ordinary = [
        f"https://{made.choice(WORDS)}-{made.choice(WORDS)}{made.randint(1, 9999)}.org/{made.choice(WORDS)}/index.html"
        for _ in range(count)
    ]
    return fraud, ordinary


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A bundle of the command, and what it said."""
    folder = tmp_path_factory.mktemp("links")
    fraud, ordinary = links(600, 7)
    (folder / "fraud.csv").write_text("first_seen,url\n" + "".join(f"2026-01-02,{each}\n" for each in fraud))
    (folder / "ordinary.txt").write_text("\n".join(ordinary))
    command = [
        "screen",
        "train",
        "--fraud",
        str(folder / "fraud.csv"),
        "--ordinary",
        str(folder / "ordinary.txt"),
    ]
    ran = CliRunner().invoke(main, [*command, "--out", str(folder / "links.bundle"), "--json"])
    assert ran.exit_code == 0, ran.output
    again = CliRunner().invoke(main, [*command, "--out", str(folder / "again.bundle")])
    assert again.exit_code == 0
    return folder, json.loads(ran.stdout)


def test_training_finds_what_it_was_shown_on_domains_it_was_not(trained):
    """The head tells what it was learnt from and how well it did on held-out domains; the same files give the same bytes."""
    folder, head = trained
    assert [source["links"] for source in head["sources"]] == [600, 600]
    assert all(measured["recall_1_in_100"] > 0.9 for measured in head["measured"])
    assert (folder / "links.bundle").read_bytes() == (folder / "again.bundle").read_bytes()


def test_a_bundle_flags_new_fraud_of_its_kind_with_reasons(trained):
    """Each reason raises the score, and together they weigh what the score means."""
    scorer = scorer_of((trained[0] / "links.bundle").read_bytes())
    fraud, ordinary = links(100, 8)
    flagged = [check_link(each, SHOP, learned=scorer.findings) for each in fraud]
    assert sum(each.is_flagged for each in flagged) > 90
    for verdict in flagged[:20]:
        assert verdict.findings
        for left_out in verdict.findings:
            assert judged(each for each in verdict.findings if each is not left_out).score < verdict.score
    assert sum(check_link(each, SHOP, learned=scorer.findings).is_flagged for each in ordinary) < 10


def test_until_leaves_out_what_was_seen_later(trained):
    """Nothing is left to learn from before the first day, and that is said."""
    folder, _head = trained
    ran = CliRunner().invoke(
        main,
        ["screen", "train", "--fraud", str(folder / "fraud.csv"), "--ordinary", str(folder / "ordinary.txt"),
         "--until", "2026-01-02", "--out", str(folder / "none.bundle")],
    )  # fmt: skip
    assert ran.exit_code == 1
    assert not (folder / "none.bundle").exists()


def damaged(data):
    """Bundles that are broken in their own ways."""
    parts = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    yield b""
    yield data[: len(data) // 2]
    for name, part in parts.items():
        changed = io.BytesIO()
        with zipfile.ZipFile(changed, "w") as archive:
            for each, content in parts.items():
                archive.writestr(each, part[:-2] + b"xx" if each == name else content)
        yield changed.getvalue()


def test_a_damaged_bundle_is_refused_whole(trained):
    """Whatever is wrong with it, nothing of it judges anything."""
    for broken in damaged((trained[0] / "links.bundle").read_bytes()):
        with pytest.raises(ModelInvalid):
            unpack(broken)


def test_the_shops_own_links_are_official_whatever_was_learnt(trained):
    """The learned part has no say about them."""
    scorer = scorer_of((trained[0] / "links.bundle").read_bytes())
    verdict = check_link("https://qzxkvbn.tokonusa.co.id/login/1/verify.php", SHOP, learned=scorer.findings)
    assert (verdict.level, verdict.score) == ("official", 0.0)


def test_a_score_means_its_marks():
    """From the marks on it is suspicious and dangerous; between them it grows; below the first it is silent."""
    marks = Marks(100, 200, 300)
    chances = [marks.chance(score) for score in range(90, 500)]
    assert chances == sorted(chances)
    assert marks.chance(99) == 0.0
    assert marks.chance(199) < 0.45 <= marks.chance(200)
    assert marks.chance(299) < 0.75 <= marks.chance(300)
    assert marks.chance(10**9) < 1.0


def test_the_bundle_that_ships_leaves_most_pages_of_shops_alone():
    """Log-in, payment and tracking pages that customers in Indonesia and China meet, written down without a look at what was learnt from."""
    scorer = shipped_scorer()
    found = [(scorer.findings(each), each) for each in map(read_address, ORDINARY)]
    chances = [1 - math.prod(1 - reason.weight for reason in reasons) for reasons, _each in found]
    assert sum(chance >= 0.75 for chance in chances) <= 3
    assert sum(chance >= 0.45 for chance in chances) <= 9


def test_the_bundle_that_ships_is_sound_and_knows_random_names():
    """It is read whole, and finds a random name worse than a newspaper."""
    scorer = shipped_scorer()
    assert scorer is not None
    bad = scorer.score(read_address("http://paypal-login.secure-verify7.tk/webscr/login.php"))
    assert bad > scorer.score(read_address("https://www.example.org/"))


TREES = {
    columns: Trees(half.forest, [name[:1] for name in columns])
    for half, columns in (
        (shipped_scorer().model.host, HOST_COLUMNS),
        (shipped_scorer().model.path, PATH_COLUMNS),
    )
}


@settings(max_examples=100, deadline=None)
@given(row=st.lists(st.integers(-2_000, 2_000), min_size=len(HOST_COLUMNS), max_size=len(HOST_COLUMNS)))
def test_all_trees_at_once_say_what_a_walk_through_each_says(row):
    """For any numbers, on a threshold or beside it, of both halves of the bundle that ships."""
    model = shipped_scorer().model
    for forest, columns in ((model.host.forest, HOST_COLUMNS), (model.path.forest, PATH_COLUMNS)):
        numbers = row[: len(columns)]
        trees = TREES[columns]
        assert trees.whole(numbers) / FINE == pytest.approx(forest.margin(numbers), abs=1e-9)
        moved = dict.fromkeys(trees.groups, 0.0)
        for name, by in zip(columns, forest.contributions(numbers, len(columns)), strict=True):
            moved[name[:1]] += by
        assert [each / FINE for each in trees.moved(numbers)] == pytest.approx([*moved.values()], abs=1e-9)


def stick(leaves):
    """A tree whose every question has a leaf on one side."""
    column, threshold, left, right = [], [], [], []
    for at in range(leaves - 1):
        column += [0, -1]
        threshold += [float(at), 0.0]
        left += [2 * at + 1, 0]
        right += [2 * at + 2, 0]
    return Forest(
        [0],
        [*column, -1],
        [*threshold, 0.0],
        [*left, 0],
        [*right, 0],
        [float(at) for at in range(2 * leaves - 1)],
    )


def test_a_tree_with_more_leaves_than_a_byte_has_bits_is_refused():
    """One fewer is walked; on a threshold a number goes left."""
    walked = Trees(stick(LEAVES_MAX), ["a"])
    assert [walked.whole([number]) / FINE for number in (-1, 0, 1, 99)] == [1.0, 1.0, 3.0, 14.0]
    with pytest.raises(ModelInvalid):
        Trees(stick(LEAVES_MAX + 1), ["a"])


def test_a_tree_of_any_depth_and_a_leaf_of_any_weight_are_refused_in_the_same_way():
    """Neither the stack nor 64 bits give way first."""
    with pytest.raises(ModelInvalid):
        Trees(stick(50_000), ["a"])
    with pytest.raises(ModelInvalid):
        Trees(Forest([0], [-1], [0.0], [0], [0], [1e9]), ["a"])
