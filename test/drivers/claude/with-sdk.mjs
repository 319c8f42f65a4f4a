/** For `node --import`: the SDK of the tests is found by its name. */
import { registerHooks } from "node:module";

const sdk = new URL("sdk/node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs", import.meta.url).href;

registerHooks({
  resolve(name, context, next) {
    return name === "@anthropic-ai/claude-agent-sdk" ? { url: sdk, shortCircuit: true } : next(name, context);
  },
});
