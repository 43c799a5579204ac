import numpy as np

from models.schema import Column
from monitoring.baseline import describe_categories, describe_numbers
from serving.page.form import NAMED_CATEGORIES, RADIO_CATEGORIES, field


def test_what_is_unknown_is_told_from_a_category_that_is_an_empty_text() -> None:
    column = Column(name="x", type="category", categories=("", "a"), nullable=True)
    html = field(column, describe_categories("x", np.array([0.0, 1.0]), column.categories), "")
    assert '<input type="radio" name="x" value="" checked><span>(empty)</span>' in html
    assert '<input type="radio" name="x" value="" data-unknown><span>Unknown</span>' in html


def test_many_categories_are_a_list_and_the_hint_names_a_few() -> None:
    column = Column(name="x", type="category", categories=tuple(f"c{i:02}" for i in range(40)), nullable=True)
    html = field(column, describe_categories("x", np.arange(40.0), column.categories), None)
    assert len(column.categories) > RADIO_CATEGORIES
    assert html.count("<option ") == 41
    assert '<option value="" data-unknown selected>Unknown</option>' in html
    assert f" and {40 - NAMED_CATEGORIES} more." in html


def test_a_number_begins_with_its_exact_value() -> None:
    column = Column(name="x", type="float", unit="m", minimum=0.5, nullable=True)
    html = field(column, describe_numbers("x", np.array([1.0, 7.25])), 7.123456789012)
    assert 'value="7.123456789012"' in html
    assert 'min="0.5"' in html
    assert " required" not in html
    assert "Trained on 1 to 7.25. Leave empty if unknown." in html


def test_limits_and_ranges_have_every_digit() -> None:
    column = Column(name="x", type="float", minimum=-0.123456789, maximum=1234567)
    html = field(column, describe_numbers("x", np.array([0.1, 1234567.0], dtype=np.float32)), 0.5)
    assert 'min="-0.123456789" max="1234567"' in html
    assert 'data-trained-minimum="0.1" data-trained-maximum="1234567"' in html
    assert "Trained on 0.1 to 1234567." in html


def test_names_and_descriptions_are_escaped() -> None:
    column = Column(name="x", type="category", categories=("<b>", "b"), description='a "quoted" <i>')
    html = field(column, describe_categories("x", np.array([0.0]), column.categories), "<b>")
    assert "<b>" not in html
    assert "<i>" not in html
    assert 'value="&lt;b&gt;" checked' in html
