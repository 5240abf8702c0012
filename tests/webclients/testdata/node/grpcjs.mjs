// grpcjs.mjs HOST:PORT: gRPC's own client for Node.js.
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { run } from "./shapes.mjs";

const definition = loader.loadFileDescriptorSetFromBuffer(readFileSync(process.env.DESCRIPTORS));
const { web } = grpc.loadPackageDefinition(definition);
const client = new web.Shapes(process.argv[2], grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
metadata.set("x-client", "grpc-js");

const wrap = (e) => ({ code: e.code, message: e.details, details: e.metadata?.get("grpc-status-details-bin").length ?? 0 });

await run({
  unary(name, text) {
    return new Promise((resolve, reject) => {
      const result = {};
      const call = client[name]({ text }, metadata, (e, message) => {
        if (e) return reject(wrap(e));
        result.message = message;
      });
      call.on("metadata", (md) => { result.header = md.get("x-answer")[0]; });
      call.on("status", (status) => {
        result.trailer = status.metadata.get("x-after")[0];
        resolve(result);
      });
    });
  },
  async *serverStream(number) {
    try {
      yield* client.Count({ number }, metadata);
    } catch (e) {
      throw wrap(e);
    }
  },
  clientStream(texts) {
    return new Promise((resolve, reject) => {
      const call = client.Join(metadata, (e, message) => (e ? reject(wrap(e)) : resolve(message)));
      for (const text of texts) call.write({ text });
      call.end();
    });
  },
  bidi() {
    const call = client.Chat(metadata);
    const answers = call[Symbol.asyncIterator]();
    return {
      send: (text) => call.write({ text }),
      receive: async () => (await answers.next()).value,
      close: () => call.end(),
    };
  },
});
client.close();
