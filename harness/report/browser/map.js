// Where clips lie on the first two principal components of their embeddings.

const SHAPES = [
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
  "M-3.6 -3.6H3.6V3.6H-3.6Z",
  "M0 -4.8L4.6 3.6H-4.6Z",
  "M0 -5L5 0L0 5L-5 0Z",
];
const COLOURS = 6;

// A colour and a shape for each class: no two of twelve are alike in both, nor in grey.
function look(number, named) {
  if (number >= named) return { shape: SHAPES[0], colour: "var(--class-other)" };
  return {
    shape: SHAPES[(number + Math.floor(number / COLOURS)) % SHAPES.length],
    colour: `var(--class-${(number % COLOURS) + 1})`,
  };
}

function drawPoint(looks, place, filled, attributes, title) {
  const point = draw("path", { d: looks.shape, transform: place, class: "point", ...attributes }, title);
  point.style.stroke = looks.colour;
  point.style.fill = filled ? looks.colour : "var(--ground)";
  return point;
}

function drawMap(map, names) {
  const name = (number) => (number < map.named.length ? names[map.named[number]] : "another class");
  const points = map.class.map((number, n) => {
    const right = map.right[n] === "1";
    const title = draw("title", {}, `${name(number)}${right ? "" : ", predicted wrongly"}`);
    const place = `translate(${map.x[n] / 4} ${-map.y[n] / 4})`;
    return drawPoint(look(number, map.named.length), place, right, { "data-class": number }, title);
  });
  points.sort((one, other) => other.dataset.class - one.dataset.class); // other classes beneath
  return draw(
    "svg",
    { viewBox: "-260 -260 520 520", role: "img", "aria-label": "Map of the clips' embeddings, described below" },
    draw("rect", { x: -259, y: -259, width: 518, height: 518, rx: 6, class: "frame" }),
    draw("path", { d: "M-259 0H259M0 -259V259", class: "frame" }),
    points,
  );
}

// A press of a class lets the others fade.
function drawLegend(map, names, picture) {
  const numbers = [...map.named.keys()];
  if (map.class.includes(map.named.length)) numbers.push(map.named.length);
  const buttons = numbers.map((number) => {
    const sample = drawPoint(look(number, map.named.length), null, true, {});
    const icon = draw("svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true" }, sample);
    const words = number < map.named.length ? names[map.named[number]] : "other classes";
    const button = make("button", { type: "button", "aria-pressed": "false" }, icon, words);
    button.addEventListener("click", () => {
      const chosen = button.getAttribute("aria-pressed") !== "true";
      for (const each of buttons) each.setAttribute("aria-pressed", String(chosen && each === button));
      picture.classList.toggle("dimmed", chosen);
      for (const point of picture.querySelectorAll(".point")) {
        point.classList.toggle("chosen", Number(point.dataset.class) === number);
      }
    });
    return button;
  });
  return make("ul", { class: "legend" }, buttons.map((button) => make("li", {}, button)));
}

function showMap(record, names) {
  const map = record.map;
  const picture = drawMap(map, names);
  const drawn = map.x.length < map.clips ? `${map.x.length} of ${map.clips} clips` : `${map.clips} clips`;
  const filled = record.kind === "multilabel"
    ? "the likeliest label is one of the clip's; hollow: it is not. A clip is drawn as its most frequent label; named are the most frequent ones"
    : "predicted rightly; hollow: wrongly. Named are the classes most involved in mistakes";
  return [
    make("p", { class: "small faint" }, `The first two principal components of the embeddings of ${drawn}. Filled: ${filled}; press one to see it alone.`),
    make("div", { class: "picture" }, picture),
    drawLegend(map, names, picture),
  ];
}
