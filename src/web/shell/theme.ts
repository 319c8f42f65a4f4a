/** Light or dark: as the system has it, unless a person says. */
import { useEffect, useState } from "react";
import { remember, remembered } from "../browser.ts";

export type Theme = "auto" | "light" | "dark";

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = remembered("theme");
    return kept === "light" || kept === "dark" ? kept : "auto";
  });
  useEffect(() => {
    const asked = window.matchMedia("(prefers-color-scheme: light)");
    const apply = () => {
      document.documentElement.dataset.theme = theme === "auto" ? (asked.matches ? "light" : "dark") : theme;
    };
    apply();
    asked.addEventListener("change", apply);
    return () => asked.removeEventListener("change", apply);
  }, [theme]);
  return [
    theme,
    (next) => {
      remember("theme", next);
      setTheme(next);
    },
  ];
}
