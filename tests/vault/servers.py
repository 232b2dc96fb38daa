"""Who keeps roots: a real OpenBao, a real KMS of moto, and stand-ins for Google's and Azure's by their documented APIs."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BAO = shutil.which("bao", path=str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", ""))
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
POLICY = """
path "transit/keys/shop" { capabilities = ["read"] }
path "transit/encrypt/shop" { capabilities = ["update"] }
path "transit/decrypt/shop" { capabilities = ["update"] }
path "transit/keys/slip" { capabilities = ["read"] }
path "transit/encrypt/slip" { capabilities = ["create", "update"] }
"""


class Bao:
    """A running OpenBao, asked as its operator would."""

    def __init__(self, url, process):
        self.url, self.process = url, process

    def ask(self, method, path, body=None, *, namespace=""):
        """The JSON that it answers."""
        asked = urllib.request.Request(  # noqa: S310 -- loopback
            f"{self.url}/v1/{path}", None if body is None else json.dumps(body).encode(), method=method,
            headers={"X-Vault-Token": "root"} | ({"X-Vault-Namespace": namespace} if namespace else {}),
        )  # fmt: skip
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 -- loopback
            return json.loads(answer.read() or b"{}")

    def stop(self):
        """End it, and its memory with it."""
        self.process.terminate()
        self.process.wait()


@contextmanager
def bao(folder):
    """An OpenBao in memory, with Transit, a policy for a shop, and an AppRole."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "bao.log").open("wb") as log:
        process = subprocess.Popen(
            [BAO, "server", "-dev", "-dev-root-token-id=root", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token"],
            stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(folder)},
        )  # fmt: skip
    running = Bao(f"http://127.0.0.1:{port}", process)
    try:
        for _try in range(300):
            try:
                running.ask("GET", "sys/mounts")
                break
            except OSError:
                time.sleep(0.05)
        running.ask("POST", "sys/mounts/transit", {"type": "transit"})
        running.ask("POST", "transit/keys/shop", {"type": "aes256-gcm96"})
        running.ask("POST", "sys/policies/acl/shop", {"policy": POLICY})
        running.ask("POST", "sys/auth/approle", {"type": "approle"})
        running.ask("POST", "auth/approle/role/shop", {"token_policies": ["shop"], "token_num_uses": 4})
        yield running
    finally:
        running.stop()


class Cloud:
    """A stand-in of Google Cloud KMS and of Azure Key Vault on one port, with their keys in memory."""

    def __init__(self):
        self.seal = AESGCM(AESGCM.generate_key(256))
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.account = rsa.generate_private_key(65537, 2048)
        self.allowed = True
        self.status = 0

    def answer(self, path, body, headers):
        """Status and JSON."""
        if self.status:
            return self.status, {}
        if path == "/token":  # OAuth 2.0 for service accounts: the assertion is signed by the account's key
            claims = base64.urlsafe_b64decode(body.split("assertion=")[1].split("&")[0].split(".")[1] + "==")
            signed, _, signature = body.split("assertion=")[1].split("&")[0].rpartition(".")
            raw = base64.urlsafe_b64decode(signature + "==")
            self.account.public_key().verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            assert "cloudkms" in json.loads(claims)["scope"]
            return 200, {"access_token": "good", "expires_in": 3600, "token_type": "Bearer"}
        if path.startswith("/msi"):  # the managed identity of an app service
            if headers["X-IDENTITY-HEADER"] != "proof":
                return 401, {}
            ends = str(int(time.time()) + 3600)  # noqa: TID251 -- it is compared with the clock of the library
            return 200, {
                "access_token": "good",
                "expires_on": ends,
                "resource": "https://vault.azure.net",
                "token_type": "Bearer",
            }
        if headers["authorization"] != "Bearer good" or not self.allowed:
            return 403, {"error": {"code": 403}}
        asked = json.loads(body)
        return self.azure(path, asked) if path.startswith("/keys/") else self.google(path, asked)

    def google(self, path, asked):
        """https://cloud.google.com/kms/docs/reference/rest, cryptoKeys.encrypt and .decrypt."""
        bound = base64.b64decode(asked["additionalAuthenticatedData"])
        name = path[len("/v1/") :].partition(":")[0]
        if path.endswith(":encrypt"):
            made = os.urandom(12)
            made += self.seal.encrypt(made, base64.b64decode(asked["plaintext"]), bound)
            return 200, {"name": f"{name}/cryptoKeyVersions/1", "ciphertext": base64.b64encode(made).decode()}
        raw = base64.b64decode(asked["ciphertext"])
        try:
            return 200, {"plaintext": base64.b64encode(self.seal.decrypt(raw[:12], raw[12:], bound)).decode()}
        except (InvalidTag, ValueError):
            return 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}}

    def azure(self, path, asked):
        """https://learn.microsoft.com/rest/api/keyvault/keys, wrapkey and unwrapkey."""
        assert asked["alg"] == "RSA-OAEP-256"
        assert "api-version=" in path
        raw = base64.urlsafe_b64decode(asked["value"] + "==")
        try:
            if "/wrapkey" in path:
                made = self.rsa.public_key().encrypt(raw, OAEP)
            else:
                assert "/0a1b2c/" in path
                made = self.rsa.decrypt(raw, OAEP)
        except ValueError:
            return 400, {"error": {"code": "BadParameter"}}
        value = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
        return 200, {"kid": "https://shop.vault.azure.net/keys/root/0a1b2c", "value": value}

    def account_file(self, url):
        """A service account's file, as Google makes it."""
        key = self.account.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps({
            "type": "service_account", "client_email": "shop@p.iam.gserviceaccount.com", "private_key": key.decode(),
            "private_key_id": "1", "token_uri": f"{url}/token", "project_id": "p",
        })  # fmt: skip


@contextmanager
def cloud():
    """The stand-in and its URL."""
    keeper = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self.said(*keeper.answer(self.path, body, self.headers))

        def do_GET(self):
            self.said(*keeper.answer(self.path, "", self.headers))

        def said(self, status, answer):
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_parts):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield keeper, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
