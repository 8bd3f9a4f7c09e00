// Draws the formulas of a page with KaTeX, which lies beside this file: nothing is fetched from elsewhere.
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".formula")) {
    const displayMode = place.classList.contains("displayed");
    katex.render(place.textContent, place, { displayMode, throwOnError: false });
  }
});
