/** The log-in: the token that is set in `http.token_file`. */

import { useState } from "preact/hooks";
import { hasToken } from "../api/token.ts";
import { logIn } from "../live.ts";

export function LogIn() {
  const [wasRefused] = useState(hasToken);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const token = String(form.get("token") ?? "").trim();
    if (token !== "") logIn(token, form.get("stay") === "on");
  };
  return (
    <main id="main" class="login" tabIndex={-1}>
      <form class="card form" onSubmit={onSubmit}>
        <h1>Log in</h1>
        <p class="muted">
          bwmon wants its token: what is in the file that <code>http.token_file</code> names.
        </p>
        <label>
          Token
          <input name="token" type="password" required autocomplete="current-password" autofocus aria-describedby={wasRefused ? "refused" : undefined} />
        </label>
        {wasRefused && (
          <p class="wrong" role="alert" id="refused">
            This is not the token, or not any more.
          </p>
        )}
        <label class="check">
          <input name="stay" type="checkbox" />
          stay signed in on this device
        </label>
        <div class="form-end">
          <button type="submit" class="button primary">
            Log in
          </button>
        </div>
      </form>
    </main>
  );
}
