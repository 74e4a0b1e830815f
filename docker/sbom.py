"""List what the image holds, as CycloneDX 1.6: `sbom.py ENVIRONMENT`, run inside its stage."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import quote


def read_python(environment: str) -> dict[str, Any]:
    """Describe the packages of a virtual environment."""
    command = ("cyclonedx-py", "environment", "--sv", "1.6", "--output-reproducible", environment)
    done = subprocess.run(command, capture_output=True, check=True)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def read_debian() -> list[dict[str, str]]:
    """Describe the packages of the base image."""
    form = "${binary:Package}\t${Version}\t${Architecture}\n"
    command = ("dpkg-query", "--show", f"--showformat={form}")
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found = []
    for line in sorted(done.stdout.splitlines()):
        name, version, architecture = line.split("\t")
        name = name.partition(":")[0]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
        found.append(
            {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        )
    return found


if __name__ == "__main__":
    bom = read_python(sys.argv[1])
    bom["components"] += read_debian()
    print(json.dumps(bom, indent=1, sort_keys=True))
