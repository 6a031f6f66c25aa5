// #task/NAME/PROTOCOL/MODEL shows a task; anything else shows the overview.

const tasks = new Map();
for (const script of document.querySelectorAll("script.task")) tasks.set(script.dataset.task, script);
const read = new Map();

// A task's data are read when it is first looked at.
function taskNamed(name) {
  if (!read.has(name)) read.set(name, JSON.parse(tasks.get(name).textContent));
  return read.get(name);
}

function route() {
  const [kind, name, protocol, model] = location.hash.slice(1).split("/").map(decode);
  const isTask = kind === "task" && tasks.has(name);
  const place = document.getElementById("task");
  const left = place.dataset.task;
  document.getElementById("overview").hidden = isTask;
  document.getElementById("go").value = isTask ? name : "";
  place.hidden = !isTask;
  place.dataset.task = isTask ? name : "";
  if (!isTask) {
    place.replaceChildren();
    document.title = "Dasheng Bench: report";
    if (left) (document.getElementById(kind) || document.getElementById("content")).scrollIntoView();
    return;
  }
  const task = taskNamed(name);
  const known = Object.hasOwn(task.protocols, protocol) ? protocol : Object.keys(task.protocols)[0];
  const focused = document.activeElement.id;
  const pressed = document.activeElement.closest(".ranking");
  place.replaceChildren(...showTask(task, known, model, (...chosen) => {
    location.hash = ["task", name, ...chosen].map(encodeURIComponent).join("/");
  }));
  document.title = `${name}: Dasheng Bench`;
  if (left !== name) {
    document.getElementById("task-title").focus({ preventScroll: true });
    scrollTo(0, 0);
  } else if (pressed) {
    place.querySelector('.ranking [aria-pressed="true"]').focus({ preventScroll: true });
  } else if (focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function startRoutes() {
  const select = document.getElementById("go");
  select.append(make("option", { value: "" }, "Overview"));
  for (const name of tasks.keys()) select.append(make("option", { value: name }, name));
  select.hidden = false;
  select.addEventListener("change", () => {
    location.hash = select.value ? `task/${encodeURIComponent(select.value)}` : "overview";
  });
  addEventListener("hashchange", route);
  route();
}

startTheme();
startTables();
startFilter();
startRoutes();
