"""Unpacks a container image from its OCI archive, and prints the command that a container engine would run in it.

    image.py ARCHIVE DIR INSIDE

INSIDE is the path that DIR has where the command is to be run.
"""

import hashlib
import io
import json
import pathlib
import shlex
import sys
import tarfile


class Archive:
    """What is in an OCI archive, by its digest; each blob is what it claims to be."""

    def __init__(self, path):
        self._tar = tarfile.open(path)

    def file(self, name):
        return self._tar.extractfile(name).read()

    def blob(self, descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        content = self.file(f"blobs/{algorithm}/{digest}")
        found = hashlib.new(algorithm, content).hexdigest()
        assert found == digest, f"a blob is {found}, and is called {digest}"
        assert len(content) == descriptor["size"], f"{digest} has {len(content)} bytes"
        return content


def main():
    path, directory, inside = sys.argv[1:]
    archive = Archive(path)
    (manifest,) = json.loads(archive.file("index.json"))["manifests"]
    manifest = json.loads(archive.blob(manifest))
    for layer in manifest["layers"]:
        tarfile.open(fileobj=io.BytesIO(archive.blob(layer))).extractall(directory)
    config = json.loads(archive.blob(manifest["config"]))["config"]
    assert set(config["ExposedPorts"]) == {"9177/tcp"}, config
    files = sorted(str(path.relative_to(directory)) for path in pathlib.Path(directory).rglob("*") if not path.is_dir())
    assert files == ["usr/bin/libvirt_nova"], files
    enter = ["chroot", f"--userspec={config['User']}", "--groups=", inside]
    print(shlex.join(["env", "-i", *config["Env"], *enter, *config["Entrypoint"]]))


main()
