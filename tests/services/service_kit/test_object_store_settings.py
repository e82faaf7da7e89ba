"""The settings of a store: read from the environment, refused by name, written down in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.errors import InvalidArgument
from service_kit.object_store_local import LocalObjectStore
from service_kit.object_store_settings import ObjectStoreSettings, open_object_store

MINIO = {
    "store": "minio",
    "store_endpoint": "http://store:9000",
    "store_access_key": "key",
    "store_secret_key": "s3cret",
}
DOCS = Path(__file__).parents[3] / "docs" / "stores.md"


class ServiceSettings(ObjectStoreSettings, BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DARKROOM_SERVICE_", frozen=True)


def test_a_service_inherits_them_as_variables_with_its_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    for name, value in {
        "STORE": "minio",
        "STORE_ENDPOINT": "https://store.example:9000/",
        "STORE_PUBLIC_ENDPOINT": "https://photos.example",
        "STORE_ACCESS_KEY": "key",
        "STORE_SECRET_KEY_FILE": str(secret),
        "STORE_TIMEOUT_S": "7.5",
        "STORE_CREATE": "false",
    }.items():
        monkeypatch.setenv(f"DARKROOM_SERVICE_{name}", value)
    read = ServiceSettings()
    assert read.store_endpoint == "https://store.example:9000"
    assert read.secret_key().get_secret_value() == "from a file"
    assert (read.store_timeout_s, read.store_create, read.store_bucket) == (7.5, False, "darkroom")


def test_the_default_is_a_folder_in_the_services_home(tmp_path: Path) -> None:
    store = open_object_store(ServiceSettings(), tmp_path)
    assert isinstance(store, LocalObjectStore)
    store.put("a", b"1")
    assert (tmp_path / "objects" / "a").read_bytes() == b"1"


def test_without_a_home_the_folder_must_be_named() -> None:
    with pytest.raises(InvalidArgument, match="store_dir"):
        open_object_store(ObjectStoreSettings())


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"store": "s3"}, "store", "'local' or 'minio'"),
        ({"store_endpoint": None}, "store_endpoint", "is needed for the store `minio`"),
        ({"store_endpoint": "store:9000"}, "store_endpoint", "http://HOST:PORT"),
        ({"store_endpoint": "http://store:9000/path"}, "store_endpoint", "without a path"),
        ({"store_endpoint": "http://:9000"}, "store_endpoint", "http://HOST:PORT"),
        ({"store_endpoint": "http://store:port"}, "store_endpoint", "http://HOST:PORT"),
        ({"store_endpoint": "http://key:secret@store"}, "store_endpoint", "http://HOST:PORT"),
        ({"store_public_endpoint": "photos"}, "store_public_endpoint", "http://HOST:PORT"),
        ({"store_access_key": None}, "store_access_key", "is needed for the store `minio`"),
        ({"store_secret_key": None}, "store_secret_key_file", "store_secret_key or store_secret_key_file"),
        ({"store_secret_key_file": "/secret"}, "store_secret_key_file", "one of the two"),
        ({"store_bucket": "Dark_Room"}, "store_bucket", "pattern"),
        ({"store_timeout_s": 0}, "store_timeout_s", "greater than 0"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(change: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ObjectStoreSettings.model_validate(MINIO | change)
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]
    assert message in str(caught.value)


def test_the_secret_is_never_printed() -> None:
    assert "s3cret" not in repr(ObjectStoreSettings.model_validate(MINIO))


def test_every_setting_is_in_the_docs() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, field in ObjectStoreSettings.model_fields.items():
        assert f"`{name.upper()}`" in text, f"{DOCS.name} does not say what {name.upper()} is"
        assert field.description
