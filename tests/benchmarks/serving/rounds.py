"""A round of a server as these tests begin with it."""

from benchmarks.serving.figures import Round

ROUND = Round(
    start_s=1.0,
    one_row=1000,
    p50=400,
    p99=700,
    rows_256=100,
    alone=200,
    resident=90e6,
    cpu_one=12,
    cpu_256=150,
    sent={"one_row": 1000, "rows_256": 100, "alone": 50},
    failed={"one_row": 0, "rows_256": 0, "alone": 0},
)
