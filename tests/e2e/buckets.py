"""Looks into a bucket as any S3 client would: with boto3, and nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3


def s3(variables: Mapping[str, str]) -> Any:
    """Return a boto3 client for the store that the variables name."""
    return boto3.client(
        "s3",
        endpoint_url=variables["STORE_ENDPOINT"],
        aws_access_key_id=variables["STORE_ACCESS_KEY"],
        aws_secret_access_key=variables["STORE_SECRET_KEY"],
        region_name="us-east-1",
    )


def archive_objects(variables: Mapping[str, str], key: str) -> list[str]:
    """Return the names of the archives below a key."""
    found = s3(variables).list_objects_v2(Bucket=variables["STORE_BUCKET"], Prefix=f"{key}/").get("Contents", [])
    return [each["Key"] for each in found if each["Key"].endswith(".zip")]


def object_bytes(variables: Mapping[str, str], name: str, byte_range: str | None = None) -> bytes:
    """Return an object's bytes; ``byte_range`` as in HTTP, such as ``bytes=0-9``."""
    wanted = {"Range": byte_range} if byte_range else {}
    return s3(variables).get_object(Bucket=variables["STORE_BUCKET"], Key=name, **wanted)["Body"].read()


def download_bucket(variables: Mapping[str, str], folder: Path) -> None:
    """Copy every object into a folder, as `mc mirror` does."""
    for name in object_names(variables):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(object_bytes(variables, name))


def upload_bucket(variables: Mapping[str, str], folder: Path) -> None:
    """Copy every file of a folder into the bucket, as `mc mirror` does."""
    for path in folder.rglob("*"):
        if path.is_file():
            s3(variables).upload_file(str(path), variables["STORE_BUCKET"], str(path.relative_to(folder)))


def empty_bucket(variables: Mapping[str, str]) -> None:
    """Remove every object."""
    for name in object_names(variables):
        s3(variables).delete_object(Bucket=variables["STORE_BUCKET"], Key=name)


def object_names(variables: Mapping[str, str]) -> list[str]:
    """Return the names of all objects."""
    pages = s3(variables).get_paginator("list_objects_v2").paginate(Bucket=variables["STORE_BUCKET"])
    return [each["Key"] for page in pages for each in page.get("Contents", [])]
