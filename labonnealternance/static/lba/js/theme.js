// Runs before the first paint, so that the dark theme never flashes white; DSFR's own script takes over from there.
(() => {
  const root = document.documentElement;
  root.classList.add("has-script");
  let scheme = "system";
  try {
    scheme = localStorage.getItem("scheme") || scheme;
  } catch {
    // Storage refused by the browser: the system's theme it is.
  }
  const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.setAttribute("data-fr-scheme", scheme);
  root.setAttribute("data-fr-theme", dark ? "dark" : "light");
  if (dark) root.style.colorScheme = "dark";
})();
