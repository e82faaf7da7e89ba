"""A version that is said is read, whatever underscores it has."""

from __future__ import annotations

import pytest

from darkroom_client.archive_name import with_version
from darkroom_client.errors import InvalidArgument

MD5 = "99914b932bd37a50b983c5e7c90ae93b"


@pytest.mark.parametrize(
    ("version", "written"),
    [("masks", "street_new_masks"), ("new_masks", "street_new%5Fmasks")],
)
def test_the_version_is_marked_off(version, written):
    assert with_version(f"street_new_masks_{MD5}.zip", version) == f"{written}_{MD5}.zip"


@pytest.mark.parametrize("version", ["1.0", "ew_masks", "street_new_masks", "masks_"])
def test_a_version_that_the_name_does_not_have_is_refused(version):
    with pytest.raises(InvalidArgument, match="before its md5"):
        with_version(f"street_new_masks_{MD5}.zip", version)
