"""placeholder"""


def running_fleets() -> list[dict[str, object]]:
    return []
