// Runs the verifier that stands in the offline page: `node verifier_page.mjs verifier.html`, questions as lines of JSON.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";

const script = readFileSync(process.argv[2], "utf8").match(/<script>([^]*?)<\/script>/u)[1];
const Troth = runInThisContext(`${script};Troth`);
const bytes = (path) => new Uint8Array(readFileSync(path));
const kinds = {
  async log({ trust, folder, trusted, joint, minimum }) {
    const read = (path) => {
      try { return bytes(`${folder}/${path}`); } catch { return null; }
    };
    const options = { trusted: (trusted || []).map(bytes), joint: joint ? readFileSync(joint, "utf8") : null, minimum };
    return Troth.verifyLog(read, Troth.parseTrust(trust), options);
  },
  proof: async ({ trust, proof, leaf }) => Troth.verifyProof(Troth.textOf(bytes(proof)), bytes(leaf), Troth.parseTrust(trust)),
  bundle: async ({ trust, bundle }) => Troth.verifyBundle(await Troth.unzip(bytes(bundle)), Troth.parseTrust(trust)),
  period: async ({ trust, period }) => Troth.verifyPeriod(await Troth.unzip(bytes(period)), Troth.parseTrust(trust)),
  certificate: async ({ trust, certificate }) => Troth.verifyCertificate(bytes(certificate), Troth.parseTrust(trust)),
  mldsa44: async ({ key, message, signature }) => ({ holds: Troth.mldsa44(...[key, message, signature].map((one) => Uint8Array.from(Buffer.from(one, "hex")))) }),
  digests: async ({ data }) => {
    const raw = Uint8Array.from(Buffer.from(data, "hex"));
    return { sha256: Troth.hex(Troth.sha256(raw)), shake128: Troth.hex(Troth.shake(168, raw).take(400)), shake256: Troth.hex(Troth.shake(136, raw).take(400)) };
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const kind = ["proof", "bundle", "period", "certificate", "mldsa44"].find((one) => question[one === "mldsa44" ? "signature" : one]) || (question.data === undefined ? "log" : "digests");
  const { importKey } = crypto.subtle;
  if (question.blind) crypto.subtle.importKey = () => Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
  let answer;
  try {
    answer = question.stubbed ? {} : await kinds[kind](question);
  } catch (error) {
    if (!(error instanceof Troth.Broken)) throw error;
    answer = { refused: error.message, first: error.first };
  } finally {
    crypto.subtle.importKey = importKey;
  }
  console.log(JSON.stringify(answer));
}
