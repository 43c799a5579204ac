"""The training distribution of the target as inline SVG: stretched to its box, so its labels are HTML beside it."""

from html import escape

from monitoring.baseline import NumberDistribution

HEIGHT = 100.0
_GAP = 0.06
"""Share of a bar's width left free, so that neighbours can be told apart."""


def histogram(distribution: NumberDistribution, label: str) -> str:
    """An SVG of 100 by 100 units with a bar a bin; its bars are as high as their bin's count."""
    edges, counts = distribution.histogram.edges, distribution.histogram.counts
    scale = HEIGHT / max(*counts, 1)
    bars: list[str] = []
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        x, width = position(distribution, left), position(distribution, right) - position(distribution, left)
        height = count * scale
        bars.append(
            f'<rect x="{x + width * _GAP / 2:.3f}" y="{HEIGHT - height:.3f}" '
            f'width="{width * (1 - _GAP):.3f}" height="{height:.3f}"/>'
        )
    return (
        f'<svg class="histogram" viewBox="0 0 100 {HEIGHT:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{"".join(bars)}</svg>'
    )


def position(distribution: NumberDistribution, value: float) -> float:
    """Where `value` lies on the horizontal axis, 0 to 100, as a value outside the training data does at its end."""
    first, last = distribution.histogram.edges[0], distribution.histogram.edges[-1]
    return 100 * min(max((value - first) / (last - first), 0), 1)
