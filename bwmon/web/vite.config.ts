import { defineConfig } from "vite";

// Everything is relative, so that the dashboard also works below a path of a reverse proxy.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../../target/web",
    emptyOutDir: true,
    assetsDir: "assets",
    // The policy of the server allows files only: nothing becomes a data: URL or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": process.env.BWMON_API ?? "http://127.0.0.1:4000" } },
});
