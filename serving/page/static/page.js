// Brings the page's parts together: the form asks, the result, the influence and the curve show.

import { check, checkAll, fill, isRight, row, say } from "./form.js";
import { influenceRows, showInfluence } from "./influence.js";
import { ask, byId, latest, model, Refusal } from "./model.js";
import { showRequest, startRequest } from "./request.js";
import { outdated, showResult } from "./result.js";
import { startState } from "./state.js";
import { begin, exploreField, startWhatIf } from "./what-if.js";

const PAUSE_MS = 150;
const form = byId("form");
let example = null;
let pause = 0;

const predict = latest(async (signal) => {
  const asked = row();
  const [prediction, ...others] = await ask([asked, ...influenceRows(asked)], signal);
  showResult(prediction, example?.dataset.actual);
  begin(showInfluence(asked, prediction, others));
  await exploreField(asked);
});

/** Do what `question` asks of the server; what goes wrong is said at its field. */
async function attempt(question) {
  clearTimeout(pause);
  say("", "");
  try {
    await question();
  } catch (error) {
    const refused = error instanceof Refusal;
    say(refused ? error.field : "", refused ? error.message : "The server does not answer. Try again.");
    outdated("No answer for these values.");
  }
}

const answer = () => attempt(predict);

/** Ask once the fields have rested for a moment, if they are right. */
function follow() {
  clearTimeout(pause);
  showRequest(row());
  if (isRight()) pause = setTimeout(answer, PAUSE_MS);
  else outdated("The answer for the values before; a field needs another look.");
}

function pick(button) {
  example?.setAttribute("aria-pressed", "false");
  example = button;
  button?.setAttribute("aria-pressed", "true");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!checkAll()) return;
  await answer();
  byId("result").scrollIntoView({ block: "nearest" });
});

form.addEventListener("input", (event) => {
  pick(null);
  say(event.target.name, "");
  follow();
});

form.addEventListener("change", (event) => check(event.target.name));

// Pressing a button takes no focus from the field: its blur would show a message, move the button from under the
// pointer, and so lose the click.
for (const button of form.querySelectorAll("button")) {
  button.addEventListener("mousedown", (event) => event.preventDefault());
}

for (const button of document.querySelectorAll(".example")) {
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    pick(button);
    fill(JSON.parse(button.dataset.row));
    for (const { name } of model.features) check(name);
    showRequest(row());
    form.requestSubmit();
  });
}

startWhatIf(
  () => isRight() && attempt(() => exploreField(row())),
  (name, value) => {
    pick(null);
    fill({ ...row(), [name]: value });
    check(name);
    showRequest(row());
    void answer();
  },
);
startRequest();
startState();
showRequest(row());
void answer();
