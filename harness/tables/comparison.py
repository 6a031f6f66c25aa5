"""Published rows beside measured ones: each model that we have stands below its published row."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.tables import cells
from harness.tables.cells import Record
from harness.tables.published import Published, Row

# The measured cells of one model, given its records by task and the published row, if any.
Measured = Callable[[Mapping[str, Record], Row | None], list[str]]


def rows(published: Published, records: Sequence[Record], measured: Measured) -> list[list[str]]:
    """The rows of the table; the first cells of each are its model's, as `heads` names them."""
    found = cells.by_model(records)
    table = []
    for row in published.rows:
        scores = (printed(row, column) for column in published.columns)
        table.append(_row(published, row.title, "published", row.parameters, scores))
        if row.model:
            table.append(_measured(row.model, row, published, found, measured))
    known = {row.model for row in published.rows}
    others = [model for model in found if model not in known]
    return table + [_measured(model, None, published, found, measured) for model in others]


def heads(published: Published, columns: Iterable[str]) -> list[str]:
    """The heads of the table, of which `columns` are those of the scores."""
    return _row(published, "model", "scores", "parameters (M)", columns)


def majority(published: Published, floors: Iterable[str]) -> list[str]:
    """The row of what the majority class would score."""
    return _row(published, "*majority class*", "measured", "", floors)


def printed(row: Row, column: str) -> str:
    """A published score as it was published."""
    return f"{row.scores[column] or '–'}{'‡' if column in row.collapsed else ''}"


def baseline(row: Row | None, column: str) -> str:
    """The published score that a measured one is compared with; "" if there is none."""
    return "" if row is None or column in row.collapsed else row.scores[column]


def _measured(
    model: str,
    row: Row | None,
    published: Published,
    found: Mapping[str, Mapping[str, Record]],
    measured: Measured,
) -> list[str]:
    records = found.get(model, {})
    sizes = [f"{record['model']['parameters'] / 1e6:.0f}" for record in records.values()]
    return _row(published, model, "measured", sizes[0] if sizes else "", measured(records, row))


def _row(
    published: Published, model: str, kind: str, parameters: str, scores: Iterable[str]
) -> list[str]:
    """One row; with the parameters where the published table tells them."""
    sizes = [parameters] if any(row.parameters for row in published.rows) else []
    return [model, kind, *sizes, *scores]
