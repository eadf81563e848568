// The colours that were chosen, before anything is painted. Without a choice the system's are taken.
"use strict";
try {
  const chosen = localStorage.getItem("callgate-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing has no choice.
}
