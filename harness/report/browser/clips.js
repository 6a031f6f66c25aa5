// Scores of each class, and the clips that went most wrong.

const CLASS_HEADS = {
  recall: "recall, %",
  precision: "precision, %",
  f1: "F1, %",
  f: "F, %",
  average_precision: "average precision, %",
  base_rate: "base rate, %",
  support: "clips",
  found: "found",
};

function showClasses(record, names) {
  const { by, total, metric, quartiles, class: numbers, ...columns } = record.classes;
  const wanted = Object.keys(CLASS_HEADS).filter((key) => key in columns);
  const events = record.kind === "events";
  const heads = [
    { head: "class", words: true },
    ...wanted.map((key) => ({ head: key === "support" && events ? "happened" : CLASS_HEADS[key] })),
  ];
  const rows = numbers.map((number, n) => [
    names[number],
    ...wanted.map((key) => {
      const value = columns[key][n];
      const whole = key === "support" || key === "found";
      return { show: whole ? String(value) : percent(value), value: value ?? "" };
    }),
  ]);
  const worst = numbers.length < total ? `The ${numbers.length} worst of ${total} classes by ${CLASS_HEADS[by].split(",")[0]}. ` : "";
  const matched = metric ? ` Events are matched as ${metric} does.` : "";
  const spread = quartiles && total > 2 ? ` ${CLASS_HEADS[by].split(",")[0]} of all: ${quartiles.map(percent).join(" · ")} % (least, quartiles, most).` : "";
  return [
    make("p", { class: "small faint" }, `${worst}Folds are pooled: every test clip counts once.${matched}${spread}`),
    rows.length ? tabulate("Scores of each class", heads, rows) : null,
  ];
}

// Training clips that stand among the nearest of many clips of other classes.
function showMagnets(record, names) {
  const heads = [{ head: "clip", words: true }, { head: "its classes", words: true }, { head: "near clips of other classes" }, { head: "near clips in all" }];
  const rows = record.magnets.map(([id, labels, wrong, all]) => [
    id,
    classList(labels, names),
    { show: String(wrong), value: wrong },
    { show: String(all), value: all },
  ]);
  return [
    make("p", { class: "small faint" }, "Clips that stand among the nearest neighbours of most test clips that have none of their classes."),
    tabulate("Clips that mislead", heads, rows),
  ];
}

function classList(labels, names) {
  return labels.map((label) => names[label]).join(", ") || "no label";
}

function neighbourList(clip, names, own) {
  if (!clip.neighbours) return "–";
  const items = clip.neighbours.flatMap(([id, labels], n) => {
    const same = labels.some((label) => own.includes(label));
    const text = make("span", { class: same ? "right" : "wrong" }, `${same ? "✓" : "✗"} ${classList(labels, names)}`);
    return [n ? make("br") : null, text, make("span", { class: "faint" }, ` ${id}`)];
  });
  return make("span", { class: "small" }, items);
}

function eventRow(clip, names) {
  const most = clip.classes.map(([label, missed, found]) => `${names[label]} (${missed} missed, ${found} false)`);
  const count = (value) => ({ show: String(value), value });
  return [clip.id, clip.fold, count(clip.events), count(clip.missed), count(clip.false), { show: most.join("; "), wrap: true }];
}

function showHardest(record, names) {
  const words = (head) => ({ head, words: true });
  const clips = record.hardest;
  if (!clips.length) return [make("p", {}, "No clip went wrong.")];
  if (record.kind === "events") {
    const heads = [words("clip"), words("fold"), { head: "events" }, { head: "missed" }, { head: "false" }, words("most of it")];
    return [tabulate("Hardest clips", heads, clips.map((clip) => eventRow(clip, names)))];
  }
  const several = record.kind === "multilabel";
  const near = clips.some((clip) => clip.neighbours);
  const heads = [
    words("clip"), words("fold"), words(several ? "its labels" : "true class"), words(several ? "scored higher" : "predicted"),
    { head: "score of it" }, { head: several ? "of the label missed" : "of the true class" },
    ...(near ? [words("nearest clips in training")] : []),
  ];
  const rows = clips.map((clip) => {
    const own = several ? clip.labels : [clip.true];
    const score = (value) => ({ show: value === null ? "–" : (value / 1000).toFixed(3), value: value ?? "" });
    return [
      clip.id, clip.fold, { show: classList(own, names), wrap: several }, names[clip.predicted],
      score(clip.scores[0]), score(clip.scores[1]),
      ...(near ? [{ show: neighbourList(clip, names, own), wrap: true }] : []),
    ];
  });
  const order = several
    ? "Worst first: by how many labels that a clip does not have are scored above the least of its own."
    : "Worst first: by how far the predicted class is scored above the true one.";
  return [make("p", { class: "small faint" }, order), tabulate("Hardest clips", heads, rows)];
}
