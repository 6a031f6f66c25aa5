// The page of a task: its models ranked, and what lies behind the score of the chosen one.

// Every model's score with its interval, on one scale.
function showRanking(task, records, chosen, choose) {
  const at = records.flatMap(({ value, interval, floor }) => [value, ...(interval ? interval.ends : []), floor && floor.at]);
  const known = at.filter((value) => value !== null && value !== undefined);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const place = (value) => `${(100 * (value - low)) / (high - low || 1)}%`;
  const part = (kind, left, right) => {
    const mark = make("i", { class: kind });
    mark.style.left = place(left);
    if (right !== undefined) mark.style.right = `calc(100% - ${place(right)})`;
    return mark;
  };
  const items = records.map((record) => {
    const { value, interval, floor } = record;
    const marks = [
      floor ? part("floor", floor.at) : null,
      interval && value !== null ? part("whisker", ...interval.ends) : null,
      value === null ? null : part("dot", value),
    ];
    const button = make(
      "button",
      { type: "button", "aria-pressed": String(record === chosen), onclick: () => choose(record) },
      make("span", {}, record.model),
      make("span", { class: "track", "aria-hidden": "true" }, marks),
      make("span", { class: "number" }, record.score, record.marks ? make("sup", {}, record.marks) : null),
    );
    return make("li", {}, button);
  });
  const direction = task.higher_is_better ? "" : " Lower is better.";
  const floors = records.some((record) => record.floor) ? " Dashed: what the majority class would score." : "";
  return [
    make("p", { class: "small faint" }, `With 95 % intervals.${floors}${direction} Press a model to see what lies behind its score.`),
    make("ol", { class: "ranking" }, items),
  ];
}

// Each model less the best one, on the same clips.
function showDifferences(task, records) {
  const heads = [{ head: "model", words: true }, { head: "less the best, 95 % interval" }, { head: "verdict, p (Holm)", words: true }];
  const rows = records.filter((record) => record.behind).map(({ model, behind }) => {
    const [difference, low, high] = behind.text.map(signed);
    const p = behind.p < 0.001 ? "p < 0.001" : `p ${behind.p.toFixed(3)}`;
    return [
      model,
      { show: [difference, make("small", {}, `${low} to ${high}`)], value: behind.difference },
      { show: [behind.verdict, make("small", {}, p)], value: behind.p },
    ];
  });
  return [
    make("p", { class: "small faint" }, `Every model less ${records[0].model}, on the same test clips; p of paired tests, adjusted after Holm over ${counted(rows.length, "model", "models")} of this task and protocol. ${records[0].model} was picked as the best by the same scores that it is tested against, which favours it a little. Only sampling of clips is tested; another seed may move scores too.`),
    tabulate("Differences from the best", heads, rows),
  ];
}

function signed(text) {
  return text.startsWith("-") ? `−${text.slice(1)}` : `+${text}`;
}

function showScore(task, record) {
  const unit = task.rate && record.value !== null ? " %" : "";
  const folds = record.folds.length > 1 ? record.folds.map((score) => make("span", { class: "unit" }, score)) : null;
  const nothing = record.floor ? record.floor.text : null;
  const byK = Object.entries(record.by_k).map(([k, score]) => make("span", { class: "unit" }, `k ${k}: ${score}`));
  return [
    make(
      "p",
      { class: "headline" },
      make("b", {}, `${record.score}${unit}`),
      make("span", {}, `${record.model}, ${task.metric}`),
      record.marked.map((mark) => make("span", { class: "mark" }, mark)),
    ),
    pairs([
      ["95 % interval", record.interval && record.interval.text.join(" to ")],
      ["majority class", nothing],
      ["by fold", folds],
      ["standard deviation", record.std],
      ["with other k", byK.length ? byK : null],
      ...Object.entries(record.further),
      ["test clips", record.right === undefined ? String(record.clips) : `${record.clips}, of which ${record.right} right`],
    ]),
  ];
}

function card(title, kind, ...content) {
  return make("section", { class: `card ${kind}` }, make("h3", {}, title), content);
}

function recordCards(task, record) {
  const names = task.shared[record.names];
  return make(
    "div",
    { class: "cards" },
    card("Score", "", showScore(task, record)),
    card("Time and memory", "", showResources(record)),
    record.confusion?.matrix ? card("Confusion", names.length > 20 ? "wide" : "", showMatrix(record, names)) : null,
    record.map ? card("Map of the embeddings", "", showMap(record, names)) : null,
    record.confusion ? card("Commonest mistakes", "", showMistakes(record, names)) : null,
    card("Classes", record.map || record.confusion ? "" : "wide", showClasses(record, names)),
    card("Hardest clips", "wide", showHardest(record, names)),
    record.magnets ? card("Clips that mislead", "wide", showMagnets(record, names)) : null,
    card("Provenance", "wide", make("div", { class: "provenance" }, showProvenance(record, task))),
  );
}

function chooser(label, id, options, chosen, change) {
  const select = make("select", { id }, options.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
  select.addEventListener("change", () => change(select.value));
  return make("label", { for: id }, label, select);
}

// `go` is told the protocol and the model that the reader chooses.
function showTask(task, protocol, model, go) {
  const { records, version } = task.protocols[protocol];
  const record = records.find((each) => each.model === model) || records[0];
  const protocols = Object.keys(task.protocols).map((name) => [name, name]);
  const models = records.map((each) => [each.model, [`${each.model}: ${each.score}`, ...each.marked].join(", ")]);
  const facts = [task.domain, `${task.metric}${task.higher_is_better ? "" : ", lower is better"}`, counted(task.shared[record.names].length, "class", "classes"), `version ${task.version}`];
  if (task.synthetic) facts.push("° synthetic data");
  return [
    make("p", { class: "back" }, make("a", { href: "#overview" }, "← Overview")),
    make("h1", { id: "task-title", tabindex: -1 }, task.name),
    make("ul", { class: "facts" }, [task.title, ...facts].map((fact) => make("li", {}, fact))),
    make(
      "div",
      { class: "controls" },
      chooser("Protocol", "choose-protocol", protocols, protocol, (name) => go(name, record.model)),
      chooser("Model", "choose-model", models, record.model, (name) => go(protocol, name)),
    ),
    make("h2", {}, `${protocol}, version ${version}`),
    make("div", { class: "cards" }, card("Models", "wide", showRanking(task, records, record, (each) => go(protocol, each.model))), records.some((each) => each.behind) ? card("Behind the best", "wide", showDifferences(task, records)) : null),
    make("section", {}, make("h2", { id: "model-title" }, record.model), recordCards(task, record)),
  ];
}
