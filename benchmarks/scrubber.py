"""Recall, restraint and speed of the scrubber.

Values are Faker's, id_ID and zh_CN, in sentences of shops; a value counts as found where at least nine tenths of its letters
and digits are masked. Look-alikes are sentences with order numbers, sums, times and product codes of random digits and
nobody's data. NIK, KK, NPWP, waybills, QQ and WeChat ids, which Faker lacks, are drawn here from their official forms.

    python benchmarks/scrubber.py [--values 500] [--rounds 5]

The yardstick is ``json.loads`` of the same messages in the same run.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import TYPE_CHECKING, Any

from faker import Faker

from shopward.scrubber import find, scrub

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20260105
ID = (
    "tolong cek {}",
    "data saya {} ya kak",
    "{} itu punya saya",
    "kak, ini {} mohon diproses",
    "Mohon kirim ke {}",
)
ZH = ("请帮我看一下{}谢谢", "我的是{}，麻烦处理", "{}这个对吗", "资料：{}", "你好{}收到了吗")
EN = ("please check {}", "it is {}, thanks", "{} is mine", "my details: {}", "Use {} for this order")


def frames(cues: tuple[str, ...], bare: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Sentences with a cue before the value, and some without one."""
    return tuple([f"{cue}{{}}" for cue in cues]) + bare


def values(
    fake: dict[str, Faker], rng: random.Random
) -> dict[str, tuple[Callable[[], str], tuple[str, ...]]]:
    """For each class and language a source of values and its sentences."""
    ident, chinese = fake["id_ID"], fake["zh_CN"]

    def nik(day_offset: int = 0) -> str:
        born = ident.date_of_birth(minimum_age=17, maximum_age=80)
        region = (
            rng.choice(["11", "12", "31", "32", "33", "34", "35", "36", "51", "61", "73", "91"])
            + f"{rng.randint(1, 79):02}{rng.randint(1, 30):02}"
        )
        return f"{region}{born.day + rng.choice((0, day_offset)):02}{born:%m%y}{rng.randint(1, 9999):04}"

    def npwp() -> str:
        eight = f"{rng.randint(1, 99):02}{rng.randint(0, 999999):06}"
        check = next(digit for digit in range(10) if _luhn(eight + str(digit)))
        return (
            f"{eight[:2]}.{eight[2:5]}.{eight[5:8]}.{check}-{rng.randint(1, 999):03}.{rng.randint(0, 999):03}"
        )

    def digits(count: int) -> str:
        return "".join([str(rng.randint(0, 9)) for _ in range(count)])

    return {
        "id nik": (lambda: nik(40), frames(("NIK ", "no ktp: "), ID)),
        "id kk": (nik, frames(("No KK ", "nomor kartu keluarga: "))),
        "id npwp": (npwp, frames(("NPWP ",), ID)),
        "id phone": (ident.phone_number, frames(("hp ", "WA: "), ID)),
        "zh phone": (chinese.phone_number, frames(("手机", "电话："), ZH)),
        "zh resident id": (chinese.ssn, frames(("身份证", "证件号码："), ZH)),
        "id bank card": (ident.credit_card_number, frames(("kartu kredit ", "card "), ID + EN)),
        "zh bank card": (chinese.credit_card_number, frames(("卡号", "银行卡："), ZH)),
        "id bank account": (lambda: digits(rng.choice((10, 13, 15))), frames(("rekening BCA ", "no rek mandiri ", "transfer ke BNI "))),
        "zh bank account": (lambda: "62" + digits(17), frames(("账号", "建设银行", "开户行招商银行，账户"))),
        "en iban": (ident.iban, EN),
        "id email": (ident.email, frames(("email ",), ID)),
        "zh email": (chinese.email, frames(("邮箱",), ZH)),
        "id address": (ident.address, frames(("alamat: ", "kirim ke "), ID)),
        "zh address": (chinese.address, frames(("地址", "寄到"), ZH)),
        "id name": (ident.name, frames(("nama saya ", "penerima: ", "a.n. "), ID)),
        "zh name": (chinese.name, frames(("我叫", "收件人：", "请联系"), ("{}的包裹还没到", "{}女士您好", "姓名{}，请核对"))),
        "id birth date": (lambda: ident.date_of_birth().strftime(rng.choice(("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d"))), frames(("lahir ", "tanggal lahir: ", "TTL: Bandung, "))),
        "zh birth date": (lambda: chinese.date_of_birth().strftime(rng.choice(("%Y-%m-%d", "%Y年%m月%d日", "%Y/%m/%d"))), frames(("生日", "出生日期："), ("{}出生",))),
        "id passport": (ident.passport_number, frames(("paspor ", "no paspor: "))),
        "zh passport": (chinese.passport_number, frames(("护照", "护照号码："))),
        "id plate": (ident.license_plate, frames(("plat ", "nopol: ", "mobil saya "))),
        "zh plate": (chinese.license_plate, frames(("车牌",), ZH)),
        "zh wechat": (lambda: rng.choice("abcdxyz") + chinese.user_name()[:8].replace(".", "_") + digits(4), frames(("微信号", "加微信：", "vx: "))),
        "zh qq": (lambda: str(rng.randint(10000, 9999999999)), frames(("QQ", "qq号：", "扣扣 "))),
        "id waybill": (lambda: rng.choice(("JP", "JX", "SPXID0")) + digits(10), frames(("resi ",), ID)),
        "zh waybill": (lambda: rng.choice(("SF", "YT", "JT")) + digits(13), frames(("运单号", "快递单号："), ZH)),
        "id otp": (lambda: digits(6), frames(("kode OTP Anda ", "Kode verifikasi: "), ("{} adalah kode OTP Anda", "{} is your verification code"))),
        "zh otp": (lambda: digits(rng.choice((4, 6))), (*frames(("验证码", "您的验证码是", "【某宝】校验码：")), "{}（登录验证码）")),
    }  # fmt: skip


