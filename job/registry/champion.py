"""Read the published versions that a candidate is compared with: the champion and the anchor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from job.contracts.identity import is_version
from job.contracts.lineage_key import LineageKey
from job.contracts.ports import ArtifactStore
from job.contracts.reports.metadata import Metadata
from job.contracts.version_files import METADATA_FILE
from job.errors import ConfigurationError
from job.registry.anchors import read_anchor
from job.registry.channels import read_channel
from job.registry.lineage_files import read_lineage_file
from job.registry.lineage_keys import LineageKeys
from job.registry.publish import is_complete
from job.registry.read_version import parse_metadata, read_verified


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    """A published version that a candidate is compared with.

    Attributes
    ----------
    files
        The verified files of the version, by name.
    pointer
        Content of the object that names the version as champion or anchor, when it was read; empty
        if `gate.anchor` names the version.
    is_advisory
        Whether the gate only warns, instead of rejecting, if the version cannot be compared.
    lineage, key
        Bytes of the lineage file, None if it was removed; and the secret key of the digests in this
        file, None if the key is missing.
    """

    version: str
    files: dict[str, bytes]
    pointer: bytes = b""
    role: Literal["champion", "anchor"] = "champion"
    is_advisory: bool = False
    lineage: bytes | None = None
    key: LineageKey | None = None

    @classmethod
    def read(cls, store: ArtifactStore, version: str, keys: LineageKeys) -> PublishedVersion:
        """Read the files of a version and its lineage.

        Raises
        ------
        IntegrityError
            A file is damaged.
        """
        files = read_verified(store, version)
        published = parse_metadata(version, files[METADATA_FILE]).lineage
        lineage, key = None, None
        if published is not None:
            lineage = read_lineage_file(store, version, published.digest)
            key = keys.find(published.key_id)
        return cls(version=version, files=files, lineage=lineage, key=key)

    @property
    def metadata(self) -> Metadata:
        """Content of the version's metadata.json; raises `IntegrityError` if it is unreadable."""
        return parse_metadata(self.version, self.files[METADATA_FILE])


def load_champion(
    store: ArtifactStore, channel: str | None, keys: LineageKeys
) -> PublishedVersion | None:
    """Return the version that a channel points to; None if nothing has been promoted yet.

    Raises
    ------
    IntegrityError
        The pointer or a file of the version is damaged.
    """
    version, pointer = (None, None) if channel is None else read_channel(store, channel)
    if version is None or pointer is None:
        return None
    return replace(PublishedVersion.read(store, version, keys), pointer=pointer)


def load_anchor(
    store: ArtifactStore, name: str | None, keys: LineageKeys
) -> PublishedVersion | None:
    """Return the version that `gate.anchor` names; None if `name` is None.

    Parameters
    ----------
    name
        Value of `gate.anchor`: the name of a version, or of a channel that points to the version.

    Raises
    ------
    ConfigurationError
        The version does not exist.
    IntegrityError
        A file of the version is damaged.
    """
    if name is None:
        return None
    anchor = PublishedVersion.read(store, find_anchor(store, name), keys)
    return replace(anchor, role="anchor")


def load_channel_anchor(
    store: ArtifactStore, channel: str, keys: LineageKeys
) -> PublishedVersion | None:
    """Return the version that is the anchor of a channel; None if the channel has no anchor.

    The returned version has no files if the anchor's version has been removed from the store.

    Raises
    ------
    IntegrityError
        The pointer or a file of the version is damaged.
    """
    version, pointer = read_anchor(store, channel)
    if version is None or pointer is None:
        return None
    anchor = PublishedVersion(version=version, files={})
    if is_complete(store, version):
        anchor = PublishedVersion.read(store, version, keys)
    return replace(anchor, pointer=pointer, role="anchor", is_advisory=True)


def list_compared(store: ArtifactStore, channel: str | None, anchor: str | None) -> list[str]:
    """Return the versions that a candidate is compared with: champion and anchor, if they exist.

    Parameters
    ----------
    channel, anchor
        Values of `publish.channel` and `gate.anchor`.
    """
    pointed = [] if channel is None else [read_channel(store, channel)[0]]
    if anchor is not None:
        pointed.append(find_anchor(store, anchor))
    elif channel is not None:
        pointed.append(read_anchor(store, channel)[0])
    return [version for version in pointed if version and is_complete(store, version)]


def find_anchor(store: ArtifactStore, name: str) -> str:
    """Return the name of the version that `gate.anchor` names; raise if it does not exist."""
    version = name if is_version(name) else read_channel(store, name)[0]
    if version is None or not is_complete(store, version):
        raise ConfigurationError(
            f"gate.anchor '{name}' is not a version or channel of '{store.uri}'",
            hint="`pcc-job models list` shows the versions and channels",
        )
    return version
