import re

from monitoring.grafana.panels import ROWS
from monitoring.grafana.serving import FILE, dashboard, text


def test_what_is_committed_is_what_the_code_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run python -m monitoring.grafana.serving"


def test_panels_lie_beside_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_every_panel_asks_something_and_every_identifier_is_there_once() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == sum(len(row) + 1 for row in ROWS.values())
    for panel in panels:
        assert panel["type"] == "row" or panel["targets"], panel["title"]


def test_graphs_are_of_what_the_variables_choose() -> None:
    names = {variable["name"] for variable in dashboard()["templating"]["list"]}
    for row in ROWS.values():
        for panel in row:
            for query in panel.queries.values():
                assert set(re.findall(r"\$(\w+)", query)) <= names | {"__rate_interval"}
