// Asks the port. The token is kept for this tab only, and sent to this port only.

const KEY = "callgate-token";
const PATIENCE_MS = 15000;

let kept = null;

/** What the port has refused: it asks for a token, or for another one. */
export class NoToken extends Error {}

export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? kept;
  } catch {
    return kept;
  }
}

export function hasToken() {
  return Boolean(token());
}

/** Keeps a token, or forgets it. */
export function setToken(text) {
  kept = text;
  try {
    if (text) sessionStorage.setItem(KEY, text);
    else sessionStorage.removeItem(KEY);
  } catch {
    // It is kept as long as the page is.
  }
}

/** The page of that path, as JSON; with what it is asked for. */
export async function ask(path, query) {
  const wanted = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(wanted).toString();
  const headers = token() ? { authorization: `Bearer ${token()}` } : {};
  const reply = await fetch(search ? `${path}?${search}` : path, {
    headers,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (reply.status === 401) throw new NoToken();
  if (!reply.ok) throw new Error(`${reply.status}: ${(await reply.text()).slice(0, 300).trim()}`);
  return reply.json();
}
