// Of the tables of the overview, what is named with some words, and nothing that is left empty.

// A cell is named by its row and its column; rows and columns without such a cell are hidden.
function filterTable(table, isNamed) {
  const [head] = table.tHead.rows;
  const columns = [...head.cells].map(({ dataset }) => dataset.name).map((name, column) => ({ name, column }));
  const named = columns.filter(({ name }) => name !== undefined);
  const found = new Set();
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const own = row.cells[0].textContent;
    const here = named.filter(({ name }) => isNamed(`${own} ${name}`));
    here.forEach(({ column }) => found.add(column));
    row.hidden = !here.length && !isNamed(own);
    shown += !row.hidden;
  }
  for (const { column } of named) {
    for (const row of [head, ...table.tBodies[0].rows]) row.cells[column].hidden = !found.has(column);
  }
  table.closest(".block").hidden = !shown;
  return shown;
}

// A section without a table goes, and the way to it.
function filterSection(section) {
  section.hidden = ![...section.querySelectorAll("table.filtered")].some((table) => !table.closest(".block").hidden);
  document.querySelector(`.contents a[href="#${section.id}"]`).parentElement.hidden = section.hidden;
}

function startFilter() {
  const box = document.getElementById("filter");
  const told = document.getElementById("filtered");
  const tables = [...document.querySelectorAll("table.filtered")];
  const sections = new Set(tables.map((table) => table.closest("section")));
  const all = tables.reduce((sum, table) => sum + table.tBodies[0].rows.length, 0);
  box.closest(".controls").hidden = false;
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isNamed = (name) => words.every((word) => name.toLowerCase().includes(word));
    const shown = tables.reduce((sum, table) => sum + filterTable(table, isNamed), 0);
    sections.forEach(filterSection);
    if (!words.length) told.textContent = "";
    else told.textContent = shown ? `${shown} of ${all} rows` : "Nothing is named so.";
  });
}
