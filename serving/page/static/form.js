// The form's fields: their values, and what is said at them.

import { byId, model } from "./model.js";

const form = byId("form");

function controls(name) {
  return [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
}

function valueOf(name) {
  const found = controls(name);
  const control = found[0].type === "radio" ? found.find((radio) => radio.checked) : found[0];
  if (!control) return null;
  if (control.type === "number") return control.value === "" ? null : Number(control.value);
  // An empty text can be a category; what is unknown is marked as such.
  const chosen = control.selectedOptions?.[0] ?? control;
  return "unknown" in chosen.dataset ? null : chosen.value;
}

/** The row that the form holds, by field name. */
export function row() {
  return Object.fromEntries(model.features.map(({ name }) => [name, valueOf(name)]));
}

/** Put `values` into the form; fields that it lacks become empty. */
export function fill(values) {
  const holds = (control, value) => ("unknown" in control.dataset ? value === null : control.value === value);
  for (const { name } of model.features) {
    const value = values[name] ?? null;
    for (const control of controls(name)) {
      if (control.type === "radio") control.checked = holds(control, value);
      else if (control.type === "number") control.value = value ?? "";
      else control.selectedIndex = [...control.options].findIndex((option) => holds(option, value));
    }
  }
}

/** Show `text` at the field `name`, or at the form as a whole where there is no such field. */
export function say(name, text, warning = false) {
  const place = form.querySelector(`[data-error="${CSS.escape(name)}"]`) ?? byId("form-error");
  place.textContent = text;
  place.hidden = text === "";
  place.classList.toggle("warn", warning);
  if (place.id === "form-error") return;
  for (const control of controls(name)) control.setAttribute("aria-invalid", String(text !== "" && !warning));
}

/** Whether the field `name` may be sent. What the browser finds wrong is said at once; the server judges the rest. */
export function check(name) {
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

/** Whether every field may be sent, without a word about those that may not. */
export const isRight = () => model.features.every(({ name }) => !controls(name)[0].validationMessage);

/** Check every field; the first wrong one gets the focus. */
export function checkAll() {
  const wrong = model.features.filter(({ name }) => !check(name));
  if (wrong.length > 0) controls(wrong[0].name)[0].focus();
  return wrong.length === 0;
}
