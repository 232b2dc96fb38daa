"""Personal values as people type them, and what only looks like one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.scrubber import KINDS, find, formats, scrub

FOUND = [
    ("nik", "ktp saya 3273014507920003 kak", "3273014507920003"),
    ("nik", "3273-0145-0792-0003", "3273-0145-0792-0003"),
    ("kk", "No. KK: 3174051203080011", "3174051203080011"),
    ("npwp", "NPWP kami 01.234.567.4-912.000", "01.234.567.4-912.000"),
    ("npwp", "npwp 0012345674912000", "0012345674912000"),
    ("phone", "wa aja ke 0857 1234 5678", "0857 1234 5678"),
    ("phone", "(+62) 812-3456-7890 ya", "(+62) 812-3456-7890"),
    ("name", "nama saya siti nurhaliza mau tanya", "siti nurhaliza"),
    ("name", "张三，手机", "张三"),
    ("birth_date", "出生年月：1988年12月", "1988年12月"),
    ("otp", "kodenya 559120 jangan disebar", "559120"),
    ("phone", "hub +62(21)5790-1234", "+62(21)5790-1234"),
    ("phone", "WA081298765432 ya", "081298765432"),
    ("phone", "请打１５９－８８８８－１２３４", "１５９－８８８８－１２３４"),
    ("phone", "我的电话1\u200b5\u200b9\u200b8\u200b8\u200b8\u200b8\u200b1\u200b2\u200b3\u200b4", None),
    ("phone", "虚拟号18412345678转4321联系", "18412345678转4321"),
    ("phone", "号码幺五九八八八八幺二三四", "幺五九八八八八幺二三四"),
    ("phone", "座机010-62345678", "010-62345678"),
    ("phone", "call +44 20 7946 0958 today", "+44 20 7946 0958"),
    ("phone", "nol delapan satu dua tiga empat lima enam tujuh delapan", None),
    ("resident_id", "号码11010519491231002x麻烦", "11010519491231002x"),
    ("bank_card", "我的6222 0212 0000 0000 120丢了", None),
    ("bank_card", "kartu 4111-1111-1111-1111 hilang", "4111-1111-1111-1111"),
    ("bank_account", "transfer ke BCA 731 025 2527 ya", "731 025 2527"),
    ("bank_account", "IBAN DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
    ("email", "发到li.lei_88@163.com可以吗", "li.lei_88@163.com"),
    ("email", "budi.s [at] gmail [dot] com", "budi.s [at] gmail [dot] com"),
    ("address", "kirim ke Jl. Kemang Raya No. 8A, RT 03/RW 05, Kec. Mampang, Jakarta Selatan 12730", None),
    ("address", "jl mawar no 5 rt 02 rw 01", "jl mawar no 5 rt 02 rw 01"),
    (
        "address",
        "寄到广东省深圳市南山区科技园南路12号3栋1502室谢谢",
        "广东省深圳市南山区科技园南路12号3栋1502室",
    ),
    ("address", "ship to 221 Baker Street, London", None),
    ("name", "Penerima: Ni Luh Kadek Ayu", None),
    ("name", "a.n. Bambang Sutrisno, S.Kom", "Bambang Sutrisno, S.Kom"),
    ("name", "收件人：欧阳静怡，电话", "欧阳静怡"),
    ("name", "王建国先生您好", "王建国"),
    ("name", "my name is Oliver Bennett", "Oliver Bennett"),
    ("birth_date", "tgl lahir 5 Februari 1988", "5 Februari 1988"),
    ("birth_date", "生日是1990年12月3日", "1990年12月3日"),
    ("birth_date", "born on March 3, 1991", "March 3, 1991"),
    ("passport", "no paspor C7654321", "C7654321"),
    ("passport", "护照号EA1234567", "EA1234567"),
    ("plate", "粤B·D12345刚到楼下", "粤B·D12345"),
    ("plate", "沪A88888", "沪A88888"),
    ("plate", "mobil D 1987 QZX", "D 1987 QZX"),
    ("wechat", "加微信 lilei_1990 聊", "lilei_1990"),
    ("wechat", "wxid_a1b2c3d4e5f6g7", "wxid_a1b2c3d4e5f6g7"),
    ("qq", "我QQ：1234567", "1234567"),
    ("waybill", "SF1020304050607到哪了", "SF1020304050607"),
    ("waybill", "nomor resi 003812345678", "003812345678"),
    ("waybill", "EMS EE123456785CN", "EE123456785CN"),
    ("otp", "【京东】验证码：8046，请勿泄露", "8046"),
    ("otp", "Your code is 731-002, do not share", "731-002"),
    ("otp", "G-482910 is your Google verification code", "482910"),
    ("otp", "kode verifikasinya 551203 jangan dikasih ke siapapun", "551203"),
]
CLEAN = [
    "Order #4111111111111111 sudah dibayar",
    "订单号6222021200000000004已发货",
    "No pesanan 081234567890 status dikirim",
    "INV/20260105/XII/0812345678",
    "SKU13812345678 stok 25",
    "harga Rp 13.812.345.678 saja",
    "total ￥13812.50",
    "2026-01-05 13:45:59 selesai",
    "05-01-2026 08:12",
    "epoch 1767225600000 ms",
    "客服电话400-810-1234",
    "isi 250 ml, berat 1200 gr, 30x20x10 cm",
    "Galaxy S24 Ultra 512 GB",
    "ganti oli L 100 ML",
    "Terima kasih, barang sudah sampai",
    "我很高兴，谢谢老板",
    "jalan ke mana hari ini?",
    "广东省深圳市包邮",
    "versi 10.15.7 build 1987",
    "uuid 0812f3a4-1381-2345-6789-0812aa34bb56",
    "kode promo HEMAT50 berlaku sampai 31-12-2026",
    "PT Maju Bersama Sejahtera",
]


@pytest.mark.parametrize(("kind", "text", "value"), FOUND)
def test_a_value_is_found_where_it_stands(kind, text, value) -> None:
    """The span has the kind and covers the value in the text as it was given."""
    spans = [span for span in find(text) if span.kind == kind]
    assert spans, find(text)
    if value is not None:
        assert value in [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize("text", CLEAN)
def test_a_lookalike_stays_as_it_is(text) -> None:
    """Orders, goods, sums and times are nobody's data."""
    assert scrub(text).text == text


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="08123456789 -.()+@ax省市路号王张李的Jl\u200b１２３Budi\n", max_size=80))
def test_any_text_is_masked_exactly_at_its_spans(text) -> None:
    """Spans are in order and apart, inside the text, and masking changes nothing else."""
    spans = find(text)
    assert all(0 <= span.start < span.end <= len(text) and span.kind in KINDS for span in spans)
    assert all(one.end <= two.start for one, two in itertools.pairwise(spans))
    masked = scrub(text).text
    for span in reversed(spans):
        text = text[: span.start] + f"[{span.kind}]" + text[span.end :]
    assert masked == text


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_the_check_digit_of_a_card_is_the_one_that_fits(number) -> None:
    """Of the ten last digits exactly one makes the Luhn sum right."""
    assert sum(formats.luhn(f"{number:015}{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize("separator", ["", " ", "-", ".", " - "])
@pytest.mark.parametrize("number", ["081298765432", "13912345678", "+6281298765432"])
def test_a_phone_is_found_however_it_is_split(number, separator) -> None:
    """Groups of three or four with any separator in use are one number."""
    plus, digits = ("+", number[1:]) if number[0] == "+" else ("", number)
    split = (
        [digits[:3], digits[3:7], digits[7:]] if digits[0] == "1" else [digits[:4], digits[4:8], digits[8:]]
    )
    text = f"ini {plus}{separator.join(split)} ya"
    assert [span.kind for span in find(text)] == ["phone"]


def test_a_wall_of_text_costs_no_more_than_its_length() -> None:
    """Texts made to make patterns try again and again are read in one go."""
    for wall in (
        "市" * 5_000,
        "浙江省" + "甲区" * 5_000,
        "1-" * 5_000,
        "Jl. A, " + "Kel. A " * 3_000,
        "a@" * 5_000,
    ):
        assert isinstance(find(wall), tuple)
