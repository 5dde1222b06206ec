"""Is this webhook really from GoHighLevel (or from who holds the source's secret)? Checked over the body as it came.

HighLevel signs with Ed25519 (`X-GHL-Signature`); the RSA scheme before it (`X-WH-Signature`) is still sent by older
apps. Workflows of one's own sign with HMAC-SHA256 and the source's webhook secret (`X-Webhook-Signature: sha256=<hex>`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from domain import errors

# HighLevel's public keys, from its webhook integration guide.
_ED25519 = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----"""
_RSA = b"""-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSC
Frm602qYV0MaAiNnX9O8KxMbiyRKWeL9JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6
dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB
csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpv
uxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4peKaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF
3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU
J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXp
IocmaiFeAO6fUtNjDeFVkhf5LNb59vECyrHD2SQIrhgXpO4Q3dVNA5rw576PwTzN
h/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC
HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJ
PQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXCsu9aTEGEnKzmsFqwcSsnw3JB31IGKAyk
T1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ==
-----END PUBLIC KEY-----"""

CURRENT = "x-ghl-signature"
FORMER = "x-wh-signature"
OWN = "x-webhook-signature"
HEADERS = (CURRENT, FORMER, OWN)
_OWN_PREFIX = "sha256="


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The public keys that signatures are checked with."""

    ed25519: bytes = _ED25519
    rsa: bytes = _RSA


def keys_of(pem: str | None) -> Keys:
    """HighLevel's, one of them replaced by `pem`. Raises: InputError when that is no such key."""
    if pem is None:
        return Keys()
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Keys(ed25519=pem.encode())
    if isinstance(key, rsa.RSAPublicKey):
        return Keys(rsa=pem.encode())
    raise errors.InputError(
        "This is no public key.", where="config.gohighlevel.public_key", hint="PEM, of Ed25519 or RSA."
    )


def check(body: bytes, headers: Mapping[str, str], *, secret: str, keys: Keys) -> None:
    """Raises: AccessError unless one of the three signatures is there and right. The first that is there decides."""
    if CURRENT in headers:
        right = _ed25519_fits(body, headers[CURRENT], keys)
    elif FORMER in headers:
        right = _rsa_fits(body, headers[FORMER], keys)
    elif OWN in headers:
        right = _hmac_fits(body, headers[OWN], secret)
    else:
        raise _refused("This webhook is not signed.")
    if not right:
        raise _refused("The signature does not fit the body.")


def own(body: bytes, secret: str) -> str:
    """What `X-Webhook-Signature` says."""
    return _OWN_PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _hmac_fits(body: bytes, said: str, secret: str) -> bool:
    return hmac.compare_digest(said.strip().lower().encode(), own(body, secret).encode())


def _ed25519_fits(body: bytes, said: str, keys: Keys) -> bool:
    key = serialization.load_pem_public_key(keys.ed25519)
    assert isinstance(key, ed25519.Ed25519PublicKey)
    try:
        key.verify(_bytes(said), body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _rsa_fits(body: bytes, said: str, keys: Keys) -> bool:
    key = serialization.load_pem_public_key(keys.rsa)
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(_bytes(said), body, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(said: str) -> bytes:
    """Raises: ValueError."""
    try:
        return base64.b64decode(said.strip(), validate=True)
    except binascii.Error as fault:
        raise ValueError(str(fault)) from fault


def _refused(message: str) -> errors.AccessError:
    return errors.AccessError(
        message,
        where=f"{CURRENT}, {FORMER} or {OWN}",
        hint="Sign the body as it is sent: Ed25519 by HighLevel itself, or HMAC-SHA256 with the source's webhook secret.",
    )
