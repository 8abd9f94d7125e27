"""Podium beside `mlflow server`: the same data, the same requests, one after the other on the same machine.

`python -m benchmarks --help` says how to run it. It is no part of Podium.
"""
