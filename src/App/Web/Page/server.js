// Requests to the server: its token, its errors, and another try when it is busy.

const tries = 30, longestWait = 60;
const key = "ldvc-token";

let token = "";
try {
  token = sessionStorage.getItem(key) ?? "";
} catch {
  // A browser that keeps nothing for sites has no storage: the token lasts as long as the page.
}

export function useToken(text) {
  token = text;
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // As above.
  }
}

// A token after # of the address is kept for this tab; what stands there is never sent, and it leaves the address bar.
const given = /^#token=(.+)$/.exec(location.hash);
if (given) {
  try {
    useToken(decodeURIComponent(given[1]));
  } catch {
    // It is no percent-encoding: the page asks.
  }
  history.replaceState(null, "", location.pathname);
}

export class TokenNeeded extends Error {}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, 1000 * seconds);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
});

async function ask(url, options) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  try {
    return await fetch(url, { ...options, headers, redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer.");
  }
}

// The JSON of an answer. While the server is busy, `wait` is told for how many seconds, and the request is sent again.
export async function fetchJson(url, options = {}, wait = () => {}) {
  for (let n = 1; ; n++) {
    const response = await ask(url, options);
    const json = await response.json().catch(() => null);
    if (response.ok && json !== null) return json;
    if (response.status === 401) throw new TokenNeeded(token ? "The token is not the server's." : "");
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status !== 503 || !(seconds > 0) || n === tries) throw new Error(json?.error ?? `The server answered ${response.status} ${response.statusText}.`);
    wait(Math.min(seconds, longestWait));
    await pause(Math.min(seconds, longestWait), options.signal);
  }
}
