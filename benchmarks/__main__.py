"""`make bench`: every benchmark, one after another."""

from benchmarks import platform_loop, training

platform_loop.main()
training.main()
