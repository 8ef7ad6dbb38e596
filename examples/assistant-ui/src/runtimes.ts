import { HttpAgent } from '@ag-ui/client';
import { useAgUiRuntime } from '@assistant-ui/react-ag-ui';
import { AssistantChatTransport, useChatRuntime } from '@assistant-ui/react-ai-sdk';

const URL = import.meta.env.VITE_URL ?? 'http://127.0.0.1:3000';

// With a Function URL of the auth type AWS_IAM: `fetch: signedFetch` of ../../signed-fetch in both, see the README.
const transport = new AssistantChatTransport({ api: `${URL}/api/agents/onboarding/chat` });
const agent = new HttpAgent({ url: `${URL}/api/agents/onboarding/ag-ui` });

/** Over the AI SDK's stream. */
export function useOverAiSdk() {
  return useChatRuntime({ transport });
}

/** Over AG-UI, which has state, interrupts and tools of the page as well where the agent speaks it. */
export function useOverAgUi() {
  return useAgUiRuntime({ agent });
}
