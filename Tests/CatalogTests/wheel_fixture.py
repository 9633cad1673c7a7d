"""Writes a wheel that pip accepts.

    python3 wheel_fixture.py FOLDER PACKAGE VERSION MEMBER=FILE...
"""
import sys
import zipfile

folder, package, version, *members = sys.argv[1:]
stem = f"{package.replace('-', '_')}-{version}"
info = f"{stem}.dist-info"
with zipfile.ZipFile(f"{folder}/{stem}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
    for member in members:
        name, file = member.split("=", 1)
        wheel.write(file, name)
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: narrator\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", "")
