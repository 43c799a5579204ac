// What the page knows of the model, and how it asks for predictions: by /invocations, as any other caller does.

export const model = JSON.parse(document.body.dataset.model);
export const byId = (id) => document.getElementById(id);

// Differences are as fine as a thousandth of the target's training range.
const reach = Math.log10(model.target.maximum - model.target.minimum);
const digits = Math.min(Math.max(3 - Math.floor(reach), 0), 12);
const signs = new Intl.NumberFormat("en", {
  minimumFractionDigits: digits,
  maximumFractionDigits: digits,
  useGrouping: false,
  signDisplay: "exceptZero",
});

/** A prediction or a value as people read it. */
export const shown = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : (value ?? "unknown"));

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

/** Predictions for `rows`, in as few requests as the server's limit of rows allows; Refusal when one is refused. */
export async function ask(rows, signal) {
  const predictions = [];
  for (let start = 0; start < rows.length; start += model.maxRows) {
    const part = rows.slice(start, start + model.maxRows);
    predictions.push(...(await invoke("application/json", JSON.stringify(part), signal)).predictions);
  }
  return predictions;
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
