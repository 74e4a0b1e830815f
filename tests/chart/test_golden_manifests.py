"""The complete objects that each environment installs, in files for reviewers.

`make chart-golden` renews them after a change that is meant.
"""

import pytest
import yaml
from support.chart import CASES, ENVIRONMENTS, ROOT, template

GOLDEN = ROOT / "tests" / "golden" / "chart"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_installs_what_was_reviewed(name):
    """A reviewer sees the difference of every changed object."""
    expected = list(yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text()))

    assert expected == list(yaml.safe_load_all(template(CASES[name]).stdout))


def test_every_environment_has_a_golden_manifest():
    """Adding or removing an environment adds or removes its manifest."""
    values = {path.name.removesuffix("-values.yaml") for path in CASES["dev"].parent.iterdir()}

    assert set(ENVIRONMENTS) == values == {path.stem for path in GOLDEN.iterdir()}
