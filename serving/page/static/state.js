// Which model answers and how its inputs have drifted, asked for anew while the page is looked at.

import { byId, model } from "./model.js";

const SECONDS = 5;

function ready(word, kind) {
  byId("readiness-word").textContent = word;
  byId("readiness").dataset.state = kind;
}

function notice(text) {
  const place = byId("notice");
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
}

function drift({ state, reason, rows, limit, fields }) {
  const table = byId("drift");
  table.hidden = state !== "measured";
  if (state !== "measured") {
    byId("drift-summary").textContent = `Not measured yet. ${reason}`;
    return;
  }
  const moved = fields.filter(({ drifted }) => drifted).length;
  const verdict = moved === 0 ? "No field has drifted" : `${moved} of ${fields.length} fields drifted`;
  byId("drift-summary").textContent =
    `${verdict}, by ${rows} rows that this server was sent and counted; what is tried on this page is left out. ` +
    `PSI is the population stability index; above ${limit} a field counts as drifted.`;
  table.tBodies[0].replaceChildren(...fields.map(line));
}

function line({ label, psi, drifted }) {
  const made = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = label;
  made.append(head);
  made.insertCell().textContent = psi === null ? "–" : psi.toFixed(2);
  const state = made.insertCell();
  state.textContent = psi === null ? "not measured" : drifted ? "drifted" : "steady";
  state.className = drifted ? "warn" : "";
  return made;
}

async function refresh() {
  try {
    const answer = await fetch("status", { headers: { Accept: "application/json" } });
    const content = await answer.json();
    if (!answer.ok) {
      ready("Not ready", "down");
      return notice(`The server is not ready: ${content.error?.message ?? answer.status}`);
    }
    ready("Ready", "up");
    drift(content.drift);
    const other = content.manifest_sha256 !== model.manifest || content.release !== model.release;
    return notice(other ? "Another release answers now. Reload the page to see it." : "");
  } catch {
    ready("No answer", "down");
    return notice("The server does not answer. The page goes on trying.");
  }
}

/** Ask now, and every few seconds while the page is visible. */
export function startState() {
  void refresh();
  setInterval(() => document.hidden || refresh(), 1000 * SECONDS);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}
