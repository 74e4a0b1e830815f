"""Remove from an environment what a run never opens; `python trim.py SITE_PACKAGES`."""

import shutil
import sys
from pathlib import Path

# What a package carries for its own developers, or for those who compile against it.
FOLDERS = ("tests", "test", "include")
SUFFIXES = {".a", ".c", ".cpp", ".cxx", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx"}
# Parts that no import of the job reaches: Arrow's own clients of clouds and its network protocol,
# twins of one library or of one module, cryptography for databases that Great Expectations could
# read, grammars of programming languages, and pictures.
UNUSED = (
    "boto3/examples",
    "cffi*",
    "cryptography*",
    "pycparser*",
    "pyarrow/_azurefs*.so",
    "pyarrow/_flight*.so",
    "pyarrow/_gcsfs*.so",
    "pyarrow/_hdfs*.so",
    "pyarrow/_pyarrow_cpp_tests*.so",
    "pyarrow/_s3fs*.so",
    "pyarrow/_substrait*.so",
    "pyarrow/libarrow_flight.so*",
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*.*",
    "pyarrow/libarrow_python_flight.so*",
    "pyarrow/libarrow_s3.so*",
    "pyarrow/src",
    "pygments/lexers/[!_]*.py",
    "scipy/datasets",
    "scipy/io",
    "scipy/odr",
    "scipy/signal",
    "sklearn/datasets/data",
    "sklearn/datasets/descr",
    "sklearn/datasets/images",
)
# Descriptions of the AWS services that are called: the store, and those that give credentials.
SERVICES = {"s3", "sts", "sso", "sso-oidc", "signin"}
# NOTE: numpy.testing, which scikit-learn imports, takes one module from among numpy's tests
KEPT = ("numpy/_core/tests/_natype.py",)


def trim(site: Path) -> None:
    """Remove folders, kinds of files, and AWS services that are not called."""
    kept = {path: (site / path).read_bytes() for path in KEPT if (site / path).exists()}
    for name in FOLDERS:
        for folder in sorted(site.glob(f"*/**/{name}")):
            if folder.is_dir():
                shutil.rmtree(folder)
    for path in sorted(site.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file():
            path.unlink()
    for pattern in UNUSED:
        for path in sorted(site.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for folder in sorted((site / "botocore/data").iterdir()):
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    for path, content in kept.items():
        target = site / path
        target.parent.mkdir(parents=True)
        target.write_bytes(content)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
