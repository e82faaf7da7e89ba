"""Which package index the operator has chosen, in uv's settings or pip's, and the source distributions that it has."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from handler_runner.environment_failed import failed
from handler_runner.environment_python import Interpreter
from service_kit.errors import Unavailable

_PYPI = "https://pypi.org/simple"
_JSON = "application/vnd.pypi.simple.v1+json"
_LIST_BYTES, _SDIST_BYTES = 64 << 20, 1 << 30
_HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(connect=10.0, read=60.0), retries=urllib3.Retry(3))


@dataclass(frozen=True)
class SourceDistribution:
    """A source distribution that the index has."""

    name: str
    version: Version
    file_name: str
    sha256: str
    url: str


def index_urls() -> tuple[str, ...]:
    """Return the addresses of the package indexes, the first choice first."""
    extra = " ".join(os.environ.get(name, "") for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL")).split()
    named = [word.partition("=")[2] if "=" in word.partition("://")[0] else word for word in extra]
    return (*named, _default_index() or _PYPI)


def index_variables() -> dict[str, str]:
    """Return the variable that tells uv of an index that only pip's settings name."""
    if _uv_index():
        return {}
    index = _pip_index()
    return {"UV_DEFAULT_INDEX": index} if index else {}


def find_sdist(requirement: Requirement, python: Interpreter, sha256: str = "") -> SourceDistribution:
    """Return the newest source distribution that fits, or the one with that digest.

    Raises `WorkFailed` (ENVIRONMENT) when there is none, `Unavailable`.
    """
    name = canonicalize_name(requirement.name)
    found = [each for index in index_urls() for each in _sdists(index, name, python)]
    if sha256:
        fitting = [each for each in found if each.sha256 == sha256]
    else:
        versions = list(requirement.specifier.filter(each.version for each in found))
        fitting = [each for each in found if each.version in versions]
    if not fitting:
        raise failed(
            f"the package index has no source distribution of {requirement}"
            + (f" with sha256 {sha256[:12]}" if sha256 else f" for Python {python.minor}")
            + "; a version that it has would do under [tool.darkroom] build."
        )
    return max(fitting, key=lambda each: each.version)


def fetch_sdist(sdist: SourceDistribution, path: Path) -> None:
    """Download it to ``path``. Raises `WorkFailed` (ENVIRONMENT) if its bytes are not those of its digest."""
    digest = hashlib.sha256()
    try:
        with _get(sdist.url, "*/*") as response, path.open("wb") as file:
            for chunk in response.stream(1 << 20):
                digest.update(chunk)
                file.write(chunk)
                if file.tell() > _SDIST_BYTES:
                    raise failed(f"{sdist.file_name} has more than {_SDIST_BYTES} bytes.")
    except urllib3.exceptions.HTTPError as error:
        raise _away(sdist.url, error) from error
    if digest.hexdigest() != sdist.sha256:
        raise failed(f"{sdist.file_name} has sha256 {digest.hexdigest()}, and the index says {sdist.sha256}.")


def _sdists(index: str, name: str, python: Interpreter) -> Iterator[SourceDistribution]:
    page = f"{index.rstrip('/')}/{name}/"
    try:
        with _get(page, _JSON) as response:
            if response.status == 404:
                return
            listing = json.loads(response.read(_LIST_BYTES))
    except urllib3.exceptions.HTTPError as error:
        raise _away(page, error) from error
    except ValueError:
        raise failed(
            f"the package index at {urlsplit(page).hostname} gives no JSON (PEP 691), so source distributions cannot "
            "be found in it; a version with a wheel, or an index that does, would do."
        ) from None
    for file in listing.get("files", []):
        sdist = _sdist(file, page)
        if sdist is not None and sdist.name == name and _runs_on(file.get("requires-python"), python):
            yield sdist


def _sdist(file: dict[str, Any], page: str) -> SourceDistribution | None:
    try:
        name, version = parse_sdist_filename(file["filename"])
        if file.get("yanked") or file["filename"].endswith(".zip"):
            return None
        return SourceDistribution(name, version, file["filename"], file["hashes"]["sha256"], urljoin(page, file["url"]))
    except (KeyError, TypeError, InvalidSdistFilename):
        return None


def _runs_on(requires: str | None, python: Interpreter) -> bool:
    try:
        return SpecifierSet(requires or "").contains(python.version, prereleases=True)
    except InvalidSpecifier:
        return True


def _get(url: str, accept: str) -> urllib3.BaseHTTPResponse:
    parts = urlsplit(url)
    headers = {"Accept": accept}
    if parts.username:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers |= urllib3.make_headers(basic_auth=user)
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        response = _HTTP.request("GET", url, headers=headers, preload_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise _away(url, error) from error
    if response.status not in (200, 404):
        raise Unavailable(f"the package index at {parts.hostname} answers {response.status}")
    return response


def _away(url: str, error: Exception) -> Unavailable:
    return Unavailable(f"the package index at {urlsplit(url).hostname} does not answer: {type(error).__name__}")


def _default_index() -> str:
    return _uv_index() or _pip_index()


def _uv_index() -> str:
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if value := os.environ.get(variable):
            return value.partition("=")[2] if "=" in value.partition("://")[0] else value
    for path in (_config_home() / "uv/uv.toml", Path("/etc/uv/uv.toml")):
        try:
            settings = tomllib.loads(path.read_text())
        except (OSError, ValueError):
            continue
        listed = [index["url"] for index in settings.get("index", []) if index.get("default")]
        if found := [*listed, *filter(None, [settings.get("index-url")])]:
            return str(found[0])
    return ""


def _pip_index() -> str:
    if value := os.environ.get("PIP_INDEX_URL"):
        return value
    named = os.environ.get("PIP_CONFIG_FILE")
    paths = [Path(named)] if named else []
    paths += [_config_home() / "pip/pip.conf", Path.home() / ".pip/pip.conf", Path("/etc/pip.conf")]
    for path in paths:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path)
        except (OSError, configparser.Error):
            continue
        if value := parser.get("global", "index-url", fallback=""):
            return value.strip()
    return ""


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