def _luhn(digits: str) -> bool:
    total = 0
    for at, digit in enumerate(reversed(digits)):
        step = int(digit) * (1 + at % 2)
        total += step - 9 if step > 9 else step
    return total % 10 == 0


LOOKALIKES: tuple[str, ...] = (
    "Pesanan {d18} sudah dikirim", "订单号：{d18} 已发货", "订单编号{d19}请查收", "Order #{d12} total Rp {sum}", "Invoice INV/2026/01/{d8} sudah lunas",
    "SKU-{d10} stok {d3} pcs", "barcode {d13}", "条形码{d13}", "harga Rp{sum} ongkir Rp 12.000", "价格{d4}元，优惠{d2}元", "log {ts} worker {d5} started",
    "timestamp {epoch}", "时间戳{epoch}", "versi 12.{d2}.{d3} build {d6}", "型号XC-{d6}B", "kode barang AB{d8}C", "batch {d8} exp 2027-03", "流水号{d16}",
    "ID transaksi {d16}", "trx_{d12} status sukses", "diskon 50% sampai 31-12-2026", "活动时间2026-11-11 00:00至2026-11-12", "jam 08:00-17:00 WIB", "客服热线400-820-{d4}",
    "ukuran 30 x 40 x 50 cm, berat {d3} gr", "尺寸120*200cm 重{d2}kg", "koordinat -6.20{d4}, 106.81{d4}", "GET /v1/items/{d10} 200 {d3}ms", "commit {hex} merged",
    "session {hex}", "promo HEMAT{d3} berlaku", "优惠券编号{d10}", "积分{d5}", "库存{d4}件", "Paket sedang dalam perjalanan ke Jakarta", "我很高兴收到了，方便的话请尽快发货",
    "Terima kasih sudah belanja di toko kami", "谢谢老板，包装很好", "Barang sudah sampai dengan selamat", "何时发货？明天可以吗", "jalan macet, kurir terlambat", "The order has been delivered on Monday",
    "Selamat pagi kak, stok ready?", "全部商品包邮，满{d3}减{d2}", "IP 10.{b}.{b}.{b} port 8700", "v2.{d2}.{d2}-rc1", "resolusi 1920x1080 60 Hz", "RAM 8 GB, baterai {d4} mAh",
    "Samsung Galaxy A{d2} hitam", "iPhone 15 Pro Max 256 GB", "ticket TCK-{d8} closed", "PO {d10} disetujui", "saldo Rp {sum}", "total USD {d3},{d3}.00", "serial SN{d10}A", "IMEI {d15}",
    "kode pos {d5}", "邮编{d6}", "退款单号{d16}", "Nike Air Max 90 ukuran 42", "Kamis, 5 Februari 2026 pukul 13.45", "质量很好，颜色也漂亮，价格合适",
)  # fmt: skip


