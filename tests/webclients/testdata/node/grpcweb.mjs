// grpcweb.mjs URL FORMAT: Google's client of gRPC-Web. FORMAT is text or binary; only
// text streams.
import XMLHttpRequest from "xhr2";
import grpcweb from "grpc-web";
import { decode, encode, Number_, Text } from "./registry.mjs";
import { queue, run } from "./shapes.mjs";

globalThis.XMLHttpRequest = XMLHttpRequest;
const [url, format] = process.argv.slice(2);
const client = new grpcweb.GrpcWebClientBase({ format });
const metadata = { "X-Client": `grpc-web-${format}` };

const method = (name, type, schema) => new grpcweb.MethodDescriptor(`/web.Shapes/${name}`, type, Object, Object,
  (request) => encode(schema, request), (bytes) => decode(Text, bytes));
const wrap = (e) => ({ code: e.code, message: e.message, details: e.metadata?.["grpc-status-details-bin"] ? 1 : 0 });

const calls = {
  unary(name, text) {
    return new Promise((resolve, reject) => {
      const result = {};
      const descriptor = method(name, grpcweb.MethodType.UNARY, Text);
      const call = client.rpcCall(`${url}/web.Shapes/${name}`, { text }, metadata, descriptor, (e, message) => {
        if (e) reject(wrap(e));
        else result.message = message;
      });
      call.on("metadata", (md) => { result.header = md["x-answer"]; });
      call.on("status", (status) => { result.trailer = status.metadata?.["x-after"]; });
      call.on("end", () => resolve(result));
    });
  },
};
if (format === "text") {
  calls.serverStream = async function* (number) {
    const messages = queue();
    let failure;
    const descriptor = method("Count", grpcweb.MethodType.SERVER_STREAMING, Number_);
    const call = client.serverStreaming(`${url}/web.Shapes/Count`, { number }, metadata, descriptor);
    call.on("data", (message) => messages.push(message));
    call.on("error", (e) => { failure = wrap(e); messages.close(); });
    call.on("end", () => messages.close());
    yield* messages;
    if (failure) throw failure;
  };
}
await run(calls);
