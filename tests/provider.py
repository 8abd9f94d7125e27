"""A provider of single sign-on: OpenID Connect with codes, PKCE and signed ID tokens, over HTTP, in a thread."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "podium"
CLIENT_SECRET = "a secret between the two of them"


class Provider:
    """Signs in `person`, whose claims a test chooses, without asking. `wrong` replaces values of the ID token."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signing_key = self.key
        self.algorithm = "RS256"
        self.person: dict[str, Any] = {}
        self.wrong: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.refuses = ""
        self.is_down = False
        self.asked: list[dict[str, str]] = []
        self.url = ""
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, dict[str, Any]] = {}

    def forget(self) -> None:
        """As it was at first."""
        self.person, self.wrong, self.userinfo, self.refuses = {}, {}, {}, ""
        self.signing_key, self.algorithm = self.key, "RS256"
        self.is_down = False
        self.asked.clear()

    def environment(self) -> dict[str, str]:
        """The variables by which Podium finds it."""
        return {
            "PODIUM_OIDC_SERVER_URL": self.url,
            "PODIUM_OIDC_CLIENT_ID": CLIENT_ID,
            "PODIUM_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }

    # -- its endpoints -------------------------------------------------------------------------------------------------
    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        self.asked.append(asked)
        if self.refuses:
            return f"{asked['redirect_uri']}?{urlencode({'error': self.refuses, 'state': asked['state']})}"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str]) -> dict[str, Any] | None:
        """The tokens for a code, or None for whoever cannot prove that it is theirs."""
        asked = self._codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET)
            or sent.get("redirect_uri") != asked["redirect_uri"]
            or challenge.decode().rstrip("=") != asked["code_challenge"]
        ):
            return None
        now = int(time.time())
        claims = {
            **{"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": asked["nonce"]},
            **{"sub": self.person["sub"]},
            **self.wrong,
        }
        access = secrets.token_urlsafe(16)
        self._tokens[access] = self.person | self.userinfo
        key = self.signing_key if self.algorithm == "RS256" else "x" * 32
        signed = jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "one"})
        return {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": signed}

    def claims(self, authorization: str) -> dict[str, Any] | None:
        return self._tokens.get(authorization.removeprefix("Bearer "))


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider that answers until the end."""
    provider = Provider()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if provider.is_down:
                self.send_error(503)
            elif address.path == "/authorize":
                self.send_response(302)
                asked = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()
            elif address.path == "/userinfo":
                self._answer(provider.claims(self.headers.get("Authorization", "")))
            elif address.path == "/keys":
                self._answer(provider.keys())
            elif address.path == "/.well-known/openid-configuration":
                self._answer(provider.discovery())
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(provider.token({name: values[0] for name, values in sent.items()}))

        def _answer(self, body: dict[str, Any] | None) -> None:
            self.send_response(200 if body is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body if body is not None else {"error": "invalid_grant"}).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield provider
        server.shutdown()
        thread.join()
