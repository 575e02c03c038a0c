// Sentences above the page while what it shows may be out of date, or what was pressed may be lost.

const stale = document.getElementById("stale");

export const UNREACHABLE = stale.textContent;
const LOST_PRESS = "Your request may not have completed.";

// The latest failure of a refresh, of any other request, and whether that one was a press.
const sentences = { refresh: "", request: "", press: "" };
let lostAt = 0;

// sentence: empty if all is well again. A sentence that stays the same is not announced again.
export function report(source, sentence) {
  sentences[source] = sentence;
  const shown = [sentences.refresh || sentences.request, sentences.press].filter(Boolean).join(" ");
  stale.hidden = !shown;
  if (shown && stale.textContent !== shown) stale.textContent = shown;
}

// A press got no response. Whoever pressed must see that, also if the page was out of date before. advice: what our own
// error page says about it, if there was one.
export function reportLostPress(advice) {
  lostAt = performance.now();
  report("press", advice ? "" : LOST_PRESS);
}

// The page shows what became of a lost press, if it was asked for after it.
export function settleLostPress(askedAt) {
  if (!sentences.press || askedAt < lostAt) return;
  report("press", "");
  report("request", "");
}

// The title, or every sentence, of our own error page; undefined if the text is anything else.
export function findInErrorPage(text, selector) {
  const found = new DOMParser().parseFromString(text ?? "", "text/html").querySelectorAll(`#error ${selector}`);
  return [...found].map((element) => element.textContent).join(" ") || undefined;
}
