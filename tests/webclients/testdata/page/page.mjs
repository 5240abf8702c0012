// Calls the server at ?api= in each way that a page can, and writes a line for each.
const api = new URLSearchParams(location.search).get("api");
const out = document.querySelector("#lines");
const line = (text) => { out.textContent += text + "\n"; };

// attempt writes the result of a call, or why there is none.
async function attempt(name, call) {
  try {
    line(`${name}: ${await call()}`);
  } catch (e) {
    line(`${name}: ${e.name}`);
  }
}

async function get() {
  const response = await fetch(`${api}/v1/say/Ada`);
  return (await response.json()).text;
}

async function post() {
  const response = await fetch(`${api}/web.Shapes/Say`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Client": "page" },
    body: JSON.stringify({ text: "Ada" }),
  });
  return (await response.json()).text;
}

async function fail() {
  const response = await fetch(`${api}/v1/fail/Ada`);
  const status = await response.json();
  return `${response.status}, ${status.code}, ${status.message}, ${status.details[0].fieldViolations[0].field}`;
}

async function ndjson() {
  const response = await fetch(`${api}/v1/count/3`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text.trim().split("\n").map((l) => JSON.parse(l).text).join(" ");
    text += value;
  }
}

function events(number) {
  return new Promise((resolve) => {
    const source = new EventSource(`${api}/v1/count/${number}`);
    const got = [];
    const end = (text) => { source.close(); resolve([...got, text].join(" ")); };
    source.onmessage = (e) => got.push(JSON.parse(e.data).text);
    source.addEventListener("end", () => end("end"));
    source.addEventListener("error", (e) => end(e.data ? `error ${JSON.parse(e.data).error.code}` : "no connection"));
  });
}

// socket sends documents, each after an answer if live, and returns what came.
function socket(path, documents, live) {
  return new Promise((resolve) => {
    const ws = new WebSocket(api.replace("http", "ws") + path, "dyngate.json.v1");
    const got = [];
    const next = () => { if (documents.length > 0) ws.send(documents.shift()); };
    ws.onopen = () => { next(); if (!live) while (documents.length > 0) next(); };
    ws.onmessage = (e) => {
      const message = JSON.parse(e.data);
      got.push(message.error ? `error ${message.error.code}` : message.text);
      if (live) next();
    };
    ws.onclose = (e) => resolve([...got, e.code, e.reason].join(" ").trim());
  });
}

await attempt("fetch GET", get);
await attempt("fetch POST", post);
await attempt("fetch error", fail);
await attempt("fetch NDJSON", ndjson);
await attempt("EventSource 3", () => events(3));
await attempt("EventSource 7", () => events(7));
await attempt("WebSocket Say", () => socket("/web.Shapes/Say", ['{"text":"Ada"}']));
await attempt("WebSocket Fail", () => socket("/web.Shapes/Fail", ['{"text":"Ada"}']));
await attempt("WebSocket Count", () => socket("/web.Shapes/Count", ['{"number":3}']));
await attempt("WebSocket Join", () => socket("/v1/join", ['{"text":"a"}', '{"text":"b"}', ""]));
await attempt("WebSocket Chat", () => socket("/v1/chat", ['{"text":"a"}', '{"text":"b"}', ""], true));

const { createClient, ConnectError } = await import("@connectrpc/connect");
const web = await import("@connectrpc/connect-web");
const { createFileRegistry, fromBinary } = await import("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = await import("@bufbuild/protobuf/wkt");
const descriptors = await (await fetch("descriptors")).arrayBuffer();
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, new Uint8Array(descriptors)));

for (const [name, transport] of [
  ["connect", web.createConnectTransport({ baseUrl: api, useBinaryFormat: true, useHttpGet: true })],
  ["connect JSON", web.createConnectTransport({ baseUrl: api, jsonOptions: { registry } })],
  ["grpcweb", web.createGrpcWebTransport({ baseUrl: api })],
]) {
  const client = createClient(registry.getService("web.Shapes"), transport);
  const headers = { "X-Client": name };
  await attempt(`${name} Say`, async () => (await client.say({ text: "Ada" }, { headers })).text);
  await attempt(`${name} Fail`, async () => {
    try {
      await client.fail({ text: "Ada" }, { headers });
      return "no error";
    } catch (e) {
      if (!(e instanceof ConnectError)) throw e;
      return `${e.code}, ${e.rawMessage}, ${e.details.length} details`;
    }
  });
  await attempt(`${name} Count`, async () => {
    const got = [];
    try {
      for await (const message of client.count({ number: 7 }, { headers })) got.push(message.text);
    } catch (e) {
      got.push(e.code, e.rawMessage);
    }
    return got.join(" ");
  });
}
line("done");
