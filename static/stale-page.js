// Sentences above the page while what it shows may be out of date, or what was pressed may be lost.

const stale = document.getElementById("stale");

export const UNREACHABLE = stale.textContent;
export const OUT_OF_DATE = "This page may be out of date.";
const LOST_PRESS = "Your request may not have completed.";

// The latest failure of a refresh, of any other request, and of a press.
const sentences = { refresh: "", request: "", press: "" };
let lost = { at: 0, part: "" };

// sentence: empty if all is well again. A sentence that stays the same is not announced again.
export function report(source, sentence) {
  sentences[source] = sentence;
  const shown = [sentences.refresh || sentences.request, sentences.press].filter(Boolean).join(" ");
  stale.hidden = !shown;
  if (shown && stale.textContent !== shown) stale.textContent = shown;
}

// What was pressed, by the part of the page that it stands in: a swap replaces the button.
const findPart = (element) => element.closest("[id]")?.id;

// A press got no response, or only an error page. Whoever pressed must see that, also if the page was out of date before.
// advice: what our own error page says about it, if there was one.
export function reportLostPress(element, advice) {
  lost = { at: performance.now(), part: findPart(element) };
  report("press", advice ?? LOST_PRESS);
}

// A press of the same part was successful.
export function settlePress(element) {
  if (findPart(element) === lost.part) report("press", "");
}

// The page shows what became of a lost press, if it was asked for after it.
export function settleLostPress(askedAt) {
  if (!sentences.press || askedAt < lost.at) return;
  report("press", "");
  report("request", "");
}

// The title, or every sentence, of our own error page; undefined if the text is anything else.
export function findInErrorPage(text, selector) {
  const found = new DOMParser().parseFromString(text ?? "", "text/html").querySelectorAll(`#error ${selector}`);
  return [...found].map((element) => element.textContent).join(" ") || undefined;
}
