// Tables that are sorted by a click or a key on a head, and filtered by a word.

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
  const box = document.getElementById("filter");
  const told = document.getElementById("filtered");
  const rows = [...document.querySelectorAll("table.filtered tbody tr")];
  box.closest(".controls").hidden = false;
  box.addEventListener("input", () => {
    const words = box.value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const text = row.cells[0].textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    told.textContent = box.value.trim() ? `${shown} of ${rows.length} rows` : "";
  });
}
