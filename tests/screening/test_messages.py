"""What a message is: frauds in three languages however they are disguised, and honest messages that look like them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.genuine import genuine
from screening.shop import shop
from shopward.screening import check_sender, screened
from shopward.screening.messages import check_message
from shopward.screening.messages.clusters import cluster_keys
from shopward.screening.messages.extract import things_in
from shopward.screening.messages.intents import WEIGHTS
from shopward.screening.messages.normalise import normalise
from shopward.screening.verdict import LEVELS
from shopward.screening.wording import texts

SHOP = shop()

FRAUDS = [
    ("asks_secret", "Kak, tolong kirim kode OTP yang barusan masuk ya"),
    ("asks_secret", "Saya admin Toko Nusantara, sebutkan 6 digit kode verifikasi untuk membatalkan pesanan"),
    ("asks_secret", "Please reply with the verification code we just sent you"),
    ("asks_secret", "麻烦您把收到的验证码告诉我，我帮您取消订单"),
    ("asks_payment", "Transfer saja ke rek BCA 7788990011 a/n Budi ya kak, di luar aplikasi"),
    ("lure_prize", "Selamat! Nomor Anda terpilih mendapat hadiah mobil, klaim di http://hadiah-resmi.top/a"),
    ("lure_prize", "You have won a £2000 prize! Call 09061701461 to claim"),
    ("threat_account", "Akun Anda akan diblokir dalam 24 jam, segera verifikasi https://verif-akun.xyz"),
    ("threat_account", "Your account has been suspended. Click http://secure-login.top/u to restore it"),
    ("threat_account", "您的账户存在异常，将被冻结，请立即点击 http://yz-safe.top/a 验证"),
    ("lure_points", "尊敬的用户，您的积分即将清零，可兑换500元现金，请登录 http://jf-dh.top 兑换"),
    ("app_attached", "Cek foto paketnya kak: Lihat_Foto_Paket.apk"),
    ("poses_relative", "Ma ini no baru aku, tolong transfer dulu 2jt ke 0812-9988-7766"),
    ("remote_access", "请下载会议软件并共享屏幕，客服将为您退款"),
    ("claims_shop_link", "TokoNusa: pesanan Anda gagal, cek https://fctolsenh.cn/x"),
    ("claims_shop_link", "Pesanan TN-20418833 tertahan. Perbarui data di https://kirim-paket.example.net/"),
    ("claims_shop_contact", "Toko Nusantara: hubungi CS kami di 0857-1234-9876 untuk refund"),
    ("claims_shop_account", "Toko Nusantara: lakukan pembayaran ke rekening BCA 7788990011"),
]


def flagged(text, **more):
    """Codes of a message that is flagged; empty where it is not."""
    verdict = check_message(text, SHOP, **more)
    return [each.code for each in verdict.findings] if verdict.is_flagged else []


@pytest.mark.parametrize(("code", "text"), FRAUDS)
def test_frauds_are_flagged_for_what_they_do(code: str, text: str) -> None:
    """In three languages, each with the reason that a person would give."""
    assert code in flagged(text)


def test_nothing_that_an_honest_shop_writes_is_flagged() -> None:
    """One-time codes, warnings and notices, in three languages, with and without the shop's sender."""
    wrong = [text for text in genuine() if flagged(text) or flagged(text, channel="sms", sender="TOKONUSA")]
    assert len(genuine()) >= 300
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "Paket Toko Nusantara kamu dibawa JNE, lacak di https://www.jne.co.id/tracking-package",
        "Bayar pesanan Toko Nusantara lewat https://www.klikbca.com/ atau m-banking",
        "Toko Nusantara buka gudang baru, baca di https://www.kompas.com/bisnis/123",
        "Laporan tentang Toko Nusantara dan pasar daring pekan ini ada di https://kabarkota.example/berita",
        "aku beli di toko nusantara kemarin, murah banget",
        "jangan lupa transfer uang kas ke bendahara ya",
        "kode pintunya berapa?",
        "ok lor, see you at the mrt later",
        "你把文件发给我，我晚上看",
    ],
)
def test_people_may_speak_of_the_shop(text: str) -> None:
    """Couriers, banks, news and friends that name it are not taken for it."""
    assert flagged(text) == []


