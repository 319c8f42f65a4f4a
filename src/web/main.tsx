/** Starts the dashboard: the fleet, its feed, the page. */
import { CSPProvider } from "@base-ui/react/csp-provider";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { logIn, takeCode } from "./api/session.ts";
import { App } from "./shell/app.tsx";
import { LiveContext, LiveFleet } from "./shell/live.ts";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/tree.css";
import "./styles/triage.css";
import "./styles/agent.css";
import "./styles/tables.css";

const live = new LiveFleet();
const code = takeCode();
// A code that was used already is no harm: there may be a session, and if there is none the page asks for a token.
if (code === undefined) live.start();
else
  void logIn(code).then(
    () => live.start(),
    () => live.start(),
  );
const page = document.getElementById("page");
if (page) {
  createRoot(page).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <LiveContext value={live}>
          <App />
        </LiveContext>
      </CSPProvider>
    </StrictMode>,
  );
}
