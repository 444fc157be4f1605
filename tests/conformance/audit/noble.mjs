// An ML-DSA-44 that is not ours: `node noble.mjs FOLDER`, lines of {key, message, signature} in hex; answers true or false.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { ml_dsa44 } = await import(pathToFileURL(`${process.argv[2]}/node_modules/@noble/post-quantum/ml-dsa.js`));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
for await (const line of createInterface({ input: process.stdin })) {
  const { key, message, signature } = JSON.parse(line);
  console.log(ml_dsa44.verify(bytes(signature), bytes(message), bytes(key)));
}
