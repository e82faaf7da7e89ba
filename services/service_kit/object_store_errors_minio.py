"""What the errors of an S3 server, and of the way to it, mean for an object store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from service_kit.object_store import (
    ObjectMissing,
    ObjectStoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)

_FULL = {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"}
_IN_THE_WAY = {"XMinioParentIsObject", "XMinioObjectExistsAsDirectory"}
_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidTokenId", "ExpiredToken", "XAdminUserNotFound"}
_REGION = {"AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidRegion"}


@contextlib.contextmanager
def s3_errors(store: str, name: str, right: str) -> Iterator[None]:
    """Turn errors of the client into the store's.

    `store` is the bucket's URL, `name` the object's name, and `right` what the call needs, for example `s3:PutObject`.
    """
    try:
        yield
    except (S3Error, ServerError, InvalidResponseError, HTTPError) as error:
        raise _meaning(error, store, name, right) from error


def _meaning(error: Exception, store: str, name: str, right: str) -> ObjectStoreError:
    metadata = {"store": store}
    if isinstance(error, S3Error):
        return _s3_meaning(error, store, name, right)
    if isinstance(error, HTTPError):
        cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        hint = "; does store_ca_file hold the certificate of who signed it?" if isinstance(cause, SSLError) else ""
        return StoreUnavailable(f"no answer from the store {store}: {cause}{hint}", metadata=metadata)
    # Perhaps a whole page of a proxy.
    said = " ".join(str(error).split())[:300]
    return StoreUnavailable(
        f"the store {store} does not answer as S3 does ({said}); is store_endpoint right?", metadata=metadata
    )


def _s3_meaning(error: S3Error, store: str, name: str, right: str) -> ObjectStoreError:
    code, metadata = error.code or "", {"store": store, "s3_code": error.code or ""}
    said = f"{code}: {error.message}"
    if code == "NoSuchKey":
        return ObjectMissing(name)
    if code in _FULL:
        return StoreFull(f"no space for {name!r} in the store {store}: {said}", metadata=metadata)
    if code == "NoSuchBucket":
        return StoreUnavailable(f"the store {store} has no such bucket", metadata=metadata)
    if code == "AccessDenied":
        return StoreRefused(f"the store {store} refuses {name!r}: the access key needs {right}", metadata=metadata)
    if code in _CREDENTIALS:
        return StoreRefused(
            f"the store {store} does not accept store_access_key and its secret ({said})", metadata=metadata
        )
    if code in _REGION:
        return StoreRefused(f"the store {store} is not in the region store_region ({said})", metadata=metadata)
    if code == "RequestTimeTooSkewed":
        # A clock that was set wrong is set right again; a build of a night need not end for it.
        return StoreUnavailable(f"this machine's clock and the store's ({store}) disagree: {said}", metadata=metadata)
    if code in _IN_THE_WAY:
        return StoreRefused(
            f"{name!r} in {store}: an object's name cannot also be a folder of others ({said})",
            metadata=metadata,
        )
    if error.response.status >= 500 or code in ("RequestTimeout", "SlowDown"):
        return StoreUnavailable(f"the store {store} cannot answer now: {said}", metadata=metadata)
    return StoreRefused(f"the store {store} refuses {name!r}: {said}", metadata=metadata)
