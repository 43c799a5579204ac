// The request that the form stands for, as a command and as a program, at the address that the page came from.

import { byId } from "./model.js";

const address = new URL("invocations", location.href).href;
const tabs = [byId("tab-curl"), byId("tab-python")];

function curl(row) {
  const body = JSON.stringify(row, null, 2).replaceAll("'", "'\\''");
  return `curl -H 'Content-Type: application/json' \\\n  -d '${body}' \\\n  '${address}'`;
}

/** A value as Python spells it; JSON's spelling of numbers and of text is Python's, too. */
const python = (value) => (value === null ? "None" : JSON.stringify(value));

function program(row) {
  const lines = Object.entries(row).map(([name, value]) => `    ${JSON.stringify(name)}: ${python(value)},`);
  return [
    "import json",
    "import urllib.request",
    "",
    "row = {",
    ...lines,
    "}",
    "request = urllib.request.Request(",
    `    ${JSON.stringify(address)},`,
    "    data=json.dumps(row).encode(),",
    '    headers={"Content-Type": "application/json"},',
    ")",
    "with urllib.request.urlopen(request) as answer:",
    '    print(json.load(answer)["predictions"][0])',
  ].join("\n");
}

/** Show the request for `row`. */
export function showRequest(row) {
  byId("curl").textContent = curl(row);
  byId("python").textContent = program(row);
}

/** Show the request for a picture in a file called `name`, of the media type `type`. */
export function showPictureRequest(name, type) {
  const quoted = `@${name}`.replaceAll("'", "'\\''");
  byId("curl").textContent = `curl -H 'Content-Type: ${type}' \\\n  --data-binary '${quoted}' \\\n  '${address}'`;
  byId("python").textContent = [
    "import json",
    "import pathlib",
    "import urllib.request",
    "",
    "request = urllib.request.Request(",
    `    ${JSON.stringify(address)},`,
    `    data=pathlib.Path(${JSON.stringify(name)}).read_bytes(),`,
    `    headers={"Content-Type": ${JSON.stringify(type)}},`,
    ")",
    "with urllib.request.urlopen(request) as answer:",
    '    print(json.load(answer)["predictions"][0])',
  ].join("\n");
}

function select(tab) {
  for (const one of tabs) {
    one.setAttribute("aria-selected", String(one === tab));
    one.tabIndex = one === tab ? 0 : -1;
    byId(one.getAttribute("aria-controls")).hidden = one !== tab;
  }
}

async function copy() {
  const button = byId("copy");
  const code = byId(tabs[0].getAttribute("aria-selected") === "true" ? "curl" : "python");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

/** Make the tabs and the copy button work. */
export function startRequest() {
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      const other = tabs[1 - i];
      select(other);
      other.focus();
    });
  }
  byId("copy").addEventListener("click", copy);
}
