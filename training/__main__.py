"""Entry point of the training image: `python -m training train` or `evaluate`.

The stop signal is watched before anything heavy is imported, and evaluation never imports torch. Exit status: 0 done,
1 failed (the reason is in output/failure), 143 stopped by SIGTERM (128 + 15; SageMaker, which asked for it, reports
Stopped whatever the status, and a stop nobody asked for must not pass for a finished job).
"""

import sys
import traceback

from training.container import Container
from training.errors import JobError, Stopped

EXIT_DONE, EXIT_FAILED, EXIT_STOPPED = 0, 1, 143
_USAGE = "usage: python -m training train|evaluate"


def main(arguments: list[str]) -> int:
    """Run one job in the current container and return its exit status."""
    container = Container.current()
    container.watch_for_stop()
    try:
        _run(container, arguments)
    except Stopped as stopped:
        print(stopped, flush=True)
        return EXIT_STOPPED
    except JobError as error:
        container.fail(str(error))
        print(f"error: {error}", file=sys.stderr, flush=True)
        return EXIT_FAILED
    except Exception as error:  # whatever it is, SageMaker must be told the reason
        traceback.print_exc()
        container.fail(f"{type(error).__name__}: {error}")
        return EXIT_FAILED
    return EXIT_DONE


def _run(container: Container, arguments: list[str]) -> None:
    match arguments:
        case ["train"]:
            from training.train import train  # noqa: PLC0415 (torch takes seconds to import)

            train(container)
        case ["evaluate"]:
            from training.evaluate import evaluate  # noqa: PLC0415 (training does not need its plots)

            evaluate(container)
        case _:
            raise JobError(f"{_USAGE}; found {' '.join(arguments) or 'nothing'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
