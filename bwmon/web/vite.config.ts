import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** What the packed files may have together, in bytes: it is on every router, in the binary. */
const MOST = 150_000;

// Everything is relative, so that the dashboard also works below a path of a reverse proxy.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../../target/web",
    emptyOutDir: true,
    // The policy of the server allows files only: nothing becomes a data: URL or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [packed()],
  server: { proxy: { "/api": process.env.BWMON_API ?? "http://127.0.0.1:4000" } },
});

/** Each file packed beside it, as the server sends it: the same bytes for the same file. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    async writeBundle({ dir = "." }) {
      let sum = 0;
      for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const file = join(entry.parentPath, entry.name);
        const bytes = gzipSync(await readFile(file), { level: 9 });
        sum += bytes.length;
        await writeFile(`${file}.gz`, bytes);
      }
      this.info(`packed: ${sum} bytes of at most ${MOST}`);
      if (sum > MOST) this.error(`the dashboard has ${sum} bytes when packed, more than ${MOST}: find out what made it so large`);
    },
  };
}
