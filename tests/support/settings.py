"""Settings that many tests give."""

# a small hold-out shows little: no floor is asked for, and a champion may be missed by half
OPEN = (
    "gate={floors: {accuracy: null, precision_macro: null, recall_macro: null, f1_macro: null}, "
    "margin: 0.5}"
)

# liblinear alone has this loss, and goes on for minutes in native code
ENDLESS = (
    "search.estimators={linear_svc: "
    "{C: [1e6], loss: [hinge], tol: [1e-15], max_iter: [1000000000]}}"
)
