"""What the job does, one folder for each phase of a run.

A stage is a function: values in, a value out. It gets at most one service; compute resources
(executor, matrix allocator, timer) are passed besides.
"""
