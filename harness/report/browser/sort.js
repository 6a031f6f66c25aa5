// Tables that are sorted by a click or a key on a head.

// Missing values come last whichever way; equal ones keep their order.
function sortRows(table, column, descending) {
  const body = table.tBodies[0];
  const key = (row) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    if (value === undefined) return cell.classList.contains("words") ? cell.textContent : null;
    return value === "" ? null : Number(value);
  };
  const rows = [...body.rows].map((row) => [key(row), row]);
  rows.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    const order = typeof one === "string" ? one.localeCompare(other, "en", { numeric: true }) : one - other;
    return descending ? -order : order;
  });
  body.append(...rows.map(([, row]) => row));
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = make("button", { type: "button" }, ...head.childNodes);
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = head.classList.contains("words") ? "ascending" : "descending";
      const second = first === "ascending" ? "descending" : "ascending";
      for (const each of heads) each.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", now === first ? second : first);
      sortRows(table, column, head.getAttribute("aria-sort") === "descending");
    });
  });
}

function startTables() {
  document.querySelectorAll("main table").forEach(makeSortable);
}
