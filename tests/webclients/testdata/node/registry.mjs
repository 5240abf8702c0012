// The schema, from the descriptor set of the server's own reflection: no code is generated.
import { readFileSync } from "node:fs";
import { createFileRegistry, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.env.DESCRIPTORS)));
export const Shapes = registry.getService("web.Shapes");
export const Text = registry.getMessage("web.Text");
export const Number_ = registry.getMessage("web.Number");
export const encode = (schema, init) => toBinary(schema, create(schema, init));
export const decode = (schema, bytes) => fromBinary(schema, bytes);
