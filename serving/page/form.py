"""The form's fields, made from the specification, with the training data's ranges beside them."""

from html import escape

import numpy as np

from models.schema import Column, spelt
from monitoring.baseline import AnyDistribution, CategoryDistribution, NumberDistribution, Value

RADIO_CATEGORIES = 5
"""Up to as many categories are shown at once; more go into a list."""
NAMED_CATEGORIES = 6
"""Of so many categories the hint says how often they occur."""
UNCOUNTED = "What the training data hold is not shown: the field is personal."
HIDDEN = "The range of the training data is not shown: the field is personal."


def field(column: Column, distribution: AnyDistribution, example: Value) -> str:
    """The label, control and hint of one feature; `example` is the value it begins with."""
    if not column.is_numeric:
        return _choice(column, distribution, example)
    return _number(column, distribution, example)


def words(name: str) -> str:
    """A column's name as people write it: `model_year` is "Model year"."""
    return name.replace("_", " ").capitalize()


def measured(value: float) -> str:
    """A number of the training data in the fewest digits that are it in float32, as the model is given features."""
    if value.is_integer() or abs(value) > np.finfo(np.float32).max or float(np.float32(value)) != value:
        return spelt(value)
    return spelt(float(str(np.float32(value))))


def _number(column: Column, distribution: AnyDistribution, example: Value) -> str:
    name = column.name
    attributes = {
        "id": f"field-{name}",
        "name": name,
        "type": "number",
        "inputmode": "numeric" if column.type == "integer" else "decimal",
        "step": "1" if column.type == "integer" else "any",
        "autocomplete": "off",
        "value": spelt(example) if isinstance(example, float) else "" if example is None else str(example),
        "aria-describedby": f"hint-{name} error-{name}",
    }
    trained: dict[str, str] = {}
    if isinstance(distribution, NumberDistribution):
        trained["data-trained-minimum"] = measured(distribution.minimum)
        trained["data-trained-maximum"] = measured(distribution.maximum)
    attributes |= trained
    attributes |= {} if column.minimum is None else {"min": spelt(column.minimum)}
    attributes |= {} if column.maximum is None else {"max": spelt(column.maximum)}
    listed = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
    unit = f'<span class="unit" aria-hidden="true">{escape(column.unit)}</span>' if column.unit else ""
    hint = "Trained on {} to {}.".format(*trained.values()) if trained else HIDDEN
    hint += " Leave empty if unknown." if column.nullable else ""
    spoken = f' <span class="spoken">in {escape(column.unit)}</span>' if column.unit else ""
    return (
        f'<div class="field"><label for="field-{name}">{escape(words(name))}{spoken}</label>'
        f'<div class="control"><input {listed}{"" if column.nullable else " required"}>{unit}</div>'
        f"{_notes(column, hint)}</div>"
    )


def _choice(column: Column, distribution: AnyDistribution, example: Value) -> str:
    hint = UNCOUNTED
    if isinstance(distribution, CategoryDistribution):
        hint = f"Training rows: {_frequent(distribution)}."
    notes = _notes(column, hint)
    label, name = escape(words(column.name)), column.name
    if len(column.categories) > RADIO_CATEGORIES:
        options = "".join(_option(category, _named(category), category == example) for category in column.categories)
        unknown = _option("", "Unknown", example is None, " data-unknown") if column.nullable else ""
        return (
            f'<div class="field"><label for="field-{name}">{label}</label><div class="control">'
            f'<select id="field-{name}" name="{name}" aria-describedby="hint-{name} error-{name}">{unknown}{options}'
            f"</select></div>{notes}</div>"
        )
    radios = "".join(_radio(name, category, _named(category), example == category) for category in column.categories)
    if column.nullable:
        radios += _radio(name, "", "Unknown", example is None, " data-unknown")
    return (
        f'<fieldset class="field" aria-describedby="hint-{name} error-{name}"><legend>{label}</legend>'
        f'<div class="choices">{radios}</div>{notes}</fieldset>'
    )


def _option(value: str, label: str, chosen: bool, mark: str = "") -> str:  # noqa: FBT001 - HTML's own flag
    return f'<option value="{escape(value)}"{mark}{" selected" if chosen else ""}>{label}</option>'


def _radio(name: str, value: str, label: str, chosen: bool, mark: str = "") -> str:  # noqa: FBT001 - HTML's own flag
    return (
        f'<label><input type="radio" name="{name}" value="{escape(value)}"{mark}{" checked" if chosen else ""}>'
        f"<span>{label}</span></label>"
    )


def _named(category: str) -> str:
    """A category as HTML; one that is an empty text must still be seen."""
    return escape(category) or "(empty)"


def _frequent(distribution: CategoryDistribution) -> str:
    """The categories with their rows, of many only the most frequent."""
    counts = sorted(distribution.counts.items(), key=lambda entry: -entry[1])
    shown = ", ".join(f"{category or '(empty)'} {count}" for category, count in counts[:NAMED_CATEGORIES])
    return shown + (f" and {more} more" if (more := len(counts) - NAMED_CATEGORIES) > 0 else "")


def _notes(column: Column, hint: str) -> str:
    description = f"{column.description[0].upper()}{column.description[1:]}. " if column.description else ""
    return (
        f'<p class="hint" id="hint-{column.name}">{escape(description + hint)}</p>'
        f'<p class="error" id="error-{column.name}" data-error="{column.name}" hidden></p>'
    )