def test_a_warning_asks_for_nothing_and_one_word_less_does() -> None:
    """Negation is heeded in its sentence, and does not excuse the next one."""
    assert flagged("Jangan pernah kirim kode OTP ke siapa pun.") == []
    assert "asks_secret" in flagged("Jangan panik. Kirim kode OTP ke kami sekarang.")
    assert flagged("请勿把验证码告诉任何人") == []
    assert "asks_secret" in flagged("请把验证码告诉我")
    assert flagged("Never share your verification code.") == []


def spread(text, filling):
    """Something between the letters of every word."""
    return " ".join(filling.join(word) for word in text.split(" "))


DISGUISES = {
    "full width": lambda text: "".join(
        chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text
    ),
    "zero width": "\u200b".join,
    "soft hyphens": lambda text: spread(text, "\u00ad"),
    "dots": lambda text: spread(text, "."),
    "pictures": lambda text: spread(text, "🌟"),
    "mathematical": lambda text: "".join(
        chr(0x1D41A + ord(e) - 97) if "a" <= e <= "z" else e for e in text.lower()
    ),
    "boxes": lambda text: "".join(chr(0x1F170 + ord(e) - 97) if "a" <= e <= "z" else e for e in text.lower()),
    "cyrillic": lambda text: text.translate(str.maketrans("aceiop", "асеіор")),
    "leet": lambda text: text.translate(str.maketrans("aeio", "4310")),
    "strokes": lambda text: "".join(each + "\u0336" for each in text),
    "capitals": str.upper,
    "accents": lambda text: "".join(each + "\u0301" if each in "aeiou" else each for each in text),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize(
    "text", ["tolong kirim kode verifikasi ke saya", "please send me your password now", "请把验证码告诉我"]
)
def test_a_disguise_hides_nothing_and_spans_stay_in_the_text_as_given(disguise: str, text: str) -> None:
    """The request is found behind each of them, and the span shows it where it stands."""
    given_text = DISGUISES[disguise](text)
    verdict = check_message(given_text, SHOP)
    found = next(each for each in verdict.findings if each.code == "asks_secret")
    assert verdict.is_flagged
    shown = normalise(given_text[found.start : found.end]).text
    assert any(word in "".join(filter(str.isalnum, shown)) for word in ("kirim", "send", "告诉"))


def test_traditional_characters_read_as_simplified_ones() -> None:
    """驗證碼 is 验证码, and places stay."""
    verdict = check_message("請把驗證碼告訴我", SHOP)
    found = next(each for each in verdict.findings if each.code == "asks_secret")
    assert (verdict.is_flagged, found.start, found.end) == (True, 2, 7)


@pytest.mark.parametrize(("code", "text"), FRAUDS)
def test_without_its_evidence_a_message_scores_lower(code: str, text: str) -> None:
    """Cutting out what a reason points at takes its weight away: reasons are no decoration."""
    verdict = check_message(text, SHOP)
    found = next(each for each in verdict.findings if each.code == code)
    without = check_message(text[: found.start] + text[found.end :], SHOP)
    assert without.score < verdict.score
    assert verdict.score == pytest.approx(100.0 * (1.0 - _honest(verdict.findings)))


def _honest(findings):
    left = 1.0
    for each in findings:
        left *= 1.0 - min(each.weight, 0.99)
    return left


def test_a_declared_sender_makes_a_quiet_message_official_and_excuses_nothing() -> None:
    """Senders can be forged: what speaks against a message stands."""
    quiet = "Pesanan TN-20418833 sudah dikirim. Lacak: https://tokonusa.co.id/o/1"
    assert check_message(quiet, SHOP, channel="sms", sender="TOKONUSA").level == "official"
    assert check_message(quiet, SHOP).level == "unknown"
    asks = "Balas dengan kode OTP yang kami kirim"
    assert check_message(asks, SHOP, channel="sms", sender="TOKONUSA").is_flagged
    assert check_sender("TOKONUSA", SHOP, channel="sms").level == "official"


def test_a_stranger_who_uses_the_shops_name_is_told() -> None:
    """The sender is not the shop's, and the message leads away."""
    text = "Toko Nusantara: hubungi kami di 0857-1234-9876 untuk refund"
    assert "claims_shop_sender" in flagged(text, channel="whatsapp", sender="+62 857 1234 9876")


def test_what_the_shop_declared_is_the_shops() -> None:
    """Its numbers, accounts and links in a message speak for nothing else."""
    assert flagged("Toko Nusantara: hubungi kami di +62 811-1000-200") == []
    assert flagged("Pesanan TN-20418833: bayar ke rekening 123-456-7890 sebelum Jumat") == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("cek https://a.example/x?y=1, ya", ["link"]),
        ("hxxps://evil[.]example/login", ["link"]),
        ("buka evil(dot)com sekarang", ["link"]),
        ("www . example . com", ["link"]),
        ("请登录http://a.cn/b查询", ["link"]),
        ("telp kosong delapan satu dua tiga empat lima enam tujuh", ["phone"]),
        ("电话幺三八零零一二三四五六", ["phone"]),
        ("no rek BRI 0254 0100 8633 501 a/n Siti", ["account"]),
        ("WA 0812-3456-7890", ["phone"]),
        ("order TN-20418833", ["number"]),
        ("Rp 2.500.000 atau 3 juta", ["amount", "amount"]),
        ("kode 482913", ["code"]),
        ("undangan.apk", ["app_file"]),
        ("hubungi @toko_murah", ["handle"]),
        ("加微信 abc12345", ["handle"]),
        ("klik <url> atau telp CELLPHONE", ["link", "phone"]),
        ("u.no how r u.me n my sis", []),
    ],
)
def test_what_a_message_holds_besides_words(text: str, kinds: list[str]) -> None:
    """Links, numbers, accounts and the like, as people write them."""
    found, masked = things_in(normalise(text).text, text)
    assert [each.kind for each in found] == kinds
    assert len(masked) == len(normalise(text).text)


