"""Certificates: what a server shows, and one of its own making where the operator brings none."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from service_kit.errors import FailedPrecondition

# The name that clients check when they have pinned the certificate itself, whatever the host is called.
SERVER_NAME = "darkroom"
_LIFE = timedelta(days=3650)
# Clocks of two machines differ, by a day where somebody set the wrong date.
_EARLY = timedelta(days=2)


def make_certificate(folder: Path, hosts: tuple[str, ...] = ()) -> tuple[Path, Path]:
    """Return the paths of certificate and key in the folder, made now if they are not there yet.

    The certificate is self-signed: clients pin it, or take its file as their only root.
    """
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    if certificate_path.exists() and key_path.exists():
        return certificate_path, key_path
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName(_alternatives(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # Several certificates of this subject may stand in one file of roots: the key tells them apart.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(
        key_path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        0o600,
    )
    _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate_path, key_path


def fingerprint(certificate_pem: bytes) -> str:
    """Return sha256 over the certificate's DER, 64 hex digits: what an invite carries and a login compares."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def server_credentials(certificate: Path, key: Path, client_ca: Path | None) -> grpc.ServerCredentials:
    """Return what a server listens with; with ``client_ca`` only callers with a certificate of it get through.

    Raises `FailedPrecondition` for files that cannot be read or do not belong together.
    """
    chain, private = _read(certificate), _read(key)
    roots = _read(client_ca) if client_ca else None
    _check(certificate, chain, key, private)
    return grpc.ssl_server_credentials(
        [(private, chain)], root_certificates=roots, require_client_auth=client_ca is not None
    )


def channel_credentials(
    roots: Path | None, certificate: Path | None = None, key: Path | None = None
) -> grpc.ChannelCredentials:
    """Return what a service calls another with: the roots that it believes, and its own certificate if it has one."""
    return grpc.ssl_channel_credentials(
        root_certificates=_read(roots) if roots else None,
        private_key=_read(key) if key else None,
        certificate_chain=_read(certificate) if certificate else None,
    )


def _check(certificate: Path, chain: bytes, key: Path, private: bytes) -> None:
    try:
        shown = x509.load_pem_x509_certificates(chain)[0]
        held = serialization.load_pem_private_key(private, password=None)
    except (ValueError, TypeError, IndexError) as error:
        raise FailedPrecondition(
            f"{certificate} and {key} must be a PEM certificate and its PEM key: {error}"
        ) from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if shown.public_key().public_bytes(*form) != held.public_key().public_bytes(*form):
        raise FailedPrecondition(f"{key} is not the key of {certificate}")
    if shown.not_valid_after_utc < datetime.now(UTC):
        raise FailedPrecondition(f"{certificate} expired on {shown.not_valid_after_utc:%Y-%m-%d}; renew it")


def _alternatives(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys((SERVER_NAME, "localhost", socket.gethostname(), "127.0.0.1", "::1", *hosts)):
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names.append(x509.DNSName(host))
        else:
            if not address.is_unspecified:
                names.append(x509.IPAddress(address))
    return names


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FailedPrecondition(f"{path} cannot be read: {error.strerror}") from None


def _write(path: Path, data: bytes, mode: int) -> None:
    partial = path.with_suffix(".partial")
    with suppress(FileNotFoundError):
        partial.unlink()
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    partial.replace(path)
