// The page of a model of images: a picture is chosen, dropped or pasted, and sent as it is.

import { byId, invoke, latest, model, Refusal, tell } from "./model.js";
import { showPictureRequest, startRequest } from "./request.js";
import { startState } from "./state.js";

const TYPES = ["image/png", "image/jpeg"];
const SHOWN_LABELS = 10;
const SVG = "http://www.w3.org/2000/svg";
const drop = byId("drop");
const preview = byId("preview");

function say(text) {
  byId("picture-error").textContent = text;
  byId("picture-error").hidden = text === "";
}

const ask = latest(async (signal, picture) => show(await invoke(picture.type, picture, signal)));

function show({ predictions: [prediction], probabilities, labels }) {
  tell(byId("prediction"), prediction);
  byId("result").classList.remove("stale");
  byId("labels").hidden = !probabilities;
  byId("place").textContent = "";
  if (!probabilities) return;
  const found = labels.map((label, i) => ({ label, share: probabilities[0][i] }));
  found.sort((one, other) => other.share - one.share);
  const rest = found.length - SHOWN_LABELS;
  byId("place").textContent = `${percent(found[0].share)} likely${rest > 0 ? `; the ${rest} least likely labels are left out` : ""}.`;
  byId("labels").tBodies[0].replaceChildren(...found.slice(0, SHOWN_LABELS).map(line));
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function line({ label, share }) {
  const made = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = label;
  const value = document.createElement("td");
  const figure = document.createElement("span");
  figure.textContent = percent(share);
  value.append(bar(share), figure);
  made.append(head, value);
  return made;
}

function bar(share) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 100 10");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("class", "bar");
  for (const [kind, width] of [["track", 100], ["length", 100 * Math.min(Math.max(share, 0), 1)]]) {
    const shape = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: 0, y: 0, width, height: 10, class: kind })) shape.setAttribute(name, value);
    drawing.append(shape);
  }
  return drawing;
}

/** Show `picture`, a File, and what the model says of it. */
async function take(picture) {
  say("");
  byId("result").classList.add("stale");
  if (!TYPES.includes(picture.type)) {
    return say(`${picture.name || "This"} is no PNG or JPEG picture.`);
  }
  if (picture.size > model.maxBytes) {
    return say(`The picture has ${picture.size} bytes; the server takes at most ${model.maxBytes}.`);
  }
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(picture);
  preview.hidden = false;
  showPictureRequest(picture.name || "picture.png", picture.type);
  try {
    await ask(picture);
  } catch (error) {
    say(error instanceof Refusal ? error.message : "The server does not answer. Try again.");
  }
  return undefined;
}

const first = (list) => [...(list ?? [])].find((file) => file instanceof File);

byId("picture").addEventListener("change", (event) => {
  const picture = first(event.target.files);
  if (picture) void take(picture);
  // The same file chosen again is a change again.
  event.target.value = "";
});

for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
  });
}

drop.addEventListener("drop", (event) => {
  const picture = first(event.dataTransfer.files);
  if (picture) void take(picture);
  else say("That is no file. Drop a PNG or JPEG picture.");
});

document.addEventListener("paste", (event) => {
  const picture = first(event.clipboardData.files);
  if (picture) void take(picture);
});

startRequest();
startState();
showPictureRequest("picture.png", "image/png");
