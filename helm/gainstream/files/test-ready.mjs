// Polls for two minutes, because a replica reads its retry topics before it is ready.
import { setTimeout as sleep } from "node:timers/promises";

const ask = async () => {
  try {
    const answer = await fetch(process.env.URL, { signal: AbortSignal.timeout(5000) });
    return { isReady: answer.ok, text: await answer.text() };
  } catch (error) {
    return { isReady: false, text: `${error.message}: ${error.cause?.message ?? ""}` };
  }
};

let last = await ask();
for (let tries = 0; !last.isReady && tries < 24; tries += 1) {
  await sleep(5000);
  last = await ask();
}
console.log(last.text);
process.exitCode = last.isReady ? 0 : 1;

// The proxy of a mesh keeps the pod running, unless it is a native sidecar. There may be no proxy.
const dismiss = (request) =>
  fetch(`http://127.0.0.1:${request}`, { method: "POST", signal: AbortSignal.timeout(5000) });
const { PROXY_REQUESTS = "15020/quitquitquit 4191/shutdown" } = process.env;
await Promise.allSettled(PROXY_REQUESTS.split(" ").map(dismiss));