@given(st.text(max_size=400), st.sampled_from(["", "sms", "nowhere"]), st.text(max_size=30))
@settings(deadline=None)
def test_any_text_gets_a_verdict_with_spans_inside_it(text: str, channel: str, sender: str) -> None:
    """Whatever is pasted: surrogates, controls, joined letters of every script."""
    verdict = check_message(text, SHOP, channel=channel, sender=sender)
    assert verdict.level in LEVELS
    assert 0.0 <= verdict.score <= 100.0
    assert all(0 <= each.start <= each.end <= len(text) for each in verdict.findings)
    for language in ("id", "zh", "en"):
        assert len(screened(verdict, text, language, profile=SHOP.version).reasons) == len(verdict.findings)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_every_character_that_is_read_has_its_place(text: str) -> None:
    """Places grow, stay inside the text, and reading again changes nothing more."""
    normal = normalise(text)
    if normal.places is None:
        assert len(normal.text) == len(text)
    else:
        assert len(normal.places) == len(normal.text)
        assert normal.places == sorted(normal.places)
        assert all(0 <= each < len(text) for each in normal.places)
    assert unicodedata.is_normalized("NFC", normal.text) or not normal.text.isascii()


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "。", "http://a.b/", "1 ", "@a", "o.t.p ", "零", "k0d3 ", "(", "a.", "\u0336", "🌟", "nol "],
)
def test_a_megabyte_of_anything_is_judged_by_its_beginning(unit: str) -> None:
    """No pattern runs away, and the verdict says that it did not read all."""
    verdict = check_message(unit * (1_000_000 // len(unit)), SHOP)
    assert "message_cut" in [each.code for each in verdict.findings]


def test_reports_of_one_campaign_share_a_key_and_others_do_not() -> None:
    """Other numbers, links, names, spellings: one campaign; another text is none."""
    first = "Pelanggan Yth, akun Anda akan diblokir dalam 24 jam. Verifikasi di http://a-b.top/1 atau hub 0812-3456-7890"
    second = "P3langgan Yth, akun Anda akan d1blokir dlm 24 jam. Verifikasi di https://zz.xyz/9 atau hub 0857-9999-1111"
    other = (
        "Selamat, nomor Anda mendapat hadiah mobil dari undian akhir tahun, ambil hadiahnya di kantor kami"
    )
    assert set(cluster_keys(first)) & set(cluster_keys(second))
    assert not set(cluster_keys(first)) & set(cluster_keys(other))
    assert cluster_keys("ok") == ()


def test_every_reason_speaks_three_languages() -> None:
    """Each rule that speaks against a message has its texts."""
    for language in ("id", "zh", "en"):
        assert {code for code, weight in WEIGHTS.items() if weight > 0} <= texts(language).keys()
