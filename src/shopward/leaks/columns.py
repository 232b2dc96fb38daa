"""What the columns of a leaked file are called: people who sell rows do not keep the shop's names.

Promise: a column of a known meaning gets the vault's name of the field, in Indonesian, Chinese and English; any other is left
out. Where two columns mean the same the first that has a value counts.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Final = {
    "id": "id record recordid",
    "order_id": "orderid order orderno ordernumber ordersn nopesanan nomorpesanan idpesanan 订单号 订单编号 订单",
    "name": "name fullname customername receiver receivername recipient nama namalengkap namapenerima penerima pembeli"
    " 姓名 收件人 收货人 名字 买家",
    "phone": "phone phonenumber mobile mobileno tel telephone contact hp nohp nomorhp telepon notelepon notelp nowa whatsapp"
    " 手机 手机号 手机号码 电话 电话号码 联系电话 联系方式",
    "email": "email mail emailaddress surel 邮箱 电子邮箱 邮件",
    "address": "address street addr shippingaddress deliveryaddress alamat alamatlengkap alamatpengiriman jalan"
    " 地址 收货地址 详细地址 街道",
    "waybill": "waybill awb trackingno trackingnumber tracking resi noresi nomorresi 运单号 快递单号 物流单号 单号",
    "wechat": "wechat wechatid 微信 微信号",
    "number": "idnumber idno nik noktp ktp passport 身份证 身份证号 身份证号码 证件号",
}
_FIELDS: Final = {column: field for field, columns in _NAMES.items() for column in columns.split()}
_NOT_LETTER: Final = re.compile(r"[\W_]+")


def renamed(row: Mapping[str, str]) -> dict[str, str]:
    """A leaked row by the names of the vault's fields."""
    fields: dict[str, str] = {}
    for column, value in row.items():
        field = _FIELDS.get(_NOT_LETTER.sub("", unicodedata.normalize("NFKC", column).casefold()))
        if field is not None and value.strip():
            fields.setdefault(field, value)
    return fields
