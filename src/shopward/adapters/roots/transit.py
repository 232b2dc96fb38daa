"""The root in the Transit engine of OpenBao or HashiCorp Vault: an AES key that never leaves that server.

Promise: keys of the tenant are wrapped by the named key (type ``aes256-gcm96``), with their place as associated data; what
is wrapped names the version of that key (``vault:v3:...``), so that versions can be retired there. The key is looked at
before anything is wrapped, since Transit makes a key that it does not have: a name with a slip in it is refused. This server
gets by with ``read`` on the key and ``update`` on ``encrypt`` and ``decrypt``.

The file ``auth`` holds a token, or ``{"role_id": "...", "secret_id": "..."}`` of an AppRole; it is read again for each call,
so that an agent can renew it. Down, sealed or refusing: ``KeysUnavailable``, fails closed (``calls``).
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from shopward.adapters.roots.calls import HttpCalls, misfit, named, not_allowed, not_ours
from shopward.vault.envelope import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.adapters.roots.calls import Answer

FORM: Final = (
    "transit:URL?key=NAME&auth=FILE, and where they differ &mount=transit, &namespace=NAME, &ca=FILE"
)
TYPE: Final = "aes256-gcm96"
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_HINT: Final = (
    "its policy must allow read on the key, and update on encrypt and decrypt of it; the token must be valid"
)


class _Role(msgspec.Struct, forbid_unknown_fields=True):
    role_id: str
    secret_id: str


class TransitRoot:
    """A root behind the HTTP API of Transit.

    Args:
        calls: to the server.
        key: its name.
        mount: where the engine is mounted.
        namespace: of the server; empty for the root namespace.
        auth: the file with a token or an AppRole.
    """

    def __init__(self, calls: HttpCalls, *, key: str, mount: str, namespace: str, auth: Path) -> None:
        self._calls = calls
        self._key = quote(key, safe="")
        self._mount = quote(mount.strip("/"))
        self._headers = {"X-Vault-Request": "true"} | ({"X-Vault-Namespace": namespace} if namespace else {})
        self._auth = auth
        self._token = ""
        self.name = f"transit:{calls.host}/{key}"[:64]

    @classmethod
    def open(cls, rest: str) -> TransitRoot:
        """The key that the setting names; nobody is asked yet. Raises ``Misconfigured``."""
        url, said = named(
            rest,
            needed=frozenset({"key", "auth"}),
            allowed=frozenset({"mount", "namespace", "ca"}),
            expected=FORM,
        )
        return cls(
            HttpCalls(url, expected=FORM, ca=said.get("ca", "")), key=said["key"], mount=said.get("mount", "transit"),
            namespace=said.get("namespace", ""), auth=Path(said["auth"]).expanduser(),
        )  # fmt: skip

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """A key as a text of Transit, ``vault:vN:...``; raises ``KeysUnavailable`` and ``Misconfigured``."""
        self._check()
        answer = self._asked("POST", "encrypt", {"plaintext": _text(key), "associated_data": _text(bound)})
        wrapped = _data(answer).get("ciphertext", "")
        if not answer.is_ok or not isinstance(wrapped, str) or not wrapped:
            raise not_allowed(_HINT)
        return wrapped.encode()

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key that was wrapped for this place; raises ``SealBroken`` or ``KeysUnavailable``."""
        sent = {"ciphertext": wrapped.decode("ascii", "replace"), "associated_data": _text(bound)}
        answer = self._asked("POST", "decrypt", sent)
        try:
            key = base64.b64decode(_data(answer)["plaintext"], validate=True) if answer.is_ok else b""
        except (KeyError, TypeError, binascii.Error):
            key = b""
        if len(key) != KEY_BYTES:
            raise not_ours()
        return key

    def version(self, wrapped: bytes) -> str:
        """The version of Transit's key that wrapped this."""
        parts = wrapped.split(b":", 2)
        return parts[1].decode("ascii", "replace") if len(parts) == 3 else ""

    def _check(self) -> None:
        """The key is there and binds to places; raises ``Misconfigured`` where it is not."""
        answer = self._asked("GET", "keys", None)
        if answer.status == _NOT_FOUND:
            raise misfit(
                "the Transit engine has no such key", f"a key of the type {TYPE}", "none; nothing was made"
            )
        if not answer.is_ok:
            raise not_allowed(_HINT)
        data = _data(answer)
        if data.get("type") != TYPE or data.get("exportable") is not False or data.get("derived"):
            raise misfit(
                "the key in the Transit engine is of no use",
                f"{TYPE}, not exportable, not derived",
                "another kind",
            )

    def _asked(self, method: str, deed: str, body: Mapping[str, Any] | None) -> Answer:
        """Ask under a token: the file's, or one that the AppRole gives, which is asked for once more where it has ended."""
        target = f"/v1/{self._mount}/{deed}/{self._key}"
        token, role = self._credentials()
        if role is not None:
            token = self._token or self._logged_in(role)
        answer = self._calls.ask(method, target, headers=self._headers | {"X-Vault-Token": token}, body=body)
        if answer.status == _FORBIDDEN and role is not None:
            token = self._logged_in(role)
            answer = self._calls.ask(
                method, target, headers=self._headers | {"X-Vault-Token": token}, body=body
            )
        if answer.status == _FORBIDDEN:
            raise not_allowed(_HINT)
        return answer

    def _logged_in(self, role: _Role) -> str:
        sent = {"role_id": role.role_id, "secret_id": role.secret_id}
        answer = self._calls.ask("POST", "/v1/auth/approle/login", headers=self._headers, body=sent)
        token = (answer.body.get("auth") or {}).get("client_token", "")
        if not answer.is_ok or not isinstance(token, str) or not token:
            raise not_allowed("the AppRole of the file was refused: is its secret id still valid?")
        self._token = token
        return token

    def _credentials(self) -> tuple[str, _Role | None]:
        try:
            raw = self._auth.read_bytes().strip()
        except OSError:
            raw = b""
        if raw.startswith(b"{"):
            try:
                return "", msgspec.json.decode(raw, type=_Role)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raw = b""
        if not raw or not raw.isascii() or len(raw.split()) != 1:
            raise misfit(
                "the file with the credentials for Transit cannot be used",
                'a token on one line, or {"role_id": "...", "secret_id": "..."}', "no file, or another content",
            )  # fmt: skip
        return raw.decode(), None


def _data(answer: Answer) -> Mapping[str, Any]:
    """What an answer is about; empty where it has none."""
    found = answer.body.get("data")
    return found if isinstance(found, dict) else {}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
