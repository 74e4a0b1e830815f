"""The table of the model files' codecs."""

import pytest

from job.adapters.codecs import CODECS, make_codecs
from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.version_files import FURTHER_FILES, MODEL_FILE


def test_model_file_has_its_codec():
    """A version always contains the model as a joblib file."""
    codecs = make_codecs()

    assert [MODEL_FILE] == list(codecs)
    assert isinstance(codecs[MODEL_FILE], JoblibCodec)


@pytest.mark.parametrize("name", [*sorted(FURTHER_FILES), "figures/roc_curves.svg"])
def test_name_of_another_file_is_refused(monkeypatch, name):
    """A codec must not overwrite another file of the version."""
    monkeypatch.setitem(CODECS, name, JoblibCodec)

    with pytest.raises(ValueError, match=name):
        make_codecs()
