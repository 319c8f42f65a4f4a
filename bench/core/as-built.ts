/**
 * Loaded into every child before all else: what imports a file of `src/` gets what it was built to, as those do who install the
 * package. Sources as they are would be measured with the compiler that strips their types.
 */
import { registerHooks } from "node:module";

const root = new URL("../../", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (!found.url.startsWith(`${root}src/`)) return found;
    const url = found.url.replace(`${root}src/`, `${root}dist/`).replace(/\.ts$/, ".js");
    return { ...found, url, format: "module" };
  },
});
