// Talking to the read API of the server the page came from.

const TENANT = "letopis.tenant";

/** An answer that is not the one asked for: a problem of the server's, or no answer at all (`status` 0). */
export class Failure extends Error {
  constructor(status, problem = {}) {
    super(problem.title ?? "no answer");
    this.status = status;
    this.problem = problem;
  }
}

/** Only a key that may read every business has to say which one. */
export function chosenTenant() {
  return sessionStorage.getItem(TENANT);
}

export function chooseTenant(id) {
  sessionStorage.setItem(TENANT, id);
}

/** GETs JSON. Parameters that are empty are left out. */
export async function get(path, parameters = {}) {
  return (await ask(address(path, parameters), {})).body;
}

/** POSTs JSON and reads JSON; the body is where anything personal goes, never the address. */
export async function post(path, value = {}, parameters = {}) {
  const headers = { "content-type": "application/json" };
  return (await ask(address(path, parameters), { method: "POST", headers, body: JSON.stringify(value) })).body;
}

/**
 * A GET that is asked again and again: `read()` gives the answer when it is another than last time, else null.
 * The server's ETag is kept here because nothing of the answers is to land in the browser's cache.
 */
export function watched(path, parameters = {}) {
  let etag = null;
  return async function read() {
    const headers = etag ? { "if-none-match": etag } : {};
    const answer = await ask(address(path, parameters), { headers });
    if (answer.status === 304) return null;
    etag = answer.etag;
    return answer.body;
  };
}

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { cache: "no-store", credentials: "same-origin", ...options });
  } catch {
    throw new Failure(0);
  }
  const { status } = response;
  if (status === 304) return { status };
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Failure(status, body);
  return { status, body, etag: response.headers.get("etag") };
}

function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const tenant = chosenTenant();
  if (tenant) query.set("tenant", tenant);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