def lookalike(rng: random.Random, template: str) -> str:
    """A sentence of the template with random figures."""
    figures = {f"d{count}": "".join([str(rng.randint(0, 9)) for _ in range(count)]) for count in (2, 3, 4, 5, 6, 8, 10, 12, 13, 15, 16, 18, 19)}  # fmt: skip
    figures["sum"] = f"{rng.randint(10, 999)}.{rng.randint(0, 999):03}.{rng.randint(0, 9)}00"
    figures["epoch"] = str(rng.randint(1_700_000_000, 1_799_999_999)) + rng.choice(("", "123"))
    figures["ts"] = (
        f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:07.123Z"
    )
    figures["hex"] = f"{rng.getrandbits(128):032x}"
    figures["b"] = str(rng.randint(1, 254))
    return template.format(**figures)


def covered(sentence: str, value: str) -> float:
    """The share of a value's letters and digits that is masked."""
    start = sentence.index(value)
    masked = {at for span in find(sentence) for at in range(span.start, span.end)}
    places = [start + at for at, letter in enumerate(value) if letter.isalnum()]
    return sum(place in masked for place in places) / len(places)


def main() -> None:
    """Print one JSON line for each class, the look-alikes and the speed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--values", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--show-missed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(SEED)
    fake = {locale: Faker(locale) for locale in ("id_ID", "zh_CN")}
    for source in fake.values():
        source.seed_instance(SEED)
    messages: list[str] = []
    worst = 1.0
    for name, (draw, sentences) in values(fake, rng).items():
        missed, total = [], options.values
        for at in range(total):
            value = draw()
            sentence = sentences[at % len(sentences)].format(value)
            messages.append(sentence)
            if covered(sentence, value) < 0.9:
                missed.append(sentence)
        recall = 1 - len(missed) / total
        worst = min(worst, recall)
        line: dict[str, Any] = {"class": name, "recall": round(recall, 4), "values": total, "goal": 0.95}
        if options.show_missed:
            line["missed"] = missed[: options.show_missed]
        print(json.dumps(line, ensure_ascii=False))
    clean = [lookalike(rng, LOOKALIKES[at % len(LOOKALIKES)]) for at in range(20 * len(LOOKALIKES))]
    touched = [text for text in clean if find(text)]
    said: dict[str, Any] = {
        "lookalikes": len(clean),
        "touched": round(len(touched) / len(clean), 4),
        "goal": 0.01,
    }
    if options.show_missed:
        said["texts"] = [scrub(text).text + " <- " + text for text in touched[: options.show_missed * 5]]
    print(json.dumps(said, ensure_ascii=False))
    mixed = messages + clean * (len(messages) // len(clean) + 1)
    rng.shuffle(mixed)
    mixed = mixed[:20_000]
    lines = [json.dumps({"id": "m", "text": text}) for text in mixed]
    best, yardstick = float("inf"), float("inf")
    for _round in range(options.rounds):
        begun = time.process_time()
        for text in mixed:
            scrub(text)
        best = min(best, time.process_time() - begun)
        begun = time.process_time()
        for text in lines:
            json.loads(text)
        yardstick = min(yardstick, time.process_time() - begun)
    print(json.dumps({
        "messages_s": round(len(mixed) / best), "goal": 30_000, "us": round(best / len(mixed) * 1e6, 1), "chars_mean": round(sum(map(len, mixed)) / len(mixed), 1),
        "ratio_to_json_loads": round(best / yardstick, 1), "worst_recall": round(worst, 4),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
