// After a field was checked, keeps aria-invalid in step with its error, for screen readers.
document.addEventListener("htmx:after:swap", () => {
  for (const check of document.querySelectorAll(".field > .check")) {
    const input = check.parentElement.querySelector("input, textarea");
    if (check.querySelector(".error")) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
});
