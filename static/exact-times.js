// The button that shows every time exactly, in UTC, instead of how long ago it was: for the keyboard and for touch, where
// there is no hover. The browser remembers the choice.

const KEY = "exact-times";
const button = document.getElementById("exact-times");  // pages without a footer have none

function read() {
  try {
    return localStorage.getItem(KEY) === "yes";
  } catch {  // browsers may forbid storage
    return false;
  }
}

function write(isExact) {
  try {
    localStorage.setItem(KEY, isExact ? "yes" : "no");
  } catch {  // then the choice lasts as long as the page
  }
}

function show(isExact) {
  document.documentElement.classList.toggle(KEY, isExact);
  button.ariaPressed = String(isExact);
}

if (button) {
  button.addEventListener("click", () => {
    const isExact = button.ariaPressed !== "true";
    write(isExact);
    show(isExact);
  });

  show(read());
  button.hidden = !document.querySelector("time[data-exact]");
}
