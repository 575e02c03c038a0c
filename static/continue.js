// Opens the kept form. While the page loads, this replaces it in the browser's history, so that "Back" does not return here.
document.getElementById("continue").requestSubmit();
