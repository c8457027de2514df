"""Prints whose libraries the released binary holds, and the licences that they want to be told of.

    libraries.py TARGET
"""

import collections
import json
import pathlib
import subprocess
import sys

HEAD = """\
libvirt_nova is one static binary.
It holds the libraries below, each under the licence named beside it, Rust's standard library (MIT or Apache-2.0),
and the GNU C library (LGPL-2.1 or later), whose source is at https://sourceware.org/git/glibc.git.
"""
NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE")


def packages(target):
    """Returns every package that the binary is made of and that is not ours, in order."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    by_id = {package["id"]: package for package in metadata["packages"]}
    dependencies = {
        node["id"]: [
            dependency["pkg"]
            for dependency in node["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
        for node in metadata["resolve"]["nodes"]
    }
    waiting = [package["id"] for package in metadata["packages"] if package["name"] == "libvirt-nova"]
    found = set()
    while waiting:
        package = waiting.pop()
        # A procedural macro runs in the compiler; nothing of it is in the binary.
        macro = any("proc-macro" in made["kind"] for made in by_id[package]["targets"])
        if package not in found and not macro:
            found.add(package)
            waiting.extend(dependencies[package])
    others = (by_id[package] for package in found if by_id[package]["source"])
    return sorted(others, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Returns the texts beside a package's manifest that are licences or notices, in order."""
    directory = pathlib.Path(package["manifest_path"]).parent
    paths = sorted(path for path in directory.iterdir() if path.is_file() and path.name.upper().startswith(NAMES))
    return [path.read_text(encoding="utf-8").strip() for path in paths]


def main():
    (target,) = sys.argv[1:]
    print(HEAD)
    sharers = collections.defaultdict(list)
    for package in packages(target):
        name = f"{package['name']} {package['version']}"
        print(f"  {name}: {package['license']}")
        for text in texts(package):
            sharers[text].append(name)
    for text, names in sharers.items():
        print(f"\n{'=' * 80}\n{', '.join(names)}:\n\n{text}")


main()
