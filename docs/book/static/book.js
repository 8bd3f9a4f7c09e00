document.addEventListener("DOMContentLoaded", () => {
  // Draws the formulas of a page with KaTeX, which lies beside this file.
  for (const place of document.querySelectorAll(".formula")) {
    const displayMode = place.classList.contains("displayed");
    katex.render(place.textContent, place, { displayMode, throwOnError: false });
  }
  // The theme names some buttons otherwise than they show: who speaks what they see must find them.
  for (const button of document.querySelectorAll(".search-button-field, .cell summary")) {
    button.removeAttribute("aria-label");
  }
  // The link to the start stands outside the theme's landmarks: who goes from one to the next must find it.
  const start = document.querySelector(".sidebar-primary-item:has(> .navbar-brand)");
  start?.setAttribute("role", "navigation");
  start?.setAttribute("aria-label", "Start of the book");
});
