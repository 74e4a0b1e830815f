"""The line of progress says how far a stage is."""

from job.logs import Progress


def test_progress_of_a_stage_counts_its_rounds():
    """The search fits and scores all candidates in one fold after the other."""
    progress = Progress()
    progress.begin_stage("search")
    found = [progress.describe(n, 2) for _fold in range(2) for n in (1, 2)]

    assert [f"search {n}/2, round {k}" for k in (1, 2) for n in (1, 2)] == found


def test_progress_of_the_next_stage_starts_at_one():
    """Each has its own count."""
    progress = Progress()
    progress.begin_stage("search")
    progress.describe(2, 2)
    progress.begin_stage("train")

    assert "train 1/3, round 1" == progress.describe(1, 3)
