// Light or dark: as the system has it, until the reader chooses; kept where storage is allowed.
const THEME = "dasheng-report-theme";

function storedTheme() {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    // Refused, as of a file in some browsers: the choice lasts as long as the page.
  }
}

function startTheme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : system.matches;
  };
  const tell = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
  };
  const kept = storedTheme();
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  button.hidden = false;
  button.addEventListener("click", () => {
    setTheme(isDark() ? "light" : "dark");
    tell();
  });
  system.addEventListener("change", tell);
  tell();
}
