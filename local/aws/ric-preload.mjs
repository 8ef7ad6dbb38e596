// Preloaded into every local environment. AWS's runtime client wants its native HTTP client, which needs a C++
// toolchain; with AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1 it uses none of it, so an empty module stands in.
import { registerHooks } from 'node:module';

const EMPTY = new URL('./empty.cjs', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === './rapid-client.node'
      ? { url: EMPTY, format: 'commonjs', shortCircuit: true }
      : nextResolve(specifier, context),
});
