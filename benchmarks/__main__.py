"""`make bench`: every benchmark, one after another; `python -m benchmarks growth` for one of them."""

import sys

from benchmarks import formats, growth, platform_loop, training

BENCHMARKS = {
    "formats": formats.main,
    "growth": growth.main,
    "platform_loop": platform_loop.main,
    "training": training.main,
}

chosen = sys.argv[1:] or [*BENCHMARKS]
unknown = [name for name in chosen if name not in BENCHMARKS]
if unknown:
    sys.exit(f"no benchmark {unknown[0]!r}; benchmarks are: {', '.join(BENCHMARKS)}")
for name in chosen:
    BENCHMARKS[name]()
