// A reverse proxy for those who work on the dashboard, and for its tests: what is below PREFIX goes to a
// running bwmon; with --files, pages come from a directory instead, under the policy that bwmon sends.
//
//   node dev/proxy.mjs --to http://127.0.0.1:4000 [--to unix:/run/bwmon/bwmon.sock]
//        [--listen 127.0.0.1:5000] [--prefix /] [--files ../../target/web]
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    to: { type: "string", default: "http://127.0.0.1:4000" },
    listen: { type: "string", default: "127.0.0.1:5000" },
    prefix: { type: "string", default: "/" },
    files: { type: "string" },
  },
});
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const KINDS = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const upstream = values.to.startsWith("unix:")
  ? { socketPath: values.to.slice(5), host: "localhost" }
  : { host: new URL(values.to).hostname, port: new URL(values.to).port || 80 };

const server = createServer(async (asked, answer) => {
  if (!asked.url.startsWith(values.prefix)) {
    answer.writeHead(404).end("nothing here\n");
    return;
  }
  const path = `/${asked.url.slice(values.prefix.length)}`;
  if (values.files && !path.startsWith("/api/") && (await sent(path, answer))) return;
  // With the Host as it was asked for, by which bwmon tells its own pages from those of others.
  const passed = request({ ...upstream, path, method: asked.method, headers: asked.headers }, (response) => {
    answer.writeHead(response.statusCode, response.headers);
    response.pipe(answer);
  });
  passed.on("error", (error) => {
    if (!answer.headersSent) answer.writeHead(502);
    answer.end(`${error.message}\n`);
  });
  answer.on("close", () => passed.destroy());
  asked.pipe(passed);
});

async function sent(path, answer) {
  const file = join(values.files, normalize(path === "/" ? "/index.html" : path.split("?")[0]));
  const isThere = await stat(file).then((found) => found.isFile(), () => false);
  if (!isThere) return false;
  answer.writeHead(200, { "Content-Type": KINDS[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": POLICY });
  createReadStream(file).pipe(answer);
  return true;
}

const [host, port] = values.listen.split(/:(?=\d+$)/);
server.listen(Number(port), host, () => console.log(`http://${host}:${server.address().port}${values.prefix}`));
