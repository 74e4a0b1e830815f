"""The largest objects that the job reads from a store, in bytes.

A reader states the bound of what it reads, so that a foreign object cannot fill memory or disk.
The bounds are far above what the job writes.
"""

from typing import Final

from job.errors import IntegrityError

# the key itself has 65 bytes, but an operator may restore several keys with comments
MAX_LINEAGE_KEY_BYTES: Final = 2**16
# pointers, entries of a history and claims
MAX_RECORD_BYTES: Final = 2**16
MAX_MANIFEST_BYTES: Final = 2**22
# metadata.json, evaluation.json and profiles
MAX_JSON_BYTES: Final = 2**25
# about 70 bytes for each group; a run does not store more
MAX_GROUP_ERRORS_BYTES: Final = 2**27
# 26 bytes for each row, text and word
MAX_LINEAGE_BYTES: Final = 2**30
# the files that one manifest lists
MAX_VERSION_FILES: Final = 1000
MAX_VERSION_BYTES: Final = 2**34
# file systems do not accept longer names
MAX_NAME_BYTES: Final = 255
# parts of a key that is listed in a folder; paths of so many names are short enough to be opened
MAX_KEY_PARTS: Final = 8


def object_too_large(key: str, max_bytes: int) -> IntegrityError:
    """Return the error for an object that has more bytes than its reader accepts."""
    return IntegrityError(
        f"'{key}' has more than {max_bytes} bytes, the most that the job reads of it",
        hint="find out what wrote it; restore it from a backup, or delete it",
    )
