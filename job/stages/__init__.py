"""The stages of a run, one folder for each phase.

A stage is a function: values in, a value out.  It receives at most one service, plus the compute
resources it needs (executor, matrix allocator, timer).
"""
