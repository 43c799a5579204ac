import asyncio
import threading

from serving.process.aside import Aside


def test_work_is_done_in_one_thread_and_its_result_comes_back_to_the_loop() -> None:
    async def run() -> list[tuple[object, bool]]:
        loop = asyncio.get_running_loop()
        aside = Aside(loop)
        here = threading.get_ident()
        seen: list[tuple[object, bool]] = []
        ended = asyncio.Event()

        def done(result: object) -> None:
            seen.append((result, threading.get_ident() == here))
            if len(seen) == 3:
                ended.set()

        for number in range(3):
            aside(lambda number=number: (number, threading.get_ident() != here), done)
        await asyncio.wait_for(ended.wait(), 60)
        return seen

    assert asyncio.run(run()) == [((number, True), True) for number in range(3)]
