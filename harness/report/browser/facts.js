// What measuring took, and where a record comes from.

function pairs(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", { class: "pairs" }, shown.map(([label, value]) => [make("dt", {}, label), make("dd", {}, value)]));
}

function bytes(number) {
  if (number === null) return null;
  return number >= 1e9 ? `${(number / 1e9).toFixed(2)} GB` : `${(number / 1e6).toFixed(0)} MB`;
}

function showResources(record) {
  const { seconds, audio_seconds: audio, speed, process_bytes: host, device_bytes: device } = record.resources;
  const time = (value) => `${value.toLocaleString("en", { maximumSignificantDigits: 3 })} s`;
  return [
    pairs([
      ["audio", time(audio)],
      ["speed", speed === null ? "not told: read from the cache, or too short to tell" : `${speed.toLocaleString("en")} s of audio per second`],
      ["prepare", time(seconds.prepare)],
      ["embed", time(seconds.embed)],
      ["fit and predict", time(seconds.fit)],
      ["peak memory", bytes(host)],
      ["peak memory, GPU", bytes(device)],
    ]),
    make("p", { class: "small faint" }, "Memory is the most that the process had held by then, other tasks before included."),
  ];
}

function plain(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  return typeof value === "number" ? value.toLocaleString("en") : value;
}

function showProvenance(record, task) {
  return Object.entries(task.labels).map(([group, labels]) => {
    const values = task.shared[record.provenance[group]];
    return make(
      "div",
      {},
      make("h4", {}, group),
      pairs(labels.map((label, n) => [label, /SHA|commit/.test(label) && values[n] ? make("code", {}, values[n]) : plain(values[n])])),
    );
  });
}
