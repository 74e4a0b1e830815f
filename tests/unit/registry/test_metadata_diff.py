"""Differences between two models are reported by dotted keys."""

from support.metadata import make_metadata

from job.registry.metadata_diff import compare_metadata


def differences(before, after):
    changed = compare_metadata(make_metadata(**before), make_metadata(**after))
    return {key: change.to_json() for key, change in changed.items()}


def test_only_differences_are_reported():
    before = {"metrics": {"f1_macro": 0.9}, "classifier": "dummy", "settings": {"a": {"b": 1}}}
    after = {"metrics": {"f1_macro": 0.925}, "classifier": "dummy", "settings": {"a": {"b": 2}}}

    assert {
        "metrics.f1_macro": {"before": 0.9, "after": 0.925, "difference": 0.025},
        "settings.a.b": {"before": 1, "after": 2},
    } == differences(before, after)


def test_score_of_one_model_alone_has_no_difference():
    assert {"metrics.roc_auc_ovr": {"before": None, "after": 0.5}} == differences(
        {"metrics": {"f1": 1}}, {"metrics": {"f1": 1, "roc_auc_ovr": 0.5}}
    )


def test_facts_of_each_run_are_ignored():
    """Version, run id and time are ignored."""
    assert {} == differences({"run_id": "a"}, {"run_id": "b"})
