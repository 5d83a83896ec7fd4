import { createHash } from "node:crypto";

const pageStyle = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 65%, transparent); }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 .75rem; } h2 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
#state { padding: .6rem .9rem; border-radius: .4rem; border-left: .4rem solid; background: color-mix(in srgb, currentColor 8%, transparent); }
.good { border-color: #2a9d4a !important; } .waiting { border-color: #d98a00 !important; } .bad { border-color: #d03232 !important; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem; margin: 0; }
dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .45rem .7rem; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-size: .8rem; font-weight: 500; } footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; }
`;

// Runs in the browser. It sets every value as text, so that nothing in the status can become markup.
const pageScript = `
const el = (tag, text, children = []) => { const e = document.createElement(tag); if (text !== null) e.textContent = text; e.append(...children); return e; };
const labelOf = (name) => name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
const textOf = (value) => typeof value === "number" ? value.toLocaleString("en") : Array.isArray(value) ? value.map(textOf).join(", ") || "none"
  : value && typeof value === "object" ? Object.entries(value).map(([k, v]) => labelOf(k) + " " + textOf(v)).join(", ") : String(value ?? "none");
const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isTable = (value) => Array.isArray(value) && value.length > 0 && value.every(isRecord);
const cards = (entries) => el("dl", null, entries.map(([name, value]) => el("div", null, [el("dt", labelOf(name)), el("dd", textOf(value))])));
const table = (rows) => { const names = [...new Set(rows.flatMap(Object.keys))];
  const wrap = el("div", null, [el("table", null, [el("thead", null, [el("tr", null, names.map((n) => el("th", labelOf(n))))]),
    el("tbody", null, rows.map((row) => el("tr", null, names.map((n) => el("td", textOf(row[n]))))))])]); wrap.className = "scroll"; return wrap; };
const section = (name, body) => el("section", null, [el("h2", labelOf(name)), body]);
const setState = (kind, text) => { const state = document.getElementById("state"); state.className = kind; if (state.textContent !== text) state.textContent = text; };
const stateOf = ({ ready, holds = [] }) => ready === false ? ["bad", "Not ready"] : holds.length > 0 ? ["waiting", "On hold: " + holds.map(textOf).join(", ")] : ["good", "Running"];
let previous;
const rates = (totals, at) => { const seconds = previous ? (at - previous.at) / 1000 : 0;
  const rows = Object.entries(totals).map(([name, total]) => { const earlier = previous?.totals[name];
    return { outcome: labelOf(name), total, "per second": seconds > 0 && earlier !== undefined ? Math.round(Math.max(0, total - earlier) / seconds) : "" }; });
  previous = { totals, at }; return rows; };
const render = (status) => { const { totals, ready, holds, ...rest } = status; const entries = Object.entries(rest);
  setState(...stateOf(status));
  document.getElementById("status").replaceChildren(
    ...(isRecord(totals) ? [section("events", table(rates(totals, performance.now())))] : []),
    cards(entries.filter(([, value]) => !isRecord(value) && !isTable(value))),
    ...entries.filter(([, value]) => isRecord(value)).map(([name, value]) => section(name, cards(Object.entries(value)))),
    ...entries.filter(([, value]) => isTable(value)).map(([name, value]) => section(name, table(value)))); };
const refresh = async () => {
  try { const response = await fetch("api/status", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error("it responds with status " + response.status);
    render(await response.json()); }
  catch (error) { setState("bad", "Cannot reach the service: " + error.message); }
  setTimeout(refresh, 2000); };
refresh();
`;

/** The status page: one HTML document that requests `/api/status` every two seconds and needs nothing else. */
export const statusPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gainstream</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style>
</head>
<body>
<main>
<h1>gainstream</h1>
<p id="state" role="status">Loading</p>
<noscript><p>This page needs JavaScript. The same data is at <a href="api/status">api/status</a>.</p></noscript>
<div id="status"></div>
</main>
<footer><a href="api/status">status</a> · <a href="readyz">ready</a> · <a href="livez">live</a> · <a href="metrics">metrics</a></footer>
<script>${pageScript}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Headers that allow only our own style and script, and requests only to our own address. */
export const statusPagePolicy: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data:",
    `style-src ${hashOf(pageStyle)}`,
    `script-src ${hashOf(pageScript)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
};
