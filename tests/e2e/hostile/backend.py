"""The build backend of a hostile dependency: makes a wheel, and tries everything meanwhile."""

import base64
import hashlib
import os
import zipfile

from attacks import attack

NAME = "hostile_dependency-1.0"


def get_requires_for_build_wheel(config_settings=None):
    attack()
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    found = attack()
    files = {
        "hostile_backend_result.py": f"FOUND = {found!r}\n",
        f"{NAME}.dist-info/METADATA": "Metadata-Version: 2.1\nName: hostile-dependency\nVersion: 1.0\n",
        f"{NAME}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text.encode())}")
    files[f"{NAME}.dist-info/RECORD"] = "\n".join([*lines, f"{NAME}.dist-info/RECORD,,", ""])
    wheel = f"{NAME}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel
