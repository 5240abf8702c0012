// connect.mjs URL LIBRARY PROTOCOL HTTP FORMAT: connectrpc's clients.
//
// LIBRARY is node or web, PROTOCOL connect, grpc or grpcweb, HTTP 1.1 or 2, FORMAT
// binary, json or get.
import { createClient, ConnectError } from "@connectrpc/connect";
import * as node from "@connectrpc/connect-node";
import * as web from "@connectrpc/connect-web";
import { registry, Shapes } from "./registry.mjs";
import { queue, run } from "./shapes.mjs";

const [url, library, protocol, http, format] = process.argv.slice(2);
const create = {
  "node connect": node.createConnectTransport,
  "node grpc": node.createGrpcTransport,
  "node grpcweb": node.createGrpcWebTransport,
  "web connect": web.createConnectTransport,
  "web grpcweb": web.createGrpcWebTransport,
}[`${library} ${protocol}`];
const sessions = library === "node" && http === "2" ? new node.Http2SessionManager(url) : undefined;
const transport = create({
  baseUrl: url,
  httpVersion: http,
  sessionManager: sessions,
  useBinaryFormat: format !== "json",
  useHttpGet: format === "get",
  jsonOptions: { registry },
});
const client = createClient(Shapes, transport);
const headers = { "X-Client": process.argv.slice(3).join("-") };

function wrap(e) {
  if (!(e instanceof ConnectError)) return e;
  return { code: e.code, message: e.rawMessage, details: e.details.length };
}

const calls = {
  async unary(name, text) {
    let header, trailer;
    try {
      const message = await client[name.toLowerCase()]({ text }, {
        headers,
        onHeader: (h) => { header = h.get("x-answer"); },
        onTrailer: (t) => { trailer = t.get("x-after"); },
      });
      return { message, header, trailer };
    } catch (e) {
      throw wrap(e);
    }
  },
  async *serverStream(number) {
    try {
      yield* client.count({ number }, { headers });
    } catch (e) {
      throw wrap(e);
    }
  },
};
if (library === "node") {
  // Pages in browsers cannot stream requests.
  calls.clientStream = async (texts) => client.join((async function* () {
    for (const text of texts) yield { text };
  })(), { headers });
  if (http === "2") {
    calls.bidi = () => {
      const requests = queue();
      const answers = client.chat(requests, { headers })[Symbol.asyncIterator]();
      return {
        send: (text) => requests.push({ text }),
        receive: async () => (await answers.next()).value,
        close: () => requests.close(),
      };
    };
  }
}
await run(calls);
sessions?.abort();
