import { HttpAgent } from '@ag-ui/client';
import { CopilotRuntime } from '@copilotkit/runtime/v2';
import { createCopilotNodeListener } from '@copilotkit/runtime/v2/node';

const URL = process.env.AGENTS_URL ?? 'http://127.0.0.1:3000';

// With a Function URL of the auth type AWS_IAM: `fetch` with a signature of this process's own role, see the README.
const agent = new HttpAgent({ url: `${URL}/api/agents/onboarding/ag-ui` });

/** CopilotKit's runtime, which its browser part talks to; it runs wherever Node.js does. */
export const listener = createCopilotNodeListener({
  runtime: new CopilotRuntime({ agents: { default: agent } }),
  basePath: '/api/copilotkit',
});
