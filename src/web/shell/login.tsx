/** Asks for a token. It goes to the server once and is kept by nobody here: what stays is a session. */
import { useState } from "react";
import { logIn } from "../api/session.ts";
import { Mark } from "../parts/icons.tsx";

export function Login({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    setRefusal("");
    try {
      await logIn(token.trim());
      onDone();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : "The server gave no reason.");
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="login">
      <form
        className="dialog-like"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Mark size={32} />
        <h1>Banyan</h1>
        <label>
          Token
          <input
            className="field mono"
            type="password"
            autoComplete="off"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <p className="quiet">The server printed one at its first start. `banyan token` makes others.</p>
        {refusal !== "" && (
          <p className="refusal" role="alert">
            {refusal}
          </p>
        )}
        <button type="submit" className="button first" disabled={busy || token.trim() === ""}>
          Open
        </button>
      </form>
    </div>
  );
}
