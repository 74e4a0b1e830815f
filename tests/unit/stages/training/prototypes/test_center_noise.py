"""Published centers are noisy, so that two versions do not give back the row in which they differ."""

import numpy as np
from sklearn.preprocessing import normalize

from job.stages.training.prototypes import Prototypes, RowGroups
from job.stages.training.prototypes.center_noise import add_noise
from job.stages.training.prototypes.centers import place_centers
from job.stages.training.prototypes.items import find_items

WIDTH = 384


def draw(n=120, seed=0):
    """Draw unit rows of two classes; each row is a group."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    X = rng.standard_normal((n, WIDTH)) + 2 * rng.standard_normal((2, WIDTH))[label]
    return np.ascontiguousarray(normalize(X), np.float32), label


def cosine(one, other):
    return abs(one @ other) / np.linalg.norm(one) / np.linalg.norm(other)


def exact_centers(X, label):
    items = find_items(X, label, np.arange(len(X)))
    return place_centers(X[items.rows], items, 1, min_groups=5, random_state=0)[0]


def published_centers(X, label):
    model = Prototypes(n_centers=1, random_state=0)
    model.fit(X, np.array(["a", "b"])[label], RowGroups(group=np.arange(len(X)), min_groups=5))
    return model.pipeline_["inputs"].transformer_list[0][1]["cosines"].kw_args["b"].T


def test_two_versions_do_not_give_back_the_row_in_which_tables_differ():
    """Without noise, the difference of a class's centers is the row."""
    X, label = draw()
    exact, noisy = [], []
    for n in range(20):
        kept = np.arange(len(X)) != n
        target = X[n] - X[label == label[n]].mean(axis=0)
        for found, centers_of in ((exact, exact_centers), (noisy, published_centers)):
            difference = centers_of(X, label) - centers_of(X[kept], label[kept])
            found.append(cosine(difference[label[n]], target))

    assert min(exact) > 0.95
    assert np.mean(noisy) < 0.08


def test_noisy_centers_are_rounded_directions():
    X, label = draw()
    noisy = add_noise(exact_centers(X, label), np.arange(2), X, label)

    np.testing.assert_array_equal(noisy, np.round(noisy, 3))
    np.testing.assert_allclose(np.linalg.norm(noisy, axis=1), 1, atol=0.01)


def test_noise_depends_on_every_row_and_class():
    """Equal rows have equal noise; with one row or class changed, the noise is another one."""
    X, label = draw()
    changed = label.copy()
    changed[-1] = 1 - changed[-1]
    centers = np.zeros((20, WIDTH))
    classes = np.arange(20) // 10
    one = add_noise(centers, classes, X, label)
    others = [
        add_noise(centers, classes, X[:-1], label[:-1]),
        add_noise(centers, classes, X, changed),
    ]

    np.testing.assert_array_equal(one, add_noise(centers, classes, X.copy(), label))
    assert all(abs((one * other).sum(axis=1)).max() < 0.3 for other in others)


def test_noise_does_not_average_out_over_the_centers_of_a_class():
    """The sum of a class's centers is close to a sum over its rows."""
    X, label = draw()
    sums = add_noise(np.zeros((160, WIDTH)), np.arange(160) // 80, X, label).reshape(2, 80, -1)
    lengths = np.linalg.norm(sums.sum(axis=1), axis=1)

    assert min(lengths) > 1.5 * np.sqrt(80)
