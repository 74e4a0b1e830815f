"""Settings that many tests share."""

# a small hold-out has little power: no floors, and a margin of 0.5 to the champion
OPEN = (
    "gate={floors: {accuracy: null, precision_macro: null, recall_macro: null, f1_macro: null}, "
    "margin: 0.5, beat_majority: false}"
)

# only liblinear has this loss; it runs for minutes in native code
ENDLESS = (
    "search.estimators={linear_svc: "
    "{C: [1e6], loss: [hinge], tol: [1e-15], max_iter: [1000000000]}}"
)
