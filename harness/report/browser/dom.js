// Elements from names, attributes and children; whatever comes from records stays text.
const SVG = "http://www.w3.org/2000/svg";

function put(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function make(tag, attributes, ...children) {
  return put(document.createElement(tag), attributes, children);
}

function draw(tag, attributes, ...children) {
  return put(document.createElementNS(SVG, tag), attributes, children);
}

// A share in thousandths, in percent; what is undefined, as a dash.
function percent(thousandths) {
  return thousandths === null || thousandths === undefined ? "–" : (thousandths / 10).toFixed(1);
}

function counted(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// A table in a box of its own. A column: {head, words}; a cell: text, node or {show, value}.
function tabulate(label, columns, rows) {
  const kind = (column) => (column.words ? "words" : null);
  const cell = (value, n) => {
    const { show, value: by, wrap } = value && value.show !== undefined ? value : { show: value };
    const tag = n === 0 ? "th" : "td";
    const kinds = [kind(columns[n]), wrap ? "wrap" : null].filter(Boolean).join(" ") || null;
    return make(tag, { scope: n === 0 ? "row" : null, class: kinds, "data-value": by }, show);
  };
  const head = columns.map((column) => make("th", { scope: "col", class: kind(column) }, column.head));
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, head)),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell)))),
  );
  makeSortable(table);
  return make("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, table);
}
