// Which classes are taken for which: a picture where all of it is told, and the commonest mistakes.

// Rows are true classes; a cell's strength is its share of the row's clips.
function drawMatrix(matrix, order, names) {
  const size = order.length;
  const cell = size > 20 ? 14 : Math.max(24, Math.min(44, Math.floor(300 / size)));
  const longest = Math.min(24, Math.max(...names.map((name) => name.length)));
  const margin = 12 + longest * 6.4;
  const width = margin + size * cell + 2;
  const parts = [];
  order.forEach((row, y) => {
    const total = matrix[row].reduce((sum, count) => sum + count, 0);
    order.forEach((column, x) => {
      const count = matrix[row][column];
      if (!count) return;
      const share = count / total;
      const words = `${names[row]} taken for ${names[column]}: ${count} of ${total}`;
      const place = { x: margin + x * cell, y: margin + y * cell };
      const kind = row === column ? "cell diagonal" : "cell";
      const box = { ...place, width: cell - 1, height: cell - 1, rx: 2, "fill-opacity": strength(share) };
      parts.push(draw("rect", { ...box, class: kind }, draw("title", {}, words)));
      if (cell > 20) {
        const middle = { x: place.x + cell / 2 - 0.5, y: place.y + cell / 2 + 3.5, "text-anchor": "middle" };
        parts.push(draw("text", { ...middle, class: share > 0.5 ? "on-cell" : null, "pointer-events": "none" }, String(count)));
      }
    });
    const name = shorten(names[row], 24);
    const at = y * cell + cell / 2;
    parts.push(draw("text", { x: margin - 6, y: margin + at + 3.5, "text-anchor": "end" }, name));
    parts.push(draw("text", { transform: `translate(${margin + at + 3.5} ${margin - 6}) rotate(-90)` }, name));
  });
  const frame = { x: margin - 1, y: margin - 1, width: size * cell + 1, height: size * cell + 1, class: "frame" };
  const svg = draw(
    "svg",
    { viewBox: `0 0 ${width} ${width}`, role: "img", "aria-label": "Confusion matrix: rows are true classes, columns predicted ones" },
    draw("rect", frame),
    parts,
  );
  svg.style.minWidth = `${Math.min(width, 620)}px`;
  svg.style.maxWidth = `${width * 1.25}px`;
  return make("div", { class: "picture", role: "region", tabindex: 0, "aria-label": "Confusion matrix" }, svg);
}

// Between a half and five sixths of the colour neither black nor white letters would be legible.
function strength(share) {
  return share > 0.5 ? 0.7 + 0.3 * share : 0.1 + 0.8 * share;
}

function shorten(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function showMatrix(record, names) {
  const { matrix, order } = record.confusion;
  const about = "Rows are true classes, columns predicted ones; classes that are taken for each other stand side by side. A cell's strength is its share of the row, with a step at one half.";
  return [make("p", { class: "small faint" }, about), drawMatrix(matrix, order, names)];
}

function showMistakes(record, names) {
  const { top } = record.confusion;
  if (!top.true.length) return make("p", {}, "No clip was taken for another class.");
  const heads = [{ head: "true class", words: true }, { head: "taken for", words: true }, { head: "clips" }, { head: "of its clips, %" }];
  const rows = top.true.map((label, n) => [
    names[label],
    names[top.predicted[n]],
    { show: top.count[n], value: top.count[n] },
    { show: percent(top.share[n]), value: top.share[n] },
  ]);
  return [
    tabulate("Commonest mistakes", heads, rows),
    top.left_out ? make("p", { class: "small faint" }, `And ${counted(top.left_out, "clip", "clips")} more.`) : null,
  ];
}
