// Before anything is drawn: the theme that was chosen here last. A classic script, so that the page never flashes.
(() => {
  try {
    const chosen = localStorage.getItem("headcount-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // storage is switched off: the system's theme it is
  }
})();
