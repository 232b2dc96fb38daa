"""The words beside a number that say what it is, in three languages.

Promise: ``cue_before`` gives the meaning of the last telling word within reach of a number, and how far away it stands;
``announced_after`` tells whether the words behind it call it a one-time code. A word counts whole in Latin letters and
anywhere in Han. Words that announce an order, a product, a sum or a time speak against a personal value.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from shopward.scrubber.trie import any_of

Meaning = Literal[
    "nik", "kk", "npwp", "resident_id", "phone", "bank_card", "bank_account", "otp", "passport", "qq", "waybill",
    "birth_date", "plate", "other",
]  # fmt: skip

REACH_CHARS: Final = 32

_WORDS: Final[dict[Meaning, str]] = {
    "nik": "nik|no ktp|nomor ktp|ktp|e-ktp|ektp|nomor induk kependudukan|no. ktp",
    "kk": "kk|kartu keluarga|no kk|nokk",
    "npwp": "npwp|nomor pokok wajib pajak",
    "resident_id": "身份证|身份證|证件号|證件號|身份号|公民身份|resident id|chinese id|id card|identity card|sfz",
    "phone": "hp|no hp|nohp|handphone|hape|telp|telepon|telpon|tlp|tel|phone|mobile|cell|call|whatsapp|wa|no wa|wa.me|sms|"
    "hubungi|kontak|contact|cp|ponsel|seluler|手机|手機|电话|電話|联系方式|聯繫方式|致电|拨打|来电|热线|座机|号码是|gopay|ovo|dana|linkaja|shopeepay",
    "bank_card": "kartu kredit|kartu debit|nomor kartu|no kartu|kartu atm|kartu|credit card|debit card|card|card no|card number|cc|"
    "visa|mastercard|卡号|卡號|银行卡|銀行卡|信用卡|储蓄卡|借记卡|尾号",
    "bank_account": "rekening|rek|no rek|norek|no. rek|bank|bca|bni|bri|mandiri|cimb|cimb niaga|bsi|btn|danamon|permata|jago|seabank|"
    "maybank|ocbc|panin|mega|jenius|muamalat|bank account|account|account no|account number|acct|acc|iban|transfer ke|va|"
    "virtual account|账号|账户|賬號|帳號|帐号|帐户|户头|工商银行|工行|建设银行|建行|农业银行|农行|中国银行|招商银行|招行|交通银行|"
    "邮储银行|浦发银行|开户行|银行账号|对公",
    "otp": "otp|kode otp|kodenya|kode verifikasi|kode keamanan|kode akses|kode masuk|kode konfirmasi|kode rahasia|kode login|kode anda|kode kamu|"
    "pin|pin anda|verification code|verify code|verification|security code|login code|access code|confirmation code|passcode|"
    "one-time password|one time password|one-time code|one time code|one-time passcode|auth code|authentication code|your code|2fa code|"
    "验证码|驗證碼|校验码|动态码|动态密码|动态口令|确认码|安全码|登录码|口令|识别码|取件码|提货码|短信码",
    "passport": "paspor|passport|no paspor|护照|護照|通行证|港澳通行证",
    "qq": "qq|qq号|扣扣|q号|企鹅号",
    "waybill": "resi|no resi|nomor resi|noresi|no. resi|awb|airwaybill|waybill|tracking|tracking number|tracking no|tracking id|"
    "jne|j&t|jnt|sicepat|anteraja|ninja|spx|tiki|pos indonesia|lion parcel|id express|wahana|sap express|"
    "快递单号|快遞單號|快递单|快递|快遞|运单号|运单|物流单号|物流|面单|顺丰|圆通|中通|申通|韵达|京东物流|极兔|邮政|ems|单号",
    "birth_date": "lahir|tgl lahir|tanggal lahir|ttl|born|birth|birthdate|birthday|date of birth|dob|d.o.b|ulang tahun|ultah|"
    "出生|生日|生于|出生日期|出生年月",
    "plate": "plat|plat nomor|nopol|no polisi|nomor polisi|kendaraan|mobil|motor|truk|license plate|plate|plate number|"
    "number plate|车牌|車牌|车牌号|车号",
    "other": "order|order id|order no|pesanan|no pesanan|id pesanan|nomor pesanan|invoice|inv|faktur|sku|barcode|ean|upc|isbn|"
    "kode barang|kode produk|barang|produk|product|item|item no|serial|serial number|s/n|sn|imei|ref|reference|referensi|transaksi|"
    "id transaksi|transaction|transaction id|trx|tiket|ticket|case|kasus|batch|lot|model|versi|version|build|rp|idr|usd|cny|rmb|harga|"
    "price|total|jumlah|nominal|qty|stok|stock|saldo|balance|timestamp|epoch|unix|kode pos|postal code|zip|zip code|promo|kode promo|"
    "voucher|kupon|coupon|po|purchase order|session|request id|trace|log id|port|"
    "订单|订单号|订单编号|訂單|单据|发票|发票号|货号|商品编号|商品|条码|条形码|编号|批次|批号|序列号|流水号|交易号|交易单号|型号|版本|"
    "金额|价格|合计|总价|余额|积分|库存|数量|时间戳|时间|日期|邮编|优惠码|优惠券|工单|工单号|退款单号|元|¥|￥|$",
}  # fmt: skip
_MEANING: Final = {word: meaning for meaning, words in _WORDS.items() for word in words.split("|")}
_HAN_WORDS: Final = [word for word in _MEANING if not word[0].isascii() or word == "$"]
_CUE: Final = re.compile(
    rf"(?<![a-z])({any_of(_MEANING.keys() - set(_HAN_WORDS))})(?:nya|ku|mu)?(?![a-z])|{any_of(_HAN_WORDS)}"
)
_BEHIND: Final = re.compile(
    r"[\s,.:;)\]】」-]{0,3}(?:\(|（|is|adalah|merupakan|ialah|为|是|為|,|，|-)?[^\d\n]{0,18}?"
    r"(?:verification|otp|kode verifikasi|kode otp|kode keamanan|security code|login code|one[- ]time|passcode|"
    r"验证码|驗證碼|校验码|动态码|动态密码|登录码)"
)
_FILLER: Final = re.compile(
    r"[\s:;#.,=\-()\[\]\"'|/*&]|no|nomor|number|num|nr|id|code|kode|saya|anda|kamu|nya|is|adalah|my|your|the|ini|itu|"
    r"号|编号|号码|碼|码|是|为|為|：|，|我的|您的|你的|【|】|「|」"
)


class Cue(NamedTuple):
    """The last telling word before a number; ``beside`` where only filler stands between."""

    meaning: Meaning
    beside: bool


def cue_before(text: str, start: int) -> Cue | None:
    """What the words before a place announce, on its line."""
    window = text[max(0, start - REACH_CHARS) : start].lower()
    window = window[window.rfind("\n") + 1 :]
    last = None
    for last in _CUE.finditer(window):  # noqa: B007 -- the last one is wanted
        pass
    if last is None:
        return None
    return Cue(_MEANING[last[1] or last[0]], beside=not _FILLER.sub("", window[last.end() :]))


def announced_after(text: str, end: int) -> bool:
    """Whether the words behind a number say that it is a one-time code."""
    return _BEHIND.match(text[end : end + 40].lower()) is not None
