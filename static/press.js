// Shows that a button was pressed while its request is under way, and lets nobody press it twice.

// A disabled button would lose the focus, so a busy one stays enabled, and so does one that only shows what will happen.
// Its clicks are stopped here, and the server refuses what they would ask for.
const INERT = "button[aria-disabled=true], button[aria-busy=true]";

// A button that posts by itself. The form that it names serves visitors without JavaScript, and many buttons.
const OWN = "button[hx-post]";

const SENDS = ".send, button[name=confirm_paging]";

// While the cooldown lasts, a press plans a test.
const PLANS = "[data-post-when-over]";

// The response to a press can be so fast that a second, impatient one meets the button that plans a test, as does the
// second click of a double click, or a key that is held. Nobody asked for that second test.
const ONCE = `${SENDS}, .paging > summary`;
const IMPATIENT = 1000;  // milliseconds
const answeredAt = new Map();  // when the response to a press was shown, by the id of its status

function isRepeated({ target, detail, timeStamp }) {
  const button = target.closest(ONCE);
  return button && (detail > 1 || timeStamp < answeredAt.get(button.closest(".status")?.id) + IMPATIENT);
}

// Milliseconds.
const LONGEST_LEAVE = 15_000;

const announcer = document.createElement("p");
announcer.className = "hidden";
announcer.setAttribute("role", "status");
document.body.append(announcer);

document.addEventListener("click", (event) => {
  const button = event.target.closest(INERT);
  if (button?.matches(OWN) || isRepeated(event)) stop(event);  // keeps it from htmx
  else if (button) event.preventDefault();
}, true);
document.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter" && event.target.closest(ONCE)) event.preventDefault();
}, true);
document.addEventListener("submit", (event) => {
  if (event.submitter?.matches(INERT) || isUnderWay(event.target)) stop(event);
  else if (!event.target.hasAttribute("hx-post")) leaveWith(event);
}, true);

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

// Not all buttons of a form are inside it: some name it.
const findButtons = (form, selector) => [...form.elements].filter((element) => element.matches(selector));

const isUnderWay = (form) => findButtons(form, "button[aria-busy=true]").length > 0;

const findButton = (form, submitter) => submitter ?? findButtons(form, "button:not([type=button])")[0];

function setBusy(button) {
  button.setAttribute("aria-busy", "true");
  announcer.textContent = button.dataset.busy ?? describeWork(button);
}

function describeWork(button) {
  if (!button.matches(SENDS)) return "One moment.";
  return button.matches(PLANS) ? "Planning a test." : "Sending a test.";
}

// A form that leads to another page. The mark is set once the browser has read the form, and if nothing stopped it.
// Whoever stops the browser can press again after a while.
function leaveWith(event) {
  const form = event.target;
  const button = findButton(form, event.submitter);
  if (!button || form.method !== "post") return;
  setTimeout(() => event.defaultPrevented || setBusy(button));
  setTimeout(() => release(form), LONGEST_LEAVE);
}

// Those that send or plan a test post where their form would, and the response replaces the status around them. None says
// so itself, since a list has a hundred of them.
const posting = new WeakSet();
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const button = ctx.sourceElement;
  if (!button.matches("button[form=presses]")) return;
  if (posting.has(button)) event.preventDefault();
  posting.add(button);
  ctx.request.action = button.getAttribute("formaction");
  ctx.target = button.closest(".status");
  ctx.swap = "outerMorph";
});

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const source = ctx.sourceElement;
  const button = source.matches(OWN) ? source : source.matches("form[hx-post]") && findButton(source, ctx.request.submitter);
  if (!button) return;
  // The same reason, written again, would not be announced again.
  for (const refusal of button.closest(".status")?.querySelectorAll(".refusal") ?? []) refusal.remove();
  setBusy(button);
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const source = ctx.sourceElement;
  posting.delete(source);
  if (source.matches(OWN)) free([source]);
  else if (source.matches("form[hx-post]")) release(source);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx: { sourceElement: source } } }) => {
  if (source.matches(SENDS) || source.matches("form[hx-post]") && source.querySelector(SENDS))
    answeredAt.set(source.closest(".status")?.id, performance.now());
});

// A question before a press. Once it is answered, it closes, and what opened it gets the focus. A poll may be faster to
// show what became of it.
const answers = new Map();  // ids of questions to the requests that answer them

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const question = ctx.sourceElement.closest("details.paging");
  if (question) answers.set(question.id, ctx);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  for (const [id, answer] of answers) {
    const question = document.getElementById(id);
    if (question && ctx !== answer) continue;
    answers.delete(id);
    if (question) closeQuestion(question);
  }
});

// A swap may remove the button that had the focus, as it does when a planned test is canceled or a link revoked. The
// focus then goes to the button that sends a test, or to what opens the form for a new link.
let focusedPart = null;
document.addEventListener("htmx:before:swap", () => {
  focusedPart = document.activeElement?.closest(".status, .links")?.id;
});
document.addEventListener("htmx:after:swap", () => {
  const part = focusedPart && isFocusLost() && document.getElementById(focusedPart);
  if (!part) return;
  part.querySelector(".send, .paging > summary, .links summary")?.focus();
  if (!isFocusLost()) return;
  part.tabIndex = -1;  // nothing in it can be pressed any more
  part.focus();
});

// The browser takes the focus from a button that was disabled only later.
const isFocusLost = () => document.activeElement === document.body || document.activeElement.disabled;

function closeQuestion(question) {
  const hadFocus = question.contains(document.activeElement) || document.activeElement === document.body;
  question.open = false;
  if (hadFocus) question.querySelector("summary").focus();
}

// Without JavaScript, the link to cancel leads to the destination's page, where the question is closed.
document.addEventListener("click", (event) => {
  const cancel = event.target.closest(".paging > a");
  if (!cancel) return;
  event.preventDefault();
  closeQuestion(cancel.closest("details"));
});

document.addEventListener("keydown", (event) => {
  const question = event.key === "Escape" && event.target.closest("details.paging[open]");
  if (question) closeQuestion(question);
});

function free(buttons) {
  for (const button of buttons) button.removeAttribute("aria-busy");
  announcer.textContent = "";
}

const release = (form) => free(findButtons(form, "button[aria-busy=true]"));

// The browser's back button can bring a page back as it was left.
addEventListener("pageshow", (event) => event.persisted && [...document.forms].forEach(release));
