/** Begins: the theme, the routes, the live connection, the page. */

import { render } from "preact";
import "./styles/index.css";
import { App } from "./app.tsx";
import { start } from "./live.ts";
import { followHash } from "./router.ts";
import { followTheme } from "./settings.ts";

followTheme();
followHash();
start();
const place = document.getElementById("app");
if (place) render(<App />, place);
