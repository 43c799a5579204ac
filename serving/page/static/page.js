// The page asks /invocations as any other caller does; nothing is computed here but where a prediction lies.
"use strict";

const model = JSON.parse(document.body.dataset.model);
const form = document.getElementById("form");
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, useGrouping: false });
let example = null;

function controls(name) {
  return [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
}

function valueOf(name) {
  const found = controls(name);
  const control = found[0].type === "radio" ? found.find((radio) => radio.checked) : found[0];
  if (!control || control.value === "") return null;
  return control.type === "number" ? Number(control.value) : control.value;
}

function row() {
  return Object.fromEntries(model.features.map((name) => [name, valueOf(name)]));
}

function fill(values) {
  for (const name of model.features) {
    const value = values[name] ?? "";
    for (const control of controls(name)) {
      if (control.type === "radio") control.checked = control.value === String(value);
      else control.value = value;
    }
  }
}

function say(name, text, warning = false) {
  const place = form.querySelector(`[data-error="${CSS.escape(name)}"]`) ?? byId("form-error");
  place.textContent = text;
  place.hidden = text === "";
  place.classList.toggle("warn", warning);
  if (place.id === "form-error") return;
  for (const control of controls(name)) control.setAttribute("aria-invalid", String(text !== "" && !warning));
}

// What the browser finds wrong is said at once; what it lets pass, the server judges.
function check(name) {
  const control = controls(name)[0];
  say(name, control.validationMessage);
  if (control.validationMessage) return false;
  const value = valueOf(name);
  const { trainedMinimum: low, trainedMaximum: high } = control.dataset;
  if (low !== undefined && value !== null && (value < Number(low) || value > Number(high))) {
    say(name, `Outside the ${low} to ${high} that the model was trained on.`, true);
  }
  return true;
}

function showRequest() {
  const body = JSON.stringify(row()).replaceAll("'", "'\\''");
  const url = new URL("invocations", location.href).href;
  byId("curl").textContent = `curl -H 'Content-Type: application/json' \\\n  -d '${body}' \\\n  ${url}`;
}

// The same rule as NumberDistribution.percentile: linear inside a quantile bin.
function percentile(value) {
  const total = model.counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [i, count] of model.counts.entries()) {
    const left = model.edges[i];
    const right = model.edges[i + 1];
    if (value < right) return (100 * (below + (count * Math.max(value - left, 0)) / (right - left))) / total;
    below += count;
  }
  return 100;
}

function place(value) {
  if (value < model.minimum) return `Below every one of the ${model.rows} training rows.`;
  if (value > model.maximum) return `Above every one of the ${model.rows} training rows.`;
  return `Higher than ${Math.round(percentile(value))} % of the ${model.rows} training rows.`;
}

function show(value) {
  byId("prediction").textContent = number.format(value);
  byId("place").textContent = place(value);
  const share = Math.min(Math.max((value - model.minimum) / (model.maximum - model.minimum), 0), 1);
  const marker = byId("marker");
  marker.style.left = `${100 * share}%`;
  marker.dataset.value = number.format(value);
  marker.classList.toggle("right", share > 0.7);
  marker.hidden = false;
  const unit = document.querySelector(".prediction .unit").textContent;
  const actual = example?.dataset.actual;
  byId("actual").hidden = !actual;
  byId("result").scrollIntoView({ block: "nearest" });
  byId("actual").textContent = actual ? `Recorded for this example: ${actual} ${unit}` : "";
}

async function predict() {
  const answer = await fetch("invocations", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(row()),
  });
  const document = await answer.json();
  if (answer.ok) return show(document.predictions[0]);
  say(document.error.field ?? "", document.error.message);
  return undefined;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  say("", "");
  const wrong = model.features.filter((name) => !check(name));
  if (wrong.length > 0) return controls(wrong[0])[0].focus();
  const button = byId("predict");
  button.disabled = true;
  try {
    await predict();
  } catch (error) {
    say("", `The server did not answer: ${error.message}`);
  } finally {
    button.disabled = false;
  }
  return undefined;
});

form.addEventListener("input", (event) => {
  example?.setAttribute("aria-pressed", "false");
  example = null;
  say(event.target.name, "");
  showRequest();
  if (!byId("marker").hidden) byId("place").textContent = "The fields were changed; press Predict for their answer.";
});

// Pressing a button takes no focus from the field: its blur would show a message, move the button from under the
// pointer, and so lose the click.
for (const button of form.querySelectorAll("button")) {
  button.addEventListener("mousedown", (event) => event.preventDefault());
}

form.addEventListener("change", (event) => check(event.target.name));

for (const button of document.querySelectorAll(".example")) {
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    example?.setAttribute("aria-pressed", "false");
    example = button;
    button.setAttribute("aria-pressed", "true");
    fill(JSON.parse(button.dataset.row));
    model.features.forEach(check);
    showRequest();
    form.requestSubmit();
  });
}

byId("copy").addEventListener("click", async () => {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(byId("curl").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("curl"));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
});

showRequest();
