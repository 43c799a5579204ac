// What the page knows of the model, and how it asks for predictions: by /invocations, as any other caller does.

export const model = JSON.parse(document.body.dataset.model);
export const byId = (id) => document.getElementById(id);

// Differences are as fine as a thousandth of the target's training range, which a personal target does not tell.
const reach = Math.log10(model.target.maximum - model.target.minimum || 1);
const digits = Math.min(Math.max(3 - Math.floor(reach), 0), 12);
const signs = new Intl.NumberFormat("en", {
  minimumFractionDigits: digits,
  maximumFractionDigits: digits,
  useGrouping: false,
  signDisplay: "exceptZero",
});

/** A prediction as people read it: as fine as differences are, and never coarser than four digits. */
export const shown = (value) => (typeof value === "number" ? String(Number(value.toFixed(places(value)))) : (value ?? "unknown"));

const places = (value) => Math.min(Math.max(digits, value ? 3 - Math.floor(Math.log10(Math.abs(value))) : 0), 100);

/** Put a prediction into `element` as people read it; to point at it shows every digit that the server gave. */
export function tell(element, value) {
  element.textContent = shown(value);
  element.title = typeof value === "number" ? String(value) : "";
}

/** A field's value as it was entered or tried: every digit of it was asked about. */
export const entered = (value) => String(value ?? "unknown");

export const enteredWithUnit = (value, unit) => (unit ? `${entered(value)} ${unit}` : entered(value));

/** A difference, with its sign. */
export const difference = (value) => signs.format(value).replace("-", "−");

export const withUnit = (value, unit) => (unit ? `${shown(value)} ${unit}` : `${shown(value)}`);

/** The server's refusal: what its error says, with the HTTP status. */
export class Refusal extends Error {
  constructor(status, error) {
    super(error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.field = error?.field ?? "";
  }
}

/** Predictions for `rows`, in as few requests as the server's limits allow; Refusal when one is refused. */
export async function ask(rows, signal) {
  const predictions = [];
  for (const body of bodies(rows)) {
    predictions.push(...(await invoke("application/json", body, signal)).predictions);
  }
  return predictions;
}

/** `rows` as JSON arrays, each of at most maxRows rows and maxBytes bytes; a row too large for one is alone in it. */
function bodies(rows) {
  const encoder = new TextEncoder();
  const found = [];
  let part = [];
  // The two brackets; each row comes with a comma.
  let bytes = 2;
  for (const text of rows.map((row) => JSON.stringify(row))) {
    const length = encoder.encode(text).length + 1;
    if (part.length > 0 && (part.length === model.maxRows || bytes + length > model.maxBytes)) {
      found.push(part);
      part = [];
      bytes = 2;
    }
    part.push(text);
    bytes += length;
  }
  if (part.length > 0) found.push(part);
  return found.map((texts) => `[${texts.join(",")}]`);
}

/** One request's answer as parsed JSON. */
export async function invoke(contentType, body, signal) {
  const answer = await fetch("invocations", {
    method: "POST",
    // What is tried out here is no traffic: the server keeps it out of drift and captures.
    headers: { "Content-Type": `${contentType}; purpose=trial`, Accept: "application/json" },
    body,
    signal,
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, content.error);
  return content;
}

/** Only the latest of several overlapping questions counts: starting one gives up the one before. */
export function latest(question) {
  let controller = null;
  return async (...given) => {
    controller?.abort();
    controller = new AbortController();
    const { signal } = controller;
    try {
      return await question(signal, ...given);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  };
}
