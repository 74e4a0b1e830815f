"""The line of progress says how far a stage is, all in all."""

from job.logs import Progress


def test_progress_of_a_stage_in_rounds_does_not_start_again():
    """The search fits all candidates in one fold after the other."""
    progress = Progress({"search": 2})
    progress.begin_stage("search")
    found = [progress.describe(n, 2) for _fold in range(2) for n in (1, 2)]

    assert ["search 1/4", "search 2/4", "search 3/4", "search 4/4"] == found


def test_progress_of_the_next_stage_starts_at_one():
    """Each has its own count."""
    progress = Progress({"search": 2})
    progress.begin_stage("search")
    progress.describe(2, 2)
    progress.begin_stage("train")

    assert "train 1/3" == progress.describe(1, 3)
